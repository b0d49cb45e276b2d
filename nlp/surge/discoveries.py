"""Which series to report, of all that were looked at: false discoveries controlled over every topic, theme, district and channel at once.

Benjamini & Hochberg's step-up procedure with weights (Genovese, Roeder & Wasserman, Biometrika 2006): each family of series has its share
of the errors, so that thousands of districts by topics don't make the topics themselves blind. A theme rises with its topics and a district
with its topic; under such positive dependence the procedure holds (Benjamini & Yekutieli 2001), and their harsher one isn't needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp.surge.regression import Floats

SHARES = (0.8, 0.1, 0.1)
"""Of the errors: topics, themes, and the parts of topics in a district or channel."""
LEVEL = 0.08
"""The share of false reports that is borne with. Looked at daily, it makes less than one false report a month (``bench/surge.py``)."""


def adjusted(families: Sequence[Floats], shares: Sequence[float] = SHARES) -> list[Floats]:
    """For each chance the smallest level at which its series would be reported.

    Args:
        families: the chances of each family's series.
        shares: each family's share of the errors; together 1.
    """
    sizes = [len(chances) for chances in families]
    number = sum(sizes)
    weights = np.repeat([share * number / max(size, 1) for share, size in zip(shares, sizes, strict=True)], sizes)
    weighted = np.concatenate([*families, np.zeros(0)]) / weights
    order = np.argsort(weighted, kind="stable")
    steps = weighted[order] * number / np.arange(1, number + 1)
    levels = np.empty(number)
    levels[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return np.split(levels, np.cumsum(sizes)[:-1])
