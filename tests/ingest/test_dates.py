from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import TOKYO, wareki
from ingest.dates import DateError, add_time, day_in_file_name, parse_moment

AS_OF = date(2026, 6, 1)
FIRST = date(2024, 4, 1)
days = st.dates(date(1945, 1, 1), AS_OF)


@pytest.mark.parametrize(
    "text",
    ["令和6年4月1日", "令和６年４月１日", "令和 6 年 4 月 1 日", "R6.4.1", "r6/4/1", "Ｒ６．４．１", "R06-04-01", "㋿6年4月1日",
     "令和6年4月1日(月)", "2024/4/1",
     "2024年4月1日（月・祝）", "2024.04.01", "20240401", "45383", "平成36年4月1日", " 2024-4-1 "],
)  # fmt: skip
def test_a_day(text: str) -> None:
    assert parse_moment(text, as_of=AS_OF) == parse_moment("2024-04-01", as_of=AS_OF)
    assert parse_moment(text, as_of=AS_OF).day == FIRST
    assert parse_moment(text, as_of=AS_OF).at is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和元年5月1日", date(2019, 5, 1)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("H1.1.8", date(1989, 1, 8)),
        ("S63/12/31", date(1988, 12, 31)),
    ],
)
def test_other_eras(text: str, day: date) -> None:
    assert parse_moment(text).day == day


@pytest.mark.parametrize(
    "text",
    ["2024/4/1 13:05", "2024-04-01T13:05", "2024-04-01T13:05:00+09:00", "2024-04-01T04:05:00Z", "2024年4月1日 午後1時5分",
     "令和6年4月1日（月）13時05分",
     "202404011305", "20240401130500", "2024/4/1 1:05 PM", "2024-04-01 13:05:00.000"],
)  # fmt: skip
def test_a_time_of_day_in_japan(text: str) -> None:
    assert parse_moment(text, as_of=AS_OF).at == datetime(2024, 4, 1, 13, 5, tzinfo=TOKYO)


def test_a_serial_with_a_fraction_is_exact_to_the_second() -> None:
    assert parse_moment("45383.545", as_of=AS_OF).at == datetime(2024, 4, 1, 13, 4, 48, tzinfo=TOKYO)


def test_a_moment_of_another_zone_falls_on_the_day_in_japan() -> None:
    moment = parse_moment("2024-03-31T15:30:00Z", as_of=AS_OF)
    assert (moment.day, moment.at) == (FIRST, datetime(2024, 3, 31, 15, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    ["", "2/14朝", "24/4/1", "令和6年", "令和0年4月1日", "令和6年13月1日", "2023/2/29", "2024/4/1 25:00", "2024/4/1 あさ", "2026/06/03",
     "1944/12/31", "12345",
     "99999", "123456", "2024-04-01T13:05+99:99", "9999-12-31T23:59-12:00", "0001-01-01T00:00Z", "午後13時"],
)  # fmt: skip
def test_what_can_t_be_a_date_is_refused(text: str) -> None:
    with pytest.raises(DateError, match=r"。$"):
        parse_moment(text, as_of=AS_OF)


def test_tomorrow_is_the_last_day_taken() -> None:
    assert parse_moment("2026-06-02", as_of=AS_OF).day == date(2026, 6, 2)


@given(days)
def test_every_day_in_every_spelling_comes_back(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for text in (wareki(day), day.isoformat(), f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", str(serial)):
        assert parse_moment(text, as_of=AS_OF).day == day


@given(days, st.integers(0, 86399), st.sampled_from(["T", " "]))
def test_every_moment_comes_back(day: date, second: int, between: str) -> None:
    at = datetime.combine(day, time(), TOKYO) + timedelta(seconds=second)
    assert parse_moment(f"{at:%Y-%m-%d}{between}{at:%H:%M:%S}", as_of=AS_OF).at == at


@given(st.text() | st.from_regex(r"\A[\d年月日時分:/.T令和平成HRS +-]{1,20}\Z"))
def test_any_text_is_a_moment_in_range_or_refused(text: str) -> None:
    try:
        moment = parse_moment(text, as_of=AS_OF)
    except DateError:
        return
    assert date(1945, 1, 1) <= moment.day <= AS_OF + timedelta(days=1)
    assert moment.at is None or (moment.at.tzinfo is not None and moment.at.astimezone(TOKYO).date() == moment.day)


@pytest.mark.parametrize("text", ["13:05", "午後1時5分", "13時5分", "0.54513888889"])
def test_a_time_in_a_cell_of_its_own(text: str) -> None:
    assert add_time(FIRST, text) == datetime(2024, 4, 1, 13, 5, tzinfo=TOKYO)


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(DateError):
        add_time(FIRST, "昼すぎ")


@pytest.mark.parametrize(
    ("name", "day"),
    [("kanko_202601", date(2026, 1, 1)), ("kanko_20240117-1", date(2024, 1, 17)), ("声_2025-03", date(2025, 3, 1)),
     ("令和6年4月分", date(2024, 4, 1)),
     ("2024年5月3日", date(2024, 5, 3)), ("一覧", None), ("209912", None), ("20249999", None), ("1234567890", None)],
)  # fmt: skip
def test_the_day_in_a_file_s_name(name: str, day: date | None) -> None:
    assert day_in_file_name(name, as_of=AS_OF) == day
