"""The space in which voices are compared: SIF of ja_ginza's word vectors beside an LSA of TF-IDF, fitted on a sample and kept.

SIF: Arora, Liang, Ma 2017 (``nlp.vectors``). LSA: Deerwester et al., "Indexing by latent semantic analysis", 1990.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.topics.words import Document, Ints, Numbers, Words, blocks, words_of
from nlp.vectors import DIMENSIONS, SMOOTHING, Floats, Lexicon, Sif, unit

SCHEME = "sif+lsa/1"
"""Changes when a stored space could no longer be read or would mean something else."""
BLOCK = 20_000
_LSA_DIMENSIONS = 100
_LSA_WEIGHT = 0.7
_LEAST_VOICES, _MOST_SHARE = 3, 0.2
_MOST_WORDS = 30_000
_ALL_WORDS = 50_000  # of more, those that were said once are left out: they'd make up half of what is stored
_SEED = 20260401


@dataclass(frozen=True, slots=True)
class Space:
    """What turns words into vectors. Everything but the lexicon, which every installation has.

    Attributes:
        words: the sample's words.
        frequencies: each one's share of all words.
        common: the direction that all voices share, (300,); it is taken out.
        columns: each word's row in ``components``, -1 where LSA leaves it out.
        weights: the inverse document frequencies of those that have one.
        components: shape (words with a column, LSA dimensions); no dimensions where there were too few voices.
    """

    words: tuple[str, ...]
    frequencies: Floats
    common: Floats
    columns: Numbers
    weights: Floats
    components: Floats

    @classmethod
    def fit(cls, sample: Words, lexicon: Lexicon) -> Space:
        """The space of these voices' own words."""
        counts = np.bincount(sample.words.numbers, minlength=len(sample.vocabulary))
        kept = np.flatnonzero(counts >= (1 if len(counts) <= _ALL_WORDS else 2))
        columns, weights, components = _latent(sample)
        space = cls(
            tuple(sample.vocabulary[number] for number in kept),
            (counts[kept] / max(counts.sum(), 1)).astype(np.float32),
            np.zeros(0, dtype=np.float32),
            columns[kept],
            weights,
            components,
        )
        return space._without_common(sample, lexicon)

    def _without_common(self, sample: Words, lexicon: Lexicon) -> Space:
        # The first right singular vector of many rows is that of their 300×300 product: exact, and cheap at any size.
        reader, product = Reader(self, sample, lexicon), np.zeros((DIMENSIONS, DIMENSIONS))
        for start, stop in blocks(len(sample), BLOCK):
            vectors = reader.meanings(start, stop).astype(np.float64)
            product += vectors.T @ vectors
        common = np.linalg.eigh(product)[1][:, -1].astype(np.float32)
        return Space(self.words, self.frequencies, common, self.columns, self.weights, self.components)

    @property
    def dimensions(self) -> int:
        """How long its vectors are."""
        return DIMENSIONS + int(self.components.shape[1])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What ``from_arrays`` makes the same space of."""
        return {
            "words": np.frombuffer("\n".join(self.words).encode("utf-8", "replace"), dtype=np.uint8),
            "frequencies": self.frequencies, "common": self.common, "columns": self.columns,
            "weights": self.weights, "components": self.components,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Space:
        """The space that was stored."""
        words = tuple(arrays["words"].tobytes().decode("utf-8").split("\n")) if len(arrays["words"]) else ()
        names = ("frequencies", "common", "columns", "weights", "components")
        return cls(words, *(np.asarray(arrays[name]) for name in names))


class Reader:
    """Vectors of some voices in a space, block by block."""

    def __init__(self, space: Space, voices: Words, lexicon: Lexicon) -> None:
        places = {word: place for place, word in enumerate(space.words)}
        place = np.array([places.get(word, -1) for word in voices.vocabulary], dtype=np.int64)
        known = place >= 0
        frequencies, columns = np.zeros(len(place), dtype=np.float32), np.full(len(place), -1, dtype=np.int64)
        frequencies[known], columns[known] = space.frequencies[place[known]], space.columns[place[known]]
        self._space, self._voices, self._columns = space, voices, columns
        self._weights = (SMOOTHING / (SMOOTHING + frequencies)).astype(np.float32)
        self._rows = np.array([lexicon.row(word) for word in voices.vocabulary], dtype=np.int64)
        self._sif = Sif(lexicon, frequencies={}, common=space.common if len(space.common) else None)

    def meanings(self, start: int, stop: int) -> Floats:
        """The SIF vectors alone."""
        numbers, voice_of = self._voices.words.span(start, stop)
        return self._sif.encode_rows(self._rows[numbers], self._weights[numbers], voice_of, stop - start)

    def vectors(self, start: int, stop: int) -> Floats:
        """Unit vectors of the voices from ``start`` to ``stop``; one without a known word is all zeros."""
        meanings = self.meanings(start, stop)
        if not self._space.components.shape[1]:
            return meanings
        numbers, voice_of = self._voices.words.span(start, stop)
        columns = self._columns[numbers]
        latent = _tfidf(columns, voice_of, stop - start, self._space.weights) @ self._space.components
        return unit(np.hstack([meanings, unit(np.asarray(latent, dtype=np.float32)) * _LSA_WEIGHT]).astype(np.float32))

    def every(self) -> Floats:
        """The vectors of all voices at once, for as many as fit into memory."""
        return np.vstack([self.vectors(start, stop) for start, stop in blocks(len(self._voices), BLOCK)] or [self.meanings(0, 0)])


def embed(documents: Sequence[Document], lexicon: Lexicon) -> Floats:
    """Unit vectors of a few voices in a space of their own, shape (n, 300 + up to 100)."""
    words = Words.of(documents)
    return Reader(Space.fit(words, lexicon), words, lexicon).every()


def words_vector(space: Space, words: Sequence[str], lexicon: Lexicon) -> Floats:
    """The unit vector of some words, as of a voice that says them and nothing else."""
    said = words_of([(0, "、".join(words))])
    return np.asarray(Reader(space, said, lexicon).vectors(0, 1)[0])


def _latent(sample: Words) -> tuple[Numbers, Floats, Floats]:
    """Which words LSA takes (-1: it doesn't), their weights, and the components."""
    from sklearn.decomposition import TruncatedSVD

    numbers, voice_of = sample.words.span(0, len(sample))
    seen = _counts(numbers, voice_of, len(sample), len(sample.vocabulary))
    held_by = np.bincount(seen.indices, minlength=len(sample.vocabulary))
    taken = np.flatnonzero((held_by >= _LEAST_VOICES) & (held_by <= _MOST_SHARE * len(sample)))
    if len(taken) > _MOST_WORDS:
        taken = np.sort(taken[np.argsort(-held_by[taken], kind="stable")[:_MOST_WORDS]])
    columns = np.full(len(sample.vocabulary), -1, dtype=np.int32)
    dimensions = min(_LSA_DIMENSIONS, min(len(sample), len(taken)) - 1)
    if dimensions < 2:
        return columns, np.zeros(0, dtype=np.float32), np.zeros((0, 0), dtype=np.float32)
    columns[taken] = np.arange(len(taken))
    weights = (np.log((1 + len(sample)) / (1 + held_by[taken])) + 1).astype(np.float32)
    rows = _tfidf(columns[numbers].astype(np.int64), voice_of, len(sample), weights)
    components = TruncatedSVD(dimensions, random_state=_SEED).fit(rows).components_
    return columns, weights, np.ascontiguousarray(components.T, dtype=np.float32)


def _tfidf(columns: Ints, voice_of: Ints, voices: int, weights: Floats) -> Any:
    """TF-IDF rows of unit length, as scikit-learn makes them with ``sublinear_tf``, from weights that are known already."""
    from sklearn.preprocessing import normalize

    known = columns >= 0
    rows = _counts(columns[known], voice_of[known], voices, len(weights))
    rows.data = (1 + np.log(rows.data)) * weights[rows.indices]
    return normalize(rows, copy=False)


def _counts(columns: Ints | Numbers, voice_of: Ints, voices: int, words: int) -> Any:
    from scipy.sparse import csr_matrix

    found = csr_matrix((np.ones(len(columns), dtype=np.float32), (voice_of, columns)), shape=(voices, words))
    found.sum_duplicates()
    return found
