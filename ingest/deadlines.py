"""When an answer is due: the city's rule (city.yaml) counted in its 開庁日."""

from __future__ import annotations

from datetime import date, timedelta

from core import city
from core.calendar import OpenDays
from core.errors import InputError
from core.settings import Settings

_COUNTS = ("business_days", "calendar_days")


class DeadlineRule:
    """So many days, open or calendar ones, counted from the day after the voice came in (翌日起算)."""

    def __init__(self, *, days: int = 10, count: str = "business_days", open_days: OpenDays | None = None) -> None:
        if days < 1 or count not in _COUNTS:
            raise ValueError("days must be 1 or more, count business_days or calendar_days")
        self.days = days
        self.count = count
        self._open_days = open_days or OpenDays()
        self._known: dict[date, date] = {}

    def due_on(self, received_on: date) -> date:
        """The last day for an answer. Counted in calendar days, it moves on to the next open day when it falls on a closed one."""
        if received_on not in self._known:
            self._known[received_on] = self._count(received_on)
        return self._known[received_on]

    def _count(self, received_on: date) -> date:
        if self.count == "business_days":
            return self._open_days.add(received_on, self.days)
        return self._open_days.add(received_on + timedelta(days=self.days), 0)


def load_deadline_rule(settings: Settings) -> DeadlineRule:
    """The rule of ``city.yaml`` (``deadline`` or ``answer_deadline``), or ten open days when there is no file or no such key.

    Raises:
        InputError: the file can't be read, or the rule has values that can't be used.
    """
    own = city.load(settings.taxonomy_dir)
    rule = own.answer_rule
    try:
        if rule.get("from", "next_day") != "next_day":
            raise ValueError("from")
        return DeadlineRule(days=int(rule.get("days", 10)), count=str(rule.get("count", "business_days")), open_days=own.calendar)
    except (ValueError, TypeError, AttributeError):
        hint = "deadline: {days: 10, count: business_days または calendar_days, from: next_day} の形で書いてください。"
        raise InputError("市の設定 city.yaml の回答期限が読めません。", hint=hint) from None
