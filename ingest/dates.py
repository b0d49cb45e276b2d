"""Dates as Japanese offices write them: 和暦, 西暦, ISO 8601, spreadsheet serials, with or without a time of day."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from core.clock import TOKYO, to_tokyo, today

EARLIEST = date(1945, 1, 1)
_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988, "s": 1925}
_SERIAL_EPOCH = date(1899, 12, 30)
_WEEKDAY = re.compile(r"\([月火水木金土日](?:曜日?)?・?(?:祝日?|休日?)?\)|[月火水木金土日]曜日?")
_LOOSE = re.compile(r"(?<=[年月日./-])\s+|\s+(?=[年月日./-])|(?<=和)\s+|(?<=成)\s+|(?<=^[rhs])\s+")
_DAY = re.compile(
    r"(?:(?P<era>令和|平成|昭和|[rhs])\.?(?P<era_year>元|\d{1,2})|(?P<year>\d{4}))"
    r"(?:年|[./-])(?P<month>\d{1,2})(?:月|[./-])(?P<day>\d{1,2})(?!\d)日?\s*(?P<rest>.*)"
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:[t ]?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_TIME = re.compile(
    r"t?(?P<half>午前|午後|am|pm)?(?P<hour>\d{1,2})"
    r"(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.\d+)?)?|時(?:(?P<minute_ja>\d{1,2})分(?:(?P<second_ja>\d{1,2})秒)?)?)"
    r"(?P<half_after>am|pm)?(?P<zone>z|[+-]\d\d:?\d\d)?"
)
_FILE_DAY = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:(?P<sep>[-_.]?)(?P<month>0[1-9]|1[0-2])(?:(?P=sep)(?P<day>[0-3]\d))?(?!\d)"
    r"|年(?P<month_ja>\d{1,2})月(?:(?P<day_ja>\d{1,2})日)?)"
)
_FILE_ERA = re.compile(r"(?P<era>令和|平成|r|h)(?P<era_year>元|\d{1,2})年(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日)?")


class DateError(ValueError):
    """Why a date can't be taken, in Japanese, without the content."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day in Japan, and the moment when the source gave a time of day too (aware)."""

    day: date
    at: datetime | None = None


def parse_moment(text: str, *, as_of: date | None = None) -> Moment:
    """Reads a date or a date with time; times without a zone are 日本時間.

    Understands 令和6年4月1日, R6.4.1, 令和元年5月1日, 平成, 昭和, 2024/4/1 13:05, 2024-04-01T13:05:00+09:00,
    2024年4月1日 午後1時5分, 20240401, 202404011305, and spreadsheet serials (45383, 45383.545), in any width.

    Raises:
        DateError: unreadable, no such day, before 1945, or later than the day after ``as_of`` (today by default).
    """
    return _parsed(text, as_of or today())


@lru_cache(maxsize=2_000)  # a column holds a day many times
def _parsed(text: str, as_of: date) -> Moment:
    given = unicodedata.normalize("NFKC", text).strip().lower()
    moment = _serial(given) or _compact(given) or _written(given)
    if moment.day < EARLIEST:
        raise DateError(f"{EARLIEST.year}年より前の日付です。")
    if moment.day > as_of + timedelta(days=1):
        raise DateError("先の日付です。")
    return moment


def add_time(day: date, text: str) -> datetime:
    """A moment from a day and a time of day in a cell of its own (13:05, 午後1時5分, a serial's fraction such as 0.545).

    Raises:
        DateError: not a time of day.
    """
    given = "".join(unicodedata.normalize("NFKC", text).lower().split())
    if re.fullmatch(r"0?\.\d+", given):
        return datetime.combine(day, time(), TOKYO) + timedelta(seconds=round(float(given) * 86400))
    match = _TIME.fullmatch(given)
    if not match:
        raise DateError("時刻として読めません。")
    return datetime.combine(day, _clock(match), TOKYO)


def day_in_file_name(name: str, *, as_of: date | None = None) -> date | None:
    """The date that a file's name tells (kanko_202601 → 2026-01-01, 20240117, 令和6年4月), if it is a possible one."""
    given = "".join(unicodedata.normalize("NFKC", name).lower().split())
    for match in (*_FILE_DAY.finditer(given), *_FILE_ERA.finditer(given)):
        parts = match.groupdict()
        try:
            year = int(parts["year"]) if parts.get("year") else era_year(parts["era"], parts["era_year"])
            month, number = parts["month"] or parts["month_ja"], parts["day"] or parts.get("day_ja") or 1
            day = date(year, int(month), int(number))
        except (ValueError, DateError):
            continue
        if EARLIEST <= day <= (as_of or today()) + timedelta(days=1):
            return day
    return None


def _serial(given: str) -> Moment | None:
    if not _SERIAL.fullmatch(given):
        return None
    day = _SERIAL_EPOCH + timedelta(days=int(given[:5]))
    if "." not in given:
        return Moment(day)
    at = datetime.combine(day, time(), TOKYO) + timedelta(seconds=round(float("0" + given[5:]) * 86400))
    return Moment(at.date(), at)


def _compact(given: str) -> Moment | None:
    match = _COMPACT.fullmatch(given)
    if not match:
        return None
    day = _date(int(match["year"]), match)
    if not match["hour"]:
        return Moment(day)
    return Moment(day, datetime.combine(day, _time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0)), TOKYO))


def _written(given: str) -> Moment:
    match = _DAY.fullmatch(_LOOSE.sub("", _WEEKDAY.sub("", given, count=1)))
    if not match:
        raise DateError("日付として読めません。令和7年4月1日、2025/4/1 のように書いてください。")
    day = _date(int(match["year"]) if match["year"] else era_year(match["era"], match["era_year"]), match)
    rest = match["rest"]
    if not rest:
        return Moment(day)
    clock = _TIME.fullmatch("".join(rest.split()))
    if not clock:
        raise DateError("日付のあとの時刻が読めません。13:05 か午後1時5分のように書いてください。")
    if clock["zone"]:
        zone = clock["zone"].replace("z", "+00:00")
        wall_clock = _clock(clock)
        try:
            at = to_tokyo(datetime.fromisoformat(f"{day.isoformat()}T{wall_clock.isoformat()}{zone}"))
        except (ValueError, OverflowError):
            raise DateError("時差のある時刻として読めません。") from None
        return Moment(at.date(), at)
    return Moment(day, datetime.combine(day, _clock(clock), TOKYO))


def era_year(era: str, year: str) -> int:
    """The western year of an era's (令和, r …) year, a number or 元.

    Raises:
        DateError: the year is 0.
    """
    number = 1 if year == "元" else int(year)
    if not number:
        raise DateError("元号の年が 0 です。")
    return _ERA_START[era] + number


def _date(year: int, match: re.Match[str]) -> date:
    try:
        return date(year, int(match["month"]), int(match["day"]))
    except ValueError:
        raise DateError("暦にない日付です。") from None


def _clock(match: re.Match[str]) -> time:
    hour, half = int(match["hour"]), match["half"] or match["half_after"]
    if half and hour > 12:
        raise DateError("時刻として読めません。")
    if half in ("午後", "pm") and hour < 12:
        hour += 12
    elif half in ("午前", "am") and hour == 12:
        hour = 0
    return _time(hour, int(match["minute"] or match["minute_ja"] or 0), int(match["second"] or match["second_ja"] or 0))


def _time(hour: int, minute: int, second: int) -> time:
    try:
        return time(hour, minute, second)
    except ValueError:
        raise DateError("ない時刻です。") from None
