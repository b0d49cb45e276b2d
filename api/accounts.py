"""Staff accounts: adding and changing them, closing, unlocking, and new passwords. One administrator always remains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api import passwords
from api.auth import NO_HASH, hash_password
from core import audit
from core.clock import utc_now
from core.errors import ConflictError, InputError, NotFoundError
from core.models import Role, SignInBy, User, UserSession

_USERNAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,63}$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is said of a member of staff beside the name to sign in with."""

    role: str
    display_name: str = ""
    department: str = ""
    position: str = ""
    email: str = ""

    def check(self) -> None:
        """Whether it fits together.

        Raises:
            InputError: the role isn't one, a department is missing, or the mail address isn't one.
        """
        if self.role not in set(Role):
            raise InputError(f"役割「{self.role[:32]}」がわかりません。", hint=f"{'・'.join(Role)} から選んでください。")
        if self.role == Role.DEPARTMENT and not self.department:
            raise InputError("所管課の利用者には課の名前が要ります。", hint="課を指定してください（命令では --department）。")
        if self.email and not _EMAIL.match(self.email):
            raise InputError("メールアドレスの形が正しくありません。", hint="例: hanako@city.example.jp")


def add_user(session: Session, *, username: str, person: Person, password: str | None, actor: str, must_change: bool = True) -> User:
    """Adds a member of staff, who chooses another password at the first sign-in unless ``must_change`` is false.

    Without a password the account is the city's own sign-in's (``give_to_city``).

    Raises:
        InputError: name, role, department or password can't be used; says why.
        ConflictError: the name is taken.
    """
    if not _USERNAME.match(username):
        raise InputError(f"利用者名「{username[:64]}」は使えません。", hint="英小文字・数字・.-_ で2〜64文字にしてください。")
    person.check()
    if password is not None:
        passwords.check(password, username=username)
    if session.scalar(select(User.id).where(User.username == username)):
        raise ConflictError(f"利用者「{username}」はすでにいます。", hint="別の利用者名にしてください。")
    user = User(
        username=username,
        display_name=person.display_name or username,
        password_hash=NO_HASH if password is None else hash_password(password),
        sign_in_by=SignInBy.CITY if password is None else SignInBy.LOCAL,
        role=Role(person.role),
        department=person.department,
        position=person.position,
        email=person.email,
        must_change_password=must_change and password is not None,
        created_at=utc_now(),
    )
    session.add(user)
    session.flush()
    detail = {"role": person.role, "department": person.department, "position": person.position}
    detail |= {"by": user.sign_in_by.value} if password is None else {}
    audit.record(session, actor=actor, action="user.add", subject=f"user:{user.id}", detail=detail)
    return user


def change_user(session: Session, user: User, person: Person, *, actor: str) -> None:
    """Gives a member of staff another role, department, position, name or mail address. It holds from the next click on.

    Raises:
        InputError: it doesn't fit together.
        ConflictError: it would leave no administrator.
    """
    person.check()
    if user.role is Role.ADMIN and person.role != Role.ADMIN:
        _keep_an_admin(session, user)
    wanted: dict[str, Any] = {
        "display_name": person.display_name or user.username,
        "role": Role(person.role),
        "department": person.department,
        "position": person.position,
        "email": person.email,
    }
    changed = {name: value for name, value in wanted.items() if getattr(user, name) != value}
    if not changed:
        return
    before = {name: str(getattr(user, name)) for name in changed if name in ("role", "department", "position")}
    for name, value in changed.items():
        setattr(user, name, value)
    # Names and addresses aren't written into the trail, only that they have changed.
    detail = {"changed": sorted(changed), "from": before, "to": {name: str(changed[name]) for name in before}}
    audit.record(session, actor=actor, action="user.change", subject=f"user:{user.id}", detail=detail)


def close_user(session: Session, user: User, *, actor: str) -> None:
    """Closes an account and ends its sessions; the person's acts stay in the trail.

    Raises:
        ConflictError: it is the last administrator's.
    """
    if not user.active:
        return
    if user.role is Role.ADMIN:
        _keep_an_admin(session, user)
    user.active = False
    end_sessions(session, user)
    audit.record(session, actor=actor, action="user.close", subject=f"user:{user.id}")


def reopen_user(session: Session, user: User, *, actor: str) -> None:
    """Opens a closed account again."""
    if not user.active:
        user.active = True
        audit.record(session, actor=actor, action="user.reopen", subject=f"user:{user.id}")


def unlock_user(session: Session, user: User, *, actor: str) -> None:
    """Lifts a lock-out before its time is over."""
    user.failed_sign_ins, user.locked_until = 0, None
    audit.record(session, actor=actor, action="user.unlock", subject=f"user:{user.id}")


def set_password(session: Session, user: User, password: str, *, actor: str, must_change: bool = True) -> None:
    """Gives an account a password to begin with, lifts a lock-out and ends its sessions. It is no longer the city's sign-in's.

    Raises:
        InputError: the password can't be used.
    """
    passwords.check(password, username=user.username)
    user.password_hash, user.must_change_password = hash_password(password), must_change
    user.failed_sign_ins, user.locked_until = 0, None
    user.sign_in_by, user.oidc_subject = SignInBy.LOCAL, None
    end_sessions(session, user)
    audit.record(session, actor=actor, action="user.password", subject=f"user:{user.id}")


def give_to_city(session: Session, user: User, *, actor: str) -> None:
    """From now on this person signs in by the city's own sign-in alone; the password and open sessions end.

    Who first comes from there under this name is whom the account belongs to. Done again, it waits for a first sign-in anew.
    """
    user.sign_in_by, user.oidc_subject = SignInBy.CITY, None
    user.password_hash, user.must_change_password = NO_HASH, False
    user.failed_sign_ins, user.locked_until = 0, None
    end_sessions(session, user)
    audit.record(session, actor=actor, action="user.city", subject=f"user:{user.id}")


def list_users(session: Session) -> Sequence[User]:
    """All people's accounts, those in use first, by their names; those under which keys act (``api.keys``) are no people."""
    return session.scalars(select(User).where(User.username.not_like("%:%")).order_by(User.active.desc(), User.username)).all()


def find_user(session: Session, user_id: int) -> User:
    """An account, kept from being changed by others until the transaction ends.

    Raises:
        NotFoundError: there is none of that number.
    """
    user = session.scalar(select(User).where(User.id == user_id, User.username.not_like("%:%")).with_for_update())
    return _found(user, str(user_id))


def named_user(session: Session, username: str) -> User:
    """The same by the name to sign in with.

    Raises:
        NotFoundError: nobody has that name.
    """
    return _found(session.scalar(select(User).where(User.username == username, User.username.not_like("%:%")).with_for_update()), username)


def is_locked(user: User) -> bool:
    """Whether too many wrong passwords keep an account shut for now."""
    return user.locked_until is not None and user.locked_until > utc_now()


def _found(user: User | None, asked: str) -> User:
    if user is None:
        raise NotFoundError(f"利用者「{asked[:64]}」はいません。", hint="利用者の一覧から選びなおしてください。")
    return user


def _keep_an_admin(session: Session, leaving: User) -> None:
    # Locked in one order: two administrators who close each other at the same moment don't both succeed.
    admins = select(User.id).where(User.role == Role.ADMIN, User.active.is_(True)).order_by(User.id).with_for_update()
    if not set(session.scalars(admins)) - {leaving.id}:
        raise ConflictError("最後の管理者を止めたり、ほかの役割にしたりすることはできません。", hint="先に、ほかの管理者を加えてください。")


def end_sessions(session: Session, user: User) -> None:
    """Ends all of an account's sessions."""
    session.execute(delete(UserSession).where(UserSession.user_id == user.id))
