from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core import clock


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 4, 1), "令和8年4月1日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1926, 12, 25), "昭和元年12月25日"),
        (date(1926, 12, 24), "1926年12月24日"),
        (date(2028, 2, 29), "令和10年2月29日"),
    ],
)
def test_wareki(day: date, text: str) -> None:
    assert clock.wareki(day) == text


@pytest.mark.parametrize(
    ("day", "year"), [(date(2026, 3, 31), 2025), (date(2026, 4, 1), 2026), (date(2026, 12, 31), 2026), (date(2027, 1, 1), 2026)]
)
def test_fiscal_year(day: date, year: int) -> None:
    assert clock.fiscal_year(day) == year


def test_the_japanese_day_begins_at_fifteen_utc() -> None:
    assert clock.to_tokyo(datetime(2026, 3, 31, 14, 59, tzinfo=UTC)).date() == date(2026, 3, 31)
    assert clock.to_tokyo(datetime(2026, 3, 31, 15, 0, tzinfo=UTC)).isoformat() == "2026-04-01T00:00:00+09:00"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        clock.to_tokyo(datetime(2026, 4, 1))  # noqa: DTZ001


def test_now_is_aware_and_today_is_japans() -> None:
    before = clock.to_tokyo(clock.utc_now()).date()
    day = clock.today()
    assert before <= day <= clock.to_tokyo(clock.utc_now()).date()
    assert clock.utc_now().utcoffset() == timedelta(0)
