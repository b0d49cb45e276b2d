"""New voices into the topics that exist, in the space and by the middles of the last full run: no topic is born, moved or ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from core import audit, db, facts
from core.clock import utc_now
from core.models import Topic, TopicEvent, TopicEventKind, TopicMembership, TopicMove, TopicRun, TopicStatus
from core.settings import Settings
from nlp.topics import fit, store
from nlp.topics.grouping import REST, middles, place
from nlp.topics.layout import Landmarks
from nlp.topics.reading import SAMPLE, Progress, chances, read_voices, words_of_voices
from nlp.topics.report import FitReport
from nlp.topics.space import BLOCK, Reader, Space
from nlp.topics.store import Guide
from nlp.topics.words import Ints, Words, blocks
from nlp.vectors import Floats, Lexicon

_MEMBERS = 500
_CHUNK = 2000
_FEW = 20_000


def run(database: Engine, settings: Settings, *, actor: str, progress: Progress) -> FitReport:
    """See ``nlp.topics.service.update_topics``."""
    from nlp.train import ready_lexicon

    started = utc_now()
    with db.reading(database) as session:
        first = not store.leaves(session)
    if first:
        return fit.run(database, settings, actor=actor, progress=progress)
    lexicon = ready_lexicon(settings)
    guide = _guide(database, settings, lexicon, progress)
    voices = read_voices(database, settings, unplaced=True, progress=progress).words
    labels, probabilities, places = _placed(guide, voices, lexicon)
    progress(len(voices), len(voices), "話題を保存しています")
    run = TopicRun(mode="update", voices=0, settings={}, started_at=started)
    with db.writing(database) as session:
        return _write(session, run, voices.ids, labels, probabilities, places, actor=actor)


def _guide(database: Engine, settings: Settings, lexicon: Lexicon, progress: Progress) -> Guide:
    """What places the voices, with middles for the topics that people have made or changed since it was stored."""
    with db.reading(database) as session:
        stored = store.load_guide(session)
        targets = store.merged_targets(session)
        active = [topic.id for topic in store.leaves(session)]
        changed = set(session.scalars(_changed())) if stored is not None else set()
    if stored is None:
        return _new_guide(database, settings, lexicon, progress)
    topics = store.renamed(stored.topics, targets)
    stays = np.isin(topics, active) & ~np.isin(topics, list(changed))
    missing = [number for number in active if number not in set(topics[stays].tolist())]
    found = Guide(
        stored.space, topics[stays], stored.middles[stays],
        replace(stored.landmarks, labels=store.renamed(stored.landmarks.labels, targets)),
    )  # fmt: skip
    return found if not missing else _with_members(found, *_members(database, settings, missing), lexicon)


def _changed() -> Select[int]:
    """The topics whose voices people have changed since the last full run."""
    kinds = (TopicEventKind.SPLIT, TopicEventKind.MOVED)
    last = select(func.max(TopicRun.finished_at)).where(TopicRun.mode == "fit").scalar_subquery()
    return select(TopicEvent.topic_id).where(TopicEvent.run_id.is_(None), TopicEvent.kind.in_(kinds), TopicEvent.at > last)


def _new_guide(database: Engine, settings: Settings, lexicon: Lexicon, progress: Progress) -> Guide:
    """A space and middles of the voices that the topics have: the topics are older than this program's way of storing them."""
    progress(0, 0, "話題のもとになる空間を作っています")
    with db.reading(database) as session:
        rows = store.standing(session).rows
    rows = rows[np.sort(np.argsort(chances(rows["voice"]), kind="stable")[:SAMPLE])]
    words = words_of_voices(database, settings, rows["voice"])
    space = Space.fit(words, lexicon)
    nothing = np.zeros((0, 2), dtype=np.float32)
    empty = Guide(
        space, np.zeros(0, dtype=np.int64), np.zeros((0, space.dimensions), dtype=np.float32),
        Landmarks(np.zeros((0, space.dimensions), dtype=np.float32), np.zeros(0, dtype=np.int64), nothing),
    )  # fmt: skip
    with db.reading(database) as session:
        active = np.array([topic.id for topic in store.leaves(session)], dtype=np.int64)
    return _with_members(empty, words, np.where(np.isin(rows["topic"], active), rows["topic"], REST), lexicon)


def _members(database: Engine, settings: Settings, topics: list[int]) -> tuple[Words, Ints]:
    """Voices of these topics, and the topic of each."""
    with db.reading(database) as session:
        found = session.execute(select(TopicMembership.voice_id, TopicMembership.topic_id).where(TopicMembership.topic_id.in_(topics)))
        rows = np.array(sorted(map(tuple, found)), dtype=np.int64).reshape(-1, 2)
    some = [rows[rows[:, 1] == topic] for topic in topics]
    some = [own[np.argsort(chances(own[:, 0]), kind="stable")[:_MEMBERS]] for own in some]
    chosen = np.vstack(some)
    chosen = chosen[np.argsort(chosen[:, 0], kind="stable")]
    return words_of_voices(database, settings, chosen[:, 0]), chosen[:, 1]


def _with_members(guide: Guide, words: Words, topic_ids: Ints, lexicon: Lexicon) -> Guide:
    """The guide with the middles of further topics."""
    ids = np.unique(topic_ids[topic_ids >= 0])
    labels = np.where(topic_ids >= 0, np.searchsorted(ids, topic_ids), REST)
    found = middles(Reader(guide.space, words, lexicon).every(), labels, len(ids))
    return replace(guide, topics=np.concatenate([guide.topics, ids]), middles=np.vstack([guide.middles, found]))


def _placed(guide: Guide, voices: Words, lexicon: Lexicon) -> tuple[Ints, Floats, Floats]:
    """Each new voice's topic (id or ``REST``), how likely, and its place on the map."""
    labels = np.full(len(voices), REST, dtype=np.int64)
    probabilities, places = np.ones(len(voices), dtype=np.float32), np.zeros((len(voices), 2), dtype=np.float32)
    reader = Reader(guide.space, voices, lexicon)
    for start, stop in blocks(len(voices), BLOCK):
        vectors = reader.vectors(start, stop)
        grouping = place(vectors, guide.middles)
        labels[start:stop] = np.append(guide.topics, REST)[grouping.labels]
        probabilities[start:stop] = grouping.probabilities
        places[start:stop] = guide.landmarks.place(vectors, labels[start:stop])
    return labels, probabilities, places


def _write(session: Session, run: TopicRun, voices: Ints, labels: Ints, probabilities: Floats, places: Floats, *, actor: str) -> FitReport:
    there = np.isin(voices, store.held_voices(session, unplaced=True))
    topics = session.scalars(select(Topic).order_by(Topic.id).with_for_update()).all()
    before = {topic.id: topic.size for topic in topics if topic.status is TopicStatus.ACTIVE}
    session.add(run)
    session.flush()
    rest = store.rest_of(session, run)
    targets = store.merged_targets(session)
    moved = dict(session.execute(select(TopicMove.voice_id, TopicMove.topic_id)).all())
    wanted = store.renamed(labels, targets)
    for row in np.flatnonzero(np.isin(voices, list(moved))).tolist():
        own = moved[int(voices[row])]
        wanted[row] = targets.get(own, own)
    active = [topic.id for topic in store.leaves(session)]
    wanted = np.where(np.isin(wanted, active), wanted, rest.id)
    store.add_memberships(session, run, voices[there], wanted[there], probabilities[there], places[there])
    store.count_voices(session)
    kept, grew = [], []
    for topic in session.scalars(select(Topic).where(Topic.status == TopicStatus.ACTIVE).order_by(Topic.id)):
        topic.last_run_id = run.id
        kind = store.continued(before.get(topic.id, 0), topic.size)
        store.record(
            session, run, topic.id, kind, before=before.get(topic.id, 0), after=topic.size, kept_share=1.0, drift=0.0, actor=actor
        )  # fmt: skip
        if topic.id in active:
            kept.append(topic.id)
            grew += [topic.id] if kind is TopicEventKind.GREW else []
    run.voices = session.scalar(select(func.count()).select_from(TopicMembership)) or 0
    run.events = {"kept": kept, "grew": grew, "born": [], "split": [], "merged": [], "ended": []}
    run.finished_at = utc_now()
    _count(session, voices[there].tolist())
    placed = int(there.sum())
    audit.record(
        session, actor=actor, action="topics.update", subject=f"topic_run:{run.id}", detail={"voices": placed, "topics": len(active)}
    )  # fmt: skip
    return FitReport(
        run=run.id, mode="update", voices=run.voices, placed=placed, topics=len(active), kept=tuple(kept), grew=tuple(grew),
        born=(), split=(), merged=(), ended=(), seconds=(run.finished_at - run.started_at).total_seconds(),
    )  # fmt: skip


def _count(session: Session, voices: list[int]) -> None:
    """Puts the voices that were in no topic yet under theirs in the counts; many of them by counting all anew."""
    if len(voices) > _FEW:
        facts.recount_topics(session)
        return
    for start in range(0, len(voices), _CHUNK):
        rows = facts.rows_of(session, voices[start : start + _CHUNK])
        facts.move(session, before=[{**row, "topic": ""} for row in rows], after=rows)
