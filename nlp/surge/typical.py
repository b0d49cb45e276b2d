"""The voices to begin with: those most like the others of their days, each in words of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ALIKE = 0.4  # cosine of two texts' letters in pairs and threes from which they say it in the same words


def typical(texts: Sequence[str], *, count: int = 3) -> list[int]:
    """The places of at most ``count`` texts nearest to the middle of all, no two of them in nearly the same words."""
    if not texts:
        return []
    from sklearn.feature_extraction.text import TfidfVectorizer

    letters = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), sublinear_tf=True, token_pattern=None)
    try:
        rows = letters.fit_transform(texts)
    except ValueError:  # texts of one letter each
        return list(range(min(count, len(texts))))
    nearness = np.asarray(rows @ np.asarray(rows.mean(axis=0)).ravel())
    chosen: list[int] = []
    for place in np.argsort(-nearness, kind="stable").tolist():
        if all(float((rows[place] @ rows[other].T).sum()) < _ALIKE for other in chosen):
            chosen.append(place)
            if len(chosen) == count:
                break
    return chosen
