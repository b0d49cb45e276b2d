"""One full run into the tables: old rows are changed, new ones added, none is ever used for something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core import audit, db, facts
from core.clock import utc_now
from core.models import Topic, TopicEventKind, TopicMembership, TopicMove, TopicRun, TopicStatus
from nlp.topics import store
from nlp.topics.description import Description
from nlp.topics.layout import Landmarks
from nlp.topics.report import FitReport
from nlp.topics.space import SCHEME, Space
from nlp.topics.store import Guide, Standing
from nlp.topics.words import Ints
from nlp.vectors import Floats

_LONGEST_NAME = 110


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has come to. Topics are indices here: ``origin`` has their ids, ``None`` for one that is born.

    Attributes:
        previous: each voice's topic before, an index of ``Standing.topics`` or less than 0.
        parts: of topics that were split off, the id of the topic that they come from.
        merged: ids of topics that became the same as another, and which.
        families: each topic's parent: an id, or a negative number for a new one.
        above: what each of ``families`` is shown by.
    """

    started: datetime
    voices: Ints
    previous: Ints
    labels: Ints
    probabilities: Floats
    places: Floats
    origin: Sequence[int | None]
    parts: dict[int, int]
    merged: dict[int, int]
    drifts: Sequence[float | None]
    described: Sequence[Description]
    families: Sequence[int]
    above: dict[int, Description]
    space: Space
    centroids: Floats
    landmarks: Landmarks
    sample: int


def write(database: Engine, standing: Standing, outcome: Outcome, *, actor: str) -> FitReport:
    """Stores a run in one transaction. What people did to topics and voices while it was under way holds."""
    with db.writing(database) as session:
        return _Writer(session, standing, outcome).write(actor)


class _Writer:
    def __init__(self, session: Session, standing: Standing, outcome: Outcome) -> None:
        self.session, self.standing, self.outcome = session, standing, outcome
        # Voices before topics, each in the order of their ids, as everybody does who moves or removes voices.
        self.there = np.isin(outcome.voices, store.held_voices(session))
        self.topics = {topic.id: topic for topic in session.scalars(select(Topic).order_by(Topic.id).with_for_update())}
        self.before = {number: topic.size for number, topic in self.topics.items() if topic.status is TopicStatus.ACTIVE}
        self.names = {topic.name for topic in self.topics.values() if topic.status is TopicStatus.ACTIVE}
        self.run = TopicRun(
            mode="fit", voices=len(outcome.voices), settings={"space": SCHEME, "layers": "evoc", "sample": outcome.sample},
            started_at=outcome.started,
        )  # fmt: skip
        session.add(self.run)
        session.flush()

    def write(self, actor: str) -> FitReport:
        rows = [self._row(index) for index in range(len(self.outcome.origin))]
        self.session.flush()
        self._parents(rows)
        rest = store.rest_of(self.session, self.run)
        self.topics |= {topic.id: topic for topic in (*rows, rest)}
        held = self._memberships(np.array([*(topic.id for topic in rows), rest.id], dtype=np.int64))
        ended, pinned = self._end()
        store.count_voices(self.session)
        events = self._events([*dict.fromkeys(rows)], [*self._above(rows), *pinned, rest], ended, held, actor)
        store.save_guide(
            self.session, self.run,
            Guide(
                self.outcome.space, np.array([topic.id for topic in rows], dtype=np.int64), self.outcome.centroids,
                Landmarks(self.outcome.landmarks.vectors, _ids(self.outcome.landmarks.labels, rows, rest), self.outcome.landmarks.places),
            ),
        )  # fmt: skip
        self.run.events, self.run.finished_at = dict(events), utc_now()
        facts.recount_topics(self.session)
        audit.record(
            self.session, actor=actor, action="topics.fit", subject=f"topic_run:{self.run.id}",
            detail={"voices": self.run.voices, "topics": len(rows)},
        )  # fmt: skip
        seconds = (self.run.finished_at - self.outcome.started).total_seconds()
        return FitReport(
            run=self.run.id, mode="fit", voices=self.run.voices, placed=self.run.voices, topics=len(rows), seconds=seconds,
            **{kind: tuple(ids) for kind, ids in events.items()},
        )  # fmt: skip

    def _row(self, index: int) -> Topic:
        """The topic's row, shown by what it is now; its name is for life."""
        own, text = self.outcome.origin[index], self.outcome.described[index]
        target = store.merged_targets(self.session).get(own, own) if own is not None else None
        topic = self.topics[target] if target is not None else self._new(text)
        topic.status = TopicStatus.ACTIVE
        self._show(topic, text)
        return topic

    def _parents(self, rows: Sequence[Topic]) -> None:
        for family, text in self.outcome.above.items():
            parent = self.topics[family] if family >= 0 else self._new(text)
            parent.status = TopicStatus.ACTIVE
            self._show(parent, text)
            self.session.flush()
            self.topics[parent.id] = parent
            for topic, own in zip(rows, self.outcome.families, strict=True):
                if own == family:
                    topic.parent_id = parent.id

    def _memberships(self, ids: Ints) -> NDArray[np.int64]:
        """Writes where every voice belongs that is still there; returns the topic id of each of the outcome's voices, 0 for none."""
        there = self.there
        topic_ids = ids[self.outcome.labels]  # REST is -1: the last
        for voice, wanted in self._peoples().items():
            row = int(np.searchsorted(self.outcome.voices, voice))
            if row < len(topic_ids) and self.outcome.voices[row] == voice:
                topic_ids[row] = wanted
        self.session.execute(delete(TopicMembership))
        store.add_memberships(
            self.session, self.run, self.outcome.voices[there], topic_ids[there], self.outcome.probabilities[there],
            self.outcome.places[there],
        )  # fmt: skip
        return np.where(there, topic_ids, 0)

    def _peoples(self) -> dict[int, int]:
        """Where people have put voices by now: moved them, or made a topic of them since this run began."""
        made = [number for number, topic in self.topics.items() if number not in self.standing.ids and topic.last_run_id != self.run.id]
        members = select(TopicMembership.voice_id, TopicMembership.topic_id).where(TopicMembership.topic_id.in_(made))
        found = dict(self.session.execute(members).all())
        targets = store.merged_targets(self.session)
        for voice, topic_id in self.session.execute(select(TopicMove.voice_id, TopicMove.topic_id)):
            wanted = targets.get(topic_id, topic_id)
            if wanted in made or self.topics[wanted].last_run_id == self.run.id:
                found[voice] = wanted
        return found

    def _end(self) -> tuple[list[Topic], list[Topic]]:
        """Ends what this run didn't touch. What it merged stays to be found under the topic that it became a part of."""
        gone, pinned = store.end_untouched(self.session, self.run, self.standing.ids)
        for topic in gone:
            if topic.id in self.outcome.merged:
                topic.status, topic.merged_into = TopicStatus.MERGED, self.outcome.merged[topic.id]
        self.session.flush()
        return gone, pinned

    def _events(
        self, rows: Sequence[Topic], others: Sequence[Topic], ended: Sequence[Topic], held: Ints, actor: str
    ) -> dict[str, list[int]]:  # fmt: skip
        """Writes down what became of each topic; returns the ids of the leaves by that."""
        found: dict[str, list[int]] = {name: [] for name in ("kept", "grew", "born", "split", "merged", "ended")}
        stayed = self._stayed(held)
        leaves = {topic.id for topic in self.standing.topics}
        absorbed: dict[int, list[int]] = {}
        for old, new in self.outcome.merged.items():
            absorbed.setdefault(new, []).append(old)
        for index, topic in enumerate(rows):
            source = self.outcome.parts.get(index)
            if source is not None or topic.born_run_id == self.run.id:
                kind, named = (TopicEventKind.BORN, []) if source is None else (TopicEventKind.SPLIT, [source])
            else:
                kind, named = store.continued(self.before.get(topic.id, 0), topic.size), absorbed.get(topic.id, [])
                found["kept"].append(topic.id)
            if kind is not TopicEventKind.KEPT:
                found[kind.value].append(topic.id)
            self._record(topic, kind, actor, others=named, kept_share=stayed.get(topic.id), drift=self.outcome.drifts[index])
        for topic in ended:
            kind = TopicEventKind.MERGED if topic.status is TopicStatus.MERGED else TopicEventKind.ENDED
            if topic.id in leaves:
                found[kind.value].append(topic.id)
            self._record(topic, kind, actor, others=[topic.merged_into] if topic.merged_into else [], kept_share=stayed.get(topic.id))
        for topic in others:
            born = topic.born_run_id == self.run.id
            self._record(topic, TopicEventKind.BORN if born else store.continued(self.before.get(topic.id, 0), topic.size), actor)
        return {name: sorted(ids) for name, ids in found.items()}

    def _record(
        self,
        topic: Topic,
        kind: TopicEventKind,
        actor: str,
        *,
        others: Sequence[int] = (),
        kept_share: float | None = None,
        drift: float | None = None,
    ) -> None:
        store.record(
            self.session, self.run, topic.id, kind, before=self.before.get(topic.id, 0), after=topic.size, others=others,
            kept_share=kept_share, drift=drift, actor=actor,
        )  # fmt: skip

    def _above(self, rows: Sequence[Topic]) -> list[Topic]:
        return [self.topics[number] for number in sorted({topic.parent_id for topic in rows if topic.parent_id is not None})]

    def _stayed(self, held: Ints) -> dict[int, float]:
        """Of each topic that there was, the share of its voices, as far as they are still there, that it still has."""
        known = [topic.id for topic in self.standing.topics]
        before = np.where(held > 0, np.maximum(self.outcome.previous, -1), -1)
        had = np.bincount(before[before >= 0], minlength=len(known))
        same = (before >= 0) & (np.array([*known, 0], dtype=np.int64)[before] == held)
        kept = np.bincount(before[same], minlength=len(known))
        return {number: float(kept[index] / had[index]) for index, number in enumerate(known) if had[index]}

    def _new(self, text: Description) -> Topic:
        topic = Topic(name=self._free_name(text), born_run_id=self.run.id, last_run_id=self.run.id, keywords=[], examples=[], seeds=[])
        self.session.add(topic)
        return topic

    def _show(self, topic: Topic, text: Description) -> None:
        topic.machine_name = text.name[:_LONGEST_NAME]
        topic.keywords = [{"word": word, "weight": weight} for word, weight in text.keywords]
        topic.examples = list(text.examples)
        topic.last_run_id = self.run.id

    def _free_name(self, text: Description) -> str:
        """The description's name, told apart from one that is taken by a further keyword."""
        name = text.name[:_LONGEST_NAME]
        further = iter([word for word, _ in text.keywords if word not in name] + [str(number) for number in range(2, 1000)])
        while name in self.names:
            name = f"{text.name[:_LONGEST_NAME]}（{next(further)}）"
        self.names.add(name)
        return name


def _ids(labels: Ints, rows: Sequence[Topic], rest: Topic) -> Ints:
    return np.array([*(topic.id for topic in rows), rest.id], dtype=np.int64)[labels]
