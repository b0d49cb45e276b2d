"""Imports: batches with their sums, rows that could not be taken, and the counter behind receipt numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import BatchStatus
from core.types import StrEnumType


class Batch(Base):
    """One file taken in once. ``read = imported + duplicates + rejected`` holds at every commit."""

    __tablename__ = "batches"
    __table_args__ = (CheckConstraint("rows_read = imported + duplicates + rejected", name="sums"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_name: Mapped[str] = mapped_column(String(255))
    source_sha256: Mapped[str] = mapped_column(String(64), index=True)
    mapping: Mapped[str] = mapped_column(String(255))
    encoding: Mapped[str] = mapped_column(String(32))
    status: Mapped[BatchStatus] = mapped_column(StrEnumType(BatchStatus), default=BatchStatus.RUNNING)
    checkpoint: Mapped[int] = mapped_column(default=0, doc="rows of the source that are wholly done")
    rows_read: Mapped[int] = mapped_column(default=0)
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

    @property
    def place(self) -> str:
        """What ``sealed_row`` is bound to."""
        return f"reject:{self.batch_id}:{self.row}"


class ReceiptCounter(Base):
    """The last receipt serial given out in a fiscal year."""

    __tablename__ = "receipt_counters"

    fiscal_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
