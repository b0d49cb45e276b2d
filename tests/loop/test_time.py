from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import city
from core.calendar import OpenDays
from core.errors import InputError
from core.settings import Settings
from loop.deadlines import Deadlines
from loop.filters import Cursor, words_of
from loop.periods import Period, Preset, named

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@given(today=DAYS, due=st.lists(DAYS, min_size=1, max_size=5))
def test_open_days_left_agree_with_the_calendar(today: date, due: list[date]) -> None:
    calendar = OpenDays(closed=[date(2026, 6, 10)])
    deadlines = Deadlines(calendar, today)
    assert [deadlines.left(day) for day in due] == [
        min(calendar.between(today, day), -1) if day < today else calendar.between(today, day) for day in due
    ]  # fmt: skip
    assert [deadlines.span(today, day) for day in due] == [calendar.between(today, day) for day in due]


def test_fridays_deadline_has_passed_on_saturday() -> None:
    friday = date(2026, 11, 20)
    assert [Deadlines(OpenDays(), friday + timedelta(days=days)).left(friday) for days in range(5)] == [0, -1, -1, -1, -1]


@given(since=DAYS, days=st.integers(1, 900))
def test_every_day_of_a_period_belongs_to_one_of_its_steps(since: date, days: int) -> None:
    period = Period(since, since + timedelta(days=days - 1))
    steps = period.steps()
    assert steps == sorted(steps)
    assert {period.step_of(since + timedelta(days=offset)) for offset in range(days)} == set(steps)
    assert period.before().days == period.days
    assert period.before().until == since - timedelta(days=1)


@pytest.mark.parametrize(
    ("preset", "last", "since"),
    [
        (Preset.FOUR_WEEKS, date(2026, 9, 30), date(2026, 9, 3)),
        (Preset.THREE_MONTHS, date(2026, 9, 30), date(2026, 7, 2)),
        (Preset.YEAR, date(2026, 10, 31), date(2025, 11, 1)),
        (Preset.YEAR, date(2028, 2, 29), date(2027, 3, 1)),
        (Preset.ALL, date(2026, 9, 30), date(2024, 1, 1)),
    ],
)
def test_named_periods(preset: Preset, last: date, since: date) -> None:
    assert named(preset, first=date(2024, 1, 1), last=last) == Period(since, last)


@given(DAYS, st.integers(1, 2**31 - 1))
def test_a_cursor_can_be_written_and_read(day: date, number: int) -> None:
    assert Cursor.parse(str(Cursor(day, number))) == Cursor(day, number)


@given(st.text())
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except InputError:
        return
    assert Cursor.parse(str(cursor)) == cursor


def test_words_are_split_at_any_space() -> None:
    assert words_of("　歩道　段差\t車いす\x00") == ("歩道", "段差", "車いす")
    assert len(words_of("あ " * 50)) == 10


def test_the_sample_city_closes_on_its_own_day(settings: Settings) -> None:
    found = city.load(settings.taxonomy_dir)
    assert found.name == "潮見市"
    assert not found.calendar.is_open(date(2026, 6, 10))
    assert found.calendar.is_open(date(2026, 6, 11))


def test_a_city_without_a_file_has_no_name(tmp_path: Path) -> None:
    assert city.load(tmp_path).name == ""


@pytest.mark.parametrize("content", ["closed_days: {city_days: [{date: 昨日}]}", "closed_days: {city_days: [{date: 13-40}]}", "a: ["])
def test_a_city_that_cannot_be_read_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "city.yaml").write_text(content, "utf-8")
    with pytest.raises(InputError, match="市の設定"):
        city.load(tmp_path)
