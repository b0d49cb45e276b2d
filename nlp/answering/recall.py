"""How often the right past answer is among the first: the figures, and a way to find it that knows nothing but letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = {"sources": "声環", "likeness": "似た声の順（意味と語を半々）", "letters": "文字の並び（TF-IDF、2〜4文字）"}


@dataclass(frozen=True, slots=True)
class Hits:
    """Of all voices, the share that has a right answer among the first three, and the share that has it at the very first."""

    at_3: float
    at_1: float


@dataclass(frozen=True, slots=True)
class Recall:
    """What was found. ``voices`` were asked for, of ``of`` whose matter was answered before; ``ways`` by the keys of ``NAMES``."""

    voices: int
    of: int
    ways: Mapping[str, Hits]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"voices": self.voices, "of": self.of, **{name: asdict(hits) for name, hits in self.ways.items()}}


def hits(found: Sequence[Sequence[bool]]) -> Hits:
    """From what was found for each voice, best first: which were right."""
    voices = len(found) or 1
    return Hits(sum(any(row[:3]) for row in found) / voices, sum(any(row[:1]) for row in found) / voices)


def by_letters(texts: Sequence[str], past: Sequence[str]) -> NDArray[np.float64]:
    """How like each text is to each past one by character n-grams alone, shape (texts, past)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), sublinear_tf=True).fit(past)
    return np.asarray((vectorizer.transform(texts) @ vectorizer.transform(past).T).toarray(), dtype=np.float64)
