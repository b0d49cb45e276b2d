"""How long until an answer is due, counted in 開庁日."""

from __future__ import annotations

from datetime import date, timedelta

from core.calendar import OpenDays

SOON = 3  # open days: within these a voice stands under 期限間近


class Deadlines:
    """Open days between today and any day, each day looked up once: a list of old voices asks for the same days again and again."""

    def __init__(self, calendar: OpenDays, today: date) -> None:
        self.today = today
        self.soon = calendar.add(today, SOON)
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
