"""The audit trail's table; core.audit writes and checks it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base


class AuditEntry(Base):
    """One act. A trigger refuses to change or delete a row; ``digest`` covers the row and the digest before it."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "action", "id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64), index=True)
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(128), index=True, doc="what it was done to, such as voice:12")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="no personal data")
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
