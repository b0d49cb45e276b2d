"""Answers in the making: drafts with all their versions, the approvals that each needs, and what was sent to whom."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import ApprovalState, Delivery, DispatchState, Disposition, DraftKind, DraftState
from core.types import StrEnumType


class Draft(Base):
    """A draft of an answer to a case. Its text holds no personal data: name and address come onto a letter from the sealed contact."""

    __tablename__ = "drafts"
    __table_args__ = (Index(None, "case_id", "id"), Index(None, "state", "case_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"))
    kind: Mapped[DraftKind] = mapped_column(StrEnumType(DraftKind), default=DraftKind.FINAL)
    state: Mapped[DraftState] = mapped_column(StrEnumType(DraftState), default=DraftState.EDITING)
    version: Mapped[int] = mapped_column(default=1)
    text: Mapped[str] = mapped_column(Text, default="")
    disposition: Mapped[Disposition | None] = mapped_column(StrEnumType(Disposition))
    delivery: Mapped[Delivery | None] = mapped_column(StrEnumType(Delivery))
    review_on: Mapped[date | None] = mapped_column(doc="when a promise in it is looked at again")
    sources: Mapped[list[Any]] = mapped_column(default=list, doc='{"kind", "number"} of the past answers and FAQ that it was drafted from')
    drafter_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    sent_on: Mapped[date | None]


class DraftRevision(Base):
    """A draft as it was saved once."""

    __tablename__ = "draft_revisions"
    __table_args__ = (Index(None, "draft_id", "version", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]


class Approval(Base):
    """One step of a draft's way to approval (決裁). A draft that comes back goes its way again in another round."""

    __tablename__ = "approvals"
    __table_args__ = (Index(None, "draft_id", "round", "step", unique=True), Index(None, "state", "department", "position"))

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"))
    round: Mapped[int]
    step: Mapped[int] = mapped_column(doc="from 0")
    department: Mapped[str] = mapped_column(String(64))
    position: Mapped[str] = mapped_column(String(32), doc="職位 that decides")
    delegate_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), doc="who was asked to decide in their place")
    self_allowed: Mapped[bool] = mapped_column(default=False, doc="the drafter may decide, as the chain said when it was put forward")
    warnings: Mapped[int] = mapped_column(default=0, doc="how many findings the drafter acknowledged")
    state: Mapped[ApprovalState] = mapped_column(StrEnumType(ApprovalState), default=ApprovalState.WAITING)
    comment: Mapped[str] = mapped_column(Text, default="", doc="masked")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(doc="of the draft that was put forward")


class Dispatch(Base):
    """An answer on its way to one resident. No address is kept here: it is taken from the sealed contact at the time."""

    __tablename__ = "dispatches"
    __table_args__ = (Index(None, "draft_id", "voice_id", unique=True), Index(None, "state", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"))
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), index=True)
    delivery: Mapped[Delivery] = mapped_column(StrEnumType(Delivery))
    state: Mapped[DispatchState] = mapped_column(StrEnumType(DispatchState), default=DispatchState.WAITING)
    message_id: Mapped[str] = mapped_column(String(200), default="")
    problem: Mapped[str] = mapped_column(String(200), default="", doc="what went wrong, without the address")
    at: Mapped[datetime | None]
