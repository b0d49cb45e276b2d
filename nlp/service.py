"""The one door between nlp and the tables: topics are fitted from voices and stored; corrections are read for training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session, aliased

from core import audit, db, engine, facts
from core.clock import utc_now
from core.errors import InputError
from core.models import Facet, HumanLabel, Topic, TopicMembership, TopicRun, TopicStatus, Voice
from core.settings import Settings
from nlp import identity, topics
from nlp.corpus import Example, recency
from nlp.japanese import tokenize
from nlp.topics import REST, UNSEEN, Description, Document, Ints

REST_NAME = "その他の声"
_CHUNK = 2000
_ROWS = 5000
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a run did: how many voices and topics, and the ids that were kept, born and ended."""

    run: int
    voices: int
    topics: int
    kept: tuple[int, ...]
    born: tuple[int, ...]
    ended: tuple[int, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": self.run, "voices": self.voices, "topics": self.topics, "kept": len(self.kept), "born": len(self.born),
            "ended": len(self.ended), "seconds": round(self.seconds, 2),
        }  # fmt: skip


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


def fit_topics(database: Engine, settings: Settings, *, mode: str = "fit", actor: str = "cli") -> FitReport:
    """Fits topics over all voices and stores them in one transaction.

    ``mode="fit"`` may found and end topics; ``mode="update"`` only places voices into the topics that exist.

    Raises:
        InputError: there are no voices yet.
    """
    started = utc_now()
    with db.reading(database) as session:
        documents = _documents(session, settings)
        if not documents:
            raise InputError("話題を作る声がまだありません。", hint="koe import で声を取り込んでください。")
        known = _leaves(session)
        rows = session.execute(select(TopicMembership.voice_id, TopicMembership.topic_id))
        memberships = {row.voice_id: row.topic_id for row in rows}
    from nlp.train import ready_lexicon

    vectors = topics.embed(documents, ready_lexicon(settings))
    places = {topic.id: index for index, topic in enumerate(known)}
    previous = np.array(
        [places.get(memberships[item.id], REST) if item.id in memberships else UNSEEN for item in documents], dtype=np.int64
    )
    result = identity.refit(vectors, previous, len(known), births=mode == "fit" or not known)
    grouping = result.grouping
    described = topics.describe(documents, grouping.labels, vectors, grouping.centroids)
    groups = topics.parents(grouping.centroids)
    family = topics.describe(
        documents,
        _group_labels(grouping.labels, groups),
        vectors,
        topics.middles(grouping.centroids, groups, int(groups.max(initial=-1)) + 1),
    )
    with db.writing(database) as session:
        run = TopicRun(mode=mode, voices=len(documents), settings={"layers": "evoc", "space": "sif+lsa"}, started_at=started)
        session.add(run)
        session.flush()
        writer = _Writer(session, run, known)
        ids = writer.topics(described, result.origin, grouping.labels)
        writer.parents(ids, groups, family)
        rest = writer.rest(int((grouping.labels == REST).sum()))
        writer.memberships(
            documents, [ids[label] if label >= 0 else rest for label in grouping.labels.tolist()], grouping.probabilities.tolist()
        )
        events = writer.close(ids)
        facts.recount_topics(session)
        audit.record(
            session,
            actor=actor,
            action=f"topics.{mode}",
            subject=f"topic_run:{run.id}",
            detail={"voices": len(documents), "topics": len(ids)},
        )
        seconds = (run.finished_at - started).total_seconds() if run.finished_at else 0.0
        return FitReport(run.id, len(documents), len(ids), tuple(events["kept"]), tuple(events["born"]), tuple(events["ended"]), seconds)


class _Writer:
    """Writes one run's topics: old rows are changed, new ones added, none is ever used for something else."""

    def __init__(self, session: Session, run: TopicRun, known: Sequence[Topic]) -> None:
        self.session = session
        self.run = run
        self.known = [session.merge(topic, load=True) for topic in known]
        self.before = {topic.id for topic in self.known}
        self.names: set[str] = set()

    def topics(self, described: Sequence[Description], origin: Sequence[int | None], labels: Ints) -> list[int]:
        """Stores the leaf topics; returns their ids in order."""
        sizes = np.bincount(labels[labels >= 0], minlength=len(described))
        rows = []
        self.names = {self.known[old].name for old in origin if old is not None}
        for index, text in enumerate(described):
            old = origin[index]
            topic = self.known[old] if old is not None else self._new(self._free_name(text))
            topic.size = int(sizes[index])
            self._show(topic, text)
            rows.append(topic)
        self.session.flush()
        return [topic.id for topic in rows]

    def parents(self, ids: Sequence[int], groups: Ints, family: Sequence[Description]) -> None:
        """Stores the coarser level; a group continues the parent that most of its topics had."""
        leaves = [self.session.get_one(Topic, topic_id) for topic_id in ids]
        inherited = identity.inherit(groups.tolist(), [leaf.parent_id for leaf in leaves])
        for group in sorted(set(groups.tolist())):
            members = [leaf for leaf, own in zip(leaves, groups.tolist(), strict=True) if own == group]
            if group in inherited:
                parent = self.session.get_one(Topic, inherited[group])
                parent.status = TopicStatus.ACTIVE
            else:
                parent = self._new(self._free_name(family[group]))
            parent.size = sum(leaf.size for leaf in members)
            self._show(parent, family[group])
            self.session.flush()
            for leaf in members:
                leaf.parent_id = parent.id

    def rest(self, size: int) -> int:
        """The topic of what fits no topic; there is one for life."""
        topic = self.session.scalar(select(Topic).where(Topic.is_rest)) or self._new(REST_NAME)
        topic.is_rest, topic.size, topic.last_run_id = True, size, self.run.id
        self.session.flush()
        return topic.id

    def memberships(self, documents: Sequence[Document], topic_ids: Sequence[int], probabilities: Sequence[float]) -> None:
        self.session.execute(delete(TopicMembership))
        rows = [
            {"voice_id": item.id, "topic_id": topic_id, "probability": round(probability, 4), "run_id": self.run.id}
            for item, topic_id, probability in zip(documents, topic_ids, probabilities, strict=True)
        ]
        for start in range(0, len(rows), _ROWS):
            self.session.execute(insert(TopicMembership), rows[start : start + _ROWS])

    def close(self, ids: Sequence[int]) -> dict[str, list[int]]:
        """Ends what this run didn't touch and writes down what happened."""
        events = {
            "kept": sorted(self.before & set(ids)),
            "born": sorted(set(ids) - self.before),
            "ended": sorted(self.before - set(ids)),
        }
        self.session.execute(
            update(Topic)
            .where(Topic.last_run_id != self.run.id, Topic.status == TopicStatus.ACTIVE)
            .values(status=TopicStatus.ENDED, size=0)
        )
        self.run.events = dict(events)
        self.run.finished_at = utc_now()
        self.session.flush()
        return events

    def _new(self, name: str) -> Topic:
        topic = Topic(name=name, born_run_id=self.run.id, last_run_id=self.run.id, keywords=[], examples=[])
        self.session.add(topic)
        return topic

    def _show(self, topic: Topic, text: Description) -> None:
        topic.keywords = [{"word": word, "weight": weight} for word, weight in text.keywords]
        topic.examples = list(text.examples)
        topic.last_run_id = self.run.id

    def _free_name(self, text: Description) -> str:
        """The description's name, told apart from one that is taken by a further keyword."""
        name = text.name[:110]
        further = iter([word for word, _ in text.keywords if word not in name] + [str(number) for number in range(2, 1000)])
        while name in self.names:
            name = f"{text.name[:110]}（{next(further)}）"
        self.names.add(name)
        return name


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


def corrections(session: Session, *, now: datetime | None = None) -> list[Example]:
    """What staff decided, as training examples: each voice once, with the newest label of each facet; older ones weigh less."""
    labels: dict[int, dict[Facet, str]] = {}
    made: dict[int, datetime] = {}
    columns = (HumanLabel.voice_id, HumanLabel.facet, HumanLabel.value, HumanLabel.created_at)
    for voice_id, facet, value, created_at in session.execute(select(*columns).order_by(HumanLabel.id)):
        labels.setdefault(voice_id, {})[facet] = value
        made[voice_id] = created_at
    now = now or utc_now()
    ids = sorted(labels)
    examples = []
    for start in range(0, len(ids), _CHUNK):
        texts = session.execute(select(Voice.id, Voice.text).where(Voice.id.in_(ids[start : start + _CHUNK])).order_by(Voice.id))
        for voice_id, text in texts:
            decided = labels[voice_id]
            theme = decided.get(Facet.THEME, "")
            examples.append(
                Example(
                    text=text,
                    theme=theme,
                    subtheme=decided.get(Facet.SUBTHEME, "") if theme else "",
                    kind=decided.get(Facet.KIND, ""),
                    urgency=decided.get(Facet.URGENCY, ""),
                    id=str(voice_id),
                    weight=recency((now - made[voice_id]).total_seconds() / _DAY),
                )
            )
    return examples


def _leaves(session: Session) -> list[Topic]:
    """The active topics that voices belong to: neither parents nor その他の声."""
    parent_ids = select(Topic.parent_id).where(Topic.parent_id.is_not(None))
    return list(
        session.scalars(
            select(Topic)
            .where(Topic.status == TopicStatus.ACTIVE, Topic.is_rest.is_(False), Topic.id.not_in(parent_ids))
            .order_by(Topic.id)
        )
    )


def _documents(session: Session, settings: Settings) -> list[Document]:
    rows = session.execute(select(Voice.id, Voice.text).order_by(Voice.id)).all()
    chunks = [[(voice_id, text) for voice_id, text in rows[start : start + _CHUNK]] for start in range(0, len(rows), _CHUNK)]
    return [item for chunk in engine.map(documents_of, chunks, settings=settings) for item in chunk]


def documents_of(rows: Sequence[tuple[int, str]]) -> list[Document]:
    """Documents of (id, masked text) pairs; a module-level function, so that a worker process can be given it."""
    return [topics.document(voice_id, tokenize(text)) for voice_id, text in rows]


def _group_labels(labels: Ints, groups: Ints) -> Ints:
    return np.append(groups, REST)[labels]  # REST is -1: the last
