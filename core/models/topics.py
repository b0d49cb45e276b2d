"""Topics (話題): an id and a name for life, the runs that made or moved them, and which voice belongs where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import TopicStatus
from core.types import StrEnumType


class TopicRun(Base):
    """One fit or update: when, over how many voices, with what settings, and what became of the topics."""

    __tablename__ = "topic_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    mode: Mapped[str] = mapped_column(String(16), doc="fit or update")
    voices: Mapped[int]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    events: Mapped[dict[str, Any]] = mapped_column(default=dict, doc='{"kept": [ids], "born": [ids], "ended": [ids]}')
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Topic(Base):
    """A group of voices about the same matter. Its id is never used again; a name that a person gave stays."""

    __tablename__ = "topics"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    named_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"), doc="empty: the machine named it")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"), index=True)
    status: Mapped[TopicStatus] = mapped_column(StrEnumType(TopicStatus), default=TopicStatus.ACTIVE)
    is_rest: Mapped[bool] = mapped_column(default=False, doc="その他の声: what fits no topic")
    size: Mapped[int] = mapped_column(default=0)
    keywords: Mapped[list[Any]] = mapped_column(default=list, doc='[{"word", "weight"}], the commonest surface forms')
    examples: Mapped[list[Any]] = mapped_column(default=list, doc="ids of the voices nearest to the middle")
    born_run_id: Mapped[int] = mapped_column(ForeignKey("topic_runs.id"))
    last_run_id: Mapped[int] = mapped_column(ForeignKey("topic_runs.id"))


class TopicMembership(Base):
    """Which topic a voice belongs to now."""

    __tablename__ = "topic_memberships"

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), index=True)
    probability: Mapped[float]
    run_id: Mapped[int] = mapped_column(ForeignKey("topic_runs.id"))
