"""Voices: the masked text that everything uses, the sealed original beside it, and the city's answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.models.base import Base
from core.models.enums import Channel, Kind, Status, Urgency
from core.types import StrEnumType

_OPEN: dict[str, Any] = {"sqlite_where": text("is_open = 1"), "postgresql_where": text("is_open")}
# A voice without a deadline comes after all that have one. Written out: an index over a parameter would never be used.
DUE_OR_LAST = text("coalesce(due_on, '9999-12-31')")
_FILTERED = ("theme", "kind", "channel", "urgency", "district")


class Voice(Base):
    """One submission, call record, letter or survey answer (市民の声・応答記録).

    ``text`` and ``title`` are masked. ``theme``, ``subtheme``, ``kind``, ``urgency`` and ``department`` are the labels in
    force: a person's where there is one, else the machine's; the label tables hold where each came from.
    """

    __tablename__ = "voices"
    __table_args__ = (
        Index(None, "received_on", "id"),
        Index(None, "theme", "received_on"),
        Index(None, "external_id"),
        Index(None, "case_id", sqlite_where=text("case_id IS NOT NULL"), postgresql_where=text("case_id IS NOT NULL")),
        # All that a department answers, in the list's order, with what lists are filtered by.
        Index("ix_voices_department_newest", "department", "received_on", "id", *_FILTERED),
        # The desk's own, as small as the work that is open, however many voices there are. Each has what lists are filtered by, so that
        # nothing is counted or passed over by reading a voice itself.
        Index("ix_voices_open_newest", "folded", "received_on", "id", "department", *_FILTERED, "due_on", "case_id", "is_open", **_OPEN),
        Index("ix_voices_open_due", "folded", DUE_OR_LAST, "id", "department", *_FILTERED, "received_on", "case_id", "is_open", **_OPEN),
        Index("ix_voices_open_department", "department", "due_on", "folded", **_OPEN),
        CheckConstraint("length(text) > 0", name="text_not_empty"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_number: Mapped[str] = mapped_column(String(20), unique=True)
    external_id: Mapped[str] = mapped_column(String(128), doc="the source's own number, or one made from file and row")
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), index=True)
    row: Mapped[int] = mapped_column(doc="line of the source file on which the row starts")
    content_hash: Mapped[str] = mapped_column(String(64), unique=True, doc="what makes two records the same one")
    channel: Mapped[Channel] = mapped_column(StrEnumType(Channel))
    received_on: Mapped[date]
    received_at: Mapped[datetime | None] = mapped_column(doc="when the source gave a time of day")
    title: Mapped[str] = mapped_column(String(500), default="")
    text: Mapped[str] = mapped_column(Text)
    context: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="a survey's question and choice")
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="age group, sex and the like; no personal data")
    district: Mapped[str] = mapped_column(String(64), default="")
    theme: Mapped[str] = mapped_column(String(64))
    subtheme: Mapped[str] = mapped_column(String(64), default="")
    kind: Mapped[Kind] = mapped_column(StrEnumType(Kind))
    urgency: Mapped[Urgency] = mapped_column(StrEnumType(Urgency))
    department: Mapped[str] = mapped_column(String(64), default="")
    confidence: Mapped[float] = mapped_column(doc="0–1, of the theme; 1 where a person set it")
    pii_count: Mapped[int] = mapped_column(default=0)
    segments: Mapped[list[Any]] = mapped_column(
        default=list, doc='[{"start", "end", "theme", "subtheme", "department", "confidence"}] in the masked text; empty: one topic'
    )
    related: Mapped[list[Any]] = mapped_column(default=list, doc="departments that it concerns beside the one that answers (関係課)")
    reidentifying: Mapped[list[Any]] = mapped_column(default=list, doc="what is left that may tell the writer: 年齢, 病気・障害 …")
    status: Mapped[Status] = mapped_column(StrEnumType(Status), default=Status.RECEIVED)
    due_on: Mapped[date | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), doc="empty as long as nobody has begun to handle it")
    is_open: Mapped[bool] = mapped_column(default=False, server_default=false(), doc="neither answered nor closed, as ``status`` says")
    folded: Mapped[bool] = mapped_column(default=False, server_default=false(), doc="another voice stands for its case in lists")
    publishable: Mapped[bool] = mapped_column(default=False, doc="the resident agreed to publication (公開 可)")
    created_at: Mapped[datetime]

    answer: Mapped[Answer | None] = relationship(back_populates="voice", uselist=False, lazy="raise")


class VoiceConcern(Base):
    """A department that a voice concerns beside the one that answers: ``Voice.related`` the other way round.

    Triggers keep it, so that whoever writes a voice needn't know of it.
    """

    __tablename__ = "voice_concerns"
    __table_args__ = ({"sqlite_with_rowid": False},)

    department: Mapped[str] = mapped_column(String(64), primary_key=True)
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True)


class Secret(Base):
    """A sealed original: the text as given, the contacts as given. Reading one is a logged act."""

    __tablename__ = "secrets"
    __table_args__ = (Index(None, "voice_id", "field", unique=True), Index(None, "key_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"))
    field: Mapped[str] = mapped_column(String(16), doc="original or contact")
    key_id: Mapped[str] = mapped_column(String(64))
    place: Mapped[str] = mapped_column(String(128), doc="what the record was bound to when it was sealed")
    sealed: Mapped[bytes]


class Answer(Base):
    """The city's answer to a voice, masked."""

    __tablename__ = "answers"
    __table_args__ = (Index(None, "published_on", "voice_id"),)

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    department: Mapped[str] = mapped_column(String(64), default="")
    answered_on: Mapped[date | None]
    published_on: Mapped[date | None] = mapped_column(doc="empty as long as it is not public")

    voice: Mapped[Voice] = relationship(back_populates="answer", lazy="raise")
