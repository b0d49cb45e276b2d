"""How sure it is that a series rose, and since when.

A series is looked at over several windows that end today (``WINDOWS``), so that a sudden rise shows within days and a slow one at all.
Counts are taken for negative binomial, with the doubt about the expectation in their variance (Noufaily et al. 2013 take the same
distribution; the doubt is Farrington's prediction error). The windows overlap, so the smallest of their tails is less sure than it says:
``LOOKS`` is what that costs, found by simulation (``bench/surge.py``), since no asymptotic says it for counts as small as these.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import nbinom

from nlp.surge.expected import WINDOWS, Expectation
from nlp.surge.regression import Floats

LOOKS = 2.5
CHANCE = 0.001
"""What is more seldom than this counts as more than chance explains, where a bound is shown."""


def tails(observed: Floats, mean: Floats, *, spread: Floats, doubt: Floats) -> Floats:
    """The chance of so many voices or more where nothing happened, half of that of just so many taken off (mid-p).

    Args:
        observed: counts.
        mean: what was expected.
        spread: variance of a count over its mean, 1 or more.
        doubt: relative variance of the expectation.
    """
    size, share = _shape(mean, spread, doubt)
    return np.asarray(nbinom.sf(observed, size, share) + 0.5 * nbinom.pmf(observed, size, share))


def upper(mean: Floats, *, spread: Floats, doubt: Floats | float = 0.0) -> Floats:
    """The most that chance explains."""
    size, share = _shape(mean, spread, doubt)
    return np.asarray(nbinom.isf(CHANCE, size, share))


def chances(found: Expectation, observed: Floats | None = None) -> Floats:
    """For each series the chance of a window like its oddest one, of counts other than those expected from where ``observed`` is given."""
    seen = found.observed if observed is None else observed
    return np.asarray(np.minimum(1.0, LOOKS * tails(seen, found.mean, spread=found.spread, doubt=found.doubt).min(axis=1)))


def since(counts: Floats, days: Floats, *, spread: float) -> int:
    """How many days back the rise began: the start that makes the counts likeliest (a change point by maximum likelihood).

    Args:
        counts: voices of the last days of one series.
        days: what was expected of each of them.
        spread: variance of a count over its mean.
    """
    seen, meant = np.cumsum(counts[::-1]), np.cumsum(days[::-1])
    rise = np.maximum(seen, meant)
    gain = (rise * np.log(rise / meant) - (rise - meant)) / spread
    return int(np.argmax(gain)) + 1


def nearest_window(days: int) -> int:
    """The place in ``WINDOWS`` of the one that is most like a span of so many days."""
    return int(np.argmin([abs(window - days) for window in WINDOWS]))


def _shape(mean: Floats, spread: Floats, doubt: Floats | float) -> tuple[Floats, Floats]:
    mean = np.maximum(mean, 1e-6)
    variance = np.maximum(spread * mean + doubt * mean**2, mean * (1 + 1e-6))
    return mean**2 / (variance - mean), mean / variance
