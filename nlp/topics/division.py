"""Whether a group of voices has become two. Nothing is divided that isn't clearly apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlp.topics.grouping import middles
from nlp.topics.words import Ints
from nlp.vectors import Floats

_LEAST = 30
_LEAST_SHARE = 0.1
_MOST_ALIKE = 0.45
# Ashman, Bird and Zepf 1994: D of the two parts' projections onto the line between their middles. One round cloud cut in half has 2.65.
_APART = 4.5
_ROUNDS = 50


def divided(vectors: Floats, fresh: NDArray[np.bool_]) -> tuple[Floats, Floats] | None:
    """The middles of the larger and the smaller part of a group that is clearly two, the smaller with many fresh voices; else ``None``."""
    if len(vectors) < 2 * _LEAST:
        return None
    labels, centroids = halves(vectors)
    sizes = np.bincount(labels, minlength=2)
    small = int(sizes.argmin())
    if sizes[small] < max(_LEAST, _LEAST_SHARE * len(vectors)) or int(fresh[labels == small].sum()) < _LEAST:
        return None
    if float(centroids[0] @ centroids[1]) > _MOST_ALIKE or apart(vectors, labels, centroids) < _APART:
        return None
    return centroids[1 - small], centroids[small]


def halves(vectors: Floats) -> tuple[Ints, Floats]:
    """Labels 0 and 1 and the middles of the best two parts, by spherical k-means from the two sides of the longest axis."""
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    labels = (centred @ (axis * np.sign(axis[np.abs(axis).argmax()])) > 0).astype(np.int64)
    for _ in range(_ROUNDS):
        nearest = (vectors @ middles(vectors, labels, 2).T).argmax(axis=1).astype(np.int64)
        if (nearest == labels).all():
            break
        labels = nearest
    return labels, middles(vectors, labels, 2)


def apart(vectors: Floats, labels: Ints, centroids: Floats) -> float:
    """Ashman's D of two parts: the distance of their means on the line between them, in units of their common spread."""
    along = vectors @ (centroids[1] - centroids[0])
    first, second = along[labels == 0], along[labels == 1]
    spread = float(np.sqrt((first.var() + second.var()) / 2))
    return float(abs(second.mean() - first.mean()) / spread) if spread > 0 else float("inf")
