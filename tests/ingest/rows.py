"""Everything that a database holds, as rows that can be compared with those of another one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Engine, Integer, Table, select, text
from sqlalchemy.orm import Session

from core import db
from core.crypto import Keyring
from core.models import Base
from core.types import UtcDateTime
from nlp import postings

Rows = dict[str, list[dict[str, Any]]]
Ids = Mapping[str, Mapping[int, int]]

# Columns that hold ids without a foreign key that says so.
_POINTS_TO = {"voice_search.voice_id": "voices", "campaign_members.text_id": "voices",
              "reading_marks.voice_id": "voices", "cases.lead_id": "voices"}  # fmt: skip
# A chain over all that was written before, the times among it; ``core.audit.verify`` checks it.
_LEFT_OUT = frozenset(("audit_entries.previous", "audit_entries.digest"))
# Whose times the source gave; of all other times only whether they are set.
_GIVEN_TIMES = frozenset(("voices.received_at",))


def all_rows(engine: Engine, keyring: Keyring) -> Rows:
    """Every row of every table, sorted, with what is sealed opened.

    Left out: the time at which a row was written (only whether there is one), the audit trail's digests, and the nonces of sealed
    records. On PostgreSQL ids become their rank in their table, since a sequence doesn't take back the ids of a transaction that
    was rolled back; on SQLite they are compared as they are.
    """
    postgresql = engine.dialect.name == "postgresql"
    with db.reading(engine) as session:
        ids = _ranks(session) if postgresql else {}
        tables = [table for table in Base.metadata.sorted_tables if table.info.get("only", engine.dialect.name) == engine.dialect.name]
        rows = {table.name: [*_rows_of(session, table, ids, keyring)] for table in tables if table.name != "voice_search"}
        rows["voice_search"] = [*_search_rows(session, ids)]
        if not postgresql:
            # The inverted lists that lie beside the texts, against the texts.
            session.execute(text("INSERT INTO voice_search (voice_search) VALUES ('integrity-check')"))
    return {name: sorted(found, key=_sorting) for name, found in rows.items()}


def difference(found: Rows, expected: Rows) -> str:
    """What differs, for a failing test: each table with its numbers and the first row that only one of the two has."""
    told = []
    for name in sorted(found.keys() | expected.keys()):
        here, there = found.get(name, []), expected.get(name, [])
        if here != there:
            more = next((row for row in here if row not in there), None)
            less = next((row for row in there if row not in here), None)
            told.append(f"{name}: {len(here)} rows, expected {len(there)}\n  only here:  {more}\n  only there: {less}")
    return "\n".join(told)


def _sorting(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, default=str)


def _ranks(session: Session) -> Ids:
    found: dict[str, dict[int, int]] = {}
    for table in Base.metadata.sorted_tables:
        key = _own_id(table)
        if key is not None:
            found[table.name] = {given: rank for rank, given in enumerate(session.scalars(select(key).order_by(key)), start=1)}
    return found


def _own_id(table: Table) -> Column[Any] | None:
    """The column of ids that the database gives out."""
    key = table.autoincrement_column
    return key if key is not None and isinstance(key.type, Integer) and not key.foreign_keys else None


def _rows_of(session: Session, table: Table, ids: Ids, keyring: Keyring) -> Iterator[dict[str, Any]]:
    if table.name == "voice_postings":
        for term, block_of_voices in session.execute(select(table.c.term, table.c.voices)):
            yield from ({"term": term, "voice_id": _ranked(ids, "voices", voice)} for voice in block_of_voices)
        return
    shown = {column.name: _shown(column, ids) for column in table.columns if f"{table.name}.{column.name}" not in _LEFT_OUT}
    for row in session.execute(select(table)).mappings():
        values = {name: show(row[name]) for name, show in shown.items()}
        if table.name == "secrets":
            values["sealed"] = keyring.open(row["sealed"], place=row["place"])
        elif table.name == "rejects":
            values["sealed_row"] = keyring.open(row["sealed_row"], place=f"reject:{row['batch_id']}:{row['row']}")
        yield values


def _shown(column: Column[Any], ids: Ids) -> Callable[[Any], Any]:
    place = f"{column.table.name}.{column.name}"
    if isinstance(column.type, UtcDateTime) and place not in _GIVEN_TIMES:
        return lambda value: value is not None
    owner = _POINTS_TO.get(place) or next((key.column.table.name for key in column.foreign_keys), "")
    if column is _own_id(column.table):
        owner = column.table.name
    if owner in ids:
        return lambda value: value if value is None else _ranked(ids, owner, value)
    if place == "audit_entries.subject":
        return lambda value: re.sub(r"(?<=^batch:)\d+", lambda number: str(_ranked(ids, "batches", int(number[0]))), value)
    return lambda value: value


def _ranked(ids: Ids, table: str, value: int) -> int:
    return ids[table].get(value, -value) if table in ids else value


def _search_rows(session: Session, ids: Ids) -> Iterator[dict[str, Any]]:
    voices = session.scalars(text("SELECT id FROM voices")).all()
    for voice, terms in postings.read(session, voices).items():
        yield {"voice_id": _ranked(ids, "voices", voice), "terms": terms}
