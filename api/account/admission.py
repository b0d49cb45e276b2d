"""Letting in whom the city's own sign-in vouches for: only people whose account an administrator has made for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from api import accounts, auth
from api.accounts import Person
from api.oidc import Identity
from core import audit, db
from core.clock import utc_now
from core.errors import ConflictError, InputError
from core.models import Role, SignInBy, User, UserSession
from core.settings import Settings

NOBODY = "oidc"
"""Who stands in the trail where the city's sign-in names somebody who has no account here."""
_LONGEST = 64
_UNUSABLE = "\0"


@dataclass(frozen=True, slots=True)
class Told:
    """What the city's sign-in says of a person's place; ``None`` where it isn't asked or says nothing."""

    role: str | None
    department: str | None
    position: str | None


def enter(engine: Engine, identity: Identity, *, settings: Settings, departments: Collection[str]) -> str | None:
    """Opens a session for this person; gives the token for the cookie, or ``None`` for whoever has no open account.

    An account is found by the issuer's mark. Where no account has it yet, by the name, and only among those that an administrator
    has given to the city's sign-in and nobody has come in with: a name alone never takes over an account with a password.
    """
    with db.writing(engine) as session:
        user = session.scalar(select(User).where(User.oidc_subject == identity.mark).with_for_update())
        bound = user is None
        if user is None:
            user = _named(session, identity.claims.get(settings.oidc_username_claim))
        if user is None or user.sign_in_by is not SignInBy.CITY:
            refuse(session, "unknown")
            return None
        if not user.active:
            refuse(session, "inactive", user=user)
            return None
        # Before anything that writes the trail: its lock is the last one that anybody takes.
        session.execute(delete(UserSession).where(UserSession.expires_at <= utc_now()))
        user.oidc_subject = identity.mark
        if not _follow(session, user, _told(identity, settings), departments):
            # The account stays unbound: nothing of a refused sign-in may hold.
            user.oidc_subject = None if bound else identity.mark
            refuse(session, "claims", user=user)
            return None
        token = auth.open_session(session, user, hours=settings.session_hours)
        detail = {"by": SignInBy.CITY.value, "first": bound}
        audit.record(session, actor=user.username, action="sign_in", subject=f"user:{user.id}", detail=detail)
        return token


def refuse(session: Session, reason: str, *, user: User | None = None) -> None:
    """Notes that somebody who came from the city's sign-in wasn't let in, and why."""
    actor, subject = (user.username, f"user:{user.id}") if user else (NOBODY, "sign_in")
    detail = {"by": SignInBy.CITY.value, "reason": reason}
    audit.record(session, actor=actor, action="sign_in.refused", subject=subject, detail=detail)


def _named(session: Session, name: object) -> User | None:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        return None
    waiting = select(User).where(
        User.username == name.lower(), User.sign_in_by == SignInBy.CITY, User.oidc_subject.is_(None), User.username.not_like("%:%")
    )
    return session.scalar(waiting.with_for_update())


def _told(identity: Identity, settings: Settings) -> Told:
    names = (settings.oidc_role_claim, settings.oidc_department_claim, settings.oidc_position_claim)
    role, department, position = (
        _text(identity.claims[name]) if name and identity.claims.get(name) is not None else None for name in names
    )
    return Told(role, department, position)


def _text(said: object) -> str:
    """A claim's one text; some servers send a list of one. Anything else is no role and no department: whoever it is for isn't let in."""
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    return said.strip() if isinstance(said, str) and len(said.strip()) <= _LONGEST else _UNUSABLE


def _follow(session: Session, user: User, told: Told, departments: Collection[str]) -> bool:
    """Changes the account as the city's sign-in says; false when that can't be, such as a department that isn't in the list."""
    if _UNUSABLE in (told.role, told.department, told.position):
        return False
    wanted = Person(
        role=user.role if told.role is None else told.role,
        display_name=user.display_name,
        department=user.department if told.department is None else told.department,
        position=user.position if told.position is None else told.position[:32],
        email=user.email,
    )
    if told.department is not None and wanted.role == Role.DEPARTMENT and wanted.department not in departments:
        return False
    try:
        accounts.change_user(session, user, wanted, actor=NOBODY)
    except (InputError, ConflictError):
        return False
    return True
