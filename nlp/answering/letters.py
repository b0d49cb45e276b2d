"""How like texts are by the letters that they share: what words and meaning miss (particles, numbers, names cut otherwise)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SIZES = (2, 3)
_LONGEST = 600
_LEFT_OUT = re.compile(r"〔[^〔〕]{1,8}〕|\s+")


def likeness(text: str, others: Sequence[str]) -> NDArray[np.float64]:
    """The cosine of TF-IDF over pairs and triples of letters, with the rarities among ``others``: 0 to 1, one for each of them.

    Masks and blanks are left out, and what comes after the first 600 letters.
    """
    own, all_others = _grams(text), [_grams(other) for other in others]
    documents = Counter(gram for grams in all_others for gram in grams)
    rarity = {gram: math.log((1 + len(others)) / (1 + count)) + 1 for gram, count in documents.items()}
    # What none of the others has can't be shared, and makes the text longer all the same.
    unknown = math.log(1 + len(others)) + 1
    words = {gram: (count * rarity.get(gram, unknown)) for gram, count in own.items()}
    length = math.sqrt(sum(value * value for value in words.values())) or 1.0
    found = np.zeros(len(others))
    for place, grams in enumerate(all_others):
        weighted = {gram: count * rarity[gram] for gram, count in grams.items()}
        norm = math.sqrt(sum(value * value for value in weighted.values())) or 1.0
        found[place] = sum(words[gram] * weighted[gram] for gram in words.keys() & weighted.keys()) / (length * norm)
    return found


def _grams(text: str) -> dict[str, float]:
    """Each gram with 1 + the logarithm of how often it stands there."""
    plain = _LEFT_OUT.sub("", text)[:_LONGEST]
    counts = Counter(plain[start : start + size] for size in _SIZES for start in range(len(plain) - size + 1))
    return {gram: 1 + math.log(count) for gram, count in counts.items()}
