"""Many rows at a time: inserted in one call of the driver, and looked up by one parameter for all their keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Dialect, Table, any_, func, insert, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

Processor = Callable[[Any], Any]


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns; the others take the table's defaults.

    The values go through the columns' types as SQLAlchemy sends them, but not through its statements for each row, which took ten
    times as long as the database.
    """
    if not rows:
        return
    connection = session.connection()
    names = tuple(rows[0])
    statement, order, processors, defaults = _prepared(table, names, connection.dialect)
    values = [
        [row[name] if process is None else process(row[name]) for name, process in zip(names, processors, strict=True)] for row in rows
    ]
    fixed = [value() for value in defaults]
    if order is None:
        keys = (*names, *(column.key for column in _with_default(table, names)))
        connection.exec_driver_sql(statement, [dict(zip(keys, (*value, *fixed), strict=True)) for value in values])
    else:
        connection.exec_driver_sql(statement, [tuple([*value, *fixed][place] for place in order) for value in values])


def among(session: Session, field: ColumnElement[Any] | InstrumentedAttribute[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a column has one of these values, which go to the database as one parameter.

    With a parameter for each of a thousand values, the drivers take longer to hand them over than the database to answer.
    """
    if session.get_bind().dialect.name == "postgresql":
        return field == any_(literal(list(values), ARRAY(field.type)))
    return field.in_(select(func.json_each(json.dumps(list(values), ensure_ascii=False)).table_valued("value").c.value))


@lru_cache(maxsize=64)
def _prepared(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[str, tuple[int, ...] | None, tuple[Processor | None, ...], tuple[Callable[[], Any], ...]]:
    """The statement, the places of its values where they go by place, what each given value goes through, and the defaults."""
    defaulted = _with_default(table, names)
    keys = (*names, *(column.key for column in defaulted))
    compiled = insert(table).compile(dialect=dialect, column_keys=list(keys))
    order = tuple(keys.index(name) for name in compiled.positiontup) if compiled.positiontup else None
    processors = tuple(_processor(table, name, dialect) for name in names)
    return str(compiled), order, processors, tuple(_default(table, column.key, dialect) for column in defaulted)


def _with_default(table: Table, names: Sequence[str]) -> list[Any]:
    return [column for column in table.columns if column.default is not None and column.key not in names]


def _processor(table: Table, name: str, dialect: Dialect) -> Processor | None:
    return table.columns[name].type.dialect_impl(dialect).bind_processor(dialect)


def _default(table: Table, name: str, dialect: Dialect) -> Callable[[], Any]:
    given: Any = table.columns[name].default
    process = _processor(table, name, dialect)

    def value() -> Any:
        made = given.arg(None) if given.is_callable else given.arg
        return made if process is None else process(made)

    return value
