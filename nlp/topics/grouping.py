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
# What single precision may take from a lead in a round.
_ROUNDING = 1e-6
_SHARPNESS = 12.0
# A voice nearer than this to no middle belongs to その他の声: below it, two readers' random pairs look alike as often.
LEAST_LIKENESS = 0.22
# So much nearer another middle must be than that of the topic a voice was in, or it stays: a voice between two topics would otherwise
# change with every breath of theirs.
STAY = 0.03
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
    """What ties voices and topics: people's decisions, which no round may change, and where a voice has been so far.

    Attributes:
        labels: the topic that a person put each voice into; ``UNSEEN`` where nobody did.
        homes: the topic that each voice was in; less than 0 where it was in none.
        pulls: for each topic the unit vector of the words that it was pinned by, zeros where it wasn't.
    """

    labels: Ints
    homes: Ints
    pulls: Floats

    @classmethod
    def nothing(cls, homes: Ints, topics: int, dimensions: int) -> Hold:
        """Where nobody has decided anything."""
        return cls(np.full(len(homes), UNSEEN, dtype=np.int64), homes, np.zeros((topics, dimensions), dtype=np.float32))

    def arranged(self, order: Sequence[int | None]) -> Hold:
        """The same for other topics: each continues an earlier one or (``None``) none. What was put into one that is gone is free."""
        places = np.full(len(self.pulls) + 2, UNSEEN, dtype=np.int64)
        places[REST] = REST
        pulls = np.zeros((len(order), self.pulls.shape[1]), dtype=np.float32)
        for new, old in enumerate(order):
            if old is not None:
                places[old], pulls[new] = new, self.pulls[old]
        return Hold(places[self.labels], places[self.homes], pulls)

    def take(self, rows: Ints) -> Hold:
        """The same for the voices of these rows."""
        return Hold(self.labels[rows], self.homes[rows], self.pulls)

    def rows(self, start: int, stop: int) -> Hold:
        """The same for some of the voices."""
        return Hold(self.labels[start:stop], self.homes[start:stop], self.pulls)

    def redirected(self, goes: int, stays: int) -> Hold:
        """The same where one topic has become a part of another."""
        labels, homes = (np.where(old == goes, stays, old) for old in (self.labels, self.homes))
        return Hold(labels, homes, self.pulls)


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
    if move and len(centroids):
        centroids = _at_rest(vectors, centroids, hold)
    return place(vectors, centroids, hold=hold)


def _at_rest(vectors: Floats, centroids: Floats, hold: Hold | None) -> Floats:
    """Where the middles are when no voice moves any more.

    A voice is looked at again only when the middles have come so far that another could be nearer by now (Elkan 2003): the rounds
    are those in which each looks at all of them, and after the first few nearly nothing is left to do.
    """
    centroids, rest = centroids.copy(), len(centroids)  # REST as one more middle, which is always equally near
    labels = np.full(len(vectors), UNSEEN, dtype=np.int64)
    own = np.zeros(len(vectors), dtype=np.float32)  # at least so near is the middle that a voice has gone to,
    others = np.zeros((len(vectors), rest + 1), dtype=np.float32)  # and at most so near is each other one
    totals, sizes = np.zeros((rest + 1, vectors.shape[1])), np.zeros(rest + 1, dtype=np.int64)
    for _ in range(_ROUNDS):
        rows = np.flatnonzero(others.max(axis=1) >= own)
        looked, held = (vectors, hold) if len(rows) == len(vectors) else (vectors[rows], hold and hold.take(rows))
        likeness = _with_rest(looked @ centroids.T, held)
        nearest = likeness.argmax(axis=1).astype(np.int64)
        changed = nearest != labels[rows]
        if not changed.any():
            break
        for sign, of in ((-1, labels[rows]), (1, nearest)):
            counted = changed & (of != UNSEEN)
            totals += sign * sums(looked[counted], of[counted], rest + 1).astype(np.float64)
            sizes += sign * np.bincount(of[counted], minlength=rest + 1)
        totals[sizes == 0] = 0
        moved = unit(totals[:rest].astype(np.float32))
        if hold is not None:
            moved = pulled(moved, hold.pulls)
        filled = np.linalg.norm(moved, axis=1) > 0
        way = np.zeros(rest + 1, dtype=np.float32)
        way[:rest][filled] = np.linalg.norm(moved - centroids, axis=1)[filled] + _ROUNDING
        centroids[filled] = moved[filled]
        labels[rows] = nearest
        own[rows] = likeness.max(axis=1)
        likeness[np.arange(len(rows)), nearest] = -np.inf
        others[rows] = likeness
        own -= way[labels]
        others += way
    return centroids


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
    rest = likeness.shape[1]
    nearest = _with_rest(likeness, hold).argmax(axis=1).astype(np.int64)
    return np.where(nearest == rest, REST, nearest)


def _with_rest(likeness: Floats, hold: Hold | None) -> Floats:
    """What decides where a voice goes, the greatest of its row: how near the middles are, with its home favoured; the last is ``REST``."""
    rows = np.hstack([likeness, np.full((len(likeness), 1), LEAST_LIKENESS, dtype=np.float32)])
    if hold is not None:
        at_home = np.flatnonzero(hold.homes >= 0)
        rows[at_home, hold.homes[at_home]] += STAY
        decided = np.flatnonzero(hold.labels != UNSEEN)
        rows[decided] = -np.inf
        rows[decided, hold.labels[decided]] = np.inf
    return rows
