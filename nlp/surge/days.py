"""Kinds of days: what a weekday, a holiday or the turn of the year makes of the number of voices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from core.calendar import OpenDays

Ints = NDArray[np.int64]
HOLIDAY, YEAR_END, AFTER = 7, 8, 9
KINDS = 10
"""Monday to Sunday, a weekday that is closed, 12/29 to 1/3, the first open day after at least three that weren't."""
_LONG = 3


def kinds_of(days: Sequence[date], calendar: OpenDays) -> Ints:
    """The kind of each day, 0 to ``KINDS`` - 1; ``days`` follow one another."""
    if not days:
        return np.zeros(0, dtype=np.int64)
    closed = sum(1 for _ in _closed_before(days[0], calendar))
    found = []
    for day in days:
        is_open = calendar.is_open(day)
        found.append(_kind(day, is_open=is_open, closed=closed))
        closed = 0 if is_open else closed + 1
    return np.array(found, dtype=np.int64)


def _kind(day: date, *, is_open: bool, closed: int) -> int:
    if is_open:
        return AFTER if closed >= _LONG else day.weekday()
    if (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3):
        return YEAR_END
    return day.weekday() if day.weekday() >= 5 else HOLIDAY


def _closed_before(day: date, calendar: OpenDays) -> Sequence[date]:
    """The closed days just before a day, as many as matter."""
    found: list[date] = []
    while len(found) < _LONG and not calendar.is_open(day - timedelta(days=len(found) + 1)):
        found.append(day - timedelta(days=len(found) + 1))
    return found
