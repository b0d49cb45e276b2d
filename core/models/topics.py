"""Topics (話題): an id and a name for life, the runs that made or moved them, and which voice belongs where."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base
from core.models.enums import TopicEventKind, TopicStatus
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
    machine_name: Mapped[str] = mapped_column(String(128), default="", doc="what the machine would call it now")
    named_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"), doc="empty: the machine named it")
    seeds: Mapped[list[Any]] = mapped_column(default=list, doc="example words by which a person pinned it; it never ends by itself")
    merged_into: Mapped[int | None] = mapped_column(doc="the topic that a person joined it to")
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
    __table_args__ = (Index("ix_topic_memberships_by_day", "topic_id", "received_on", "voice_id"),)

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"))
    received_on: Mapped[date] = mapped_column(doc="the voice's, which never changes: a topic's newest voices are found by the index alone")
    probability: Mapped[float]
    x: Mapped[float | None] = mapped_column(doc="place on the map of topics, 0–1")
    y: Mapped[float | None]
    run_id: Mapped[int] = mapped_column(ForeignKey("topic_runs.id"))


class TopicMove(Base):
    """A voice that a person put into a topic: every run leaves it there."""

    __tablename__ = "topic_moves"

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), index=True)
    moved_by: Mapped[str] = mapped_column(String(64))
    moved_at: Mapped[datetime]


class TopicEvent(Base):
    """What became of a topic at a run, or what a person did to it: the history of its identity."""

    __tablename__ = "topic_events"
    __table_args__ = (Index(None, "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("topic_runs.id"), index=True, doc="empty: a person's act")
    kind: Mapped[TopicEventKind] = mapped_column(StrEnumType(TopicEventKind))
    others: Mapped[list[Any]] = mapped_column(default=list, doc="ids of the topics that it was split from, merged with, or moved to")
    before: Mapped[int] = mapped_column(default=0, doc="voices before")
    after: Mapped[int] = mapped_column(default=0, doc="voices after")
    kept_share: Mapped[float | None] = mapped_column(doc="share of the earlier voices that are still in it, 0–1")
    drift: Mapped[float | None] = mapped_column(doc="1 less the cosine between its middles before and after")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="such as the earlier name")
    voices: Mapped[bytes | None] = mapped_column(deferred=True, doc="ids of the voices that a person's act took out of it, packed")
    actor: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[datetime]


class TopicSpace(Base):
    """What places a new voice among the topics: the vector space of a full run and its middles, as arrays."""

    __tablename__ = "topic_spaces"

    run_id: Mapped[int] = mapped_column(ForeignKey("topic_runs.id"), primary_key=True, autoincrement=False)
    scheme: Mapped[str] = mapped_column(String(64), doc="another one than the program's own: the space is made anew")
    arrays: Mapped[bytes] = mapped_column(doc="an .npz without objects")
