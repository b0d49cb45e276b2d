"""The words of many texts in one row of numbers, so that what is counted of them is counted for all texts at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nlp.hashing import Places
from nlp.japanese import Part, Token
from nlp.vectors import Floats, Sif

Ints = NDArray[np.int64]

JOIN = "␣"
"""Stands between the two words of a bigram."""
OPENING, ENDING = "^", "$"
"""Stand for a text's ends in a bigram: with its first words and its last."""
OPENING_WORDS, ENDING_WORDS = 2, 4
NUMBER = "0"
"""Stands for every number."""
_HALF = 32  # bits: two words' numbers make one of 64
_COLUMN, _NAME, _ROW = range(3)
# Words of the texts beside the models' own, about 150 bytes each.
_MOST_STRANGERS = 200_000


class Text(Protocol):
    """What a line is made of."""

    @property
    def masked(self) -> str: ...
    @property
    def tokens(self) -> tuple[Token, ...]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """The tokens of n texts one after the other: t tokens in all.

    Attributes:
        masked: the texts, n.
        tokens: t.
        words: the number of each token's normalised form, shape (t).
        parts: what each token is (``Part``), shape (t).
        text_of: which text each token stands in, shape (t).
    """

    masked: tuple[str, ...]
    tokens: tuple[Token, ...]
    words: Ints
    parts: Ints
    text_of: Ints

    def content(self) -> Ints:
        """The places of the tokens that carry meaning (``nlp.vectors.content_words``)."""
        return np.flatnonzero((self.parts & Part.CONTENT > 0) & (self.parts & Part.NUMBER == 0))


def feature_name(norm: str) -> str:
    """A word as a feature is named: without blanks, which stand between features, and without the sign that joins two words."""
    return norm.replace(" ", "").replace(JOIN, "") or "_"


class WordBook:
    """A number for each word form, and what the models know of it. Learns the words that come in, forgets them when they are too many."""

    def __init__(self, features: Sequence[str], sif: Sif) -> None:
        """From the word view's features in the order of their columns: words, and pairs joined by ``JOIN``."""
        self._vocabulary = {feature: column for column, feature in enumerate(features)}
        self._sif = sif
        self._own = sorted({NUMBER, OPENING, ENDING, *(part for feature in features for part in feature.split(JOIN))})
        self._start()
        pairs = [
            (self._numbers[first] << _HALF | self._numbers[second], column)
            for column, feature in enumerate(features)
            for first, joined, second in (feature.partition(JOIN),)
            if joined
        ]
        known = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self._pairs, self._pair_columns = Places(_keys(known[:, 0])), np.append(known[:, 1], -1)

    def line(self, texts: Sequence[Text]) -> Line:
        """The texts as one line. Its numbers are good until the next call."""
        if len(self._numbers) > len(self._own) + _MOST_STRANGERS:
            self._start()
        tokens = tuple(chain.from_iterable(text.tokens for text in texts))
        numbers = self._numbers
        words = np.fromiter(map(numbers.__getitem__, map(itemgetter(1), tokens)), dtype=np.int64, count=len(tokens))
        parts = np.fromiter(map(itemgetter(2), tokens), dtype=np.int64, count=len(tokens))
        text_of = np.repeat(np.arange(len(texts)), [len(text.tokens) for text in texts])
        return Line(tuple(text.masked for text in texts), tokens, words, parts, text_of)

    def columns(self, words: Ints) -> Ints:
        """The words' columns in the word view, -1 for none."""
        return np.asarray(self._known[words, _COLUMN])

    def names(self, words: Ints) -> Ints:
        """The words that features are named after; -1 for a blank, which has no feature."""
        return np.asarray(self._known[words, _NAME])

    def lexicon_rows(self, words: Ints) -> Ints:
        """The words' rows in the lexicon, -1 for none."""
        return np.asarray(self._known[words, _ROW])

    def lexicon_weights(self, words: Ints) -> Floats:
        """The words' weights in a SIF vector, 0 where the lexicon has none."""
        return self._weights[words]

    def number(self, word: str) -> int:
        """The number of one word."""
        return self._numbers[word]

    def pair_columns(self, first: Ints, second: Ints) -> Ints:
        """The columns of pairs in the word view, -1 for none."""
        return self._pair_columns[self._pairs.of(_keys(first << _HALF | second))]

    def _start(self) -> None:
        """The models' own words and no other."""
        self._numbers = _Numbers(self._learn)
        self._known = np.empty((2 * len(self._own), 3), dtype=np.int64)
        self._weights = np.empty(2 * len(self._own), dtype=np.float32)
        for word in self._own:
            self._numbers[word]

    def _learn(self, number: int, word: str) -> None:
        """Notes what the models know of a new word."""
        if number == len(self._known):
            self._known, self._weights = np.vstack([self._known, self._known]), np.tile(self._weights, 2)
        name = feature_name(word)
        row = self._sif.lexicon.row(word)
        known = -1 if word.isspace() else number if name == word else self._numbers[name]
        self._known[number] = self._vocabulary.get(name, -1), known, row
        self._weights[number] = self._sif.weight(word) if row >= 0 else 0.0


def _keys(pairs: Ints) -> NDArray[np.uint64]:
    """Never 0, which is no key."""
    return pairs.astype(np.uint64) + np.uint64(1)


class _Numbers(dict[str, int]):
    """A number for each word, given when it is first asked for."""

    def __init__(self, learn: Callable[[int, str], None]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self._learn(number, word)
        return number
