"""How long until an answer is due, counted in 開庁日."""

from __future__ import annotations

from datetime import date, timedelta

from core.calendar import OpenDays
from core.deadline_rules import SOON


class Deadlines:
    """Open days between today and any day, each day looked up once: a list of old voices asks for the same days again and again.

    What is due within ``soon`` open days (the city's ``DeadlineRules.soon``) stands under 期限間近.
    """

    def __init__(self, calendar: OpenDays, today: date, *, soon: int = SOON) -> None:
        self.today = today
        self.soon = calendar.add(today, soon)
        self._calendar = calendar
        self._counts = {today: 0}
        self._first = self._last = today

    def left(self, due: date) -> int:
        """Open days from today to ``due``: 0 on the day itself, negative when it has passed."""
        while self._last < due:
            day = self._last + timedelta(days=1)
            self._counts[day] = self._counts[self._last] + self._calendar.is_open(day)
            self._last = day
        while self._first > due:
            day = self._first - timedelta(days=1)
            self._counts[day] = self._counts[self._first] - self._calendar.is_open(self._first)
            self._first = day
        return self._counts[due]
