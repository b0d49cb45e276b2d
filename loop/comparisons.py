"""Two periods beside each other: how often something came in then and now, and whether chance alone explains the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.months import year_before
from loop.periods import Period

MONTH = 30  # days that a rate is given for
_LEVEL = 0.95
_FALSE_SHARE = 0.05


class Pair(StrEnum):
    """Two periods with a name. The value stands in the address."""

    FISCAL_YEAR = "fy"
    MONTH = "month"
    QUARTER = "3m"
    LAST_FISCAL_YEAR = "last-fy"


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as often as before: ``low`` to ``high`` holds the true ratio in 95 of 100 cases.

    ``value`` is ``None`` where there was nothing before, ``high`` where there is no upper end. ``p`` is how often chance alone makes
    a difference at least as large.
    """

    value: float | None
    low: float
    high: float | None
    p: float


@dataclass(frozen=True, slots=True)
class Change:
    """One value's voices before and after, each also for 30 days, and the ratio of the two rates.

    ``told``: more than chance, with the many values that are compared at once taken into account.
    """

    value: str
    before: int
    after: int
    before_rate: float
    after_rate: float
    ratio: Ratio
    told: bool

    @property
    def difference(self) -> float:
        """Voices more in 30 days than before."""
        return self.after_rate - self.before_rate

    @property
    def growth(self) -> float | None:
        """0.5 is half as many again; ``None`` where there was nothing before."""
        return None if self.ratio.value is None else self.ratio.value - 1

    @property
    def is_new(self) -> bool:
        return not self.before and self.after > 0

    @property
    def is_gone(self) -> bool:
        return not self.after and self.before > 0


def named(pair: Pair, *, last: date) -> tuple[Period, Period]:
    """The later period, which ends on the newest day of the data, and the earlier one that it is compared with.

    A 年度 or month that isn't over is compared with as much of the earlier one.
    """
    if pair is Pair.LAST_FISCAL_YEAR:
        begin = _fiscal_year(last)
        year = Period(year_before(begin), begin - timedelta(days=1))
        return year, Period(year_before(year.since), year.since - timedelta(days=1))
    if pair is Pair.QUARTER:
        after = Period(last - timedelta(days=90), last)
        return after, after.before()
    after = Period(_fiscal_year(last) if pair is Pair.FISCAL_YEAR else last.replace(day=1), last)
    return after, Period(year_before(after.since), _end_before(after))


def compare(before: Mapping[str, int], after: Mapping[str, int], *, days_before: int, days_after: int) -> list[Change]:
    """Every value's change, those with the most voices now first.

    Which of them are ``told`` is decided over all at once: of those, one in twenty may be chance (Benjamini and Hochberg 1995).
    """
    values = sorted({value for counts in (before, after) for value, number in counts.items() if number})
    ratios = [ratio(before.get(value, 0), after.get(value, 0), days_before, days_after) for value in values]
    told = discoveries(np.array([found.p for found in ratios]))
    changes = [
        Change(
            value=value,
            before=before.get(value, 0),
            after=after.get(value, 0),
            before_rate=before.get(value, 0) / days_before * MONTH,
            after_rate=after.get(value, 0) / days_after * MONTH,
            ratio=found,
            told=bool(is_told),
        )
        for value, found, is_told in zip(values, ratios, told, strict=True)
    ]
    return sorted(changes, key=lambda change: (change.value == "", -change.after, -change.before, change.value))


def ratio(before: int, after: int, time_before: float, time_after: float) -> Ratio:
    """The ratio of two Poisson rates with its exact interval and p.

    Given their sum, the later count is binomial (Przyborowski and Wilenski 1940, Biometrika 31); the interval is Clopper and Pearson's
    for its share, p twice the smaller tail. Voices that come in bunches vary more than that: campaigns may stand out falsely.
    """
    from scipy.special import bdtr, bdtrc, betaincinv

    both = before + after
    if not both:
        return Ratio(None, 0.0, None, 1.0)
    share = time_after / (time_before + time_after)
    scale = time_before / time_after
    tail = (1 - _LEVEL) / 2
    low = float(betaincinv(after, before + 1, tail)) if after else 0.0
    high = float(betaincinv(after + 1, before, 1 - tail)) if before else 1.0
    fewer, more = float(bdtr(after, both, share)), float(bdtrc(after - 1, both, share)) if after else 1.0
    return Ratio(
        value=after / before * scale if before else None,
        low=low / (1 - low) * scale,
        high=high / (1 - high) * scale if high < 1 else None,
        p=min(1.0, 2 * min(fewer, more)),
    )


def discoveries(p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of many tests to believe, so that no more than one in twenty of them is false on average (Benjamini and Hochberg 1995)."""
    order = np.argsort(p, kind="stable")
    limits = _FALSE_SHARE * np.arange(1, len(p) + 1) / max(len(p), 1)
    below = np.flatnonzero(p[order] <= limits)
    told = np.zeros(len(p), dtype=np.bool_)
    if len(below):
        told[order[: below[-1] + 1]] = True
    return told


def _fiscal_year(day: date) -> date:
    return date(day.year if day.month >= 4 else day.year - 1, 4, 1)


def _end_before(after: Period) -> date:
    # A whole February is compared with a whole February, whether or not it has a 29th.
    if (after.until + timedelta(days=1)).day == 1:
        return year_before(after.until + timedelta(days=1)) - timedelta(days=1)
    return year_before(after.until)
