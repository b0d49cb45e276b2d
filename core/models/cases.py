"""Cases (案件): one or more voices handled together, with the departments that have a part in it and what was done when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import CloseReason, Disposition, Status
from core.types import StrEnumType


class Case(Base):
    """Voices handled together. Its ``status`` stands on each of its voices as well; ``version`` grows with every change.

    The lead voice, the one with the nearest deadline, stands for the case in lists.
    """

    __tablename__ = "cases"
    __table_args__ = (Index(None, "lead_id"), Index(None, "status", "closed_on"))

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    lead_id: Mapped[int] = mapped_column(doc="no foreign key, since a voice points at its case: ``core.casework`` keeps it right")
    status: Mapped[Status] = mapped_column(StrEnumType(Status))
    disposition: Mapped[Disposition | None] = mapped_column(StrEnumType(Disposition))
    close_reason: Mapped[CloseReason | None] = mapped_column(StrEnumType(CloseReason))
    forwarded_to: Mapped[str] = mapped_column(String(64), default="", doc="the office outside the city that it was passed to (移送先)")
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), doc="where its voices went")
    paused_on: Mapped[date | None] = mapped_column(doc="the clock stands still since this day")
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    interim_on: Mapped[date | None] = mapped_column(doc="when the resident was told that it takes longer (中間回答)")
    answered_on: Mapped[date | None]
    closed_on: Mapped[date | None]


class CasePart(Base):
    """A department's part in a case (部分案件); one of them leads.

    One that is asked (``asked_at``) owes a reply as long as ``replied_at`` is empty: none was given yet, or it was sent back
    (``returned_at``).
    """

    __tablename__ = "case_parts"
    __table_args__ = (
        Index(None, "case_id", "department", unique=True),
        Index(None, "department", "case_id"),
        Index(None, "assignee_id", "case_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    department: Mapped[str] = mapped_column(String(64))
    is_lead: Mapped[bool] = mapped_column(default=False)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1, doc="grows with what is asked, said and sent back")
    passages: Mapped[list[Any]] = mapped_column(
        default=list, doc='[{"voice", "start", "end"}]: which stretches of the masked text of which of the case\'s voices it answers'
    )
    asked: Mapped[str] = mapped_column(Text, default="", doc="what it is asked, masked")
    asked_at: Mapped[datetime | None] = mapped_column(doc="empty: it only sees the case, such as one that led before")
    due_on: Mapped[date | None] = mapped_column(doc="by when its reply is wanted; the resident's deadline stands on the voices")
    reply: Mapped[str] = mapped_column(Text, default="", doc="what this department has to say, masked, for the one that leads")
    replied_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None] = mapped_column(doc="when its reply was sent back; empty again with the next one")
    return_reason: Mapped[str] = mapped_column(Text, default="", doc="masked")
    added_at: Mapped[datetime]


class CasePause(Base):
    """A time in which the clock stands still, such as while the resident is asked."""

    __tablename__ = "case_pauses"
    __table_args__ = (Index(None, "case_id", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    since: Mapped[date]
    until: Mapped[date | None] = mapped_column(doc="empty as long as it lasts")
    reason: Mapped[str] = mapped_column(String(32))
    voices: Mapped[list[Any]] = mapped_column(default=list, doc="the ids of those whose clock it stops; one without a deadline has none")


class CaseEvent(Base):
    """What happened to a case, for people to read; the audit trail has the same acts for proof."""

    __tablename__ = "case_events"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), doc="empty: the machine, such as at a campaign")
    kind: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="no personal data")


class CaseNote(Base):
    """An internal note. What is shown is masked; the note as written is sealed."""

    __tablename__ = "case_notes"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text, doc="masked")
    key_id: Mapped[str] = mapped_column(String(64), index=True, doc="empty when nothing had to be masked")
    place: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[bytes | None] = mapped_column(doc="as written, when something was masked")


class CaseFile(Base):
    """An attachment, sealed; its name is shown masked."""

    __tablename__ = "case_files"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(200), doc="masked")
    content_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(doc="bytes, before sealing")
    key_id: Mapped[str] = mapped_column(String(64), index=True)
    place: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[bytes]
