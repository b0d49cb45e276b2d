"""Time in two shapes: stored in UTC, shown as 日本時間 and 和暦."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
_ERAS = (("令和", date(2019, 5, 1)), ("平成", date(1989, 1, 8)), ("昭和", date(1926, 12, 25)))


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today's date in Japan."""
    return utc_now().astimezone(TOKYO).date()


def to_tokyo(moment: datetime) -> datetime:
    """The same moment in Japan's time. Raises ``ValueError`` for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime: give it a timezone")
    return moment.astimezone(TOKYO)


def fiscal_year(day: date) -> int:
    """The 年度 (April to March) that a day belongs to."""
    return day.year if day.month >= 4 else day.year - 1


def wareki(day: date) -> str:
    """A date as 令和8年4月1日; the first year is 元年. Before 昭和 the western year is kept."""
    for name, start in _ERAS:
        if day >= start:
            year = day.year - start.year + 1
            return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"
