"""Which of a topic's telling words to show: those that voices say together, so that the ten make sense side by side.

The weightiest words of a class-based TF-IDF are often rare ones that never meet in a voice. Of the weightiest twenty, the ten are chosen
one by one that have the most to do with those chosen before them (normalised pointwise mutual information, Bouma 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nlp.topics.words import Term, Words, blocks
from nlp.vectors import Floats

_BLOCK = 100_000
_CANDIDATES = 20
_FIRST = 2  # the weightiest are shown in any case
_WEIGHT = 0.5  # how much a word's own weight counts beside what it has to do with the others

Weighed = list[tuple[Term, float]]


def told_together(voices: Words, found: Sequence[Weighed], *, most: int) -> list[Weighed]:
    """Each topic's words in a new order: the ``most`` that are shown first, then the others, both by weight.

    Args:
        voices: all voices.
        found: each topic's words with their weights, the weightiest first.
        most: how many are shown.
    """
    candidates = [words[:_CANDIDATES] for words in found]
    places = {norm: place for place, norm in enumerate(sorted({term.norm for words in candidates for term, _ in words}))}
    together = _together(voices, places)
    return [
        _ordered(words, _chosen(candidate, together[np.ix_(rows, rows)], most))
        for words, candidate in zip(found, candidates, strict=True)
        for rows in ([places[term.norm] for term, _ in candidate],)
    ]


def _chosen(words: Weighed, together: Floats, most: int) -> list[int]:
    """The places of the words that are shown."""
    chosen = list(range(min(_FIRST, len(words))))
    weights = np.array([weight for _, weight in words]) / max((weight for _, weight in words), default=1.0)
    while len(chosen) < min(most, len(words)):
        score = together[:, chosen].mean(axis=1) + _WEIGHT * weights
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
    return sorted(chosen)


def _ordered(words: Weighed, chosen: Sequence[int]) -> Weighed:
    shown = set(chosen)
    return [words[place] for place in chosen] + [word for place, word in enumerate(words) if place not in shown]


def _together(voices: Words, places: dict[str, int]) -> Floats:
    """The normalised mutual information of each pair of words in the voices, -1 for those that never meet; shape (words, words)."""
    from scipy.sparse import csr_matrix

    place_of = np.array([places.get(term.norm, -1) for term in voices.term_list], dtype=np.int64)
    met: Any = np.zeros((len(places), len(places)))
    for start, stop in blocks(len(voices), _BLOCK):
        numbers, voice_of = voices.terms.span(start, stop)
        columns = place_of[numbers]
        known = columns >= 0
        said = csr_matrix((np.ones(int(known.sum())), (voice_of[known], columns[known])), shape=(stop - start, len(places)))
        said.data[:] = 1  # summed where a voice repeats a word
        met += (said.T @ said).toarray()
    share = met / max(len(voices), 1)
    alone = np.diag(share)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(share / np.outer(alone, alone)) / -np.log(share)
    return np.asarray(np.where(share >= 1, 1.0, np.where(share > 0, information, -1.0)), dtype=np.float32)
