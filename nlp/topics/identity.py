"""Topics that stay themselves: a refit starts from the topics that exist; births, splits, merges and endings are explicit steps.

Clustering afresh loses identity (docs/adr/0005 has the figures); spherical k-means warm-started from the voices that a
topic already has keeps it, and each new group is tied to an old one by its voices, never by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nlp.topics.discovery import MOST_TOPICS, discover, some, wanted_topics
from nlp.topics.division import divided
from nlp.topics.grouping import LEAST_LIKENESS, REST, STAY, UNSEEN, Grouping, Hold, assign, middles, pulled
from nlp.topics.matching import match
from nlp.topics.words import Ints
from nlp.vectors import Floats, unit

# So many voices must have come since the last fit before anything new is looked for: a refit without them changes nothing.
LEAST_NEW = 30
_SAME = 0.8
_ONE = 0.95
_NEVER_FEWER = 3
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Known:
    """The topics that exist, and what is known of the voices that are looked at, in the order of their vectors.

    Attributes:
        previous: each voice's topic (0 to ``count`` - 1), ``REST``, or ``UNSEEN`` for a voice that no run has placed.
        count: how many topics there are.
        fresh: which voices came since the last fit; without it, those that no run has placed.
        hold: what people decided.
        kept: topics that people named or set apart: they aren't merged away. Those that are pinned don't end either (``hold``).
    """

    previous: Ints
    count: int
    fresh: NDArray[np.bool_] | None = None
    hold: Hold | None = None
    kept: frozenset[int] = frozenset()

    @property
    def new(self) -> NDArray[np.bool_]:
        return self.previous == UNSEEN if self.fresh is None else self.fresh


@dataclass(frozen=True, slots=True)
class Refit:
    """A grouping, and for each of its topics the index of the earlier topic that it continues (``None``: born now).

    Attributes:
        hold: what people decided, for the topics of the grouping.
        parts: for topics born by a split, the index of the earlier topic that they come from.
        merged: earlier topics that became the same as another, and which.
    """

    grouping: Grouping
    origin: tuple[int | None, ...]
    hold: Hold
    parts: dict[int, int] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _State:
    """Topics while they are being refitted: one entry of ``origin`` and ``split_from`` for each middle."""

    vectors: Floats
    known: Known
    grouping: Grouping
    origin: list[int | None]
    split_from: list[int | None]
    hold: Hold
    merged: dict[int, int]

    def settle(self, centroids: Floats) -> None:
        """Lets voices and middles come to rest, from these middles."""
        self.grouping = assign(self.vectors, centroids, hold=self.hold)

    def add(self, found: Floats, split_from: int | None = None) -> None:
        """Further topics, and all come to rest."""
        self.hold = self.hold.arranged([*range(len(self.origin)), *[None] * len(found)])
        self.origin += [None] * len(found)
        self.split_from += [split_from] * len(found)
        self.settle(np.vstack([self.grouping.centroids, found]).astype(np.float32))

    def drop(self, gone: Sequence[int]) -> None:
        """Takes topics away. What people put into one of them is free again."""
        stay = [index for index in range(len(self.origin)) if index not in set(gone)]
        self.origin = [self.origin[index] for index in stay]
        self.split_from = [self.split_from[index] for index in stay]
        self.hold = self.hold.arranged(stay)
        self.grouping = replace(self.grouping, centroids=self.grouping.centroids[stay])

    def sizes(self) -> Ints:
        labels = self.grouping.labels
        return np.bincount(labels[labels >= 0], minlength=len(self.origin))

    def is_peoples(self, index: int) -> bool:
        return self.is_pinned(index) or self.origin[index] in self.known.kept

    def is_pinned(self, index: int) -> bool:
        return bool(self.hold.pulls[index].any())


def refit(vectors: Floats, known: Known, *, births: bool = True) -> Refit:
    """Topics over all voices, starting from the ones that exist.

    Args:
        vectors: unit vectors, shape (n, d), one a voice.
        known: the topics that exist; where none of them has a voice left, all are discovered afresh.
        births: whether topics may be born, split, merged and end; without it voices are only placed.
    """
    hold = known.hold or Hold.nothing(known.previous, known.count, vectors.shape[1])
    seeds = pulled(middles(vectors, np.where(hold.labels == UNSEEN, known.previous, hold.labels), known.count), hold.pulls)
    alive = np.flatnonzero(np.linalg.norm(seeds, axis=1) > 0)
    empty = Grouping(np.full(len(vectors), REST), np.ones(len(vectors), dtype=np.float32), seeds[alive])
    state = _State(vectors, known, empty, list(map(int, alive)), [None] * len(alive), hold.arranged(alive.tolist()), {})
    fresh = known.new
    if births and (not len(alive) or _outgrown(len(alive), fresh)):
        _discover_all(state)
    else:
        state.settle(seeds[alive])
        if births:
            _split(state, fresh)
            _bear(state, fresh)
    if births:
        _merge(state)
    _end(state)
    parts = {index: origin for index, origin in enumerate(state.split_from) if origin is not None}
    return Refit(state.grouping, tuple(state.origin), state.hold, parts, state.merged)


def _outgrown(count: int, fresh: NDArray[np.bool_]) -> bool:
    """Whether the topics were made of so few voices that they are too coarse for those there are now."""
    return bool(fresh.mean() > 0.5) and wanted_topics(len(fresh)) >= 2 * count


def _discover_all(state: _State) -> None:
    """All is looked for afresh; each new group continues the old topic that it matches best, if any."""
    before = state.grouping.centroids
    # Where the middles come to rest among some of the voices they have nearly come to rest among all.
    found = assign(state.vectors, assign(some(state.vectors), discover(state.vectors)).centroids)
    shared = np.zeros((len(found.centroids), len(before)))
    for place, old in enumerate(state.origin):
        inside = found.labels[(state.known.previous == old) & (found.labels >= 0)]
        shared[:, place] = np.bincount(inside, minlength=len(found.centroids))
    pairs = match(shared / np.maximum(shared.sum(axis=1, keepdims=True), 1), found.centroids @ before.T)
    held = set(state.hold.labels.tolist())
    kept = [place for place in range(len(before)) if place not in pairs.values() and (state.is_pinned(place) or place in held)]
    order = [*(pairs.get(new) for new in range(len(found.centroids))), *kept]
    state.hold = state.hold.arranged(order)
    state.origin = [None if place is None else state.origin[place] for place in order]
    state.split_from = [None] * len(order)
    state.settle(np.vstack([found.centroids, before[kept]]).astype(np.float32))


def _bear(state: _State, fresh: NDArray[np.bool_]) -> None:
    """New topics: groups among the new voices whose middles would draw new voices off the topics that they are in, and few old ones.

    A group about what people have always written about draws as many old voices as new ones: it is no new matter.
    """
    newcomers = np.flatnonzero(fresh)
    if len(newcomers) < LEAST_NEW:
        return
    centroids, free = state.grouping.centroids, state.hold.labels == UNSEEN
    own = np.maximum((state.vectors @ centroids.T).max(axis=1, initial=0), LEAST_LIKENESS) + STAY
    # Some of all of them: `discover` alone would take others, since it leaves voices without a known word out first.
    groups = assign(state.vectors[newcomers], _without_doubles(discover(some(state.vectors[newcomers]))))
    needed = (1 + float(fresh.mean())) / 2
    new: list[Floats] = []
    for middle in groups.centroids:
        drawn = fresh[free & (state.vectors @ middle > own)]
        if int(drawn.sum()) < LEAST_NEW or float(drawn.mean()) < needed:
            continue
        if float((np.vstack([centroids, *new]) @ middle).max(initial=0)) < _SAME:
            new.append(middle[None])
    before = len(centroids)
    if new and before < 2 * MOST_TOPICS:
        state.add(np.vstack(new[: 2 * MOST_TOPICS - before]))
    old_ones = [index for index in range(before, len(state.origin)) if _share(fresh, state.grouping.labels == index) < _MOSTLY]
    if old_ones:  # at rest among the others they have become something that is not new
        state.drop(old_ones)
        state.settle(state.grouping.centroids)


def _share(fresh: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    return float(fresh[inside].mean()) if inside.any() else 0.0


def _without_doubles(centroids: Floats) -> Floats:
    """Middles with those made one that are about the same matter: few voices fall into several groups more easily than many."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(centroids) < 2:
        return centroids
    groups = fcluster(linkage(centroids, "average", metric="cosine"), 1 - _SAME, "distance").astype(np.int64) - 1
    return middles(centroids, groups, int(groups.max()) + 1)


def _split(state: _State, fresh: NDArray[np.bool_]) -> None:
    """Topics that new voices have made into two; the larger part goes on as the topic."""
    for index in range(len(state.origin)):
        origin = state.origin[index]
        inside = np.flatnonzero(state.grouping.labels == index)
        if origin is None or len(state.origin) >= 2 * MOST_TOPICS or int(fresh[inside].sum()) < LEAST_NEW:
            continue
        parts = divided(state.vectors[inside], fresh[inside])
        if parts is None:
            continue
        centroids = state.grouping.centroids.copy()
        centroids[index], smaller = parts
        state.grouping = replace(state.grouping, centroids=centroids)
        state.add(smaller[None], split_from=origin)


def _merge(state: _State) -> None:
    """Topics whose middles have become the same: the larger one stays, of two as large the older. People's own topics are left."""
    while len(state.origin) > 1:
        sizes, centroids = state.sizes(), state.grouping.centroids
        likeness = np.triu(centroids @ centroids.T, 1)
        free = np.array([not state.is_peoples(index) for index in range(len(state.origin))])
        likeness[~(free[:, None] | free[None, :])] = 0
        first, second = map(int, np.unravel_index(likeness.argmax(), likeness.shape))
        if likeness[first, second] < _ONE:
            return
        stays, goes = (first, second) if _rank(state, first, sizes) >= _rank(state, second, sizes) else (second, first)
        old, target = state.origin[goes], state.origin[stays]
        if old is not None and target is not None:
            state.merged[old] = target
        elif old is not None:
            state.origin[stays], state.split_from[stays] = old, None  # it had a topic's life before the new one
        state.hold = state.hold.redirected(goes, stays)
        joined = unit((centroids[[stays]] * sizes[stays] + centroids[[goes]] * sizes[goes]).astype(np.float32))
        centroids = centroids.copy()
        centroids[stays] = joined[0]
        state.grouping = replace(state.grouping, centroids=centroids)
        state.drop([goes])
        state.settle(state.grouping.centroids)


def _rank(state: _State, index: int, sizes: Ints) -> tuple[bool, int, int]:
    origin = state.origin[index]
    return (state.is_peoples(index), int(sizes[index]), -origin if origin is not None else -state.known.count)


def _end(state: _State) -> None:
    """Ends the topics that almost no voice is left in; their voices go to the next nearest."""
    sizes = state.sizes()
    held = set(state.hold.labels.tolist())
    few = min(_NEVER_FEWER, len(state.vectors))
    gone = [index for index, size in enumerate(sizes) if size < few and not state.is_pinned(index) and index not in held]
    if gone:
        state.drop(gone)
        state.grouping = assign(state.vectors, state.grouping.centroids, move=False, hold=state.hold)
