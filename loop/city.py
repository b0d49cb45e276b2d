"""The city that runs this: its name on the pages and its calendar, read from city.yaml beside the taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.calendar import OpenDays
from core.errors import InputError

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True)
class City:
    """A city's name, telephone and calendar."""

    name: str
    phone: str
    calendar: OpenDays


@lru_cache(maxsize=4)
def load(folder: Path) -> City:
    """Reads city.yaml; without one the pages carry no city's name and the calendar is the national one.

    Raises:
        InputError: the file is not YAML or a closed day can't be read.
    """
    path = folder / "city.yaml"
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise InputError(f"市の設定 {path} が読めません。", hint="字下げと記号を確かめてください。") from None
    content = content if isinstance(content, dict) else {}
    about = content.get("city") or {}
    days = (content.get("closed_days") or {}).get("city_days") or []
    return City(str(about.get("name", "")), str(about.get("phone", "")), OpenDays(closed=_closed(days, path)))


def _closed(days: list[dict[str, Any]], path: Path) -> Iterator[date]:
    for day in days:
        text = str(day.get("date", ""))
        yearly = _MONTH_DAY.fullmatch(text)
        try:
            if yearly:
                month, of_month = int(yearly[1]), int(yearly[2])
                yield from (date(year, month, of_month) for year in range(_FIRST_YEAR, _LAST_YEAR))
            else:
                yield date.fromisoformat(text)
        except ValueError:
            raise InputError(
                f"市の設定 {path} の休庁日「{text}」が読めません。", hint="06-10 か 2026-06-10 の形で書いてください。"
            ) from None
