"""Many rows at a time: inserted in one call of the driver, and looked up by one parameter for all their keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, JSON, ColumnElement, Dialect, Table, any_, func, insert, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]


class RawJson(str):
    """A value for a JSON column that is JSON text already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """How rows that name the same columns go to a database.

    Attributes:
        statement: the INSERT.
        names: the columns whose values it takes, in its order.
        by_place: whether it takes them by place or by name.
        processed: the places of those that go through their type, and how.
        defaults: what makes the value of each column that the rows don't name.
    """

    statement: str
    names: tuple[str, ...]
    by_place: bool
    processed: tuple[tuple[int, Processor], ...]
    defaults: Mapping[str, Callable[[], Any]]


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns; the others take the table's defaults.

    The values go through the columns' types as SQLAlchemy sends them, but not through its work on each row: a voice takes 22 µs
    instead of 39 on SQLite, 53 instead of 73 on PostgreSQL.
    """
    if not rows:
        return
    connection = session.connection()
    shape = _shape(table, tuple(rows[0]), connection.dialect)
    fixed = {name: make() for name, make in shape.defaults.items()}
    pick = itemgetter(*shape.names)
    values: list[Any] = [list(pick({**fixed, **row} if fixed else row)) for row in rows]
    for place, process in shape.processed:
        for value in values:
            value[place] = process(value[place])
    ready = map(tuple, values) if shape.by_place else (dict(zip(shape.names, value, strict=True)) for value in values)
    connection.exec_driver_sql(shape.statement, list(ready))


def among(session: Session, field: ColumnElement[Any] | InstrumentedAttribute[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a column has one of these values, which go to the database as one parameter.

    With a parameter for each of a thousand values, the drivers take longer to hand them over than the database to answer.
    """
    if session.get_bind().dialect.name == "postgresql":
        return field == any_(literal(list(values), ARRAY(field.type)))
    return field.in_(select(func.json_each(json.dumps(list(values), ensure_ascii=False)).table_valued("value").c.value))


@lru_cache(maxsize=64)
def _shape(table: Table, given: tuple[str, ...], dialect: Dialect) -> _Shape:
    taken = [column for column in table.columns if column.key in given or column.default is not None]
    names = tuple(column.key for column in taken)
    compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
    if compiled.positiontup and tuple(compiled.positiontup) != names:
        raise AssertionError("SQLAlchemy takes the values in the table's order")
    processed = [(place, _processor(column.type, dialect)) for place, column in enumerate(taken)]
    return _Shape(
        statement=str(compiled),
        names=names,
        by_place=bool(compiled.positiontup),
        processed=tuple((place, process) for place, process in processed if process is not None),
        defaults={column.key: _maker(column.default) for column in taken if column.key not in given},
    )


def _processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    own = kind.dialect_impl(dialect)
    return _as_json if isinstance(own, JSON) else own.bind_processor(dialect)


def _as_json(value: Any) -> str:
    """As SQLAlchemy writes JSON. Both drivers take the text."""
    if isinstance(value, RawJson):
        return str(value)
    return json.dumps(value) if value else _EMPTY.get(type(value)) or json.dumps(value)


_EMPTY: dict[type[Any], str] = {dict: "{}", list: "[]"}


def _maker(default: Any) -> Callable[[], Any]:
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)
