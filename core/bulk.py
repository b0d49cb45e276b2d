"""Many rows at a time: inserted column by column in one call of the driver, and looked up by one parameter for all their keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, cast

from sqlalchemy import ARRAY, JSON, ColumnElement, Dialect, FromClause, LargeBinary, Table, any_, func, insert, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]


class RawJson(str):
    """A value for a JSON column that is JSON text already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Same:
    """The one value that all rows have in a column."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Target:
    """How rows that name the same columns go to a database.

    Attributes:
        statement: an INSERT, or on PostgreSQL a COPY.
        names: the columns, in its order.
        processors: for each of them what its type makes of all its values.
        defaults: what makes the value of each column that the rows don't name.
    """

    statement: str
    names: tuple[str, ...]
    processors: tuple[Processor, ...]
    defaults: Mapping[str, Callable[[], Any]]


def insert_rows(session: Session, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns; the others take the table's defaults."""
    if rows:
        insert_columns(session, table, {name: [row[name] for row in rows] for name in rows[0]}, count=len(rows))


def insert_columns(session: Session, table: FromClause, columns: Mapping[str, Sequence[Any] | Same], *, count: int) -> None:
    """Inserts ``count`` rows given by columns; the columns that are left out take the table's defaults.

    The values go through the columns' types as SQLAlchemy sends them, but not through its work on each row; PostgreSQL takes them by COPY.
    ``table``: a model's ``__table__``, which SQLAlchemy's types call no more than something to select from.

    Raises:
        IntegrityError: a row breaks a constraint, as from SQLAlchemy.
    """
    if not count:
        return
    connection = session.connection()
    target = _target(cast("Table", table), tuple(columns), connection.dialect)
    given = {**{name: Same(make()) for name, make in target.defaults.items()}, **columns}
    ready = (_ready(given[name], process, count) for name, process in zip(target.names, target.processors, strict=True))
    rows = zip(*ready, strict=False)
    if connection.dialect.name == "postgresql":
        _copy(connection.connection.driver_connection, target.statement, rows)
    else:
        connection.exec_driver_sql(target.statement, list(rows))


def among(session: Session, field: ColumnElement[Any] | InstrumentedAttribute[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a column has one of these values, which go to the database as one parameter.

    With a parameter for each of a thousand values, the drivers take longer to hand them over than the database to answer.
    """
    if session.get_bind().dialect.name == "postgresql":
        return field == any_(literal(list(values), ARRAY(field.type)))
    return field.in_(select(func.json_each(json.dumps(list(values), ensure_ascii=False)).table_valued("value").c.value))


def _ready(values: Sequence[Any] | Same, process: Processor, count: int) -> Iterable[Any]:
    if isinstance(values, Same):
        return repeat(process([values.value])[0], count)
    if len(values) != count:
        raise ValueError("a column with fewer or more values than rows")
    return process(values)  # type: ignore[no-any-return]


def _copy(connection: Any, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    import psycopg

    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True) from error


@lru_cache(maxsize=64)
def _target(table: Table, given: tuple[str, ...], dialect: Dialect) -> _Target:
    taken = [column for column in table.columns if column.key in given or column.default is not None]
    names = tuple(column.key for column in taken)
    if dialect.name == "postgresql":
        quote = dialect.identifier_preparer.quote
        statement = f"COPY {quote(table.name)} ({', '.join(quote(name) for name in names)}) FROM STDIN"
    else:
        compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
        statement = str(compiled)
        if tuple(compiled.positiontup or ()) != names:
            raise AssertionError("SQLAlchemy takes the values in the table's order")
    return _Target(
        statement=statement,
        names=names,
        processors=tuple(_processor(column.type, dialect) for column in taken),
        defaults={column.key: _maker(column.default) for column in taken if column.key not in given},
    )


def _processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor:
    own = kind.dialect_impl(dialect)
    if isinstance(own, JSON):
        missing = None if own.none_as_null else "null"
        return lambda values: [_as_json(value, missing) for value in values]
    if isinstance(own, LargeBinary):
        return _as_they_are  # both drivers take bytes
    process = own.bind_processor(dialect)
    return _as_they_are if process is None else lambda values: _each_once(process, values)


def _as_they_are(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _each_once(process: Processor, values: Sequence[Any]) -> list[Any]:
    """What a type makes of each value. Most columns that have a type of their own hold few values, many times."""
    made: dict[Any, Any] = {}
    for value in values:
        if value not in made:
            made[value] = process(value)
    return [made[value] for value in values]


def _as_json(value: Any, missing: str | None) -> str | None:
    """As SQLAlchemy writes JSON. Both drivers take the text."""
    if isinstance(value, RawJson):
        return str(value)
    if value is None:
        return missing
    return json.dumps(value) if value else _EMPTY.get(type(value)) or json.dumps(value)


_EMPTY: Final[dict[type[Any], str]] = {dict: "{}", list: "[]"}


def _maker(default: Any) -> Callable[[], Any]:
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)
