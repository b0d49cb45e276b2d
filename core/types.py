"""Column types that behave the same on SQLite and PostgreSQL, and refuse what would go wrong later."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import JSON, Boolean, ColumnElement, DateTime, Dialect, LargeBinary, String, literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

JsonType = JSON().with_variant(JSONB(), "postgresql")
NullableJsonType = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BytesType = LargeBinary()

E = TypeVar("E", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. A naive one raises ``ValueError``: guessing a zone loses nine hours."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: give it a timezone")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StrEnumType(TypeDecorator[E]):
    """A ``StrEnum`` stored as its value; an unknown value raises ``ValueError`` on the way in and out."""

    impl = String(32)
    cache_ok = True

    def __init__(self, enum: type[E]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return None if value is None else self.enum(value)


class _ListHolds(FunctionElement[bool]):
    """What ``list_holds`` asks; each database has its own way to look into a list."""

    inherit_cache = True
    type = Boolean()


@compiles(_ListHolds, "sqlite")
def _holds_in_sqlite(element: _ListHolds, compiler: Any, **options: Any) -> str:
    column, text = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {text})"  # noqa: S608  (what SQLAlchemy compiled)


@compiles(_ListHolds, "postgresql")
def _holds_in_postgresql(element: _ListHolds, compiler: Any, **options: Any) -> str:
    column, text = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} @> jsonb_build_array(CAST({text} AS TEXT)))"


def list_holds(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a JSON column's list has a text among its elements."""
    return _ListHolds(column, literal(text, String))
