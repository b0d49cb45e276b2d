"""Word vectors of ja_ginza, and texts as SIF vectors.

SIF: Arora, Liang, Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017: words weighted by
a / (a + p(word)), first singular direction removed, unit length.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from nlp.japanese import Part, Token

Floats = NDArray[np.float32]
SMOOTHING = 1e-3
DIMENSIONS = 300


def content_words(tokens: Iterable[Token]) -> list[str]:
    """The normalised forms that carry meaning: nouns, verbs, adjectives, adverbs; no numbers."""
    return [token.norm for token in tokens if token.part & Part.CONTENT and not token.part & Part.NUMBER]


def word_frequencies(texts: Iterable[Sequence[str]]) -> dict[str, float]:
    """Each word's share of all words."""
    counts = Counter(word for words in texts for word in words)
    total = sum(counts.values()) or 1
    return {word: count / total for word, count in counts.items()}


class Lexicon:
    """480,000 words on 20,000 rows of 300 numbers, memory-mapped: found by a 64-bit hash, loaded in milliseconds."""

    def __init__(self, folder: Path) -> None:
        try:
            self._vectors: Floats = np.load(folder / "vectors.npy", mmap_mode="r")
            self._hashes: NDArray[np.uint64] = np.load(folder / "hashes.npy", mmap_mode="r")
            self._rows: NDArray[np.int32] = np.load(folder / "rows.npy", mmap_mode="r")
        except (OSError, ValueError):
            raise ModelError("単語ベクトルのファイルが読めません。", hint="koe train を実行して作り直してください。") from None
        self._known: dict[str, int] = {}

    def row(self, word: str) -> int:
        """The word's row, -1 when it has none."""
        if (row := self._known.get(word)) is None:
            wanted = np.uint64(word_hash(word))
            place = int(np.searchsorted(self._hashes, wanted))
            row = int(self._rows[place]) if place < len(self._hashes) and self._hashes[place] == wanted else -1
            if len(self._known) < 200_000:
                self._known[word] = row
        return row

    def vectors(self, rows: Sequence[int] | NDArray[np.int64]) -> Floats:
        """The unit vectors of some rows, shape (len(rows), 300)."""
        return np.asarray(self._vectors[np.asarray(rows, dtype=np.int64)])


def word_hash(word: str) -> int:
    """A word's key in the lexicon."""
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def write_lexicon(folder: Path) -> None:
    """Writes ja_ginza's vectors, made unit length, in the form that ``Lexicon`` maps. Takes about 3 s."""
    import spacy

    model = spacy.load("ja_ginza", exclude=["tok2vec", "parser", "ner", "morphologizer", "compound_splitter", "bunsetu_recognizer"])
    table = model.vocab.vectors
    words = [(word_hash(model.vocab.strings[key]), row) for key, row in table.key2row.items() if key in model.vocab.strings]
    words.sort()
    data = np.asarray(table.data, dtype=np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "vectors.npy", data / np.maximum(np.linalg.norm(data, axis=1, keepdims=True), 1e-9))
    np.save(folder / "hashes.npy", np.array([key for key, _ in words], dtype=np.uint64))
    np.save(folder / "rows.npy", np.array([row for _, row in words], dtype=np.int32))


class Sif:
    """Texts as vectors: weights from word frequencies, the common direction removed."""

    def __init__(self, lexicon: Lexicon, *, frequencies: Mapping[str, float], common: Floats | None = None) -> None:
        self.lexicon = lexicon
        self.frequencies = frequencies
        self.common = common

    @classmethod
    def fit(cls, lexicon: Lexicon, texts: Sequence[Sequence[str]]) -> Sif:
        """Weights and common direction from these texts' own words."""
        plain = cls(lexicon, frequencies=word_frequencies(texts))
        vectors = plain.encode(texts)
        # The first right singular vector of many rows is that of their 300×300 product: exact, and cheap at any size.
        _, basis = np.linalg.eigh(vectors.T @ vectors)
        return cls(lexicon, frequencies=plain.frequencies, common=basis[:, -1].astype(np.float32))

    def weight(self, word: str) -> float:
        """What a word counts: the less common, the more."""
        return SMOOTHING / (SMOOTHING + self.frequencies.get(word, 0.0))

    def encode(self, texts: Sequence[Sequence[str]]) -> Floats:
        """Unit vectors of texts given as content words, shape (n, 300); a text of unknown words is all zeros."""
        rows = np.array([self.lexicon.row(word) for words in texts for word in words], dtype=np.int64)
        weights = np.array([self.weight(word) for words in texts for word in words], dtype=np.float32)
        return self.encode_rows(rows, weights, np.repeat(np.arange(len(texts)), [len(words) for words in texts]), len(texts))

    def encode_rows(self, rows: NDArray[np.int64], weights: Floats, text_of: NDArray[np.int64], texts: int) -> Floats:
        """The same of words given by their rows in the lexicon (-1 for none), their weights, and the text that each stands in."""
        from scipy.sparse import csr_matrix

        known = rows >= 0
        if not known.any():
            return np.zeros((texts, DIMENSIONS), dtype=np.float32)
        needed, columns = distinct(rows[known])
        counts = csr_matrix((weights[known], (text_of[known], columns)), shape=(texts, len(needed)))
        vectors = unit(np.asarray(counts @ self.lexicon.vectors(needed), dtype=np.float32))
        if self.common is not None:
            vectors = unit(vectors - np.outer(steady_product(vectors, self.common), self.common))
        return vectors


def steady_product(rows: Floats, columns: Floats) -> NDArray[np.float64]:
    """``rows @ columns`` of which each row is the same whatever other rows stand beside it.

    In float32 its last digit would change with the number of rows, by which the BLAS divides its work: a voice would be labelled
    otherwise when a double of its neighbour is left out. In float64 that digit is far below what is kept.
    """
    return np.asarray(rows.astype(np.float64) @ columns.astype(np.float64))


def distinct(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different ones of some row numbers, in order, and each one's place among them (``numpy.unique`` without a sort)."""
    places = np.zeros(int(rows.max(initial=0)) + 1, dtype=np.int64)
    places[rows] = 1
    needed = np.flatnonzero(places)
    places[needed] = np.arange(len(needed))
    return needed, places[rows]


def unit(rows: Floats) -> Floats:
    """Rows of length 1; a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9), dtype=np.float32)
