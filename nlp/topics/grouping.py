"""Voices to the topics whose middles are nearest: spherical k-means (Dhillon and Modha 2001), and the coarser level above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.topics.words import Ints
from nlp.vectors import Floats, unit

REST = -1
UNSEEN = -2
"""A voice's earlier topic when it had none: put with その他の声, or not there at the last run."""
# Rounds end when no voice moves; 12 were too few for 5,000 voices, and a refit of the same ones went on moving some.
_ROUNDS = 200
_SHARPNESS = 12.0
# A voice nearer than this to no middle belongs to その他の声: below it, two readers' random pairs look alike as often.
LEAST_LIKENESS = 0.22
# How far a pinned topic's middle is pulled from its voices' towards its words'.
PULL = 0.3


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which topic each voice belongs to (index into ``centroids``, or ``REST``), how likely (0–1), and the middles (k, d)."""

    labels: Ints
    probabilities: Floats
    centroids: Floats


@dataclass(frozen=True, slots=True)
class Hold:
    """What people decided and no round may change.

    Attributes:
        labels: the topic that a person put each voice into; ``UNSEEN`` where nobody did.
        pulls: for each topic the unit vector of the words that it was pinned by, zeros where it wasn't.
    """

    labels: Ints
    pulls: Floats

    @classmethod
    def nothing(cls, voices: int, topics: int, dimensions: int) -> Hold:
        """Where nobody has decided anything."""
        return cls(np.full(voices, UNSEEN, dtype=np.int64), np.zeros((topics, dimensions), dtype=np.float32))

    def arranged(self, order: Sequence[int | None]) -> Hold:
        """The same for other topics: each continues an earlier one or (``None``) none. What was put into one that is gone is free."""
        places = np.full(len(self.pulls) + 2, UNSEEN, dtype=np.int64)
        places[REST] = REST
        pulls = np.zeros((len(order), self.pulls.shape[1]), dtype=np.float32)
        for new, old in enumerate(order):
            if old is not None:
                places[old], pulls[new] = new, self.pulls[old]
        return Hold(places[self.labels], pulls)

    def redirected(self, goes: int, stays: int) -> Hold:
        """The same where one topic has become a part of another."""
        return Hold(np.where(self.labels == goes, stays, self.labels), self.pulls)


def middles(vectors: Floats, labels: Ints, count: int) -> Floats:
    """The unit mean of each label's vectors, shape (count, d); a label that has none gets zeros."""
    return unit(sums(vectors, labels, count))


def sums(vectors: Floats, labels: Ints, count: int) -> Floats:
    """The sum of each label's vectors, shape (count, d)."""
    from scipy.sparse import csr_matrix

    inside = labels >= 0
    member = csr_matrix((np.ones(inside.sum(), dtype=np.float32), (labels[inside], np.flatnonzero(inside))), shape=(count, len(vectors)))
    return np.asarray(member @ vectors, dtype=np.float32)


def pulled(centroids: Floats, pulls: Floats) -> Floats:
    """Middles with those of pinned topics drawn towards their words; one without voices is where its words are."""
    return unit(centroids * (1 - PULL) + pulls * PULL) if pulls.any() else centroids


def assign(vectors: Floats, centroids: Floats, *, move: bool = True, hold: Hold | None = None) -> Grouping:
    """Each vector to its nearest middle, or to ``REST``; with ``move`` the middles follow until no voice moves."""
    centroids = centroids.copy()
    labels = np.full(len(vectors), REST, dtype=np.int64)
    if not len(centroids):
        return Grouping(labels, np.ones(len(vectors), dtype=np.float32), centroids)
    for _ in range(_ROUNDS if move else 1):
        nearest = _nearest(vectors @ centroids.T, hold)
        if (nearest == labels).all():
            break
        labels = nearest
        if move:
            moved = middles(vectors, labels, len(centroids))
            if hold is not None:
                moved = pulled(moved, hold.pulls)
            filled = np.linalg.norm(moved, axis=1) > 0
            centroids[filled] = moved[filled]
    return place(vectors, centroids, hold=hold)


def place(vectors: Floats, centroids: Floats, *, hold: Hold | None = None) -> Grouping:
    """Each vector to its nearest middle as they stand, with how likely that is."""
    if not len(centroids):
        return Grouping(np.full(len(vectors), REST, dtype=np.int64), np.ones(len(vectors), dtype=np.float32), centroids)
    likeness = vectors @ centroids.T
    labels = _nearest(likeness, hold)
    powers = np.exp(_SHARPNESS * (likeness - likeness.max(axis=1, keepdims=True)))
    share = powers / powers.sum(axis=1, keepdims=True)
    probabilities = np.where(labels >= 0, share[np.arange(len(vectors)), np.maximum(labels, 0)], 1 - share.max(axis=1))
    if hold is not None:
        probabilities = np.where(hold.labels != UNSEEN, 1.0, probabilities)
    return Grouping(labels, probabilities.astype(np.float32), centroids)


def parents(centroids: Floats) -> Ints:
    """A coarser grouping of topics: the index of each topic's parent; about √(2k) of them, by Ward's linkage of the middles."""
    from scipy.cluster.hierarchy import fcluster, linkage

    count = len(centroids)
    if count < 6:
        return np.zeros(count, dtype=np.int64)
    groups = fcluster(linkage(centroids, "ward"), parents_of(count), "maxclust")
    return np.asarray(groups, dtype=np.int64) - 1


def parents_of(count: int) -> int:
    """How many topics of the first level so many topics are read best under."""
    return 1 if count < 6 else max(2, round(math.sqrt(2 * count)))


def _nearest(likeness: Floats, hold: Hold | None) -> Ints:
    nearest = likeness.argmax(axis=1).astype(np.int64)
    nearest[likeness.max(axis=1) < LEAST_LIKENESS] = REST
    return nearest if hold is None else np.where(hold.labels == UNSEEN, nearest, hold.labels)
