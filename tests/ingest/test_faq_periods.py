from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dates import DateError
from ingest.faq_periods import Span, parse_period, period_in_file_name

APRIL = Span(date(2026, 4, 1), date(2026, 4, 30))
YEAR = Span(date(2026, 4, 1), date(2027, 3, 31))


MONTHS = ["2026-04", "2026/4", "202604", "２０２６年４月", "令和8年4月", "令和８年４月分", "R8.4", "2026年4月度", "2026年度4月"]
RANGES = ["2026-04-01〜2026-04-30", "2026年4月1日から2026年4月30日まで", "2026/4/1～4/30"]


@pytest.mark.parametrize("text", [*MONTHS, *RANGES])
def test_a_month_in_many_spellings(text: str) -> None:
    assert parse_period(text) == APRIL


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026年度", date(2026, 4, 1), date(2027, 3, 31)),
        ("令和8年度", date(2026, 4, 1), date(2027, 3, 31)),
        ("令和元年度", date(2019, 4, 1), date(2020, 3, 31)),
        ("令和8年度第4四半期", date(2027, 1, 1), date(2027, 3, 31)),
        ("令和8年度下半期", date(2026, 10, 1), date(2027, 3, 31)),
        ("2026年", date(2026, 1, 1), date(2026, 12, 31)),
        ("令和7年12月～2月", date(2025, 12, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-04-05", date(2026, 4, 5), date(2026, 4, 5)),
        ("46113", date(2026, 4, 1), date(2026, 4, 1)),
    ],
)
def test_other_periods(text: str, since: date, until: date) -> None:
    assert parse_period(text) == Span(since, until)


def test_a_spreadsheet_s_day_stands_for_its_month() -> None:
    assert parse_period("2026-04-01 00:00:00", months=True) == parse_period("46113", months=True) == APRIL


def test_a_month_alone_is_of_the_fiscal_year() -> None:
    assert parse_period("4月", year=2026) == APRIL
    assert parse_period("３月", year=2026).until == YEAR.until
    with pytest.raises(DateError, match="何年度"):
        parse_period("4月")


@pytest.mark.parametrize(
    "text", ["", "いつか", "2026-13", "2026年2月30日", "令和0年4月", "0000年度", "9999年度", "2026-05〜2026-04", "1900年", "1234567"]
)
def test_no_period(text: str) -> None:
    with pytest.raises(DateError):
        parse_period(text)


@given(st.text(max_size=30) | st.from_regex(r"(令和|R)?\d{1,8}[年./-]?\d{0,2}[月./-]?\d{0,2}(度|日|〜\d{1,2}月)?", fullmatch=True))
def test_any_text_is_a_period_or_a_reason(text: str) -> None:
    with suppress(DateError):
        span = parse_period(text, year=2026)
        assert span.before().until < span.since <= span.until


def test_the_period_before_has_as_many_months_or_days() -> None:
    assert APRIL.before() == Span(date(2026, 3, 1), date(2026, 3, 31))
    assert YEAR.before() == Span(date(2025, 4, 1), date(2026, 3, 31))
    assert Span(date(2026, 4, 2), date(2026, 4, 8)).before() == Span(date(2026, 3, 26), date(2026, 4, 1))


@pytest.mark.parametrize(
    ("name", "span"),
    [("faq_202604", APRIL), ("FAQ 2026-04", APRIL), ("faq_2026_04", APRIL), ("よくある質問（令和８年４月）", APRIL), ("FAQ令和8年度", YEAR),
     ("faq_20260405", None), ("faq_2026-04-05", None), ("faq", None), ("faq2026", None)],
)  # fmt: skip
def test_the_period_that_a_file_s_name_tells(name: str, span: Span | None) -> None:
    assert period_in_file_name(name) == span
