"""Signing in and out: argon2 passwords, sessions that the server keeps, a lock after five failures, every act in the trail."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from api import passwords
from core import audit, db
from core.clock import utc_now
from core.errors import ForbiddenError, InputError, SignInRequiredError
from core.models import SignInBy, User, UserSession
from loop.actors import Actor

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
NO_HASH = "!"
"""Kept in a hash's place for an account that no password opens."""
_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that holds: who it is, and the token that this person's forms must carry.

    ``scopes``: what a program's key may do (``api.keys``); ``None`` for a person. ``must_change_password``: somebody else chose the
    password, and until this person has chosen one nothing else can be done. ``by_city``: this person comes in by the city's own sign-in
    and has no password here.
    """

    actor: Actor
    csrf_token: str
    token_hash: str
    must_change_password: bool = False
    by_city: bool = False
    scopes: frozenset[str] | None = None


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


def sign_in(engine: Engine, username: str, password: str, *, hours: int) -> str | None:
    """Checks a password and opens a session; gives the token for the cookie, or ``None``, whatever the reason was.

    The password is checked before anything is looked at, also for a name that doesn't exist, so that the time taken tells
    nothing. Failures are counted behind a lock on the row: guesses sent at the same moment don't slip past the limit.
    """
    with db.reading(engine) as session:
        stored = session.scalar(select(User.password_hash).where(User.username == username))
    right = _matches(stored if stored and stored.startswith("$") else _nobodys_hash(), password)  # no hash at all: nobody's password
    with db.writing(engine) as session:
        user = session.scalar(select(User).where(User.username == username).with_for_update())
        if user is None:
            return None
        now = utc_now()
        if not user.active or (user.locked_until and user.locked_until > now):
            audit.record(session, actor=user.username, action="sign_in.refused", subject=f"user:{user.id}")
            return None
        if user.sign_in_by is SignInBy.CITY:
            # No guess is counted: there is no password that could be guessed, and nobody shall be locked out by others' tries.
            why = {"by": SignInBy.LOCAL.value, "reason": "city"}
            audit.record(session, actor=user.username, action="sign_in.refused", subject=f"user:{user.id}", detail=why)
            return None
        if not right or user.password_hash != stored:
            detail = {"locked": _failed(user)}
            audit.record(session, actor=user.username, action="sign_in.failed", subject=f"user:{user.id}", detail=detail)
            return None
        user.failed_sign_ins, user.locked_until = 0, None
        if _hasher.check_needs_rehash(user.password_hash):
            user.password_hash = hash_password(password)
        session.execute(delete(UserSession).where(UserSession.expires_at <= now))
        token = open_session(session, user, hours=hours)
        audit.record(session, actor=user.username, action="sign_in", subject=f"user:{user.id}")
        return token


def open_session(session: Session, user: User, *, hours: int) -> str:
    """A new session of a user; gives the token, of which only the hash is stored."""
    token, now = secrets.token_urlsafe(32), utc_now()
    session.add(
        UserSession(
            token_hash=_hash(token),
            user_id=user.id,
            csrf_token=secrets.token_urlsafe(32),
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    return token


def find_session(session: Session, token: str) -> SignedIn | None:
    """The sign-in that a cookie's token belongs to; ``None`` when it has ended or the account was closed."""
    row = session.execute(
        select(User, UserSession)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == _hash(token), UserSession.expires_at > utc_now(), User.active.is_(True))
    ).one_or_none()
    if row is None:
        return None
    user, kept = row
    actor = Actor(user.id, user.username, user.display_name, user.role, user.department)
    return SignedIn(actor, kept.csrf_token, kept.token_hash, user.must_change_password, user.sign_in_by is SignInBy.CITY)


def sign_out(session: Session, signed_in: SignedIn) -> None:
    """Ends a session."""
    session.execute(delete(UserSession).where(UserSession.token_hash == signed_in.token_hash))
    actor = signed_in.actor
    audit.record(session, actor=actor.username, action="sign_out", subject=f"user:{actor.user_id}")


def change_password(engine: Engine, signed_in: SignedIn, *, old: str, new: str, again: str) -> None:
    """A person chooses a new password; all other sessions of this account end.

    Wrong old passwords count as failed sign-ins do: who finds an open session doesn't get to guess for long.

    Raises:
        InputError: the old password is wrong, the new one can't be used, or it was written differently the second time.
        SignInRequiredError: the old one was wrong too often: the account is locked, and its sessions have ended.
        ForbiddenError: this person comes in by the city's own sign-in and has no password here.
    """
    actor = signed_in.actor
    if signed_in.by_city:
        raise ForbiddenError("この利用者は、市の認証でログインします。", hint="パスワードは、市の認証の側で変えてください。")
    with db.reading(engine) as session:
        stored = session.scalar(select(User.password_hash).where(User.id == actor.user_id)) or ""
    right = _matches(stored, old)
    if right:
        if new != again:
            raise InputError("新しいパスワードが、2つの欄で違います。", hint="同じものを2回入れてください。")
        if new == old:
            raise InputError("いまと同じパスワードは使えません。", hint="別のパスワードにしてください。")
        passwords.check(new, username=actor.username)
    made = hash_password(new) if right else ""
    with db.writing(engine) as session:
        user = session.scalars(select(User).where(User.id == actor.user_id).with_for_update()).one()
        if right and user.password_hash == stored:
            user.password_hash, user.must_change_password, user.password_changed_at = made, False, utc_now()
            user.failed_sign_ins = 0
            others = delete(UserSession).where(UserSession.user_id == user.id, UserSession.token_hash != signed_in.token_hash)
            session.execute(others)
            audit.record(session, actor=user.username, action="user.own_password", subject=f"user:{user.id}")
            return
        locked = _failed(user)
        if locked:
            session.execute(delete(UserSession).where(UserSession.user_id == user.id))
        audit.record(session, actor=user.username, action="password.failed", subject=f"user:{user.id}", detail={"locked": locked})
    if locked:
        raise SignInRequiredError("ログインが必要です。", hint="パスワードを続けて間違えたため、しばらくログインできません。")
    raise InputError("いまのパスワードが違います。", hint=f"{MAX_FAILURES}回続けて間違えると、15分間ログインできなくなります。")


def _failed(user: User) -> bool:
    """Counts a wrong password; gives whether the account is locked by now."""
    user.failed_sign_ins += 1
    if user.failed_sign_ins >= MAX_FAILURES:
        user.failed_sign_ins, user.locked_until = 0, utc_now() + LOCKED_FOR
    return user.locked_until is not None and user.locked_until > utc_now()


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password[: passwords.LONGEST]) and len(password) <= passwords.LONGEST
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(32))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
