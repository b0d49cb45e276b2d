"""``answer_deadline`` of city.yaml: how the person who runs a city's 広聴 writes down when answers are due (docs/guide/deadlines.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

from core import city, city_file
from core.city_file import Place
from core.deadline_rules import PART_DAYS, SOON, AfterHours, Count, DeadlineRule, DeadlineRules, IfClosed, SpecialRule, Start, Term
from core.models.enums import Channel, Kind, Urgency

_Choice = TypeVar("_Choice", bound=StrEnum)
_MOST_DAYS = 366
KEYS: Mapping[str, type[StrEnum] | None] = {
    "days": None, "count": Count, "from": Start, "if_closed": IfClosed, "after_hours": AfterHours, "interim": None,
    "after_interim": None,
}  # fmt: skip
_INTERIM_KEYS = ("days", "count")
_TOP_KEYS = (*KEYS, "soon", "parts", "rules")
PARTS = ("channel", "kind", "urgency", "theme", "department")
_RULE_KEYS = ("name", *PARTS, *KEYS)
_HOUR_HINT = 'opening_hours に counter: {from: "08:30", to: "17:15"} の形で、窓口を閉める時刻を書いてください。'
_SHAPE = "answer_deadline: {days: 10, count: business_days, from: next_day} の形で書いてください。"


@lru_cache(maxsize=4)
def load(folder: Path) -> DeadlineRules:
    """The rules of the city.yaml in a folder; ten open days from the next day where it doesn't tell.

    Raises:
        InputError: the file can't be read, or a rule has a key or a value that can't be used; says where and what can.
    """
    return _Reader(folder, city_file.read(folder)).rules()


class _Reader:
    def __init__(self, folder: Path, content: dict[str, Any]) -> None:
        self._folder, self._content = folder, content
        self._top = "deadline" if "deadline" in content else "answer_deadline"

    def rules(self) -> DeadlineRules:
        place: Place = (self._top,)
        given = self._mapping(place, self._content.get(self._top) or {}, _TOP_KEYS, _SHAPE)
        usual = self._rule(place, given, DeadlineRule())
        listed = given.get("rules") or []
        if not isinstance(listed, list):
            self._refuse((*place, "rules"), "が読めません。", "「-」で始まる行を並べてください。")
        special = tuple(self._special((*place, "rules", number), item, usual) for number, item in enumerate(listed))
        moved = any(rule.after_hours is AfterHours.NEXT_OPEN_DAY for rule in (usual, *(item.rule for item in special)))
        return DeadlineRules(
            calendar=city.load(self._folder).calendar,
            usual=usual,
            exceptions=special,
            closing=self._closing() if moved else None,
            soon=self._number((*place, "soon"), given["soon"], least=0) if "soon" in given else SOON,
            part_days=self._number((*place, "parts"), given["parts"], least=0) if "parts" in given else PART_DAYS,
        )

    def _rule(self, place: Place, given: Mapping[str, Any], usual: DeadlineRule) -> DeadlineRule:
        """What is given, and the usual for the rest."""
        term = self._term(place, given, usual.term)
        return DeadlineRule(
            term=term,
            start=self._choice(place, given, "from", usual.start),
            if_closed=self._choice(place, given, "if_closed", usual.if_closed),
            after_hours=self._choice(place, given, "after_hours", usual.after_hours),
            interim=self._extra("interim", place, given, usual.interim, count=term.count),
            after_interim=self._extra("after_interim", place, given, usual.after_interim, count=term.count),
            name=str(given.get("name", "")),
        )

    def _special(self, place: Place, given: Any, usual: DeadlineRule) -> SpecialRule:
        hint = "- {name: 手紙とFAX, channel: [手紙, FAX], days: 14, count: calendar_days} の形で書いてください。"
        rule = self._mapping(place, given, _RULE_KEYS, hint)
        where = tuple((part, self._values((*place, part), part, rule[part])) for part in PARTS if part in rule)
        if not where:
            self._refuse(place, "に、どの声に使うかがありません。", f"{'・'.join(PARTS)} のどれかを書いてください。")
        return SpecialRule(where, self._rule(place, rule, usual))

    def _values(self, place: Place, part: str, given: Any) -> frozenset[str]:
        values = given if isinstance(given, list) else [given]
        allowed = self._allowed(part)
        for number, value in enumerate(values):
            if not isinstance(value, str) or (allowed is not None and value not in allowed):
                at = (*place, number) if isinstance(given, list) else place
                hint = f"使えるのは {'、'.join(allowed)} です。" if allowed else "文字で書いてください。"
                self._refuse(at, f"の「{value}」は使えません。", hint)
        if not values:
            self._refuse(place, "が空です。", "値を1つ以上書いてください。")
        return frozenset(values)

    def _allowed(self, part: str) -> tuple[str, ...] | None:
        """The names that there are; ``None`` where no file tells."""
        enums: dict[str, Iterable[StrEnum]] = {"channel": Channel, "kind": Kind, "urgency": Urgency}
        if part in enums:
            return tuple(item.value for item in enums[part])
        path = self._folder / f"{part}s.yaml"
        try:
            named = yaml.safe_load(path.read_text("utf-8"))[f"{part}s"]
            return tuple(str(item["name"]) for item in named)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, LookupError, TypeError):
            return None  # what is wrong with that file is said where it is read

    def _term(self, place: Place, given: Mapping[str, Any], usual: Term) -> Term:
        days = self._number((*place, "days"), given["days"]) if "days" in given else usual.days
        return Term(days, self._choice(place, given, "count", usual.count))

    def _extra(self, key: str, place: Place, given: Mapping[str, Any], usual: Term | None, *, count: Count) -> Term | None:
        if key not in given:
            return usual
        own = given[key]
        if own is None or own == "none":
            return None
        place = (*place, key)
        hint = f"{key}: {{days: 14, count: calendar_days}} の形で、要らないときは {key}: none と書いてください。"
        term = self._mapping(place, own, _INTERIM_KEYS, hint)
        if "days" not in term:
            self._refuse(place, "に days がありません。", hint)
        return self._term(place, term, Term(1, count))

    def _closing(self) -> time:
        hours = self._content.get("opening_hours")
        counter = hours.get("counter") if isinstance(hours, dict) else None
        given = counter.get("to") if isinstance(counter, dict) else None
        try:
            if isinstance(given, int) and not isinstance(given, bool):  # 17:15 without quotes: YAML counts in sixties
                return time(given // 60, given % 60)
            return time.fromisoformat(str(given))
        except ValueError:
            self._refuse(("opening_hours", "counter", "to"), "が読めません（after_hours が next_open_day のとき要ります）。", _HOUR_HINT)

    def _choice(self, place: Place, given: Mapping[str, Any], key: str, usual: _Choice) -> _Choice:
        if key not in given:
            return usual
        kind = type(usual)
        try:
            return kind(given[key])
        except ValueError:
            hint = f"使えるのは {'、'.join(item.value for item in kind)} です。"
            self._refuse((*place, key), f"の「{given[key]}」は使えません。", hint)

    def _number(self, place: Place, given: Any, *, least: int = 1) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= _MOST_DAYS:
            hint = f"{least}〜{_MOST_DAYS} の整数で書いてください。"
            if given == 0:
                hint += "受け付けたその日のうちなら、days: 1 と from: same_day です。"
            self._refuse(place, f"の「{given}」は使えません。", hint)
        return int(given)

    def _mapping(self, place: Place, given: Any, keys: Iterable[str], hint: str) -> dict[str, Any]:
        if not isinstance(given, dict):
            self._refuse(place, "が読めません。", hint)
        for key in given:
            if key not in tuple(keys):
                self._refuse((*place, str(key)), "は、知らない項目です。", f"使えるのは {' '.join(keys)} です。")
        return dict(given)

    def _refuse(self, place: Place, problem: str, hint: str) -> NoReturn:
        city_file.refuse(self._folder, place, problem, hint=hint)
