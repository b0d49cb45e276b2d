"""Pictures that the server draws say what their numbers say, and can be read."""

from __future__ import annotations

import re
from datetime import date

import pytest

from api.graphics import months_chart
from loop.monthly_report import MonthCount


def places(count: int, last_year: int) -> tuple[float, float, float]:
    """How far down the number, the top of the bar and the line of the year before are, beside a month of 400."""
    picture = months_chart([MonthCount(date(2026, 8, 1), 400, None), MonthCount(date(2026, 9, 1), count, last_year)], running=False)
    (number,) = re.findall(rf'y="([\d.]+)"[^>]*>{count}</text>', picture)
    bar = re.findall(r'<rect [^>]*? y="([\d.]+)"', picture)[-1]
    (line,) = re.findall(r'months-year-ago"[^>]*? y1="([\d.]+)"', picture)
    return float(number), float(bar), float(line)


@pytest.mark.parametrize("last_year", [200, 205, 210, 215, 220])
def test_a_line_just_above_a_bar_does_not_strike_its_number_out(last_year: int) -> None:
    number, bar, line = places(200, last_year)
    assert number < line <= bar


@pytest.mark.parametrize("last_year", [0, 100, 195, 260, 400])
def test_a_number_stands_on_its_bar_where_no_line_is_in_its_way(last_year: int) -> None:
    number, bar, line = places(200, last_year)
    assert bar - 10 < number < bar
    assert not number - 10 < line < number


def test_without_voices_there_is_no_picture() -> None:
    assert months_chart([MonthCount(date(2026, 9, 1), 0, None)], running=False) == ""
