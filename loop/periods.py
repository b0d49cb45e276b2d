"""Spans of days that figures are given for, and the steps that a chart of them takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from core.months import month_end, year_before

_WEEKLY_UP_TO = 120  # days; a longer span is drawn by month


class Preset(StrEnum):
    """Periods with a name. The value stands in the address."""

    FOUR_WEEKS = "4w"
    THREE_MONTHS = "3m"
    YEAR = "12m"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to a day, both included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def weekly(self) -> bool:
        """Whether a chart of it goes by week."""
        return self.days <= _WEEKLY_UP_TO

    def before(self) -> Period:
        """The span of the same length just before this one."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    def step_of(self, day: date) -> date:
        """The first day of the step that a day belongs to: its month, or its week counted back from the period's end."""
        if not self.weekly:
            return day.replace(day=1)
        return self.until - timedelta(days=(self.until - day).days // 7 * 7 + 6)

    def steps(self) -> list[date]:
        """The first days of all steps, in order."""
        return sorted(set(map(self.step_of, self._days())))

    def months(self) -> list[Period]:
        """The period month by month, the first and the last as far as they belong to it."""
        found, first = [], self.since
        while first <= self.until:
            last = month_end(first)
            found.append(Period(first, min(last, self.until)))
            first = last + timedelta(days=1)
        return found

    def _days(self) -> Iterator[date]:
        return (self.since + timedelta(days=offset) for offset in range(self.days))


def named(preset: Preset, *, first: date, last: date) -> Period:
    """A named period that ends on the newest day of the data, ``last``; 全期間 begins on ``first``."""
    if preset is Preset.ALL:
        return Period(min(first, last), last)
    weeks = {Preset.FOUR_WEEKS: 4, Preset.THREE_MONTHS: 13}.get(preset)
    return Period(last - timedelta(days=7 * weeks - 1), last) if weeks else Period(year_before(last) + timedelta(days=1), last)
