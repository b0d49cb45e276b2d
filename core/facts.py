"""Daily counts: how many voices of a day have which attributes, kept in step with the voices, so that no dashboard scans them.

A row counts the voices of a day by nothing (``facet`` is ""), by one attribute, or by two whose names are in alphabetical order
(中分類 only by itself). A value may be "", a voice without 所管課 say; that a row counts by one attribute alone, ``by_facet`` "" tells.
Whoever adds, relabels or removes voices says so here in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, groupby, starmap
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Select, delete, func, insert, literal, select, text, union_all
from sqlalchemy.orm import Session

from core import db
from core.models import DailyCount, Voice

ATTRIBUTES = ("channel", "department", "district", "kind", "subtheme", "theme", "urgency")
COLUMNS = (Voice.received_on, *(getattr(Voice, name) for name in ATTRIBUTES))
"""What ``add`` and ``remove`` want to know of a voice: to be selected where only its id is at hand."""
_PAIRED = tuple(name for name in ATTRIBUTES if name != "subtheme")
_CUTS = tuple(sorted([("", ""), *((name, "") for name in ATTRIBUTES), *combinations(_PAIRED, 2)]))

Step = Literal["day", "week", "month"]
_Key = tuple[str, str, str, str, str]  # facet, by_facet, day, value, by_value

_UPSERT = "ON CONFLICT (facet, by_facet, received_on, value, by_value) DO UPDATE SET voices = daily_counts.voices + excluded.voices"
_ROWS_SQLITE = f"INSERT INTO daily_counts (facet, by_facet, received_on, value, by_value, voices) VALUES (?, ?, ?, ?, ?, ?) {_UPSERT}"  # noqa: S608
_ROWS_POSTGRESQL = (
    "INSERT INTO daily_counts (facet, by_facet, received_on, value, by_value, voices)"  # noqa: S608
    f" SELECT * FROM unnest(%s::text[], %s::text[], %s::date[], %s::text[], %s::text[], %s::int[]) {_UPSERT}"
)
_EMPTY_SQLITE = (
    "DELETE FROM daily_counts WHERE facet = ? AND by_facet = ? AND received_on = ? AND value = ? AND by_value = ? AND voices = 0"
)
_EMPTY_POSTGRESQL = (
    "DELETE FROM daily_counts AS counts USING unnest(%s::text[], %s::text[], %s::date[], %s::text[], %s::text[])"
    " AS gone (facet, by_facet, received_on, value, by_value)"
    " WHERE counts.facet = gone.facet AND counts.by_facet = gone.by_facet AND counts.received_on = gone.received_on"
    " AND counts.value = gone.value AND counts.by_value = gone.by_value AND counts.voices = 0"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that isn't what the voices say: ``kept`` stands in the table, ``counted`` is right."""

    facet: str
    by_facet: str
    received_on: date
    value: str
    by_value: str
    kept: int
    counted: int


def attributes_of(voice: Voice) -> dict[str, Any]:
    """A voice's day and attributes as they are now, as ``add``, ``remove`` and ``move`` take them."""
    return {column.key: getattr(voice, column.key) for column in COLUMNS}


def add(session: Session, voices: Sequence[Mapping[str, Any]]) -> None:
    """Counts new voices, given as rows that have ``received_on`` and every attribute (members of enums or their values)."""
    _change(session, _counted(voices))


def remove(session: Session, voices: Sequence[Mapping[str, Any]]) -> None:
    """Takes voices out of the counts, with the attributes that they had last."""
    _change(session, {key: -number for key, number in _counted(voices).items()})


def move(session: Session, *, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
    """Counts the same voices anew after their attributes changed."""
    changes = Counter(_counted(after))
    changes.subtract(_counted(before))
    _change(session, {key: number for key, number in sorted(changes.items()) if number})


def rebuild(engine: Engine) -> None:
    """Counts all voices from scratch, while others may go on writing."""
    with db.writing(engine) as session:
        if engine.dialect.name == "postgresql":
            # Voices that are counted but not yet committed are waited for; those that aren't counted yet are counted after this.
            session.execute(text("LOCK TABLE daily_counts IN SHARE ROW EXCLUSIVE MODE"))
        session.execute(delete(DailyCount))
        session.execute(insert(DailyCount).from_select(list(_COUNTS), _recount()))


def differences(session: Session, *, limit: int = 100) -> list[Difference]:
    """Where the counts aren't what the voices say, the first ``limit`` of them; empty when all is well."""
    counted = _recount().subquery()
    key = [counted.c[name] for name in _COUNTS[:-1]]
    both = union_all(
        select(*key, literal(0).label("kept"), counted.c.voices.label("counted")),
        select(*(getattr(DailyCount, name) for name in _COUNTS[:-1]), DailyCount.voices, literal(0)),
    ).subquery()
    key, kept, right = [both.c[name] for name in _COUNTS[:-1]], func.sum(both.c.kept), func.sum(both.c.counted)
    found = select(*key, kept, right).group_by(*key).having(kept != right).order_by(*key).limit(limit)
    return list(starmap(Difference, session.execute(found)))


def totals(session: Session, facet: str, *, since: date | None = None, until: date | None = None) -> dict[str, int]:
    """How many voices have each value of an attribute, in the order of the values; of "" the number of all voices under ""."""
    statement = select(DailyCount.value, func.sum(DailyCount.voices)).where(*_rows(facet, "", since=since, until=until))
    return dict(session.execute(statement.group_by(DailyCount.value).order_by(DailyCount.value)).all())


def series(
    session: Session, facet: str, *, since: date | None = None, until: date | None = None, by: Step = "day"
) -> dict[date, dict[str, int]]:
    """``totals`` of each step that has voices, under its first day: the day itself, the week's Monday or the month's first."""
    statement = select(DailyCount.received_on, DailyCount.value, DailyCount.voices).where(*_rows(facet, "", since=since, until=until))
    found: dict[date, dict[str, int]] = {}
    days = session.execute(statement.order_by(DailyCount.received_on, DailyCount.value))
    for step, rows in groupby(days, key=lambda row: _first_day(row.received_on, by)):
        sums: Counter[str] = Counter()
        for row in rows:
            sums[row.value] += row.voices
        found[step] = dict(sums)
    return found


def cross(
    session: Session, facet: str, by_facet: str, *, since: date | None = None, until: date | None = None
) -> dict[tuple[str, str], int]:
    """How many voices have each pair of values of two attributes; pairs that no voice has are left out.

    Raises:
        ValueError: these two aren't counted together.
    """
    first, second = sorted((facet, by_facet))
    columns = (DailyCount.value, DailyCount.by_value) if facet == first else (DailyCount.by_value, DailyCount.value)
    statement = select(*columns, func.sum(DailyCount.voices)).where(*_rows(first, second, since=since, until=until))
    return {(value, other): number for value, other, number in session.execute(statement.group_by(*columns).order_by(*columns))}


def voices_with(chosen: Mapping[str, str], *, since: date | None = None, until: date | None = None) -> Select[int]:
    """The statement that says how many voices have these values of none, one or two attributes.

    Raises:
        ValueError: these attributes aren't counted together.
    """
    names = sorted(chosen)
    if not is_counted(names):
        raise ValueError(f"not counted by {names}")
    facet, by_facet = (*names, "", "")[:2]
    found = _rows(facet, by_facet, since=since, until=until)
    found += [column == str(chosen[name]) for column, name in zip((DailyCount.value, DailyCount.by_value), names, strict=False)]
    return select(func.coalesce(func.sum(DailyCount.voices), 0)).where(*found)


def is_counted(names: Sequence[str]) -> bool:
    """Whether ``voices_with`` can tell how many voices have certain values of these attributes."""
    return len(names) <= 2 and (*sorted(names), "", "")[:2] in _CUTS


def span(session: Session) -> tuple[date, date] | None:
    """The days of the oldest and the newest voice; ``None`` when there is none."""
    days = select(func.min(DailyCount.received_on), func.max(DailyCount.received_on)).where(*_rows("", ""))
    first, last = session.execute(days).one()
    return (first, last) if first and last else None


_COUNTS = ("facet", "by_facet", "received_on", "value", "by_value", "voices")


def _rows(facet: str, by_facet: str, *, since: date | None = None, until: date | None = None) -> list[ColumnElement[bool]]:
    if (facet, by_facet) not in _CUTS:
        raise ValueError(f"not counted by {facet!r} and {by_facet!r}")
    found = [DailyCount.facet == facet, DailyCount.by_facet == by_facet]
    if since:
        found.append(DailyCount.received_on >= since)
    if until:
        found.append(DailyCount.received_on <= until)
    return found


def _first_day(day: date, by: Step) -> date:
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def _counted(voices: Sequence[Mapping[str, Any]]) -> dict[_Key, int]:
    """The counts of these voices, in the order of their keys: two writers who take rows in one order can't wait for each other."""
    days = _column(voices, "received_on")
    columns = {name: _column(voices, name) for name in ATTRIBUTES} | {"": [""] * len(voices)}
    return {
        (facet, by_facet, *key): number
        for facet, by_facet in _CUTS
        for key, number in sorted(Counter(zip(days, columns[facet], columns[by_facet], strict=True)).items())
    }


def _column(voices: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    values = [voice[name] for voice in voices]
    written = {value: str(value) for value in set(values)}  # an enum's member is equal to its value, but no driver knows it
    return [written[value] for value in values]


def _change(session: Session, changes: Mapping[_Key, int]) -> None:
    if not changes:
        return
    connection = session.connection()
    fewer = [key for key, number in changes.items() if number < 0]
    if connection.dialect.name == "postgresql":
        rows = zip(*changes, strict=True)
        connection.exec_driver_sql(_ROWS_POSTGRESQL, (*map(_array, rows), _array(map(str, changes.values()))))
        if fewer:
            connection.exec_driver_sql(_EMPTY_POSTGRESQL, tuple(map(_array, zip(*fewer, strict=True))))
    else:
        connection.exec_driver_sql(_ROWS_SQLITE, [(*key, number) for key, number in changes.items()])
        if fewer:
            connection.exec_driver_sql(_EMPTY_SQLITE, fewer)


def _array(values: Iterable[str]) -> str:
    # As PostgreSQL writes an array. The driver's own way, value by value, takes longer than the counting.
    return '{"' + "\0".join(values).replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","') + '"}'


def _recount() -> Any:
    """The statement that counts all voices, in the table's columns. One pass over them, cut finely, is what all cuts are summed from."""
    fine = select(*COLUMNS, func.count().label("voices")).group_by(*COLUMNS).cte("fine")
    nothing = literal("")
    cuts = []
    for facet, by_facet in _CUTS:
        values = [fine.c[name] if name else nothing for name in (facet, by_facet)]
        chosen = select(
            literal(facet).label("facet"),
            literal(by_facet).label("by_facet"),
            fine.c.received_on,
            values[0].label("value"),
            values[1].label("by_value"),
            func.sum(fine.c.voices).label("voices"),
        )
        named = [fine.c[name] for name in (facet, by_facet) if name]
        cuts.append(chosen.group_by(fine.c.received_on, *named))
    return union_all(*cuts)
