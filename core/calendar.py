"""開庁日: the days on which a city's offices are open, and counting in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

import jpholiday

MonthDay = tuple[int, int]
WEEKEND = frozenset((5, 6))
YEAR_END: frozenset[MonthDay] = frozenset(((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)))
_LONGEST_SEARCH = timedelta(days=3660)


class OpenDays:
    """A city's calendar. Weekends, national holidays (jpholiday) and 12/29–1/3 are closed unless told otherwise; the city adds its own.

    ``closed`` and ``opened`` are the city's own days; ``opened`` wins over every other rule. ``weekdays`` (0 is Monday) and ``yearly``
    (month and day) stand in the place of the weekend and 年末年始. 振替休日 and 国民の休日 are national holidays, too.
    """

    def __init__(
        self,
        *,
        closed: Iterable[date] = (),
        opened: Iterable[date] = (),
        weekdays: Collection[int] = WEEKEND,
        yearly: Iterable[MonthDay] = YEAR_END,
        national_holidays: bool = True,
    ) -> None:
        self._closed = frozenset(closed)
        self._opened = frozenset(opened)
        self._weekdays = frozenset(weekdays)
        self._yearly = frozenset(yearly)
        self._national_holidays = national_holidays

    def is_open(self, day: date) -> bool:
        """Whether the offices are open on this day."""
        if day in self._opened:
            return True
        if day.weekday() in self._weekdays or day in self._closed or (day.month, day.day) in self._yearly:
            return False
        return not (self._national_holidays and jpholiday.is_holiday(day))

    def add(self, start: date, days: int) -> date:
        """The ``days``-th open day after ``start`` (``start`` itself is not counted: 翌日起算).

        With ``days=0`` it is ``start``, or the next open day when ``start`` is closed.

        Raises:
            ValueError: ``days`` is negative, or no such day exists within ten years (a calendar that is always closed).
        """
        if days < 0:
            raise ValueError("days must be 0 or more")
        day, left = start, days
        if left == 0 and self.is_open(day):
            return day
        left = max(left, 1)
        while left:
            day += timedelta(days=1)
            if day - start > _LONGEST_SEARCH + timedelta(days=2 * days):
                raise ValueError("this calendar has no open day")
            left -= self.is_open(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Open days after ``start`` up to and with ``end``; negative when ``end`` is earlier (超過)."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_open(start + timedelta(days=offset)) for offset in range(1, (end - start).days + 1))
