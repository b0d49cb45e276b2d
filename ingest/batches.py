"""Imports as they are listed: which file, when, by whom, how far, and what became of its records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Batch, BatchContent, BatchStatus

STATES = {
    BatchStatus.RUNNING: "取込中か中断",
    BatchStatus.DONE: "済み",
    BatchStatus.FAILED: "打ち切り",
    BatchStatus.CANCELLED: "停止",
    BatchStatus.UNDONE: "取り消し",
}
"""How far an import has come, as people call it."""


_SAME = (
    "id", "source_name", "content", "status", "mapping", "encoding", "started_by", "started_at", "finished_at", "imported",
    "duplicates", "rejected", "blank",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One import."""

    id: int
    source_name: str
    content: BatchContent
    status: BatchStatus
    mapping: str
    encoding: str
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    read: int
    imported: int
    duplicates: int
    rejected: int
    blank: int

    def as_dict(self) -> dict[str, Any]:
        """The line of ``koe batches list --json``."""
        return {
            "batch": self.id, "name": self.source_name, "content": self.content.value, "status": self.status.value,
            "mapping": self.mapping, "encoding": self.encoding, "started_by": self.started_by,
            "started_at": self.started_at.isoformat(), "finished_at": self.finished_at and self.finished_at.isoformat(),
            "read": self.read, "imported": self.imported, "duplicates": self.duplicates, "rejected": self.rejected, "blank": self.blank,
        }  # fmt: skip


def list_batches(session: Session, *, limit: int = 50, before_id: int | None = None) -> list[BatchSummary]:
    """Imports, the newest first; ``before_id`` pages on."""
    found = select(Batch)
    if before_id is not None:
        found = found.where(Batch.id < before_id)
    batches = session.scalars(found.order_by(Batch.id.desc()).limit(limit))
    return [BatchSummary(read=batch.rows_read, **{name: getattr(batch, name) for name in _SAME}) for batch in batches]
