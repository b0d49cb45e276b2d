"""What a person chooses from who puts topics in order: where voices can go, what can be joined, what was done by hand and can be undone."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Topic, TopicMove, TopicStatus, Voice
from loop.actors import Actor, visible_to
from nlp import topic_edits
from nlp.topic_places import is_group
from nlp.topic_tree import above

_SNIPPET = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A topic to choose."""

    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Family:
    """Topics under the one that holds them together; of those under none ``name`` is empty."""

    name: str
    topics: list[Choice]


@dataclass(frozen=True, slots=True)
class Moved:
    """A voice that a person put where it is."""

    receipt_number: str
    text: str
    received_on: date
    moved_by: str
    moved_at: datetime


def places(session: Session) -> list[Family]:
    """The topics that voices belong to, larger families and topics first, その他の声 last."""
    topics = _in_use(session)
    return _families(topics, [topic for topic in topics.values() if not is_group(topics, topic.id)])


def to_join(session: Session, topic: Topic, *, words: Sequence[str] = (), chosen: Iterable[int] = ()) -> list[Family]:
    """The topics that ``nlp.topic_edits.merge`` would join to one: those of its level.

    ``words``: only those whose name or keywords have one of them, and those that are ``chosen``.
    """
    topics = _in_use(session)
    lies_above = {upper.id for upper in above(topics, topic.id)}
    level = is_group(topics, topic.id)
    fit = [
        other for number, other in topics.items() if not other.is_rest and number not in lies_above and is_group(topics, number) is level
    ]
    kept = set(chosen)
    return _families(topics, [other for other in fit if not words or other.id in kept or _says(other, words)])


def below(session: Session, topic_id: int) -> list[Choice]:
    """The topics in use below one; its voices are theirs."""
    wanted = select(Topic).where(Topic.parent_id == topic_id, Topic.status == TopicStatus.ACTIVE).order_by(Topic.size.desc(), Topic.id)
    return [Choice(topic.id, topic.name, topic.size) for topic in session.scalars(wanted)]


def joined(session: Session, topic_id: int) -> list[Topic]:
    """The topics that people joined to one, the last first."""
    merged = session.scalars(select(Topic).where(Topic.merged_into == topic_id, Topic.status == TopicStatus.MERGED)).all()
    events = [(event.id, topic) for topic in merged if (event := topic_edits.joining(session, topic)) is not None]
    return [topic for _, topic in sorted(events, key=lambda pair: pair[0], reverse=True)]


def moved_here(session: Session, topic_id: int, *, seen_by: Actor | None, limit: int) -> tuple[int, list[Moved]]:
    """How many voices people put into a topic, and those that came last of such as this person may see."""
    total = session.scalar(select(func.count()).where(TopicMove.topic_id == topic_id)) or 0
    columns = (Voice.receipt_number, Voice.title, func.substr(Voice.text, 1, _SNIPPET), Voice.received_on)
    rows = select(*columns, TopicMove.moved_by, TopicMove.moved_at).join(TopicMove, TopicMove.voice_id == Voice.id)
    found = (
        rows.where(TopicMove.topic_id == topic_id, *visible_to(seen_by)).order_by(TopicMove.moved_at.desc(), Voice.id.desc()).limit(limit)
    )
    return total, [Moved(number, title or text, day, by, at) for number, title, text, day, by, at in session.execute(found)]


def named(session: Session, topic_ids: Iterable[int]) -> list[Topic]:
    """Topics by their ids, in the order of these; those that aren't there are left out."""
    ids = list(dict.fromkeys(topic_ids))
    found = {topic.id: topic for topic in session.scalars(select(Topic).where(Topic.id.in_(ids)))}
    return [found[number] for number in ids if number in found]


def _in_use(session: Session) -> dict[int, Topic]:
    return {topic.id: topic for topic in session.scalars(select(Topic).where(Topic.status == TopicStatus.ACTIVE))}


def _says(topic: Topic, words: Sequence[str]) -> bool:
    said = [topic.name, topic.machine_name, *(str(keyword["word"]) for keyword in topic.keywords)]
    return any(_folded(word) in _folded(text) for word in words for text in said)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _families(topics: dict[int, Topic], members: Iterable[Topic]) -> list[Family]:
    below: dict[int | None, list[Topic]] = defaultdict(list)
    for topic in sorted(members, key=lambda topic: (topic.is_rest, -topic.size, topic.id)):
        below[topic.parent_id if topic.parent_id in topics else None].append(topic)
    single = below.pop(None, [])
    largest = sorted(below.items(), key=lambda item: -sum(topic.size for topic in item[1]))
    found = [Family(topics[parent].name, _choices(some)) for parent, some in largest if parent is not None]
    return [*found, *([Family("", _choices(single))] if single else [])]


def _choices(topics: Iterable[Topic]) -> list[Choice]:
    return [Choice(topic.id, topic.name, topic.size) for topic in topics]
