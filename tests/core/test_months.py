"""Months and years counted from a day."""

from __future__ import annotations

import calendar
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from core.months import month_end, shifted, year_before

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@given(DAYS, st.integers(-200, 200))
def test_so_many_months_on_is_a_first_and_so_many_back_is_where_one_was(day: date, months: int) -> None:
    there = shifted(day, months)
    assert there.day == 1
    assert 12 * there.year + there.month == 12 * day.year + day.month + months
    assert shifted(there, -months) == day.replace(day=1)


@given(DAYS)
def test_a_month_ends_on_its_last_day(day: date) -> None:
    assert month_end(day) == day.replace(day=calendar.monthrange(day.year, day.month)[1])


def test_a_year_before() -> None:
    assert year_before(date(2026, 3, 31)) == date(2025, 3, 31)
    assert year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert year_before(date(2025, 2, 28)) == date(2024, 2, 28)
