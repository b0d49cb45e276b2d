"""Staff accounts: adding one, and giving it a new password."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.auth import hash_password
from core import audit
from core.clock import utc_now
from core.errors import ConflictError, InputError
from core.models import Role, User

_USERNAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,63}$")
SHORTEST_PASSWORD = 10


def add_user(session: Session, *, username: str, role: str, display_name: str, department: str, password: str, actor: str) -> User:
    """Adds a member of staff.

    Raises:
        InputError: name, role, department or password can't be used; says why.
        ConflictError: the name is taken.
    """
    if not _USERNAME.match(username):
        raise InputError(f"利用者名「{username}」は使えません。", hint="英小文字・数字・.-_ で2〜64文字にしてください。")
    if role not in set(Role):
        raise InputError(f"役割「{role}」がわかりません。", hint=f"{'・'.join(Role)} から選んでください。")
    if role == Role.DEPARTMENT and not department:
        raise InputError("所管課の利用者には課の名前が要ります。", hint="--department で課の名前を指定してください。")
    if len(password) < SHORTEST_PASSWORD:
        raise InputError(f"パスワードは {SHORTEST_PASSWORD} 文字以上にしてください。", hint="長い文でもかまいません。")
    if session.scalar(select(User.id).where(User.username == username)):
        raise ConflictError(f"利用者「{username}」はすでにいます。", hint="別の利用者名にしてください。")
    user = User(
        username=username,
        display_name=display_name or username,
        password_hash=hash_password(password),
        role=Role(role),
        department=department,
        created_at=utc_now(),
    )
    session.add(user)
    session.flush()
    audit.record(session, actor=actor, action="user.add", subject=f"user:{user.id}", detail={"role": role})
    return user


def set_password(session: Session, user: User, password: str, *, actor: str) -> None:
    """Gives an account a new password and lifts a lock-out."""
    user.password_hash = hash_password(password)
    user.failed_sign_ins, user.locked_until = 0, None
    audit.record(session, actor=actor, action="user.password", subject=f"user:{user.id}")
