"""The map of topics (話題の地図): where the voices lie, evenly chosen where there are more than can be drawn, and each topic's middle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Integer, String, cast, func, literal_column, select
from sqlalchemy.orm import Session

from core import facts
from core.errors import NotFoundError
from core.models import Topic, TopicEvent, TopicMembership, TopicRun, Voice
from loop.actors import Actor, visible_to

MOST = 100_000  # points that are drawn
FEW = 20_000  # enough to tell a topic's middle
_SIDE = 65_536  # a place is told in so many steps
_FULL = _SIDE - 1
# A sample takes some of so many classes of ids. Neighbouring ids, which came in together, are in classes far from each other.
_CLASSES, _STEP = 1009, 619
_OPENING = 120  # characters of a voice


@dataclass(frozen=True, slots=True)
class Points:
    """Voices on the map, each with its topic and its place from 0 to 65,535. ``total``: how many are in topics, drawn or not."""

    voices: NDArray[np.uint32]
    topics: NDArray[np.uint32]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    total: int

    def __len__(self) -> int:
        return len(self.voices)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a voice on the map begins, masked."""

    receipt_number: str
    received_on: date
    topic_id: int
    topic: str
    text: str


def version(session: Session) -> str:
    """Another text whenever a run, a person or a changed number of voices may have changed the map."""
    run, event = session.execute(
        select(select(func.max(TopicRun.id)).scalar_subquery(), select(func.max(TopicEvent.id)).scalar_subquery())
    ).one()
    return f"{run or 0}-{event or 0}-{_in_topics(session)}"


def points(session: Session, *, most: int = MOST) -> Points:
    """At most so many voices that have a place, of each topic as large a part as of all."""
    total = _in_topics(session)
    # One text for all of them, two numbers a voice: a database writes it, and numpy reads it, in less time than a driver needs for rows.
    place = (cast(TopicMembership.topic_id, BigInteger) * _SIDE + _whole(TopicMembership.x)) * _SIDE + _whole(TopicMembership.y)
    line = cast(place, String) + " " + cast(TopicMembership.voice_id, String)
    # What costs least to know of a voice is asked for first.
    sampled = [_chosen(max(_CLASSES * most // total, 1))] if total > most else []
    wanted = select(func.aggregate_strings(line, " ")).where(*sampled, TopicMembership.x.is_not(None), TopicMembership.y.is_not(None))
    rows = np.fromstring(session.scalar(wanted) or "", dtype=np.int64, sep=" ").reshape(-1, 2)[:most]
    places, voices = rows[rows[:, 1].argsort()].T
    x, y = (places // _SIDE % _SIDE).astype(np.uint16), (places % _SIDE).astype(np.uint16)
    return Points(voices.astype(np.uint32), (places // (_SIDE * _SIDE)).astype(np.uint32), x, y, total)


def packed(found: Points) -> bytes:
    """The points as a browser reads them, little-endian.

    In four bytes each: the numbers of points, of topics and of voices in topics; the topics' ids; each point's voice. In two bytes each:
    every point's x, then every y, then where each one's topic stands among those ids.
    """
    topics, own = np.unique(found.topics, return_inverse=True)
    head = np.array([len(found), len(topics), found.total], dtype="<u4")
    arrays = (head, topics.astype("<u4"), found.voices.astype("<u4"), found.x.astype("<u2"), found.y.astype("<u2"), own.astype("<u2"))
    return b"".join(array.tobytes() for array in arrays)


def middles(found: Points, families: Mapping[int, Iterable[int]]) -> dict[int, tuple[float, float]]:
    """The middle of each family of topics that has a place on the map, from 0 to 1: the medians of its voices' places."""
    result = {}
    order = found.topics.argsort(kind="stable")
    ids, starts = np.unique(found.topics[order], return_index=True)
    rows = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True)) if len(ids) else {}
    for name, members in families.items():
        own = [rows[topic] for topic in members if topic in rows]
        if own:
            here = np.concatenate(own)
            result[name] = (round(float(np.median(found.x[here])) / _FULL, 4), round(float(np.median(found.y[here])) / _FULL, 4))
    return result


def opening(session: Session, voice_id: int, *, seen_by: Actor | None) -> Opening:
    """How a voice begins.

    Raises:
        NotFoundError: there is no such voice in a topic, or this person may not see it.
    """
    text = func.substr(Voice.text, 1, _OPENING + 1)
    wanted = select(Voice.receipt_number, Voice.received_on, Topic.id, Topic.name, text)
    members = wanted.join(TopicMembership, TopicMembership.voice_id == Voice.id).join(Topic, Topic.id == TopicMembership.topic_id)
    row = session.execute(members.where(Voice.id == voice_id, *visible_to(seen_by))).one_or_none()
    if row is None:
        raise NotFoundError("この声は地図にありません。", hint="地図を開きなおしてください。")
    told = row[4] if len(row[4]) <= _OPENING else row[4][:_OPENING] + "…"
    return Opening(row[0], row[1], row[2], row[3], told.replace("\n", " "))


def _in_topics(session: Session) -> int:
    return sum(count for topic, count in facts.totals(session, "topic").items() if topic)


def _whole(place: Any) -> ColumnElement[int]:
    return cast(place * _FULL, Integer)


def _chosen(classes: int) -> ColumnElement[bool]:
    step = cast(literal_column(str(_STEP)), BigInteger)  # times an id it is more than PostgreSQL's integers hold
    return TopicMembership.voice_id * step % _CLASSES < classes
