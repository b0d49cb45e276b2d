"""The door to topics for commands, jobs and pages: make them, place new voices among them, list, export, tell their history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, aliased

from core.errors import NotFoundError
from core.models import Topic, TopicEvent, TopicMembership, TopicStatus, Voice
from core.settings import Settings
from nlp.topics import fit, update
from nlp.topics.reading import Progress
from nlp.topics.report import FitReport
from nlp.topics.store import REST_NAME

__all__ = ["REST_NAME", "FitReport", "TopicLine", "export_topics", "fit_topics", "history", "list_topics", "update_topics"]
_ROWS = 5000


@dataclass(frozen=True, slots=True)
class TopicLine:
    """A topic as it is listed and exported."""

    id: int
    name: str
    parent_id: int | None
    size: int
    keywords: tuple[str, ...]
    status: TopicStatus
    is_rest: bool


def fit_topics(database: Engine, settings: Settings, *, actor: str = "cli", progress: Progress | None = None) -> FitReport:
    """Makes topics over all voices, starting from those that exist, and stores them in one transaction.

    Args:
        database: where the voices are.
        settings: where the models are, and how work is spread.
        actor: who asked for it.
        progress: is told how far the run is, and may raise to stop it; then nothing has changed.

    Raises:
        InputError: there are no voices yet.
    """
    return fit.run(database, settings, actor=actor, progress=progress or _silent)


def update_topics(database: Engine, settings: Settings, *, actor: str = "cli", progress: Progress | None = None) -> FitReport:
    """Places the voices that are in no topic yet into those that exist; where there are none, it makes them.

    Raises:
        InputError: there are no voices yet.
    """
    return update.run(database, settings, actor=actor, progress=progress or _silent)


def list_topics(session: Session, *, ended: bool = False) -> list[TopicLine]:
    """Topics, parents before their children, larger ones first; その他の声 last."""
    wanted = select(Topic).order_by(Topic.is_rest, Topic.size.desc(), Topic.id)
    if not ended:
        wanted = wanted.where(Topic.status == TopicStatus.ACTIVE)
    rows = list(session.scalars(wanted))
    children: dict[int | None, list[Topic]] = {}
    for topic in rows:
        children.setdefault(topic.parent_id, []).append(topic)
    ordered = [topic for parent in children.get(None, []) for topic in (parent, *children.get(parent.id, []))]
    return [
        TopicLine(item.id, item.name, item.parent_id, item.size, tuple(pair["word"] for pair in item.keywords), item.status, item.is_rest)
        for item in ordered
    ]


def export_topics(session: Session) -> Iterator[dict[str, Any]]:
    """One record a voice: ``{"external_id", "topic_id", "topic", "parent_id", "probability"}``, in order of the voices."""
    topic = aliased(Topic)
    query = (
        select(Voice.external_id, topic.id, topic.name, topic.parent_id, TopicMembership.probability)
        .join(TopicMembership, TopicMembership.voice_id == Voice.id)
        .join(topic, topic.id == TopicMembership.topic_id)
        .order_by(Voice.id)
        .execution_options(yield_per=_ROWS)
    )
    for external_id, topic_id, name, parent_id, probability in session.execute(query):
        yield {
            "external_id": external_id,
            "topic_id": topic_id,
            "topic": name,
            "parent_id": parent_id,
            "probability": round(probability, 4),
        }


def history(session: Session, topic_id: int | None = None) -> list[tuple[str, TopicEvent]]:
    """What became of a topic (of all, without an id) at each run and by people's hands, the oldest first, with the topic's name.

    Raises:
        NotFoundError: there is no such topic.
    """
    if topic_id is not None and session.get(Topic, topic_id) is None:
        raise NotFoundError(f"話題 {topic_id} は見つかりません。", hint="koe topics list --ended で番号を確かめてください。")
    wanted = select(Topic.name, TopicEvent).join(TopicEvent, TopicEvent.topic_id == Topic.id).order_by(TopicEvent.id)
    return [(name, event) for name, event in session.execute(wanted if topic_id is None else wanted.where(Topic.id == topic_id))]


def _silent(done: int, total: int, message: str) -> None:
    """Tells nobody."""
