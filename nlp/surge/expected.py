"""How many voices each series should have had of late: its share of the city's volume, its own season and trend, its level of late.

The rows given part the city's voices among themselves (topics, or themes). What the other rows got in the same days is a row's exposure:
a season of the whole city, a new channel or the quiet days of the turn of the year raise or lower all rows and are nobody's surge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.surge.days import AFTER, HOLIDAY, KINDS, YEAR_END, Ints
from nlp.surge.regression import Fit, Floats, fit

WINDOWS = (3, 5, 7, 10, 14)
"""Days back from the last one over which a series is looked at."""
GUARD = 14  # days before the last one that no expectation is learnt from: a surge must not hide itself
LEAST_PAST = 56  # days, before those
SHOWN = 56  # days back from the last one that have a daily expectation, for telling since when
WEEK = 7
_YEAR = 365.25
_HALF_LIFE = 1.0  # years: an older week tells less of today
_SEASON = (0.4, 0.4, 0.2, 0.2)  # deviations of a yearly and a half-yearly wave's coefficients
_TREND = 0.35  # a year
_WHOLE_VOLUME = 0.15  # how far a week of the city may be from its profile, besides chance
_FORGETS = 0.9  # a week; the level of late looks some ten weeks back
_LEVEL = 0.2  # how far a series' level of late may be from its curve
_ODD = 2.58  # deviations from which a past week counts as a past surge (Noufaily et al. 2013)
_CAP = 3.0  # deviations above which a row's count isn't the others' exposure
_TIMES = 3
_PRIOR_WEEKS = 25  # a series' own dispersion weighs as much as the pooled one from so many weeks on
_PROFILE = 40.0  # voices from which a series' own weekdays weigh as much as the city's


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected and seen in each series, all of shape (series, …).

    Attributes:
        observed: counts in each of ``WINDOWS``.
        mean: expected counts there.
        spread: variance of such a count over its mean, at least 1.
        doubt: relative variance of the expectation itself.
        days: expected counts of each of the last ``SHOWN`` days.
        week_means: expected counts of all whole weeks, counted back from the last day.
        level: variance of a week's count over its mean.
    """

    observed: Floats
    mean: Floats
    spread: Floats
    doubt: Floats
    days: Floats
    week_means: Floats
    level: Floats


def enough_past(days: int) -> bool:
    """Whether a history of so many days up to the last one can say what is to be expected."""
    return days >= LEAST_PAST + GUARD


def expect(counts: Ints, kinds: Ints) -> Expectation:
    """The expectations of rows that part a city's voices.

    Args:
        counts: voices a day, shape (rows, days); the last column is the day that is looked at.
        kinds: the days' kinds (``nlp.surge.days``).

    Raises:
        ValueError: the history is too short (``enough_past``).
    """
    if not enough_past(counts.shape[1]):
        raise ValueError("not enough past")
    return _Rows(counts.astype(np.float64), kinds).expectation()


class _Rows:
    """The steps from counts to expectations; each method says what it adds."""

    def __init__(self, counts: Floats, kinds: Ints) -> None:
        self.counts, self.kinds = counts, kinds
        self.past = counts.shape[1] - GUARD
        self.blocks = self.past // WEEK
        self.first = self.past - self.blocks * WEEK
        self.city, self.city_spread = _city(counts.sum(axis=0), kinds, self.past)
        self.share = _positive(counts[:, : self.past].sum(axis=1) + 0.5) / (counts[:, : self.past].sum() + 1.0)
        self.base = _positive(self.share[:, None] * self.city * self._weekdays())
        ages = (np.arange(self.blocks)[::-1] * WEEK + GUARD + WEEK / 2) / _YEAR
        self.design = _waves(-ages)
        self.decay = 0.5 ** (ages / _HALF_LIFE)
        self.week_counts, self.week_base = self._weeks(counts), self._weeks(self.base)
        self.window_counts, self.window_base = windows(counts), windows(self.base)

    def expectation(self) -> Expectation:
        """In rounds: each knows better which weeks were odd, and keeps a row's own surge out of the others' exposure.

        The first takes the late counts no higher than a city as ever would have them, or one row's surge would seem to be the city's; each
        lets them rise with the rows together. At the end, rows that stay odd tell nothing of the others.
        """
        rows = len(self.counts)
        spread = np.full(rows, 1.2)
        weights = np.broadcast_to(self.decay, self.week_counts.shape)
        weeks, late = self.week_counts, _capped(self.window_counts, self.window_base, spread)
        for _ in range(_TIMES):
            exposure = self._exposure(weeks, late)
            found = self._fit(exposure[0], weights, spread)
            mean = self.week_base * exposure[0] * np.exp(found.linear(self.design))
            spread = _spread(self.week_counts, mean, _tame(self.week_counts, mean, spread))
            tame = _tame(self.week_counts, mean, spread)
            weights = self.decay * tame
            weeks = _capped(self.week_counts, mean, spread)
            now = self.window_base * exposure[1] * np.exp(found.linear(_TODAY))
            late = _capped(self.window_counts, now, spread)
        far = np.abs(self.window_counts - now) > _CAP * np.sqrt(spread[:, None] * now) + 1
        exposure = self._exposure(weeks, np.where(far, now, self.window_counts))
        level, doubt = self._level(mean, spread)
        now = self.window_base * exposure[1] * np.exp(found.linear(_TODAY)) * level[:, None]
        return Expectation(
            observed=self.window_counts,
            mean=now,
            spread=_overwindows(spread, _pairs(self.week_counts, mean, spread)),
            doubt=(found.variance(_TODAY[0]) + doubt)[:, None] + exposure[2],
            days=self._days(exposure, found, level),
            week_means=mean,
            level=spread,
        )

    def _weekdays(self) -> Floats:
        """How much of each kind of day a row gets beside the city: its own weekdays, as far as it has counts enough to tell them."""
        past = slice(0, self.past)
        kinds = np.eye(KINDS)[self.kinds]
        seen = self.counts[:, past] @ kinds[past]
        meant = self.share[:, None] * (self.city[past] @ kinds[past])
        own = (seen + _PROFILE) / (meant + _PROFILE)
        return np.asarray(own @ kinds.T)

    def _weeks(self, values: Floats) -> Floats:
        """Sums over the weeks of the past, the last of which ends where the guard begins."""
        return np.asarray(values[:, self.first : self.past].reshape(len(values), self.blocks, WEEK).sum(axis=2))

    def _exposure(self, weeks: Floats, late: Floats) -> tuple[Floats, Floats, Floats]:
        """The city's volume beside its profile, without the row itself: in each week, in each window, and its relative variance there."""
        known = self.city_spread / _WHOLE_VOLUME**2
        usual = weeks.sum(axis=0) / self.week_base.sum(axis=0)
        around = _smooth(usual, self.week_base.sum(axis=0))
        of_late = np.average(usual, weights=self.week_base.sum(axis=0) * _FORGETS ** np.arange(self.blocks)[::-1])
        rest, meant = _others(weeks), _others(self.week_base)
        then = (rest + known * around) / (meant + known)
        rest, meant = _others(late), _others(self.window_base)
        now = (rest + known * of_late) / (meant + known)
        return _positive(then), _positive(now), self.city_spread / (meant + known)

    def _fit(self, exposure: Floats, weights: Floats, spread: Floats) -> Fit:
        start = np.zeros((len(self.counts), self.design.shape[1]))
        return fit(
            self.week_counts, self.design, offset=np.log(self.week_base * exposure), start=start, precision=_PRECISION,
            weights=weights, dispersion=spread,
        )  # fmt: skip

    def _level(self, mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
        """How the last weeks lie to the curve, and the relative variance of that: a discounted gamma–Poisson level (Harvey & Fernandes)."""
        weight = _FORGETS ** np.arange(self.blocks)[::-1]
        known = spread / _LEVEL**2
        seen = (_capped(self.week_counts, mean, spread) * weight).sum(axis=1)
        meant = (mean * weight).sum(axis=1)
        return (seen + known) / (meant + known), spread / (meant + known)

    def _days(self, exposure: tuple[Floats, Floats, Floats], found: Fit, level: Floats) -> Floats:
        """Expected counts of the last days: the window's exposure for those in the guard, the weeks' own for those before."""
        last = min(SHOWN, GUARD + self.blocks * WEEK)
        ratio = np.repeat(exposure[0], WEEK, axis=1)[:, -(last - GUARD) :]
        ratio = np.hstack([ratio, np.repeat(exposure[1][:, -1:], GUARD, axis=1)])
        return np.asarray(self.base[:, -last:] * ratio * np.exp(found.linear(_TODAY)) * level[:, None])


def _city(total: Floats, kinds: Ints, past: int) -> tuple[Floats, float]:
    """The city's volume of each day by kind of day, season and trend, and its dispersion."""
    days = len(total)
    waves = _waves((np.arange(days) - days) / _YEAR)
    design = np.hstack([waves, np.eye(KINDS)[kinds][:, 1:]])
    precision = np.concatenate([_PRECISION, np.full(KINDS - 1, 1 / 1.5**2)])
    start = np.zeros((1, design.shape[1]))
    open_day, weekend = _mean(total[:past][kinds[:past] < 5]), _mean(total[:past][(kinds[:past] == 5) | (kinds[:past] == 6)])
    start[0, 0] = np.log(open_day)
    start[0, _WAVES + 4 : _WAVES + 6] = np.log(weekend / open_day)
    start[0, [_WAVES + HOLIDAY - 1, _WAVES + YEAR_END - 1]] = np.log(weekend / open_day)
    start[0, _WAVES + AFTER - 1] = 0.0
    counts, spread = total[None, :past], np.array([1.5])
    weights = np.ones_like(counts)
    mean = counts
    for _ in range(2):
        found = fit(
            counts, design[:past], offset=np.zeros_like(counts), start=start, precision=precision, weights=weights, dispersion=spread
        )
        mean = np.exp(found.linear(design))
        weights = _tame(counts, mean[:, :past], spread)
        errors = weights * (counts - mean[:, :past]) ** 2 / mean[:, :past]
        spread = np.maximum(1.0, errors.sum(axis=1) / max(weights.sum() - design.shape[1], 1))
    return _positive(mean[0]), float(spread[0])


def _waves(years: Floats) -> Floats:
    """A level, a trend and the waves of a year, at times in years from the last day."""
    turn = 2 * np.pi * years
    return np.column_stack([np.ones_like(years), years, np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)])


_WAVES = 6
_PRECISION = 1 / np.array([2.0, _TREND, *_SEASON]) ** 2
_TODAY = _waves(np.array([-WEEK / _YEAR]))  # the middle of the guard


def _spread(counts: Floats, mean: Floats, tame: Floats) -> Floats:
    """Variance over mean of each row's weeks, drawn to what all rows together say of a row of such a mean."""
    errors = (tame * (counts - mean) ** 2 / mean).sum(axis=1)
    weeks = np.maximum(tame.sum(axis=1) - 3, 1.0)
    tells = weeks * np.minimum(1.0, mean.mean(axis=1))
    average = mean.mean(axis=1)
    extra = float(np.sum(tells * (errors / weeks - 1) * average) / max(np.sum(tells * average**2), 1e-9))
    pooled = 1 + max(extra, 0.0) * average
    return np.asarray(np.maximum(1.0, (tells * errors / weeks + _PRIOR_WEEKS * pooled) / (tells + _PRIOR_WEEKS)))


def spread_of(counts: Floats, mean: Floats) -> Floats:
    """Variance over mean of each row's weeks, odd weeks counting less."""
    first = np.full(len(counts), 1.2)
    return _spread(counts, mean, _tame(counts, mean, first))


def _pairs(counts: Floats, mean: Floats, spread: Floats) -> Floats:
    """The same over fortnights: larger where a row's ups and downs last longer than a week."""
    even = counts.shape[1] // 2 * 2
    two = [values[:, -even:].reshape(len(values), -1, 2).sum(axis=2) for values in (counts, mean)]
    return np.maximum(spread, _spread(two[0], two[1], _tame(two[0], two[1], spread)))


def _overwindows(week: Floats, fortnight: Floats) -> Floats:
    part = np.clip((np.array(WINDOWS) - WEEK) / WEEK, 0.0, 1.0)
    return np.asarray(week[:, None] * (1 - part) + fortnight[:, None] * part)


def _tame(counts: Floats, mean: Floats, spread: Floats) -> Floats:
    """1 for a week like others, less for one far above: by Anscombe's residual, as Farrington et al. weigh past outbreaks."""
    residual = 1.5 * (counts ** (2 / 3) - mean ** (2 / 3)) / (mean ** (1 / 6) * np.sqrt(spread[:, None]))
    return np.asarray(np.where(residual > _ODD, (_ODD / np.maximum(residual, _ODD)) ** 2, 1.0))


def _capped(counts: Floats, mean: Floats, spread: Floats) -> Floats:
    far = _CAP * np.sqrt(spread[:, None] * mean) + 1
    return np.clip(counts, mean - far, mean + far)


def _others(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=0) - values)


def windows(values: Floats | Ints) -> Floats:
    """Sums over the last days, for each of ``WINDOWS``."""
    late = np.cumsum(values[..., : -GUARD - 1 : -1], axis=-1, dtype=np.float64)
    return np.asarray(late[..., [days - 1 for days in WINDOWS]])


def _smooth(ratio: Floats, weight: Floats, reach: int = 6) -> Floats:
    """A moving average over weeks on both sides."""
    kernel = np.ones(2 * reach + 1)
    return np.convolve(ratio * weight, kernel, "same") / np.convolve(weight, kernel, "same") if len(ratio) > len(kernel) else ratio


def _mean(values: Floats) -> float:
    return float(values.sum() + 0.5) / (len(values) + 1)


def _positive(values: Floats) -> Floats:
    return np.maximum(values, 1e-9)
