"""The surges of a day, from the daily counts of all series up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from nlp.surge.days import Ints
from nlp.surge.discoveries import LEVEL, adjusted
from nlp.surge.expected import GUARD, WEEK, Expectation, expect, windows
from nlp.surge.parts import PartExpectation, expect_parts
from nlp.surge.regression import Floats
from nlp.surge.scan import LOOKS, chances, nearest_window, since, tails, upper

WEEKS = 26
TESTED_PARTS = ("district", "channel")
_LEAST = 5  # voices
LEAST_SURE = 0.0008
"""However many others rose, no series is reported with more than this chance: looked at daily, the doubtful ones would add up."""
_LEAST_FACTOR = 1.3  # a large topic's rise by less is sure, but nothing to look at first
_CARRIES = 0.05  # a part that rose by less than this chance isn't where it rose
_PLACES = 3
_NONE = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Cut:
    """A facet's rows cut by another attribute: counts of shape (rows, values, days), near-copies left out."""

    values: tuple[str, ...]
    counts: Ints


@dataclass(frozen=True, slots=True)
class Facet:
    """Series that part the city's voices: topics, or themes.

    Attributes:
        name: topic or theme.
        values: a row's topic or theme; the row "" is looked at for the others' sake alone.
        counts: voices a day, shape (rows, days), those of a campaign beyond its first left out.
        copies: those that were left out.
        cuts: the same counts by other attributes.
    """

    name: str
    values: tuple[str, ...]
    counts: Ints
    copies: Ints
    cuts: Mapping[str, Cut] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a series that carries its rise."""

    facet: str
    value: str
    observed: int
    expected: float


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from ``begins_on``: how many voices, how many were expected, and the most that chance explains."""

    begins_on: date
    observed: int
    expected: float
    upper: int


@dataclass(frozen=True, slots=True)
class Rise:
    """A series that was too high for chance. ``p``: the chance of such a rise; ``q``: as in ``core.models.Surge``."""

    facet: str
    value: str
    by_facet: str
    by_value: str
    since: date
    until: date
    observed: int
    expected: float
    upper: int
    p: float
    q: float
    where: tuple[Place, ...] = ()
    weeks: tuple[Week, ...] = ()
    is_campaign: bool = False

    @property
    def factor(self) -> float:
        """How many times what was expected."""
        return self.observed / self.expected


@dataclass(frozen=True, slots=True)
class Look:
    """What a day's look found: how many series were looked at, and the rises, the one to look at first first."""

    series: int
    rises: tuple[Rise, ...]


def find(facets: Sequence[Facet], kinds: Ints, last: date) -> Look:
    """The surges as they stood at the end of the day ``last``.

    Args:
        facets: topics, and themes after them where there are any.
        kinds: the kinds of the days that the counts are of (``nlp.surge.days``).
        last: the last of these days.

    Raises:
        ValueError: the history is too short (``expected.enough_past``).
    """
    found = [_Facet.of(facet, kinds) for facet in facets]
    topics = found[0]
    families = [_NONE if place >= len(found) else found[place].chances[found[place].named] for place in range(2)]
    copied_families = [_NONE if place >= len(found) else found[place].copied[found[place].named] for place in range(2)]
    parts = [(name, *topics.part_chances(name)) for name in TESTED_PARTS if name in topics.parts]
    alone = np.concatenate([chance for _, _, chance in parts]) if parts else _NONE
    levels, copied = adjusted([*families, alone]), adjusted([*copied_families, alone])
    rises: list[Rise] = []
    for one, level, with_copies in zip(found, levels, copied, strict=False):
        for row, q, other in zip(np.flatnonzero(one.named), level, with_copies, strict=True):
            told = [one.rise(int(row), last, float(q))] if q <= LEVEL else []
            if other <= LEVEL and not any(map(_worth_it, told)):
                told = [one.campaign(int(row), last, float(other))]
            rises += filter(_worth_it, told)
    whole = {rise.value for rise in rises if rise.facet == topics.facet.name and not rise.is_campaign}
    rises += _alone(topics, parts, levels[-1], last, whole)
    ordered = sorted(rises, key=lambda rise: (rise.is_campaign, rise.facet != topics.facet.name, rise.p, rise.expected - rise.observed))
    return Look(sum(map(len, families)) + len(alone), tuple(ordered))


def _worth_it(rise: Rise) -> bool:
    return rise.p <= LEAST_SURE and rise.observed >= _LEAST and rise.factor >= _LEAST_FACTOR


def _alone(topics: _Facet, parts: Sequence[tuple[str, Ints, Floats]], levels: Floats, last: date, whole: set[str]) -> list[Rise]:
    """Topics that rose in a district or by a channel only: of each topic the surest."""
    best: dict[str, Rise] = {}
    start = 0
    for name, places, _ in parts:
        for (row, part), q in zip(places, levels[start : start + len(places)], strict=True):
            if q <= LEVEL and topics.facet.values[row] not in whole:
                rise = topics.part_rise(name, int(row), int(part), last, float(q))
                if _worth_it(rise) and (rise.value not in best or rise.p < best[rise.value].p):
                    best[rise.value] = rise
        start += len(places)
    return list(best.values())


@dataclass(frozen=True, slots=True)
class _Facet:
    """A facet with what was expected of it."""

    facet: Facet
    expected: Expectation
    parts: dict[str, PartExpectation]
    chances: Floats
    copied: Floats
    named: Floats

    @classmethod
    def of(cls, facet: Facet, kinds: Ints) -> _Facet:
        expected = expect(facet.counts, kinds)
        parts = {name: expect_parts(cut.counts, expected) for name, cut in facet.cuts.items()}
        with_copies = expected.observed + windows(facet.copies)
        named = np.array([value != "" for value in facet.values])
        return cls(facet, expected, parts, chances(expected), chances(expected, with_copies), named)

    def part_chances(self, name: str) -> tuple[Ints, Floats]:
        """The places (row, part) that are looked at, and the chance of each."""
        found, cut = self.parts[name], self.facet.cuts[name]
        smallest = tails(found.observed, found.mean, spread=found.spread, doubt=found.doubt).min(axis=2)
        known = self.named[:, None] & (found.known & np.array([value != "" for value in cut.values]))[None, :]
        places = np.argwhere(known)
        return places, np.minimum(1.0, LOOKS * smallest[known])

    def rise(self, row: int, last: date, q: float) -> Rise:
        """A row's rise with all that is told of it."""
        return self._told(row, self.facet.counts[row], self.expected.days[row], last, float(self.chances[row]), q)

    def campaign(self, row: int, last: date, q: float) -> Rise:
        """A row that would have risen had near-copies counted."""
        counts = self.facet.counts[row] + self.facet.copies[row]
        told = self._told(row, counts, self.expected.days[row], last, float(self.copied[row]), q)
        return replace(told, where=(), is_campaign=True)

    def part_rise(self, name: str, row: int, part: int, last: date, q: float) -> Rise:
        """A row's rise in one part alone."""
        found, cut = self.parts[name], self.facet.cuts[name]
        days = self.expected.days[row] * found.mean[row, part, -1] / self.expected.mean[row, -1]
        chance = tails(found.observed[row, part], found.mean[row, part], spread=found.spread[row, part], doubt=found.doubt[row, part])
        spread, doubt = found.spread[row, part, -1], found.doubt[row, part, -1]
        began, observed, expected, most = _span(cut.counts[row, part], days, spread=spread, doubt=doubt)
        return Rise(
            self.facet.name, self.facet.values[row], name, cut.values[part], _day(last, began), last, observed, expected, most,
            float(min(1.0, LOOKS * chance.min())), q,
            weeks=self._weeks(row, cut.counts[row, part], last, share=days[-1] / self.expected.days[row, -1], spread=spread),
        )  # fmt: skip

    def _told(self, row: int, counts: Ints, days: Floats, last: date, p: float, q: float) -> Rise:
        spread, doubt = self.expected.spread[row], self.expected.doubt[row]
        began, observed, expected, most = _span(counts, days, spread=spread, doubt=doubt)
        return Rise(
            self.facet.name, self.facet.values[row], "", "", _day(last, began), last, observed, expected, most, p, q,
            where=self._where(row, began, expected), weeks=self._weeks(row, counts, last, spread=self.expected.level[row]),
        )  # fmt: skip

    def _where(self, row: int, days: int, expected: float) -> tuple[Place, ...]:
        """Of each attribute the values that rose themselves, the most over first."""
        places = []
        window = nearest_window(days)
        for name, cut in self.facet.cuts.items():
            found = self.parts[name]
            observed = cut.counts[row, :, -days:].sum(axis=1)
            mean = found.mean[row, :, window] / self.expected.mean[row, window] * expected
            chance = tails(observed, mean, spread=found.spread[row, :, window], doubt=found.doubt[row, :, window])
            rose = [part for part in np.argsort(mean - observed) if chance[part] < _CARRIES and cut.values[part]][:_PLACES]
            places += [Place(name, cut.values[part], int(observed[part]), round(float(mean[part]), 2)) for part in rose]
        return tuple(places)

    def _weeks(self, row: int, counts: Ints, last: date, *, spread: Floats, share: float = 1.0) -> tuple[Week, ...]:
        """The last weeks, counted back from the last day, of a row or of a part that has such a share of it."""
        late = self.expected.days[row, -GUARD:].reshape(-1, WEEK).sum(axis=1)
        means = share * np.concatenate([self.expected.week_means[row], late])[-WEEKS:]
        seen = counts[len(counts) - len(means) * WEEK :].reshape(-1, WEEK).sum(axis=1)
        most = upper(means, spread=spread)
        first = _day(last, len(means) * WEEK)
        return tuple(
            Week(first + timedelta(days=WEEK * place), int(seen[place]), round(float(means[place]), 2), int(most[place]))
            for place in range(len(means))
        )


def _span(counts: Ints, days: Floats, *, spread: Floats, doubt: Floats) -> tuple[int, int, float, int]:
    """How many days back a rise began, and what was seen, expected and the most that chance explains since."""
    seen = counts[-len(days) :].astype(np.float64)
    # Where spread and doubt are a window's each, the one that is most like the span.
    began = since(seen, days, spread=float(np.ravel(spread)[-1]))
    window = nearest_window(began) if np.ndim(spread) else 0
    observed, expected = int(seen[-began:].sum()), float(days[-began:].sum())
    most = upper(np.array([expected]), spread=np.ravel(spread)[window], doubt=np.ravel(doubt)[window])
    return began, observed, max(round(expected, 2), 0.01), int(most[0])


def _day(last: date, days: int) -> date:
    return last - timedelta(days=days - 1)
