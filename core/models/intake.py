"""Imports: batches with their sums, rows that could not be taken, and the counter behind receipt numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import BatchContent, BatchStatus
from core.types import StrEnumType


class Batch(Base):
    """One file taken in once. ``read = imported + duplicates + rejected`` holds at every commit.

    A reject that was mended and taken in counts as imported (or as a duplicate) from then on.
    """

    __tablename__ = "batches"
    __table_args__ = (CheckConstraint("rows_read = imported + duplicates + rejected", name="sums"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_name: Mapped[str] = mapped_column(String(255))
    source_sha256: Mapped[str] = mapped_column(String(64), index=True)
    mapping: Mapped[str] = mapped_column(String(255))
    encoding: Mapped[str] = mapped_column(String(32))
    content: Mapped[BatchContent] = mapped_column(StrEnumType(BatchContent), default=BatchContent.VOICES)
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="how its rows are understood: what is needed to read one of them again")
    started_by: Mapped[str] = mapped_column(String(64), default="")
    status: Mapped[BatchStatus] = mapped_column(StrEnumType(BatchStatus), default=BatchStatus.RUNNING)
    checkpoint: Mapped[int] = mapped_column(default=0, doc="rows of the source that are wholly done")
    blank: Mapped[int] = mapped_column(default=0, doc="rows of a survey in which nobody wrote anything")
    rows_read: Mapped[int] = mapped_column(default=0, doc="voices and rejects met so far")
    imported: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Reject(Base):
    """A row that could not be taken, whole (sealed, since it may hold personal data), with where and why."""

    __tablename__ = "rejects"
    __table_args__ = (Index(None, "batch_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    row: Mapped[int] = mapped_column(doc="line of the file on which the row starts, the heading being line 1")
    column: Mapped[str] = mapped_column(String(255), default="")
    code: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text, doc="in Japanese, without the cell's content")
    sealed_row: Mapped[bytes] = mapped_column(doc="JSON array of the row's cells, sealed at place reject:<batch>:<row>")
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str] = mapped_column(String(16), default="", doc="imported, duplicate or discarded; empty: still open")

    @property
    def place(self) -> str:
        """What ``sealed_row`` is bound to."""
        return f"reject:{self.batch_id}:{self.row}"


class ReceiptCounter(Base):
    """The last receipt serial given out in a fiscal year."""

    __tablename__ = "receipt_counters"

    fiscal_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


class Upload(Base):
    """A file that was sent through the page: sealed on the disk until it is taken in or thrown away."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, doc="random, so that nobody guesses one")
    name: Mapped[str] = mapped_column(String(255), doc="as the browser gave it; never a path")
    size: Mapped[int] = mapped_column(BigInteger, doc="bytes")
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="the mapping and the other choices made so far")
    uploaded_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(index=True)


class MailboxMark(Base):
    """How far a mailbox of an IMAP server has been read."""

    __tablename__ = "mailbox_marks"

    mailbox: Mapped[str] = mapped_column(String(255), primary_key=True, doc="user@host/folder")
    uid_validity: Mapped[int] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger)
    checked_at: Mapped[datetime]
