"""Topics in the tables: what stands before a run, what it leaves behind, and what became of each topic."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from core.bulk import Same, among, insert_columns
from core.clock import utc_now
from core.models import Topic, TopicEvent, TopicEventKind, TopicMembership, TopicMove, TopicRun, TopicSpace, TopicStatus, Voice
from nlp.topics.grouping import REST, UNSEEN
from nlp.topics.layout import Landmarks
from nlp.topics.space import SCHEME, Space
from nlp.topics.words import Ints
from nlp.vectors import Floats

REST_NAME = "その他の声"
GREW = 1.25
_ROW = np.dtype([("voice", "i8"), ("topic", "i8"), ("run", "i8"), ("x", "f4"), ("y", "f4")])


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is before a run.

    Attributes:
        topics: the active topics that voices belong to, by id; neither parents nor その他の声.
        rows: every voice's membership, by id.
        updates: ids of the runs that only placed new voices.
        moves: where people put voices, as that topic is called now.
        apart: topics that people set apart from others.
        ids: all topics that there are.
    """

    topics: tuple[Topic, ...]
    rows: NDArray[np.void]
    updates: frozenset[int]
    moves: dict[int, int]
    apart: frozenset[int]
    ids: frozenset[int]

    @property
    def peoples(self) -> frozenset[int]:
        """Indices of the topics that people named, pinned or set apart."""
        return frozenset(index for index, topic in enumerate(self.topics) if topic.named_by or topic.seeds or topic.id in self.apart)

    def previous(self, ids: Ints) -> tuple[Ints, NDArray[np.bool_], Floats]:
        """Of each voice its topic before (an index, ``REST`` or ``UNSEEN``), whether it came since the last fit, and its place or NaN."""
        place = np.minimum(np.searchsorted(self.rows["voice"], ids), max(len(self.rows) - 1, 0))
        seen = self.rows["voice"][place] == ids if len(self.rows) else np.zeros(len(ids), dtype=np.bool_)
        labels = np.full(len(ids), UNSEEN, dtype=np.int64)
        places = np.full((len(ids), 2), np.nan, dtype=np.float32)
        fresh = np.ones(len(ids), dtype=np.bool_)
        found = self.rows[place[seen]] if len(self.rows) else self.rows
        labels[seen] = self.indices(found["topic"])
        fresh[seen] = np.isin(found["run"], list(self.updates))
        places[seen] = np.column_stack([found["x"], found["y"]])
        places[places[:, 0] < 0] = np.nan
        return labels, fresh, places

    def moved(self, ids: Ints) -> Ints:
        """Where people put each voice, as an index; ``UNSEEN`` where they didn't."""
        labels = np.full(len(ids), UNSEEN, dtype=np.int64)
        voices = np.array(sorted(self.moves), dtype=np.int64)
        rows = np.flatnonzero(np.isin(ids, voices))
        targets = self.indices(np.array([self.moves[voice] for voice in ids[rows].tolist()], dtype=np.int64))
        labels[rows] = targets
        return labels

    def indices(self, topic_ids: NDArray[np.int64]) -> Ints:
        """Places among ``topics`` of topics given by id; ``REST`` for any other."""
        known = np.array([topic.id for topic in self.topics], dtype=np.int64)
        if not len(known):
            return np.full(len(topic_ids), REST, dtype=np.int64)
        place = np.minimum(np.searchsorted(known, topic_ids), len(known) - 1)
        return np.where(known[place] == topic_ids, place, REST)


@dataclass(frozen=True, slots=True)
class Guide:
    """What places a new voice: the space, the middles of topics given by id, and the landmarks of the map (labelled by topic id)."""

    space: Space
    topics: Ints
    middles: Floats
    landmarks: Landmarks


def standing(session: Session) -> Standing:
    """What there is."""
    columns = (TopicMembership.voice_id, TopicMembership.topic_id, TopicMembership.run_id)
    places = (func.coalesce(TopicMembership.x, -1), func.coalesce(TopicMembership.y, -1))
    rows = session.execute(select(*columns, *places).order_by(TopicMembership.voice_id).execution_options(yield_per=10_000))
    table = np.fromiter(map(tuple, rows), dtype=_ROW)
    targets = merged_targets(session)
    table["topic"] = renamed(table["topic"], targets)
    moves = session.execute(select(TopicMove.voice_id, TopicMove.topic_id))
    apart = session.scalars(select(TopicEvent.topic_id).where(TopicEvent.run_id.is_(None), TopicEvent.kind == TopicEventKind.SPLIT))
    updates = session.scalars(select(TopicRun.id).where(TopicRun.mode == "update"))
    return Standing(
        tuple(leaves(session)),
        table,
        frozenset(updates),
        {voice: targets.get(topic, topic) for voice, topic in moves},
        frozenset(apart),
        frozenset(session.scalars(select(Topic.id))),
    )


def held_voices(session: Session, *, unplaced: bool = False) -> Ints:
    """The ids of all voices, or of those in no topic, which nobody can remove until the transaction ends."""
    wanted = select(Voice.id).order_by(Voice.id)
    if unplaced:
        wanted = wanted.where(in_no_topic())
    found = session.scalars(wanted.with_for_update(read=True, key_share=True).execution_options(yield_per=10_000))
    return np.fromiter(found, dtype=np.int64)


def in_no_topic() -> ColumnElement[bool]:
    """The condition that a voice hasn't been placed yet."""
    return ~exists().where(TopicMembership.voice_id == Voice.id)


def leaves(session: Session) -> Sequence[Topic]:
    """The active topics that voices belong to: neither parents nor その他の声."""
    above = select(Topic.parent_id).where(Topic.parent_id.is_not(None), Topic.status == TopicStatus.ACTIVE)
    wanted = (Topic.status == TopicStatus.ACTIVE, Topic.is_rest.is_(False), Topic.id.not_in(above))
    return session.scalars(select(Topic).where(*wanted).order_by(Topic.id)).all()


def ended_topics(session: Session) -> Sequence[Topic]:
    """Topics that had ended and may come back: none that was merged, and no parent."""
    above = select(Topic.parent_id).where(Topic.parent_id.is_not(None))
    wanted = (Topic.status == TopicStatus.ENDED, Topic.merged_into.is_(None), Topic.is_rest.is_(False), Topic.id.not_in(above))
    return [topic for topic in session.scalars(select(Topic).where(*wanted).order_by(Topic.id)) if topic.keywords]


def merged_targets(session: Session) -> dict[int, int]:
    """The topic that each merged one has become a part of, however often that one was merged again."""
    steps = dict(session.execute(select(Topic.id, Topic.merged_into).where(Topic.merged_into.is_not(None))).all())
    found = {}
    for first in steps:
        target, seen = first, {first}
        while (further := steps.get(target)) is not None and further not in seen:
            target = further
            seen.add(target)
        found[first] = target
    return found


def renamed(topic_ids: Ints, targets: Mapping[int, int]) -> Ints:
    """Ids of topics with those of merged ones replaced."""
    found = topic_ids.copy()
    for topic, target in targets.items():
        found[topic_ids == topic] = target
    return found


def rest_of(session: Session, run: TopicRun) -> Topic:
    """The topic of what fits no topic; there is one for life."""
    rest = session.scalar(select(Topic).where(Topic.is_rest))
    if rest is None:
        rest = Topic(name=REST_NAME, machine_name=REST_NAME, is_rest=True, born_run_id=run.id, last_run_id=run.id)
        session.add(rest)
    rest.last_run_id = run.id
    session.flush()
    return rest


def add_memberships(session: Session, run: TopicRun, voices: Ints, topic_ids: Ints, probabilities: Floats, places: Floats) -> None:
    """Writes where these voices belong. They must exist and be in no topic."""
    rounded = np.round(places.astype(np.float64), 4)
    wanted = select(Voice.id, Voice.received_on).where(among(session, Voice.id, voices.tolist()))
    day_of = dict(session.execute(wanted.execution_options(yield_per=10_000)).all())
    columns = {
        "voice_id": voices.tolist(), "topic_id": topic_ids.tolist(), "received_on": [day_of[voice] for voice in voices.tolist()],
        "probability": np.round(probabilities.astype(np.float64), 4).tolist(),
        "x": rounded[:, 0].tolist(), "y": rounded[:, 1].tolist(), "run_id": Same(run.id),
    }  # fmt: skip
    insert_columns(session, TopicMembership.__table__, columns, count=len(voices))


def count_voices(session: Session) -> None:
    """Sets every active topic's size to what the memberships say, a parent's to the sum of those below."""
    held = select(TopicMembership.topic_id, func.count()).group_by(TopicMembership.topic_id)
    sizes = dict(session.execute(held).all())
    topics = session.scalars(select(Topic).order_by(Topic.id)).all()
    below: dict[int, int] = {}
    for topic in topics:
        if topic.parent_id is not None and topic.status is TopicStatus.ACTIVE:
            below[topic.parent_id] = below.get(topic.parent_id, 0) + sizes.get(topic.id, 0)
    for topic in topics:
        topic.size = sizes.get(topic.id, 0) + below.get(topic.id, 0)
    session.flush()


def record(
    session: Session,
    run: TopicRun,
    topic_id: int,
    kind: TopicEventKind,
    *,
    before: int = 0,
    after: int = 0,
    others: Sequence[int] = (),
    kept_share: float | None = None,
    drift: float | None = None,
    actor: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Writes down what became of a topic at a run."""
    session.add(
        TopicEvent(
            topic_id=topic_id, run_id=run.id, kind=kind, others=list(others), before=before, after=after,
            kept_share=None if kept_share is None else round(kept_share, 4), drift=None if drift is None else round(drift, 4),
            detail=dict(detail or {}), actor=actor, at=utc_now(),
        )
    )  # fmt: skip


def continued(before: int, after: int) -> TopicEventKind:
    """Whether a topic that goes on has grown."""
    return TopicEventKind.GREW if after >= GREW * before and after > before else TopicEventKind.KEPT


def save_guide(session: Session, run: TopicRun, guide: Guide) -> None:
    """Keeps what places new voices; the one before goes."""
    arrays = guide.space.arrays() | {
        "topics": guide.topics, "middles": guide.middles, "landmarks": guide.landmarks.vectors.astype(np.float16),
        "landmark_topics": guide.landmarks.labels, "landmark_places": guide.landmarks.places,
    }  # fmt: skip
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    session.execute(delete(TopicSpace))
    session.add(TopicSpace(run_id=run.id, scheme=SCHEME, arrays=file.getvalue()))
    session.flush()


def load_guide(session: Session) -> Guide | None:
    """The latest one; ``None`` where there is none that this program reads."""
    found = session.execute(select(TopicSpace.scheme, TopicSpace.arrays).order_by(TopicSpace.run_id.desc()).limit(1)).one_or_none()
    if found is None or found.scheme != SCHEME:
        return None
    with np.load(io.BytesIO(found.arrays), allow_pickle=False) as arrays:
        landmarks = Landmarks(arrays["landmarks"].astype(np.float32), arrays["landmark_topics"], arrays["landmark_places"])
        return Guide(Space.from_arrays(arrays), arrays["topics"], arrays["middles"], landmarks)


def end_untouched(session: Session, run: TopicRun, among: Collection[int]) -> tuple[list[Topic], list[Topic]]:
    """Ends those of the given topics that are active and that this run didn't write; returns them, and the pinned ones, which go on."""
    active = session.scalars(select(Topic).where(Topic.last_run_id != run.id, Topic.status == TopicStatus.ACTIVE).order_by(Topic.id))
    left = [topic for topic in active if topic.id in among]
    for topic in left:
        if topic.seeds:
            topic.last_run_id = run.id
        else:
            topic.status = TopicStatus.ENDED
    session.flush()
    return [topic for topic in left if not topic.seeds], [topic for topic in left if topic.seeds]
