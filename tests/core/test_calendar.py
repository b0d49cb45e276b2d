from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import OpenDays

PLAIN = OpenDays()
CITY = OpenDays(closed=[date(2026, 11, 4), date(2026, 7, 31)], opened=[date(2026, 12, 29), date(2026, 3, 29), date(2026, 11, 4)])
DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31))


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        ("2026-12-28", True),  # 仕事納め, a Monday
        ("2026-12-29", False),
        ("2026-12-31", False),
        ("2027-01-01", False),
        ("2027-01-03", False),
        ("2027-01-04", True),  # 仕事始め
        ("2026-01-02", False),
        ("2026-01-05", True),
        ("2026-04-29", False),  # 昭和の日
        ("2026-04-30", True),
        ("2026-05-03", False),  # 憲法記念日, a Sunday
        ("2026-05-04", False),  # みどりの日
        ("2026-05-05", False),  # こどもの日
        ("2026-05-06", False),  # 振替休日 of 3 May
        ("2026-05-07", True),
        ("2025-02-24", False),  # 振替休日 of 天皇誕生日
        ("2025-02-25", True),
        ("2026-09-21", False),  # 敬老の日
        ("2026-09-22", False),  # 国民の休日 between two holidays
        ("2026-09-23", False),  # 秋分の日
        ("2026-09-24", True),
        ("2026-03-20", False),  # 春分の日
        ("2026-08-11", False),  # 山の日
        ("2026-08-13", True),  # お盆 is no holiday
        ("2026-10-12", False),  # スポーツの日
        ("2026-10-10", False),  # a Saturday
        ("2026-10-11", False),  # a Sunday
        ("2026-11-03", False),  # 文化の日
        ("2019-04-30", False),  # 国民の休日 before the accession
        ("2019-05-01", False),  # the accession
        ("2019-05-02", False),  # 国民の休日 after it
        ("2019-05-06", False),  # 振替休日 of こどもの日
        ("2019-05-07", True),
        ("2019-10-22", False),  # 即位礼正殿の儀
        ("2019-12-23", True),  # no longer 天皇誕生日
        ("2020-02-24", False),  # 振替休日 of 天皇誕生日
        ("2020-07-20", True),  # 海の日 moved
        ("2020-07-23", False),
        ("2020-07-24", False),  # スポーツの日
        ("2020-08-10", False),  # 山の日
        ("2020-08-11", True),
        ("2020-10-12", True),
        ("2021-07-19", True),  # 海の日 moved
        ("2021-07-22", False),
        ("2021-07-23", False),  # スポーツの日 moved for the Olympic Games
        ("2021-08-09", False),  # 振替休日 of 山の日 on the 8th
        ("2021-08-11", True),
        ("2021-10-11", True),
        ("2015-09-22", False),  # 国民の休日
        ("2024-08-12", False),  # 振替休日 of 山の日
        ("2024-09-23", False),  # 振替休日 of 秋分の日
        ("2024-11-04", False),  # 振替休日 of 文化の日
        ("2027-03-22", False),  # 振替休日 of 春分の日
        ("2027-09-21", True),  # between 敬老の日 and 秋分の日, but two days
        ("2027-09-22", True),
        ("2032-09-21", False),  # 国民の休日
    ],
)
def test_open_days_of_every_city(day: str, *, is_open: bool) -> None:
    assert PLAIN.is_open(date.fromisoformat(day)) is is_open


def test_the_citys_own_days() -> None:
    assert not CITY.is_open(date(2026, 7, 31))  # closed by the city, a Friday
    assert CITY.is_open(date(2026, 12, 29))  # opened in 年末年始
    assert CITY.is_open(date(2026, 3, 29))  # opened on a Sunday
    assert CITY.is_open(date(2026, 11, 4))  # both: opened wins


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-10-01", 1, "2026-10-02"),
        ("2026-10-02", 1, "2026-10-05"),  # over a weekend
        ("2026-10-01", 10, "2026-10-16"),  # over スポーツの日
        ("2026-04-28", 3, "2026-05-07"),  # over 大型連休
        ("2026-12-25", 5, "2027-01-07"),  # over 年末年始
        ("2026-05-02", 1, "2026-05-07"),
        ("2026-05-07", 0, "2026-05-07"),
        ("2026-05-03", 0, "2026-05-07"),
        ("2026-12-29", 0, "2027-01-04"),
    ],
)
def test_counting_open_days_from_the_next(start: str, days: int, end: str) -> None:
    assert PLAIN.add(date.fromisoformat(start), days) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-10-01", "2026-10-01", 0),
        ("2026-10-01", "2026-10-05", 2),
        ("2026-10-05", "2026-10-01", -2),
        ("2026-05-01", "2026-05-06", 0),
        ("2026-12-28", "2027-01-04", 1),
    ],
)
def test_open_days_between(start: str, end: str, days: int) -> None:
    assert PLAIN.between(date.fromisoformat(start), date.fromisoformat(end)) == days


def test_a_negative_number_of_days_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        PLAIN.add(date(2026, 10, 1), -1)


@pytest.mark.parametrize("days", [0, 1, 30])
def test_a_calendar_that_is_always_closed_is_refused(days: int) -> None:
    first = date(2026, 1, 1)
    shut = OpenDays(closed=(first + timedelta(days=number) for number in range(4100)))
    with pytest.raises(ValueError, match="no open day"):
        shut.add(first, days)


@given(start=DAYS, days=st.integers(min_value=1, max_value=60))
def test_add_and_between_agree(start: date, days: int) -> None:
    end = CITY.add(start, days)
    assert CITY.is_open(end)
    assert CITY.between(start, end) == days
