"""Periods as offices write them above or beside a count: a month, a quarter, a 年度, a day, or from one to another."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from core.clock import fiscal_year
from core.months import month_end, shifted
from ingest.dates import EARLIEST, DateError, era_year

_YEAR = r"(?:(?P<era>令和|平成|昭和|[rhs])\.?(?P<era_year>元|\d{1,2})|(?P<year>\d{4}))"
_POINT = re.compile(
    rf"{_YEAR}(?:年度(?:(?P<half>[上下])(?:半期|期)|(?:第?(?P<quarter>[1-4])四半期|q(?P<q>[1-4]))|(?P<own_month>\d{{1,2}})月分?)?"
    r"|(?:年|[-/.])(?P<month>\d{1,2})(?:月?(?:分|度)?|(?:月|[-/.])(?P<day>\d{1,2})日?)|(?P<whole>年)?)"
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)?")
_SERIAL = re.compile(r"\d{5}")
_SERIAL_EPOCH = date(1899, 12, 30)
_SHORT = re.compile(r"(?P<month>\d{1,2})(?:月(?:分|度)?(?:(?P<day>\d{1,2})日)?|[/.](?P<short_day>\d{1,2}))")
_BETWEEN = re.compile(r"[~〜～]|から|-{2,}|(?<=[日月度\d])[-–—―](?=(?:令和|平成|[rh]\d|\d{4}[年/]|\d{1,2}月))")
_MIDNIGHT = re.compile(r"[ t]0{1,2}:00(:00(\.0+)?)?$")
_NAMED = (
    re.compile(rf"{_YEAR}年度(?:[上下](?:半期|期)|第?[1-4]四半期)?"),
    re.compile(rf"{_YEAR}年\d{{1,2}}月(?!\d)"),
    re.compile(r"(?<!\d)(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])(?!\1?\d)"),
)
_UNREADABLE = "期間として読めません。2026-04、令和8年4月、2026年度 のように書いてください。"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From a day to a day, both included."""

    since: date
    until: date

    @property
    def is_months(self) -> bool:
        """Whether it is made of whole months."""
        return self.since.day == 1 and self.until == month_end(self.until)

    def before(self) -> Span:
        """The one of the same length just before: as many months where it is made of months, else as many days."""
        end = self.since - timedelta(days=1)
        if not self.is_months:
            return Span(end - (self.until - self.since), end)
        months = 12 * (self.until.year - self.since.year) + self.until.month - self.since.month + 1
        return Span(shifted(self.since, -months), end)


def parse_period(text: str, *, year: int | None = None, months: bool = False) -> Span:
    """Reads a period in any width: 2026-04, 202604, 令和8年4月, R8.4, 2026年度, 令和8年度第1四半期, 2026年, a day, A〜B.

    ``year`` is the 年度 of a month that stands alone (4月). ``months``: a day stands for its month, as spreadsheets keep months.

    Raises:
        DateError: unreadable, no such day, before 1945, or the end before the beginning.
    """
    given = _MIDNIGHT.sub("", unicodedata.normalize("NFKC", text).strip().lower())
    given = "".join(given.split()).replace("まで", "")
    parts = _BETWEEN.split(given, maxsplit=1)
    try:
        span = _point(parts[0], year=year, months=months)
        if len(parts) == 2:
            span = Span(span.since, _point(parts[1], year=fiscal_year(span.since), months=months).until)
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, DateError) else DateError("暦にない日付です。") from None
    if span.until < span.since:
        raise DateError("期間の終わりが、始まりより前です。")
    if span.since < EARLIEST:
        raise DateError(f"{EARLIEST.year}年より前の期間です。")
    return span


def period_in_file_name(name: str) -> Span | None:
    """The month or the 年度 that a file's name tells (faq_202604, FAQ令和8年度). A whole date tells none: it is when it was written."""
    given = "".join(unicodedata.normalize("NFKC", name).lower().split())
    for pattern in _NAMED:
        if match := pattern.search(given):
            try:
                return parse_period(match[0].replace("_", "-"))
            except DateError:
                continue
    return None


def _point(given: str, *, year: int | None, months: bool) -> Span:
    if _SERIAL.fullmatch(given):
        return _day(_SERIAL_EPOCH + timedelta(days=int(given)), months=months)
    if match := _COMPACT.fullmatch(given):
        return _of(int(match["year"]), match["month"], match["day"], months=months)
    if match := _POINT.fullmatch(given):
        return _written(match, given, months=months)
    match = _SHORT.fullmatch(given)
    if not match:
        raise DateError(_UNREADABLE)
    if year is None:
        raise DateError("何年度の月か分かりません。期間に 2026年度 のように年度を指定してください（命令では --period）。")
    day = match["day"] or match["short_day"]
    return _of(_year_of(year, int(match["month"])), match["month"], day, months=months)


def _written(match: re.Match[str], given: str, *, months: bool) -> Span:
    year = int(match["year"]) if match["year"] else era_year(match["era"], match["era_year"])
    if "年度" in given:
        if match["own_month"]:
            return _of(_year_of(year, int(match["own_month"])), match["own_month"], None, months=months)
        quarter = match["quarter"] or match["q"]
        first, count = (3 * (int(quarter) - 1), 3) if quarter else ({"上": 0, "下": 6, None: 0}[match["half"]], 6 if match["half"] else 12)
        return _months(year, 4 + first, count)
    if match["month"]:
        return _of(year, match["month"], match["day"], months=months)
    return _months(year, 1, 12)


def _of(year: int, month: str, day: str | None, *, months: bool) -> Span:
    if day:
        return _day(date(year, int(month), int(day)), months=months)
    return _months(year, date(year, int(month), 1).month, 1)


def _day(day: date, *, months: bool) -> Span:
    return _months(day.year, day.month, 1) if months else Span(day, day)


def _months(year: int, month: int, count: int) -> Span:
    """So many months from a month; one after December is in the year after."""
    first = shifted(date(year, 1, 1), month - 1)
    return Span(first, month_end(shifted(first, count - 1)))


def _year_of(fiscal: int, month: int) -> int:
    """The calendar year of a 年度's month."""
    return fiscal if month >= 4 else fiscal + 1
