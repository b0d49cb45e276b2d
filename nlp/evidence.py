"""The words that decided a label: each word's exact share, the sum over its features of coefficient times value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.annotation import Evidence
from nlp.features import Blocks, FeatureMaker, Prepared
from nlp.japanese import Part, Token
from nlp.vectors import SMOOTHING, Floats

_MOST = 6
_LEAST_SHARE = 0.04
_PARTS = Part.CONTENT | Part.SUFFIX

Ints = NDArray[np.int64]


class WordShares:
    """What each word of a batch of texts adds to a label, for all texts together."""

    def __init__(self, features: FeatureMaker, texts: Sequence[Prepared], blocks: Blocks) -> None:
        """Finds each text's words once: where they first stand, how often, and what they weigh in the two views."""
        place: dict[str, int] = {}
        first: list[Token] = []
        rows: list[int] = []
        places: list[int] = []
        counts: list[int] = []
        starts = [0]
        for row, text in enumerate(texts):
            own: dict[str, int] = {}
            for token in text.tokens:
                if token.part & _PARTS and not token.part & Part.NUMBER:
                    norm = token.norm
                    if (at := own.get(norm)) is None:
                        own[norm] = len(rows)
                        first.append(token)
                        rows.append(row)
                        places.append(place.setdefault(norm, len(place)))
                        counts.append(1)
                    else:
                        counts[at] += 1
            starts.append(len(rows))
        self._first = first
        self._starts = starts
        self._rows, self._places = np.array(rows, dtype=np.int64), np.array(places, dtype=np.int64)
        self._texts = len(texts)
        sif = features.sif
        found = [sif.lexicon.row(norm) for norm in place]
        known = [
            SMOOTHING / (SMOOTHING + sif.frequencies.get(norm, 0.0)) if at >= 0 else 0.0 for norm, at in zip(place, found, strict=True)
        ]
        self._vectors = sif.lexicon.vectors([max(at, 0) for at in found])
        weight = np.array(known, dtype=np.float32)[self._places] * np.array(counts, dtype=np.float32)
        whole = np.bincount(self._rows, weights=weight, minlength=self._texts)
        self._sif_value = weight / np.maximum(whole, 1e-12)[self._rows]
        columns = np.array([features.words.vocabulary_.get(norm, -1) for norm in place], dtype=np.int64)
        self._column = columns[self._places]
        self._word_value = _values(blocks.words, self._rows, self._column)

    def of(self, words: Floats, sif: Floats, labels: Ints) -> list[tuple[Evidence, ...]]:
        """For each text the words that spoke for its label, the weightiest first, with their shares of all positive ones.

        Args:
            words: coefficients of the word view less the mean of all labels, shape (k, words).
            sif: the same of the vector view, shape (k, 300).
            labels: each text's label, shape (n).
        """
        if not len(self._rows):
            return [()] * self._texts
        wanted = labels[self._rows]
        scores = (self._vectors @ sif.T)[self._places, wanted] * self._sif_value + self._word_value * words[wanted, self._column]
        positive = np.maximum(scores, 0.0)
        sums = np.bincount(self._rows, weights=positive, minlength=self._texts)
        shares = positive / np.maximum(sums, 1e-12)[self._rows]
        order = np.lexsort((-shares, self._rows))
        told: list[tuple[Evidence, ...]] = []
        ranked, size = order.tolist(), shares[order].tolist()
        for start, end in zip(self._starts, self._starts[1:], strict=False):
            best = zip(ranked[start : min(end, start + _MOST)], size[start : min(end, start + _MOST)], strict=True)
            told.append(tuple(self._evidence(at, share) for at, share in best if share >= _LEAST_SHARE))
        return told

    def _evidence(self, at: int, share: float) -> Evidence:
        token = self._first[at]
        return Evidence(token.surface, share, token.start, token.end)


def _values(matrix: Any, rows: Ints, columns: Ints) -> Floats:
    """The entries of a sparse matrix at some places, shape (len(rows)); 0 where the column is -1."""
    inside = columns >= 0
    values = np.zeros(len(rows), dtype=np.float32)
    if inside.any():
        values[inside] = np.asarray(matrix[rows[inside], columns[inside]], dtype=np.float32).ravel()
    return values
