"""The city that runs this: name, calendar and place names, read from city.yaml beside the taxonomy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import city_file
from core.calendar import OpenDays
from core.closed_days import read_calendar
from core.errors import InputError

_PLACE_ENDING = re.compile(r"(?:[一二三四五六七八九十\d]+丁目|地区|町|下|上|平|浦|台)$")


@dataclass(frozen=True, slots=True)
class City:
    """What city.yaml says. When answers are due is read by ``core.deadline_file``; ``places`` are names as they are said,
    ``districts`` as they are written.

    ``population`` is 0 where the file doesn't tell; ``shares`` gives the part of it that lives in a district or town (0–1).
    """

    name: str
    phone: str
    calendar: OpenDays
    places: frozenset[str]
    districts: tuple[str, ...] = ()
    population: int = 0
    shares: Mapping[str, float] = field(default_factory=dict)


@lru_cache(maxsize=4)
def load(folder: Path) -> City:
    """Reads city.yaml; without one there is no name and no place, and the calendar is the national one.

    Raises:
        InputError: the file is not YAML, or a closed day or district can't be read.
    """
    content = city_file.read(folder)
    calendar = read_calendar(folder, content)
    try:
        about = content.get("city") or {}
        return City(
            name=str(about.get("name", "")),
            phone=str(about.get("phone", "")),
            calendar=calendar,
            places=frozenset(_places(content.get("districts") or [])),
            districts=tuple(str(district["name"]) for district in content.get("districts") or []),
            population=int(about.get("population") or 0),
            shares=dict(_shares(content.get("districts") or [], int(about.get("population") or 0))),
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        hint = "地区は name と towns、人口は数で書いてください。"
        raise InputError(f"市の設定 {city_file.NAME} の市か地区か人口が読めません。", hint=hint) from None


def _places(districts: list[Any]) -> Iterator[str]:
    """The districts and towns as written, and without what is left out in speech (港一丁目 → 港)."""
    for district in districts:
        for name in (str(district["name"]), *map(str, district.get("towns") or ())):
            yield name
            if short := _PLACE_ENDING.sub("", name):
                yield short


def _shares(districts: list[Any], population: int) -> Iterator[tuple[str, float]]:
    """Each district's part of the city's people; a town is taken to have an equal part of its district's."""
    for district in districts:
        living = int(district.get("population") or 0)
        if not population or not living:
            continue
        yield str(district["name"]), living / population
        towns = [str(town) for town in district.get("towns") or ()]
        yield from ((town, living / population / len(towns)) for town in towns)
