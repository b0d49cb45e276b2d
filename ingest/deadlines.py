"""When an answer is due: the city's rule (data/taxonomy/city.yaml) counted in its 開庁日."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from core.calendar import OpenDays
from core.clock import today
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
    path = settings.taxonomy_dir / "city.yaml"
    city = _read(path) if path.exists() else {}
    rule = city.get("deadline") or city.get("answer_deadline") or {}
    closed = city.get("closed_days") or {}
    try:
        if rule.get("from", "next_day") != "next_day":
            raise ValueError("from")
        days, count = int(rule.get("days", 10)), str(rule.get("count", "business_days"))
        return DeadlineRule(days=days, count=count, open_days=OpenDays(closed=_city_days(closed.get("city_days") or [])))
    except (ValueError, TypeError, AttributeError, KeyError):
        hint = "deadline: {days: 10, count: business_days または calendar_days, from: next_day} の形で書いてください。"
        raise InputError(f"市の設定 {path.name} の回答期限か休みの日が読めません。", hint=hint) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict):
        raise InputError(f"市の設定 {path.name} が YAML として読めません。", hint="字下げと記号を確かめてください。")
    return content


def _city_days(days: list[Any]) -> Iterator[date]:
    """The city's own closed days: a date, or ``06-10`` for every year."""
    for item in days:
        given = item["date"]
        if isinstance(given, date):
            yield given
        elif len(str(given)) == 5:
            month, day = map(int, str(given).split("-"))
            yield from (date(year, month, day) for year in range(1945, today().year + 10))
        else:
            yield date.fromisoformat(str(given))
