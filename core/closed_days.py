"""A city's 開庁日 as its file tells them: ``closed_days`` and ``opened_days`` of city.yaml become a calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NoReturn

from core import city_file
from core.calendar import WEEKEND, YEAR_END, MonthDay, OpenDays
from core.city_file import Place

_WEEKDAYS = {name: number for number, names in enumerate(("mon月", "tue火", "wed水", "thu木", "fri金", "sat土", "sun日"))
             for name in (names[:3], names[3:])}  # fmt: skip
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})")
_ANY_YEAR = 2000  # one with a 29 February
_A_YEAR = [date(_ANY_YEAR, 1, 1) + timedelta(days=number) for number in range(366)]
KEYS = ("weekdays", "national_holidays", "ranges", "city_days")
_LONGEST_RANGE = 366
_DATE_HINT = 'date: "06-10"（毎年）か date: 2026-06-10（その日だけ）の形で書いてください。'
_RANGE_HINT = '{name: 年末年始, from: "12-29", to: "01-03"} の形で、from と to を同じ形の日付で書いてください。'


def read_calendar(folder: Path, content: dict[str, Any]) -> OpenDays:
    """The calendar; what the file doesn't tell is as in every city: weekends, national holidays and 12/29–1/3 are closed.

    Raises:
        InputError: a day, a weekday or a range can't be read; says where.
    """
    reader = _Reader(folder)
    given = content.get("closed_days") or {}
    if not isinstance(given, dict):
        reader.refuse(("closed_days",), "が読めません。", "weekdays、ranges、city_days などの項目に分けて書いてください。")
    for name in given:
        if name not in KEYS:
            reader.refuse(
                ("closed_days", str(name)), "は、知らない項目です。", "使えるのは weekdays national_holidays ranges city_days です。"
            )
    weekdays = reader.weekdays(given["weekdays"]) if "weekdays" in given else WEEKEND
    holidays = given.get("national_holidays", True)
    if not isinstance(holidays, bool):
        reader.refuse(("closed_days", "national_holidays"), "が読めません。", "true（祝日は休み）か false（祝日も開く）で書いてください。")
    yearly: set[MonthDay] = set() if "ranges" in given else set(YEAR_END)
    closed: set[date] = set()
    found = (*reader.ranges(given.get("ranges")), *reader.days(("closed_days", "city_days"), given.get("city_days")))
    for day, every_year in found:
        if every_year:
            yearly.add((day.month, day.day))
        else:
            closed.add(day)
    opened = [day for day, every_year in reader.days(("opened_days",), content.get("opened_days"), only_once=True) if not every_year]
    calendar = OpenDays(closed=closed, opened=opened, weekdays=weekdays, yearly=yearly, national_holidays=holidays)
    try:
        calendar.add(date(_ANY_YEAR, 1, 1), 1)
    except ValueError:
        reader.refuse(("closed_days",), "では、開いている日がありません。", "weekdays と ranges を直してください。")
    return calendar


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def refuse(self, place: Place, problem: str, hint: str) -> NoReturn:
        city_file.refuse(self._folder, place, problem, hint=hint)

    def items(self, place: Place, given: Any, hint: str) -> Iterator[tuple[Place, dict[str, Any]]]:
        if given is not None and not isinstance(given, list):
            self.refuse(place, "が読めません。", f"「-」で始まる行を並べて、{hint}")
        for number, item in enumerate(given or ()):
            if not isinstance(item, dict):
                self.refuse((*place, number), "が読めません。", hint)
            yield (*place, number), item

    def weekdays(self, given: Any) -> frozenset[int]:
        place, hint = ("closed_days", "weekdays"), "[sat, sun] か [土, 日] の形で書いてください。"
        if not isinstance(given, list):
            self.refuse(place, "が読めません。", hint)
        for number, name in enumerate(given):
            if not isinstance(name, str) or name not in _WEEKDAYS:
                self.refuse((*place, number), f"の「{name}」は、曜日ではありません。", hint)
        return frozenset(_WEEKDAYS[name] for name in given)

    def days(self, place: Place, given: Any, *, only_once: bool = False) -> Iterator[tuple[date, bool]]:
        """The days, each with whether it comes every year."""
        hint = "date: 2027-03-28 の形で書いてください。" if only_once else _DATE_HINT
        for at, item in self.items(place, given, hint):
            yield self._day(at, item, "date", hint, only_once=only_once)

    def ranges(self, given: Any) -> Iterator[tuple[date, bool]]:
        """Every day of every range, each with whether it comes every year; a yearly one may go over the year's end."""
        for at, item in self.items(("closed_days", "ranges"), given, _RANGE_HINT):
            (first, yearly), (last, last_yearly) = (self._day(at, item, name, _RANGE_HINT) for name in ("from", "to"))
            if yearly != last_yearly or (not yearly and not 0 <= (last - first).days < _LONGEST_RANGE):
                self.refuse(at, "の from と to が合いません。", _RANGE_HINT)
            if not yearly:
                yield from ((first + timedelta(days=number), False) for number in range((last - first).days + 1))
            elif first <= last:
                yield from ((day, True) for day in _A_YEAR if first <= day <= last)
            else:
                yield from ((day, True) for day in _A_YEAR if day >= first or day <= last)

    def _day(self, place: Place, item: dict[str, Any], name: str, hint: str, *, only_once: bool = False) -> tuple[date, bool]:
        text = str(item.get(name, ""))
        yearly = _MONTH_DAY.fullmatch(text)
        try:
            if yearly and not only_once:
                return date(_ANY_YEAR, int(yearly[1]), int(yearly[2])), True
            return date.fromisoformat(text), False
        except ValueError:
            self.refuse((*place, name) if name in item else place, f"の {name} が日付として読めません。", hint)
