"""Which earlier topic a new group continues, and which parent a topic has: decided by what they have in common, never by numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.topics.grouping import REST, middles, parents, parents_of
from nlp.vectors import Floats


def match(
    voices: NDArray[np.float64] | None,
    likeness: NDArray[np.float64] | Floats,
    words: NDArray[np.float64] | None = None,
    *,
    least: float = 0.5,
) -> dict[int, int]:
    """Which old topic each new group continues, each at most once: the assignment with the greatest sum of what they have in common.

    Args:
        voices: of the new group's voices that had a topic the share that comes from each, shape (new, old); ``None``: not known.
        likeness: cosines of the middles.
        words: shares of keywords in common; ``None``: not known.
        least: pairs with less in common than this, on a scale to 1, are no pair.
    """
    from scipy.optimize import linear_sum_assignment

    score, whole = np.zeros(likeness.shape), 0
    parts: tuple[tuple[int, NDArray[Any] | None], ...] = ((2, voices), (2, np.clip(likeness, 0, 1)), (1, words))
    for weight, part in parts:
        if part is not None:
            score += weight * part
            whole += weight
    score /= whole
    rows, columns = linear_sum_assignment(-score)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if score[row, column] >= least}


def families(centroids: Floats, before: Sequence[int | None]) -> list[int]:
    """Each topic's parent: an earlier parent's id, or a negative number for a new one (the same for those who share it).

    Topics keep the parent that they have, and new ones go to the nearest, until there are far too few or too many parents for
    the topics; then all are grouped anew, and each group continues the parent that most of its topics had.
    """
    old = sorted({parent for parent in before if parent is not None})
    wanted = parents_of(len(centroids))
    if old and wanted / 1.6 <= len(old) <= wanted * 1.6:
        labels = np.array([old.index(parent) if parent is not None else REST for parent in before], dtype=np.int64)
        nearest = (centroids @ middles(centroids, labels, len(old)).T).argmax(axis=1)
        return [old[own] if own >= 0 else old[near] for own, near in zip(labels.tolist(), nearest.tolist(), strict=True)]
    groups = parents(centroids).tolist()
    inherited = inherit(groups, before)
    return [inherited.get(group, -1 - group) for group in groups]


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
