"""What the desk keeps for each member of staff: what was seen, who is looking now, saved views, and acts that can be taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base

_OWN: dict[str, Any] = {"sqlite_where": text("department = ''"), "postgresql_where": text("department = ''")}
_SHARED: dict[str, Any] = {"sqlite_where": text("department <> ''"), "postgresql_where": text("department <> ''")}


class Look(Base):
    """When somebody last had a voice before their eyes; ``here_at`` is renewed while the page stays open."""

    __tablename__ = "looks"
    __table_args__ = (Index(None, "voice_id", "here_at"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]
    here_at: Mapped[datetime | None]


class SavedView(Base):
    """A view of the desk under a name, as the part of its address behind the question mark."""

    __tablename__ = "saved_views"
    __table_args__ = (
        Index("ix_saved_views_own", "user_id", "name", unique=True, **_OWN),
        Index("ix_saved_views_shared", "department", "name", unique=True, **_SHARED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    department: Mapped[str] = mapped_column(String(64), default="", doc="whose members see it too; empty: its owner alone")
    name: Mapped[str] = mapped_column(String(64))
    query: Mapped[str] = mapped_column(String(4000))
    created_at: Mapped[datetime]


class DeskAct(Base):
    """An act on cases with how they stood before it, so that it can be taken back as long as nothing else has changed them."""

    __tablename__ = "desk_acts"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    cases: Mapped[int] = mapped_column(doc="how many it changed")
    before: Mapped[list[Any]] = mapped_column(doc="each case as it was; core of ``loop.undoing``")
    undone_at: Mapped[datetime | None]
