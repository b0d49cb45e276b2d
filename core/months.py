"""Months and years of the calendar, counted from a day."""

from __future__ import annotations

from datetime import date, timedelta


def shifted(day: date, months: int) -> date:
    """The first day of the month so many months after a day's own; before it, where there are fewer than none.

    Raises:
        ValueError: no calendar has that year.
    """
    years, place = divmod(day.month - 1 + months, 12)
    return date(day.year + years, place + 1, 1)


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return shifted(day, 1) - timedelta(days=1)


def year_before(day: date) -> date:
    """The same day a year earlier; of a 29 February the 28th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
