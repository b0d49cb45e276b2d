"""Background jobs: what was asked for, how far it is, and how it ended. The queue holds only a job's id."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import JobState
from core.types import StrEnumType


class Job(Base):
    """One piece of work for a worker process. No personal data in any column."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), doc="the name under which its function is registered")
    title: Mapped[str] = mapped_column(String(255), doc="in Japanese, for the list")
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[JobState] = mapped_column(StrEnumType(JobState), default=JobState.QUEUED)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0, doc="0: not known yet")
    message: Mapped[str] = mapped_column(String(255), default="", doc="in Japanese, what is being done")
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(Text, default="", doc="in Japanese: what was wrong")
    hint: Mapped[str] = mapped_column(Text, default="", doc="in Japanese: what to do")
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(String(128), default="", doc="who has it now, by a name that is used once")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batches.id"), index=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None] = mapped_column(doc="when its worker last said that it is alive")
    finished_at: Mapped[datetime | None]
