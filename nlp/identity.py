"""Topics that stay themselves: a refit starts from the topics that exist; births and endings are explicit steps.

Clustering afresh loses identity (docs/adr/0005 has the figures); spherical k-means warm-started from the voices that a
topic already has keeps it, and each new group is tied to an old one by its voices, never by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.topics import REST, UNSEEN, Grouping, Ints, assign, discover, middles
from nlp.vectors import Floats

_LEAST_FOR_BIRTH = 30
_SAME = 0.8
_NEVER_FEWER = 3


@dataclass(frozen=True, slots=True)
class Refit:
    """A grouping, and for each of its topics the index of the earlier topic that it continues (``None``: born now)."""

    grouping: Grouping
    origin: tuple[int | None, ...]


def refit(vectors: Floats, previous: Ints, count: int, *, births: bool = True) -> Refit:
    """Topics over all voices, starting from the ones that exist.

    Args:
        vectors: unit vectors, shape (n, d), one a voice.
        previous: each voice's earlier topic, 0 to count-1, ``REST``, or ``UNSEEN`` for a voice that came since.
        count: how many earlier topics there are; where none of them has a voice left, all are discovered afresh.
        births: whether voices that fit no earlier topic may found new ones.
    """
    seeds = middles(vectors, previous, count)
    alive = [index for index in range(count) if np.linalg.norm(seeds[index]) > 0]
    if births and not alive:
        found = assign(vectors, discover(vectors))
        return _without_empty(vectors, found, [None] * len(found.centroids))
    grouping = assign(vectors, seeds[alive])
    origin: list[int | None] = list(alive)
    homeless = grouping.labels == REST
    # Only voices that came since can give reason for a new topic: a refit without them changes nothing.
    if births and int((homeless & (previous == UNSEEN)).sum()) >= _LEAST_FOR_BIRTH:
        candidates = discover(vectors[homeless])
        new = [row for row in candidates if not len(grouping.centroids) or float((grouping.centroids @ row).max()) < _SAME]
        if new:
            grouping = assign(vectors, np.vstack([grouping.centroids, *new]).astype(np.float32))
            origin += [None] * len(new)
    return _without_empty(vectors, grouping, origin)


def _without_empty(vectors: Floats, grouping: Grouping, origin: Sequence[int | None]) -> Refit:
    """Ends the topics that almost no voice is left in; their voices go to the next nearest."""
    sizes = np.bincount(grouping.labels[grouping.labels >= 0], minlength=len(grouping.centroids))
    kept = [index for index, size in enumerate(sizes) if size >= min(_NEVER_FEWER, len(vectors))]
    if len(kept) == len(sizes):
        return Refit(grouping, tuple(origin))
    return Refit(assign(vectors, grouping.centroids[kept], move=False), tuple(origin[index] for index in kept))


def inherit(groups: Sequence[int], before: Sequence[int | None]) -> dict[int, int]:
    """Which earlier parent each group of topics continues, each at most once: the pairing that keeps most topics together.

    Args:
        groups: each topic's group now.
        before: each topic's parent id before, ``None`` where it had none.
    """
    from scipy.optimize import linear_sum_assignment

    now, old = sorted(set(groups)), sorted({parent for parent in before if parent is not None})
    if not now or not old:
        return {}
    shared = np.zeros((len(now), len(old)))
    for group, parent in zip(groups, before, strict=True):
        if parent is not None:
            shared[now.index(group), old.index(parent)] += 1
    rows, columns = linear_sum_assignment(-shared)
    return {now[row]: old[column] for row, column in zip(rows, columns, strict=True) if shared[row, column] > 0}
