"""The days on which a city's file closes its offices."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.calendar import OpenDays
from core.city_file import read
from core.closed_days import read_calendar
from core.errors import InputError

FILE = """
closed_days:
  weekdays: [日, mon]
  national_holidays: false
  ranges:
    - {name: 年末年始, from: "12-28", to: "01-04"}
    - {name: 夏の休み, from: "08-13", to: "08-15"}
    - {name: 庁舎の引越し, from: 2026-10-01, to: 2026-10-02}
    - {name: 冬の終わり, from: "02-28", to: "03-01"}
  city_days:
    - {name: 市民の日, date: "06-10"}
    - {name: 停電, date: 2026-07-03}
opened_days:
  - {name: 休日開庁, date: 2026-06-10}
  - {name: 休日開庁, date: 2027-03-28}
"""


def calendar(folder: Path, text: str) -> OpenDays:
    (folder / "city.yaml").write_text(text, "utf-8")
    return read_calendar(folder, read(folder))


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        ("2026-04-04", True),  # a Saturday
        ("2026-04-05", False),  # a Sunday
        ("2026-04-06", False),  # a Monday
        ("2026-04-29", True),  # 昭和の日, a Wednesday
        ("2024-12-28", False),
        ("2025-01-04", False),
        ("2025-12-27", True),
        ("2026-08-13", False),
        ("2026-08-15", False),
        ("2026-08-12", True),
        ("2026-10-01", False),
        ("2027-10-01", True),
        ("2028-02-29", False),  # within 28 February to 1 March
        ("2028-03-02", True),
        ("2026-06-10", True),  # the city's day, opened this once
        ("2027-06-10", False),
        ("2027-03-28", True),  # a Sunday, opened
        ("2026-07-03", False),
    ],
)
def test_the_citys_own_days_stand_in_the_place_of_the_usual(tmp_path: Path, day: str, *, is_open: bool) -> None:
    assert calendar(tmp_path, FILE).is_open(date.fromisoformat(day)) is is_open


@pytest.mark.parametrize("text", ["", "a: 1", "closed_days:", "closed_days: {city_days: []}"])
def test_what_is_not_told_is_as_everywhere(tmp_path: Path, text: str) -> None:
    usual = calendar(tmp_path, text or "{}")
    assert [usual.is_open(date(2026, 12, day)) for day in (28, 29)] == [True, False]
    assert not usual.is_open(date(2026, 11, 3))


def test_no_ranges_means_no_year_end(tmp_path: Path) -> None:
    assert calendar(tmp_path, "closed_days: {ranges: []}").is_open(date(2026, 12, 29))


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("closed_days: 3", "「closed_days」が読めません", "city_days"),
        ("closed_days: {dates: []}", "「dates」は、知らない項目", "city_days"),
        ("closed_days:\n  weekdays: 土", "2 行目、「closed_days」の「weekdays」が読めません", "[土, 日]"),
        ("closed_days: {weekdays: [土曜]}", "「weekdays」の 1 番目の「土曜」は、曜日ではありません", "[土, 日]"),
        ("closed_days: {weekdays: [[土]]}", "曜日ではありません", "[土, 日]"),
        ("closed_days: {weekdays: [月, 火, 水, 木, 金, 土, 日]}", "開いている日がありません", "weekdays"),
        ('closed_days: {ranges: [{from: "01-01", to: "12-31"}]}', "開いている日がありません", "ranges"),
        ("closed_days: {national_holidays: はい}", "「national_holidays」が読めません", "true"),
        ("closed_days: {ranges: 12-29}", "「ranges」が読めません", "年末年始"),
        ('closed_days: {ranges: [{from: "12-29"}]}', "to が日付として読めません", "年末年始"),
        ('closed_days: {ranges: [{from: "12-29", to: 2027-01-03}]}', "from と to が合いません", "同じ形"),
        ("closed_days: {ranges: [{from: 2027-01-03, to: 2026-12-29}]}", "from と to が合いません", "同じ形"),
        ("closed_days:\n city_days:\n - {date: 06-10}\n - {date: 13-01}", "4 行目、「closed_days」の「city_days」の 2 番目", "毎年"),
        ("closed_days: {city_days: [06-10]}", "「city_days」の 1 番目が読めません", "毎年"),
        ("opened_days: [{date: 06-10}]", "「opened_days」の 1 番目の「date」の date が", "2027-03-28"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, text: str, where: str, hint: str) -> None:
    with pytest.raises(InputError, match=r"city\.yaml") as caught:
        calendar(tmp_path, text)
    assert where in caught.value.message
    assert hint in caught.value.hint
