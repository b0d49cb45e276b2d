"""What was to be expected of every day of the past, as a chart draws it beside what came."""

from __future__ import annotations

import numpy as np

from nlp.surge.days import KINDS, Ints
from nlp.surge.expected import GUARD, WEEK, expect
from nlp.surge.regression import Floats


def usual(counts: Ints, kinds: Ints) -> Floats:
    """The expected count of each row on each day, of shape (rows, days); ``nan`` on the days before the first whole week.

    A week's expectation is that of ``expect``; its days share it as the city's voices share the kinds of days.

    Args:
        counts: voices a day, shape (rows, days), of rows that part a city's voices; the last column is the day that is looked at.
        kinds: the days' kinds (``nlp.surge.days``).

    Raises:
        ValueError: the history is too short (``nlp.surge.expected.enough_past``).
    """
    expected = expect(counts, kinds)
    weeks = expected.week_means
    past = counts.shape[1] - GUARD
    first = past - weeks.shape[1] * WEEK
    of_kind = np.bincount(kinds, weights=counts.sum(axis=0), minlength=KINDS) / np.maximum(np.bincount(kinds, minlength=KINDS), 1)
    profile = (of_kind + of_kind.mean() / 100 + 1e-9)[kinds[first:past]].reshape(-1, WEEK)
    found = np.full(counts.shape, np.nan)
    found[:, first:past] = (weeks[:, :, None] * (profile / profile.sum(axis=1, keepdims=True))).reshape(len(counts), -1)
    found[:, past:] = expected.days[:, -GUARD:]
    return found
