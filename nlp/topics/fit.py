"""A full run: topics over all voices, starting from those that exist, made on a sample and given to everyone, stored in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Engine

from core import db
from core.clock import utc_now
from core.errors import InputError
from core.models import Topic
from core.settings import Settings
from nlp.topics import identity, matching, store
from nlp.topics.description import Description, describe_above, describe_all
from nlp.topics.grouping import LEAST_LIKENESS, REST, UNSEEN, Hold, middles, place, pulled
from nlp.topics.identity import Known, Refit
from nlp.topics.layout import Landmarks, lay_out
from nlp.topics.naming import named
from nlp.topics.reading import SAMPLE, Progress, Voices, chances, read_voices, spread
from nlp.topics.report import FitReport
from nlp.topics.space import BLOCK, Reader, Space, words_vector
from nlp.topics.store import Standing
from nlp.topics.words import Ints, blocks
from nlp.topics.writing import Outcome, write
from nlp.vectors import Floats, Lexicon

_LANDMARKS = 10_000
_STORED_LANDMARKS = 3000
_THIN, _TOPPED = 30, 100
_MOST_HOMELESS = 20_000


@dataclass(frozen=True, slots=True)
class _Placed:
    """Every voice's topic (an index or ``REST``), how likely, how near to its middle, and its place on the map."""

    labels: Ints
    probabilities: Floats
    likeness: Floats
    places: Floats


def run(database: Engine, settings: Settings, *, actor: str, progress: Progress) -> FitReport:
    """See ``nlp.topics.service.fit_topics``."""
    from nlp.train import ready_lexicon

    started = utc_now()
    voices = read_voices(database, settings, progress=progress)
    if not len(voices.words):
        raise InputError("話題を作る声がまだありません。", hint="koe import で声を取り込んでください。")
    with db.reading(database) as session:
        standing, ended = store.standing(session), store.ended_topics(session)
    total = len(voices.words)
    outcome = _Maker(voices, standing, ended, ready_lexicon(settings), lambda step: progress(total, total, step)).outcome(started)
    progress(total, total, "話題に名前を付けています")
    outcome = named(database, standing, outcome)
    progress(total, total, "話題を保存しています")
    return write(database, standing, outcome, actor=actor)


class _Maker:
    """Makes one run's topics. Arrays without ``some`` in their name have a row for each voice, those with it for each of the sample."""

    def __init__(self, voices: Voices, standing: Standing, ended: Sequence[Topic], lexicon: Lexicon, step: Callable[[str], None]) -> None:
        self.words, self.strata = voices.words, voices.strata
        self.standing, self.ended, self.lexicon, self.step = standing, ended, lexicon, step
        self.previous, self.fresh, self.before = standing.previous(self.words.ids)
        self.moved = standing.moved(self.words.ids)

    def outcome(self, started: datetime) -> Outcome:
        """Everything that is to be stored."""
        topics = self.standing.topics
        self.step("話題のもとになる空間を作っています")
        rows = spread(self.words, self.strata, SAMPLE)
        space = Space.fit(self.words.take(rows), self.lexicon)
        pulls = self._pulls(space)
        rows = np.union1d(rows, self._besides(rows, space, pulls))
        some = Reader(space, self.words.take(rows), self.lexicon).every()
        self.step("話題を見つけています")
        known = Known(
            self.previous[rows], len(topics), self.fresh[rows], Hold(self.moved[rows], self.previous[rows], pulls), self.standing.peoples
        )  # fmt: skip
        refit = identity.refit(some, known)
        self.step("地図を作っています")
        chosen = first_by_chance(self.words.ids[rows], _LANDMARKS)
        places = lay_out(some[chosen], before=self.before[rows[chosen]])
        landmarks = Landmarks(some[chosen], refit.grouping.labels[chosen], places)
        self.step("声を話題に入れています")
        placed = self._place_all(space, refit, pulls, landmarks)
        placed.places[rows[chosen]] = places
        self.step("話題のことばを数えています")
        described = describe_all(self.words, placed.labels, placed.likeness, len(refit.origin))
        centroids = refit.grouping.centroids
        families = matching.families(centroids, self._parents(refit))
        order = sorted(set(families))
        above = describe_above(self.words, placed.labels, [order.index(family) for family in families], described)
        stored = first_by_chance(self.words.ids[rows[chosen]], _STORED_LANDMARKS)
        return Outcome(
            started=started,
            voices=self.words.ids,
            previous=self.previous,
            labels=placed.labels,
            probabilities=placed.probabilities,
            places=placed.places,
            origin=self._ids_of(refit, described, space),
            parts={index: topics[old].id for index, old in refit.parts.items()},
            merged={topics[old].id: topics[new].id for old, new in refit.merged.items()},
            drifts=_drifts(refit, middles(some, known.previous, known.count)),
            described=described,
            families=families,
            above=dict(zip(order, above, strict=True)),
            space=space,
            centroids=centroids,
            landmarks=Landmarks(landmarks.vectors[stored], landmarks.labels[stored], places[stored]),
            sample=len(rows),
        )

    def _pulls(self, space: Space) -> Floats:
        """The vectors of the words that topics are pinned by."""
        pulls = np.zeros((len(self.standing.topics), space.dimensions), dtype=np.float32)
        for index, topic in enumerate(self.standing.topics):
            if topic.seeds:
                pulls[index] = words_vector(space, list(map(str, topic.seeds)), self.lexicon)
        return pulls

    def _besides(self, rows: Ints, space: Space, pulls: Floats) -> Ints:
        """Rows that the sample should have too: what people moved, more of topics that it has few of, new voices that fit none."""
        if len(rows) == len(self.words):
            return rows
        found = [np.flatnonzero(self.moved != UNSEEN)]
        outside = np.ones(len(self.words), dtype=np.bool_)
        outside[rows] = False
        count = len(self.standing.topics)
        taken = np.bincount(self.previous[rows][self.previous[rows] >= 0], minlength=count)
        for topic in np.flatnonzero(taken < _THIN):
            more = np.flatnonzero((self.previous == topic) & outside)
            found.append(more[first_by_chance(self.words.ids[more], _TOPPED)])
        fresh = np.flatnonzero(self.fresh & outside)
        if count and len(fresh):
            known = np.union1d(rows, np.concatenate(found))
            vectors = Reader(space, self.words.take(known), self.lexicon).every()
            seeds = pulled(middles(vectors, self.previous[known], count), pulls)
            reader = Reader(space, self.words.take(fresh), self.lexicon)
            near = [(reader.vectors(*block) @ seeds.T).max(axis=1) for block in blocks(len(fresh), BLOCK)]
            homeless = fresh[np.concatenate(near) < LEAST_LIKENESS]
            found.append(homeless[first_by_chance(self.words.ids[homeless], _MOST_HOMELESS)])
        return np.concatenate(found)

    def _place_all(self, space: Space, refit: Refit, pulls: Floats, landmarks: Landmarks) -> _Placed:
        """Every voice to the nearest middle, block by block; where people put it, if they did."""
        hold = Hold(self.moved, self.previous, pulls)
        for old, new in refit.merged.items():
            hold = hold.redirected(old, new)
        hold = hold.arranged(refit.origin)
        centroids, total = refit.grouping.centroids, len(self.words)
        placed = _Placed(
            np.full(total, REST, dtype=np.int64), np.ones(total, dtype=np.float32), np.zeros(total, dtype=np.float32),
            np.zeros((total, 2), dtype=np.float32),
        )  # fmt: skip
        reader = Reader(space, self.words, self.lexicon)
        for start, stop in blocks(total, BLOCK):
            vectors = reader.vectors(start, stop)
            grouping = place(vectors, centroids, hold=hold.rows(start, stop))
            labels = grouping.labels
            placed.labels[start:stop], placed.probabilities[start:stop] = labels, grouping.probabilities
            if len(centroids):
                placed.likeness[start:stop] = (vectors * centroids[np.maximum(labels, 0)]).sum(axis=1)
            placed.places[start:stop] = landmarks.place(vectors, labels)
            self.step("声を話題に入れています")
        return placed

    def _parents(self, refit: Refit) -> list[int | None]:
        """The parent that each topic had; one that was split off begins under its origin's."""
        sources = [refit.parts.get(index) if old is None else old for index, old in enumerate(refit.origin)]
        return [None if source is None else self.standing.topics[source].parent_id for source in sources]

    def _ids_of(self, refit: Refit, described: Sequence[Description], space: Space) -> list[int | None]:
        """Each topic's id, ``None`` for one that is born. A matter that had ended and is back takes its topic up again."""
        ids = [None if old is None else self.standing.topics[old].id for old in refit.origin]
        born = [index for index, own in enumerate(ids) if own is None and index not in refit.parts]
        if not born or not self.ended:
            return ids
        keywords = [[str(pair["word"]) for pair in topic.keywords] for topic in self.ended]
        words = np.array([[_shared([word for word, _ in described[index].keywords], other) for other in keywords] for index in born])
        vectors = np.array([words_vector(space, other, self.lexicon) for other in keywords], dtype=np.float32)
        likeness = refit.grouping.centroids[born] @ vectors.T
        for new, old in matching.match(None, likeness, words).items():
            ids[born[new]] = self.ended[old].id
        return ids


def first_by_chance(ids: Ints, most: int) -> Ints:
    """Places of at most so many ids, which only the ids themselves decide; in order."""
    return np.sort(np.argsort(chances(ids), kind="stable")[:most])


def _shared(words: Sequence[str], other: Sequence[str]) -> float:
    """The share of the shorter list's words that the other has too."""
    return len({*words} & {*other}) / max(min(len(words), len(other)), 1)


def _drifts(refit: Refit, earlier: Floats) -> list[float | None]:
    """How far each topic's middle has come from that of the voices that it had before; ``None`` for a new one."""
    found: list[float | None] = []
    for now, old in zip(refit.grouping.centroids, refit.origin, strict=True):
        found.append(None if old is None or not earlier[old].any() else max(1 - float(now @ earlier[old]), 0.0))
    return found
