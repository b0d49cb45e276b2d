"""Made-up cities, on which to see how often a surge is found and how often one is seen where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from core.calendar import OpenDays
from nlp.surge.days import Ints, kinds_of
from nlp.surge.find import Cut, Facet
from nlp.surge.regression import Floats

# How a day of each kind lies to an ordinary one: Monday … Sunday, holiday, 年末年始, the day after.
_DAYS = np.array([1.15, 1.05, 1.0, 1.0, 1.0, 0.35, 0.25, 0.3, 0.12, 1.5])
_WEEK = 5.55  # ordinary days that a week comes to, holidays counted
_PARTS = {"district": (0.35, 0.25, 0.2, 0.12, 0.08), "channel": (0.6, 0.25, 0.15)}
_TOPICS_A_THEME = 5


@dataclass(frozen=True, slots=True)
class City:
    """Topics without any surge: their counts, and what each day's mean was.

    Attributes:
        days: the days, one after the other.
        kinds: their kinds.
        counts: voices a day, shape (topics, days).
        means: the means that they were drawn from, with the luck of the week in them.
        long_run: the same without that luck: what somebody who knew all would expect.
    """

    days: tuple[date, ...]
    kinds: Ints
    counts: Ints
    means: Floats
    long_run: Floats


def city(rng: np.random.Generator, rates: Sequence[float], *, days: int, first: date = date(2023, 4, 1), luck: float = 0.03) -> City:
    """A city without surges.

    Each topic has a season and a trend of its own, the city one for all; weekdays, holidays and the turn of the year count; and each week
    of a topic has its own luck.

    Args:
        rng: where chance comes from.
        rates: voices a week of each topic.
        days: how long.
        first: the first of them.
        luck: relative variance of a topic's weeks beside Poisson's; 0: none.
    """
    span = tuple(first + timedelta(days=number) for number in range(days))
    kinds = kinds_of(span, OpenDays())
    years = np.arange(days) / 365.25
    topics = len(rates)
    season = rng.uniform(0, 0.4, (topics, 1)) * np.cos(2 * np.pi * (years - rng.uniform(0, 1, (topics, 1))))
    trend = rng.uniform(-0.2, 0.2, (topics, 1)) * (years - years.mean())
    whole = 1 + 0.2 * np.cos(2 * np.pi * (years - 0.1))
    long_run = np.asarray(rates)[:, None] / _WEEK * whole * np.exp(season + trend) * _DAYS[kinds]
    means = long_run
    if luck:
        means = long_run * np.repeat(rng.gamma(1 / luck, luck, (topics, days // 7 + 1)), 7, axis=1)[:, :days]
    return City(span, kinds, rng.poisson(means), means, long_run)


def facets(rng: np.random.Generator, counts: Ints) -> list[Facet]:
    """Topics with their districts and channels, and themes of five topics each, as ``find`` takes them."""
    topics, days = counts.shape
    cuts = {}
    for name, shares in _PARTS.items():
        cut = np.moveaxis(rng.multinomial(counts, shares), 2, 1)
        cuts[name] = Cut(tuple(f"{name} {number}" for number in range(len(shares))), cut)
    whole = Facet("topic", tuple(str(number + 1) for number in range(topics)), counts, np.zeros_like(counts), cuts)
    themes = counts.reshape(-1, _TOPICS_A_THEME, days).sum(axis=1)
    names = tuple(f"分野{number + 1}" for number in range(len(themes)))
    return [whole, Facet("theme", names, themes, np.zeros_like(themes))]


def until(facet: Facet, day: int) -> Facet:
    """A facet as it stood at the end of a day, counted from 0."""
    cuts = {name: Cut(cut.values, cut.counts[:, :, : day + 1]) for name, cut in facet.cuts.items()}
    return Facet(facet.name, facet.values, facet.counts[:, : day + 1], facet.copies[:, : day + 1], cuts)
