"""The words that decided a label: each word's exact share, the sum over its features of coefficient times value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.annotation import Evidence
from nlp.features import Blocks, FeatureMaker
from nlp.japanese import Part
from nlp.line import Ints, Line
from nlp.vectors import Floats, distinct, steady_product

_MOST = 6
_LEAST_SHARE = 0.04
_PARTS = Part.CONTENT | Part.SUFFIX


class WordShares:
    """What each word of a batch of texts adds to a label, for all texts together."""

    def __init__(self, features: FeatureMaker, line: Line, blocks: Blocks) -> None:
        """Finds each text's words once: where they first stand, how often, and what they weigh in the two views."""
        book = features.book
        places = np.flatnonzero((line.parts & _PARTS > 0) & (line.parts & Part.NUMBER == 0))
        text_of, words = line.text_of[places], line.words[places]
        _, first, counts = np.unique(text_of << 32 | words, return_index=True, return_counts=True)
        # In the texts' order: a word's number tells when it was first met, which differs between processes.
        order = np.argsort(first)
        first, counts = first[order], counts[order]
        self._tokens = line.tokens
        self._at = places[first]
        self._rows, words = text_of[first], words[first]
        self._texts = len(line.masked)
        weight = book.lexicon_weights(words) * counts.astype(np.float32)
        whole = np.bincount(self._rows, weights=weight, minlength=self._texts)
        self._sif_value = weight / np.maximum(whole, 1e-12)[self._rows]
        needed, self._places = distinct(np.maximum(book.lexicon_rows(words), 0))
        self._vectors = features.sif.lexicon.vectors(needed)
        self._column = book.columns(words)
        self._word_value = _values(blocks.words, self._rows, self._column)

    def of(self, words: Floats, sif: Floats, labels: Ints, asked: NDArray[np.bool_]) -> list[tuple[Evidence, ...]]:
        """For each text the words that spoke for its label, the weightiest first, with their shares of all positive ones.

        Args:
            words: coefficients of the word view less the mean of all labels, shape (k, words).
            sif: the same of the vector view, shape (k, 300).
            labels: each text's label, shape (n).
            asked: which texts are asked about, shape (n); the others get no words.
        """
        here = np.flatnonzero(asked[self._rows])
        rows = self._rows[here]
        wanted = labels[rows]
        vectors = steady_product(self._vectors, sif.T)[self._places[here], wanted]
        scores = vectors * self._sif_value[here] + self._word_value[here] * words[wanted, self._column[here]]
        positive = np.maximum(scores, 0.0)
        sums = np.bincount(rows, weights=positive, minlength=self._texts)
        shares = positive / np.maximum(sums, 1e-12)[rows]
        told = np.flatnonzero(shares >= _LEAST_SHARE)
        told = told[np.lexsort((-shares[told], rows[told]))]
        # How manieth each word is in its text.
        rows = rows[told]
        told = told[np.arange(len(told)) - np.searchsorted(rows, rows) < _MOST]
        found: list[list[Evidence]] = [[] for _ in range(self._texts)]
        at = self._at[here[told]].tolist()
        for row, place, share in zip(self._rows[here[told]].tolist(), at, shares[told].tolist(), strict=True):
            surface, _, _, start, end = self._tokens[place]
            found[row].append(tuple.__new__(Evidence, (surface, share, start, end)))
        return [tuple(words) for words in found]


def _values(matrix: Any, rows: Ints, columns: Ints) -> Floats:
    """The entries of a sparse matrix at some places, shape (len(rows)); 0 where the column is -1."""
    inside = columns >= 0
    values = np.zeros(len(rows), dtype=np.float32)
    if inside.any():
        values[inside] = np.asarray(matrix[rows[inside], columns[inside]], dtype=np.float32).ravel()
    return values
