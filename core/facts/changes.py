"""Changes of the counts, in the transaction that changes the voices: a few statements, however many voices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.facts.cuts import ATTRIBUTES, CUTS, TOPIC

_Key = tuple[str, str, str, str, str]  # facet, by_facet, day or month, value, by_value


@dataclass(frozen=True, slots=True)
class _Statements:
    """How rows are added to a table and, where they came to nothing, taken out."""

    add: str
    empty: str


def add(session: Session, voices: Sequence[Mapping[str, Any]]) -> None:
    """Counts new voices, given as rows that have ``received_on`` and every attribute (members of enums or their values).

    One without ``topic`` is in none yet.
    """
    _change(session, _counted(voices))


def remove(session: Session, voices: Sequence[Mapping[str, Any]]) -> None:
    """Takes voices out of the counts, with the attributes that they had last."""
    _change(session, {key: -number for key, number in _counted(voices).items()})


def move(session: Session, *, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
    """Counts the same voices anew after their attributes changed."""
    changes = Counter(_counted(after))
    changes.subtract(_counted(before))
    _change(session, {key: number for key, number in sorted(changes.items()) if number})


def _counted(voices: Sequence[Mapping[str, Any]]) -> dict[_Key, int]:
    """The counts of these voices, in the order of their keys: two writers who take rows in one order can't wait for each other."""
    days = _column([voice["received_on"] for voice in voices])
    columns = {name: _column([voice[name] for voice in voices]) for name in ATTRIBUTES if name != TOPIC}
    columns |= {TOPIC: _column([voice.get(TOPIC, "") for voice in voices]), "": [""] * len(voices)}
    # Most chunks have attributes that all voices share, the topic "" above all: nothing has to be counted again by those.
    shared = {name: column[0] for name, column in columns.items() if column and column.count(column[0]) == len(column)}
    single = {name: Counter(zip(days, column, strict=True)) for name, column in columns.items()}
    found: dict[_Key, int] = {}
    for facet, by_facet in CUTS:
        if by_facet in shared:
            cut = {(day, value, shared[by_facet]): number for (day, value), number in single[facet].items()}
        elif facet in shared:
            cut = {(day, shared[facet], value): number for (day, value), number in single[by_facet].items()}
        else:
            cut = Counter(zip(days, columns[facet], columns[by_facet], strict=True))
        found |= {(facet, by_facet, *key): number for key, number in sorted(cut.items())}
    return found


def _column(values: Sequence[Any]) -> list[str]:
    written = {value: str(value) for value in set(values)}  # an enum's member is equal to its value, but no driver knows it
    return [written[value] for value in values]


def _change(session: Session, changes: Mapping[_Key, int]) -> None:
    if not changes:
        return
    connection = session.connection()
    statements = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    # All days before all months: in one order, as within each.
    for table, rows in (("daily_counts", changes), ("monthly_counts", _by_month(changes))):
        if not rows:  # a month's changes may cancel each other
            continue
        fewer = [key for key, number in rows.items() if number < 0]
        if statements is _POSTGRESQL:
            connection.exec_driver_sql(statements[table].add, (*map(_array, zip(*rows, strict=True)), _array(map(str, rows.values()))))
            if fewer:
                connection.exec_driver_sql(statements[table].empty, tuple(map(_array, zip(*fewer, strict=True))))
        else:
            connection.exec_driver_sql(statements[table].add, [(*key, number) for key, number in rows.items()])
            if fewer:
                connection.exec_driver_sql(statements[table].empty, fewer)


def _by_month(changes: Mapping[_Key, int]) -> dict[_Key, int]:
    months: Counter[_Key] = Counter()
    for (facet, by_facet, day, value, by_value), number in changes.items():
        months[facet, by_facet, f"{day[:8]}01", value, by_value] += number
    return {key: number for key, number in sorted(months.items()) if number}


def _array(values: Iterable[str]) -> str:
    # As PostgreSQL writes an array. The driver's own way, value by value, takes longer than the counting.
    return '{"' + "\0".join(values).replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","') + '"}'


def _sqlite(table: str, day: str) -> _Statements:
    key = f"facet, by_facet, {day}, value, by_value"
    return _Statements(
        f"INSERT INTO {table} ({key}, voices) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
        f" ON CONFLICT ({key}) DO UPDATE SET voices = {table}.voices + excluded.voices",
        f"DELETE FROM {table} WHERE facet = ? AND by_facet = ? AND {day} = ? AND value = ? AND by_value = ? AND voices = 0",  # noqa: S608
    )


def _postgresql(table: str, day: str) -> _Statements:
    key = f"facet, by_facet, {day}, value, by_value"
    return _Statements(
        f"INSERT INTO {table} ({key}, voices)"  # noqa: S608
        " SELECT * FROM unnest(%s::text[], %s::text[], %s::date[], %s::text[], %s::text[], %s::int[])"
        f" ON CONFLICT ({key}) DO UPDATE SET voices = {table}.voices + excluded.voices",
        f"DELETE FROM {table} AS counts USING unnest(%s::text[], %s::text[], %s::date[], %s::text[], %s::text[]) AS gone ({key})"  # noqa: S608
        " WHERE counts.facet = gone.facet AND counts.by_facet = gone.by_facet"
        f" AND counts.{day} = gone.{day} AND counts.value = gone.value AND counts.by_value = gone.by_value AND counts.voices = 0",
    )


_SQLITE = {"daily_counts": _sqlite("daily_counts", "received_on"), "monthly_counts": _sqlite("monthly_counts", "month")}
_POSTGRESQL = {"daily_counts": _postgresql("daily_counts", "received_on"), "monthly_counts": _postgresql("monthly_counts", "month")}
