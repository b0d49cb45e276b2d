"""A city's own name, calendar and places; what is wrong with its file is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core import city
from core.errors import InputError

FILE = """
city: {name: 潮見市, phone: 0190-55-1000}
closed_days:
  city_days:
    - {name: 市民の日, date: "06-10"}
    - {name: 停電, date: 2026-07-03}
districts:
  - {name: 港地区, towns: [港一丁目, 弁天下, 平]}
"""


def test_a_citys_file(tmp_path: Path) -> None:
    (tmp_path / "city.yaml").write_text(FILE, "utf-8")
    found = city.load(tmp_path)
    assert (found.name, found.phone) == ("潮見市", "0190-55-1000")
    assert found.places == {"港地区", "港", "港一丁目", "弁天下", "弁天", "平"}
    # 10 June is a Wednesday in 2026 and a Thursday in 2027; 3 July a Friday and a Saturday.
    assert not found.calendar.is_open(date(2026, 6, 10))
    assert not found.calendar.is_open(date(2027, 6, 10))
    assert not found.calendar.is_open(date(2026, 7, 3))
    assert found.calendar.is_open(date(2025, 7, 3))


def test_without_a_file_the_calendar_is_the_national_one(tmp_path: Path) -> None:
    found = city.load(tmp_path)
    assert (found.name, found.places) == ("", frozenset())
    assert found.calendar.is_open(date(2026, 6, 10))


@pytest.mark.parametrize("content", ["city: [", "", "- 潮見市", b"\x92\xaa\x8c\xa9"])
def test_a_file_that_is_no_yaml(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "city.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match="YAML として読めません") as caught:
        city.load(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "city: 潮見市",
        "districts: [港地区]",
        "districts: [{towns: [港]}]",
        "city: {population: 多い}",
        "districts: [{name: 港地区, population: 多い}]",
    ],
)
def test_a_part_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "city.yaml").write_text(content, "utf-8")
    with pytest.raises(InputError, match="市か地区か人口が読めません"):
        city.load(tmp_path)


def test_who_lives_where(tmp_path: Path) -> None:
    content = "city: {population: 1000}\ndistricts: [{name: 港地区, population: 200, towns: [浜町, 岬町]}, {name: 山地区}]"
    (tmp_path / "city.yaml").write_text(content, "utf-8")
    found = city.load(tmp_path)
    assert found.population == 1000
    assert found.shares == {"港地区": 0.2, "浜町": 0.1, "岬町": 0.1}
