"""Voices that go from topic to topic by a person's act: memberships, sizes, counts and history, all in one transaction."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core import facts
from core.bulk import among
from core.clock import utc_now
from core.errors import ConflictError, InputError, NotFoundError
from core.models import Topic, TopicEvent, TopicEventKind, TopicMembership, TopicMove, TopicStatus, Voice
from nlp.topic_tree import above, below

SURE = 1.0  # how likely a voice belongs where a person put it
NOWHERE = 0
"""Stands for the topic of a voice that is in none."""
Topics = dict[int, Topic]
_ROWS = 5000


def all_topics(session: Session) -> Topics:
    """All topics by their ids."""
    return {topic.id: topic for topic in session.scalars(select(Topic).order_by(Topic.id))}


def hold_topics(session: Session) -> Topics:
    """All topics by their ids; whoever else changes them or moves voices between them waits until the transaction ends."""
    held = select(Topic).order_by(Topic.id).with_for_update().execution_options(populate_existing=True)
    return {topic.id: topic for topic in session.scalars(held)}


def active(topics: Topics, topic_id: int) -> Topic:
    """A topic that voices still come to, of either level.

    Raises:
        NotFoundError: there is none of that number.
        ConflictError: it has ended or was joined to another.
    """
    topic = topics.get(topic_id)
    if topic is None:
        raise NotFoundError(f"話題 {topic_id} は見つかりません。", hint="koe topics list か、話題の一覧で番号を確かめてください。")
    if topic.status is not TopicStatus.ACTIVE:
        became = "ほかの話題にまとめられています" if topic.status is TopicStatus.MERGED else "終わっています"
        raise ConflictError(f"話題 {topic_id}「{topic.name}」は、{became}。", hint="いまある話題から選びなおしてください。")
    return topic


def leaf(topics: Topics, topic_id: int) -> Topic:
    """An active topic that voices belong to.

    Raises:
        NotFoundError, ConflictError: as ``active``.
        InputError: it only holds other topics together.
    """
    topic = active(topics, topic_id)
    if is_group(topics, topic_id):
        raise InputError(f"話題 {topic_id}「{topic.name}」は、ほかの話題のまとまりです。", hint="その下にある話題を選んでください。")
    return topic


def is_group(topics: Topics, topic_id: int) -> bool:
    """Whether topics lie below this one; its voices are theirs."""
    return any(child.status is TopicStatus.ACTIVE for child in below(topics, topic_id))


def voices_of(session: Session, topic_id: int) -> list[int]:
    """The voices of a topic, in the order of their ids."""
    members = select(TopicMembership.voice_id).where(TopicMembership.topic_id == topic_id)
    return list(session.scalars(members.order_by(TopicMembership.voice_id)))


def places_of(session: Session, voices: Sequence[int]) -> dict[int, list[int]]:
    """The voices under the topic that each is in, ``NOWHERE`` for those in none."""
    held = select(TopicMembership.voice_id, TopicMembership.topic_id).where(among(session, TopicMembership.voice_id, voices))
    topic_of = dict(session.execute(held).all())
    found: dict[int, list[int]] = {}
    for voice in voices:
        found.setdefault(topic_of.get(voice, NOWHERE), []).append(voice)
    return found


def carry(session: Session, topics: Topics, voices: Mapping[int, Sequence[int]], into: int) -> None:
    """Puts voices, given under the topics that they are in, into another; sizes, counts and examples go with them."""
    source_of = {voice: source for source, some in voices.items() for voice in some}
    ids = sorted(source_of)
    if not ids:
        return
    moved = update(TopicMembership).where(among(session, TopicMembership.voice_id, ids)).values(topic_id=into)
    session.execute(moved.execution_options(synchronize_session=False))
    placed = {"topic_id": into, "probability": SURE, "run_id": topics[into].last_run_id}
    days = select(Voice.id, Voice.received_on).where(among(session, Voice.id, voices.get(NOWHERE, ()))).order_by(Voice.id)
    new = [{**placed, "voice_id": voice, "received_on": day} for voice, day in session.execute(days)]
    for start in range(0, len(new), _ROWS):
        session.execute(insert(TopicMembership), new[start : start + _ROWS])
    for source, some in voices.items():
        resize(topics, source, -len(some))
        if source in topics:
            gone = set(some)
            topics[source].examples = [voice for voice in topics[source].examples if voice not in gone]
    resize(topics, into, len(ids))
    session.flush()
    facts.hold(session)
    rows = facts.rows_of(session, ids)
    before = [{**row, "topic": str(source_of[row["id"]] or "")} for row in rows]
    facts.move(session, before=before, after=rows)


def resize(topics: Topics, topic_id: int, number: int) -> None:
    """Adds voices to the size of a topic and of all above it."""
    for topic in above(topics, topic_id):
        topic.size = max(topic.size + number, 0)


def keep_there(session: Session, voices: Sequence[int], topic_id: int, *, actor: str) -> None:
    """Notes that a person put voices into a topic: every run leaves them there."""
    known = set(session.scalars(select(TopicMove.voice_id).where(among(session, TopicMove.voice_id, voices))))
    now = utc_now()
    moved = update(TopicMove).where(among(session, TopicMove.voice_id, sorted(known)))
    session.execute(moved.values(topic_id=topic_id, moved_by=actor, moved_at=now).execution_options(synchronize_session=False))
    new = [{"voice_id": voice, "topic_id": topic_id, "moved_by": actor, "moved_at": now} for voice in voices if voice not in known]
    for start in range(0, len(new), _ROWS):
        session.execute(insert(TopicMove), new[start : start + _ROWS])


def note(
    session: Session,
    topic: Topic,
    kind: TopicEventKind,
    *,
    actor: str,
    others: Collection[int] = (),
    before: int | None = None,
    voices: Sequence[int] = (),
    detail: Mapping[str, Any] | None = None,
) -> TopicEvent:
    """Writes an act into a topic's history. ``before``: its size before, where that changed; ``voices``: those that left it."""
    event = TopicEvent(
        topic_id=topic.id,
        kind=kind,
        others=sorted(others),
        before=topic.size if before is None else before,
        after=topic.size,
        detail=dict(detail or {}),
        voices=packed(voices) if voices else None,
        actor=actor,
        at=utc_now(),
    )
    session.add(event)
    session.flush()
    return event


def packed(voices: Sequence[int]) -> bytes:
    """Ids as a few bytes each: their steps, in order, compressed."""
    return zlib.compress(np.diff(np.array(sorted(voices), dtype="<i8"), prepend=0).astype("<i4").tobytes())


def unpacked(stored: bytes) -> list[int]:
    """The ids that ``packed`` was given, in order."""
    ids: list[int] = np.cumsum(np.frombuffer(zlib.decompress(stored), dtype="<i4"), dtype=np.int64).tolist()
    return ids


def home_of(topics: Topics, topic_id: int) -> Topic | None:
    """The active topic that a topic's voices are in now: itself, or what it was joined to; ``None`` where it ended."""
    seen: set[int] = set()
    place: int | None = topic_id
    while place is not None and place in topics and place not in seen:
        seen.add(place)
        if topics[place].status is TopicStatus.ACTIVE:
            return topics[place]
        place = topics[place].merged_into if topics[place].status is TopicStatus.MERGED else None
    return None
