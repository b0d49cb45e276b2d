"""What pages read of the counts: whole months from the sums by month, the days at a period's ends from the daily ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Select, Subquery, func, literal, select, union_all
from sqlalchemy.orm import Session

from core.facts.cuts import CUTS
from core.models import DailyCount, MonthlyCount
from core.months import shifted

Step = Literal["day", "week", "month"]
# An address may name any day; months before the first and after the last that there is can't be told.
_EARLIEST, _LATEST = date(2, 1, 1), date(9998, 12, 31)


def totals(
    session: Session, facet: str, *, since: date | None = None, until: date | None = None, values: Collection[str] | None = None
) -> dict[str, int]:
    """How many voices have each value of an attribute (each of ``values``), in their order; of "" the number of all voices under ""."""
    rows = _spread((facet, ""), since, until, values=values)
    return dict(session.execute(select(rows.c.value, func.sum(rows.c.voices)).group_by(rows.c.value).order_by(rows.c.value)).all())


def series(
    session: Session,
    facet: str,
    *,
    since: date | None = None,
    until: date | None = None,
    by: Step = "day",
    values: Collection[str] | None = None,
) -> dict[date, dict[str, int]]:
    """``totals`` of each step that has voices, under its first day: the day itself, the week's Monday or the month's first."""
    if by == "month":
        rows = _spread((facet, ""), since, until, values=values)
        months = select(rows.c.month, rows.c.value, func.sum(rows.c.voices)).group_by(rows.c.month, rows.c.value)
        counted = session.execute(months.order_by(rows.c.month, rows.c.value)).all()
        return {month: {value: number for _, value, number in group} for month, group in groupby(counted, key=lambda row: row[0])}
    found: dict[date, Counter[str]] = {}
    for day, value, _, number in daily(session, facet, since=since, until=until, values=values):
        found.setdefault(day - timedelta(days=day.weekday()) if by == "week" else day, Counter())[value] += number
    return {step: dict(sorted(counts.items())) for step, counts in found.items()}


def series_of(
    session: Session, facet: str, value: str, *, since: date | None = None, until: date | None = None, by: Step = "day"
) -> dict[date, int]:
    """How many voices have one value, by step as ``series`` has them; steps without any are left out."""
    found = series(session, facet, since=since, until=until, by=by, values=[value])
    return {step: counts[value] for step, counts in found.items()}


def daily(
    session: Session,
    facet: str,
    *,
    by_facet: str = "",
    since: date | None = None,
    until: date | None = None,
    values: Collection[str] | None = None,
) -> list[tuple[date, str, str, int]]:
    """Day, value, value of ``by_facet`` ("" without) and number of voices, in this order; what no voice has is left out.

    Raises:
        ValueError: these two aren't counted together.
    """
    cut, (value, by_value) = _columns(facet, by_facet, DailyCount)
    statement = select(DailyCount.received_on, value, by_value, DailyCount.voices).where(*_of(DailyCount, cut))
    statement = statement.where(*_between(DailyCount.received_on, since, until), *([value.in_(values)] if values is not None else []))
    return [tuple(row) for row in session.execute(statement.order_by(DailyCount.received_on, value, by_value))]


def cross(
    session: Session,
    facet: str,
    by_facet: str,
    *,
    since: date | None = None,
    until: date | None = None,
    values: Collection[str] | None = None,
) -> dict[tuple[str, str], int]:
    """How many voices have each pair of values of two attributes (``values`` of the first); pairs that no voice has are left out.

    Raises:
        ValueError: these two aren't counted together.
    """
    rows = _spread((facet, by_facet), since, until, values=values)
    columns = (rows.c.value, rows.c.by_value)
    statement = select(*columns, func.sum(rows.c.voices)).group_by(*columns).order_by(*columns)
    return {(value, other): number for value, other, number in session.execute(statement)}


def voices_with(chosen: Mapping[str, str | Collection[str]], *, since: date | None = None, until: date | None = None) -> Select[int]:
    """The statement that says how many voices have these values (any of those given) of none, one or two attributes.

    Raises:
        ValueError: these attributes aren't counted together.
    """
    names = sorted(chosen)
    if not is_counted(names):
        raise ValueError(f"not counted by {names}")
    facet, by_facet = (*names, "", "")[:2]
    wanted = ([str(value)] if isinstance(value, str) else list(value) for value in (chosen[name] for name in names))
    values, by_values = (*wanted, None, None)[:2]
    rows = _spread((facet, by_facet), since, until, values=values, by_values=by_values)
    return select(func.coalesce(func.sum(rows.c.voices), 0))


def is_counted(names: Sequence[str]) -> bool:
    """Whether ``voices_with`` can tell how many voices have certain values of these attributes."""
    return len(names) <= 2 and (*sorted(names), "", "")[:2] in CUTS


def span(session: Session) -> tuple[date, date] | None:
    """The days of the oldest and the newest voice; ``None`` when there is none."""
    days = select(func.min(DailyCount.received_on), func.max(DailyCount.received_on)).where(*_of(DailyCount, ("", "")))
    first, last = session.execute(days).one()
    return (first, last) if first and last else None


def _columns(facet: str, by_facet: str, table: Any) -> tuple[tuple[str, str], tuple[Any, Any]]:
    """The cut as it is kept, and the columns of ``facet`` and ``by_facet`` in it.

    Raises:
        ValueError: these two aren't counted together.
    """
    cut, columns = (facet, by_facet), (table.value, table.by_value)
    if by_facet and by_facet < facet:
        cut, columns = (by_facet, facet), (table.by_value, table.value)
    if cut not in CUTS:
        raise ValueError(f"not counted by {facet!r} and {by_facet!r}")
    return cut, columns


def _spread(
    facets: tuple[str, str],
    since: date | None,
    until: date | None,
    *,
    values: Collection[str] | None = None,
    by_values: Collection[str] | None = None,
) -> Subquery:
    """The counts of a period as rows of ``month``, ``value`` and ``by_value`` of the two facets, and ``voices``; few, not summed up."""
    parts = []
    months, ends = _parts(since, until)
    pieces: list[tuple[Any, Any, list[ColumnElement[bool]]]] = [
        (DailyCount, literal(first.replace(day=1), Date), _between(DailyCount.received_on, first, last)) for first, last in ends
    ]
    if months:
        pieces.append((MonthlyCount, MonthlyCount.month, _between(MonthlyCount.month, *months)))
    for table, month, when in pieces:
        cut, (value, by_value) = _columns(*facets, table)
        where = [*_of(table, cut), *when]
        where += [column.in_(wanted) for column, wanted in ((value, values), (by_value, by_values)) if wanted is not None]
        parts.append(select(month.label("month"), value.label("value"), by_value.label("by_value"), table.voices).where(*where))
    return union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()


def _parts(since: date | None, until: date | None) -> tuple[tuple[date | None, date | None] | None, list[tuple[date, date]]]:
    """The first and the last whole month of a period, ``None`` where there is none, and the days that no whole month has.

    Each of these lies within one month.
    """
    since = since and min(max(since, _EARLIEST), _LATEST)
    until = until and min(max(until, _EARLIEST), _LATEST)
    first = shifted(since, 1) if since and since.day > 1 else since
    last = until and shifted(until + timedelta(days=1), -1)
    if since and until and first and last and first > last:
        cut = until.replace(day=1)
        return None, [(since, cut - timedelta(days=1)), (cut, until)] if since < cut else [(since, until)]
    ends = []
    if since and first and since != first:
        ends.append((since, first - timedelta(days=1)))
    if until and last and shifted(last, 1) <= until:
        ends.append((shifted(last, 1), until))
    return (first, last), ends


def _of(table: Any, cut: tuple[str, str]) -> list[ColumnElement[bool]]:
    return [table.facet == cut[0], table.by_facet == cut[1]]


def _between(day: Any, since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    return [*([day >= since] if since else []), *([day <= until] if until else [])]
