"""Members of staff and their sign-ins, and keys for programs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import Role, SignInBy
from core.types import StrEnumType


class User(Base):
    """A member of staff."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "oidc_subject", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(255), doc="argon2id")
    role: Mapped[Role] = mapped_column(StrEnumType(Role))
    department: Mapped[str] = mapped_column(String(64), default="")
    position: Mapped[str] = mapped_column(String(32), default="", doc="職位, such as 係長: what approvals go by")
    active: Mapped[bool] = mapped_column(default=True)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    email: Mapped[str] = mapped_column(String(255), default="", server_default="", doc="where the city's own mail reaches this person")
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false(), doc="somebody else chose it")
    password_changed_at: Mapped[datetime | None] = mapped_column(doc="when this person last chose one")
    sign_in_by: Mapped[SignInBy] = mapped_column(
        StrEnumType(SignInBy), default=SignInBy.LOCAL, server_default=SignInBy.LOCAL, doc="what an administrator chose"
    )
    oidc_subject: Mapped[str | None] = mapped_column(
        String(255), doc="a hash of who this is to the city's own sign-in; empty until the first sign-in by it"
    )


class UserSession(Base):
    """One sign-in. The cookie holds a random token, this row only its hash."""

    __tablename__ = "user_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiKey(Base):
    """A program's way in. The program holds a random token, this row only its hash."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(48), unique=True, doc="in the audit trail as key:<name>")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list, doc="what it may do: voices:read …")
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_on: Mapped[date | None] = mapped_column(doc="the last day on which it opens")
    last_used_on: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
