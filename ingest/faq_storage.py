"""Counts of an FAQ log into the tables, in one transaction a chunk, and which counts hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, Engine, Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import db
from core.bulk import among, insert_rows
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import ConflictError
from core.models import Batch, BatchStatus, FaqCount, FaqEntry, Reject
from ingest.faq import FaqCountRow, FaqWords
from ingest.incoming import RejectedRow
from ingest.storage import Sums

_ATTEMPTS = 5

Key = tuple[str, date, date]
"""A question's number and a period."""


class Wording(NamedTuple):
    """A question as it is stored: masked, with its answer and the labels."""

    question: str
    answer: str
    theme: str
    department: str


@dataclass(frozen=True, slots=True)
class FaqChunk:
    """Counts that are saved together, with the rejects found on the way, and the rows of the source that are done before and after."""

    counts: tuple[FaqCountRow, ...]
    rejects: tuple[RejectedRow, ...]
    first_row: int
    rows_done: int
    line: int


def in_force(*, since: date | None = None, until: date | None = None) -> Select[int, date, date, int]:
    """Selects entry_id, since, until and views of the counts that hold: of an entry and a period the one that came in last.

    Only periods that lie wholly within ``since`` and ``until``, where these are given.
    """
    newest = select(func.max(FaqCount.id)).group_by(FaqCount.entry_id, FaqCount.since, FaqCount.until)
    found = select(FaqCount.entry_id, FaqCount.since, FaqCount.until, FaqCount.views).where(FaqCount.id.in_(newest))
    if since:
        found = found.where(FaqCount.since >= since)
    return found.where(FaqCount.until <= until) if until else found


def save_faq_chunk(
    engine: Engine, chunk: FaqChunk, wordings: Mapping[FaqWords, Wording], *, batch_id: int, keyring: Keyring
) -> Sums:  # fmt: skip
    """Saves a chunk wholly or not at all, and moves the batch's checkpoint and sums with it.

    Raises:
        ConflictError: another import of the same file has moved the checkpoint meanwhile.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with db.writing(engine) as session:
                return _write(session, chunk, wordings, batch_id=batch_id, keyring=keyring)
        except IntegrityError:
            # Another import brought in the same entry between the look and the insert; it will be seen now.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def would_be(session: Session, chunk: FaqChunk, told: dict[Key, int]) -> tuple[Sums, tuple[RejectedRow, ...]]:
    """What a chunk would come to, and its rejects, without a trace. ``told`` carries from chunk to chunk what the file has said."""
    ids = {number: entry.id for number, entry in _known(session, chunk).items()}
    fresh, duplicates, rejects = _sorted_out(chunk, _held(session, ids), told)
    return Sums(len(fresh), duplicates, len(rejects)), rejects


def _write(
    session: Session, chunk: FaqChunk, wordings: Mapping[FaqWords, Wording], *, batch_id: int, keyring: Keyring
) -> Sums:  # fmt: skip
    known = _known(session, chunk)
    ids = {number: entry.id for number, entry in known.items()}
    fresh, duplicates, rejects = _sorted_out(chunk, _held(session, ids), _held(session, ids, batch_id=batch_id))
    sums = Sums(len(fresh), duplicates, len(rejects))
    _move_batch(session, chunk, sums, batch_id)
    _reword(session, known, chunk, wordings)
    ids |= _insert_entries(session, [row for row in fresh if row.number not in ids], wordings)
    counts = [
        {"entry_id": ids[row.number], "batch_id": batch_id, "since": row.span.since, "until": row.span.until, "views": row.views}
        for row in fresh
    ]
    insert_rows(session, FaqCount.__table__, counts)
    insert_rows(session, Reject.__table__, [_reject_row(reject, batch_id, keyring) for reject in rejects])
    return sums


def _known(session: Session, chunk: FaqChunk) -> dict[str, FaqEntry]:
    numbers = list({row.number for row in chunk.counts})
    return {entry.number: entry for entry in session.scalars(select(FaqEntry).where(among(session, FaqEntry.number, numbers)))}


def _held(session: Session, ids: Mapping[str, int], *, batch_id: int | None = None) -> dict[Key, int]:
    """The counts of these entries that hold, or those that a batch brought."""
    numbers = {entry: number for number, entry in ids.items()}
    found = in_force() if batch_id is None else select(FaqCount.entry_id, FaqCount.since, FaqCount.until, FaqCount.views)
    found = found.where(among(session, FaqCount.entry_id, list(numbers)))
    if batch_id is not None:
        found = found.where(FaqCount.batch_id == batch_id)
    return {(numbers[entry], since, until): views for entry, since, until, views in session.execute(found)}


def _sorted_out(
    chunk: FaqChunk, held: Mapping[Key, int], told: dict[Key, int]
) -> tuple[list[FaqCountRow], int, tuple[RejectedRow, ...]]:  # fmt: skip
    """The counts that are new or changed, how many say what holds already, and the rejects. ``told``: what this file said before."""
    fresh: list[FaqCountRow] = []
    rejects = list(chunk.rejects)
    duplicates = 0
    for row in chunk.counts:
        key = (row.number, row.span.since, row.span.until)
        if key in told and told[key] != row.views:
            reason = "同じ質問・同じ期間の参照回数が前の行にもあり、数が違います。正しいほうだけにするか、期間を分けてください。"
            rejects.append(RejectedRow(row.row, row.column, "count", reason, row.cells))
        elif key in told or held.get(key) == row.views:
            duplicates += 1
        else:
            fresh.append(row)
        told.setdefault(key, row.views)
    return fresh, duplicates, tuple(rejects)


def _insert_entries(session: Session, rows: list[FaqCountRow], wordings: Mapping[FaqWords, Wording]) -> dict[str, int]:
    """Entries for the numbers of these rows, by their newest wording."""
    newest = {row.number: row for row in sorted(rows, key=lambda row: row.span.until)}
    now = utc_now()
    entries = [{"number": number, **wordings[row.words]._asdict(), "created_at": now} for number, row in newest.items()]
    insert_rows(session, FaqEntry.__table__, entries)
    return dict(session.execute(select(FaqEntry.number, FaqEntry.id).where(among(session, FaqEntry.number, list(newest)))).all())


def _reword(session: Session, known: Mapping[str, FaqEntry], chunk: FaqChunk, wordings: Mapping[FaqWords, Wording]) -> None:
    """Gives entries the words of the newest period; what a log doesn't tell stays."""
    newest = {row.number: row for row in sorted(chunk.counts, key=lambda row: row.span.until) if row.number in known}
    changed = {number: row for number, row in newest.items() if _says_else(known[number], row, wordings[row.words])}
    if not changed:
        return
    entries = [known[number].id for number in changed]
    latest = (
        select(FaqCount.entry_id, func.max(FaqCount.until)).where(among(session, FaqCount.entry_id, entries)).group_by(FaqCount.entry_id)
    )
    until = dict(session.execute(latest).all())
    for number, row in changed.items():
        entry, words = known[number], wordings[row.words]
        if row.span.until < until.get(entry.id, row.span.until):
            continue
        if words.question != entry.question:
            entry.question, entry.theme = words.question, words.theme
            entry.department = words.department
        entry.answer = words.answer or entry.answer
        entry.department = words.department if row.words.department else entry.department


def _says_else(entry: FaqEntry, row: FaqCountRow, words: Wording) -> bool:
    other_answer = bool(words.answer) and words.answer != entry.answer
    return words.question != entry.question or other_answer or (bool(row.words.department) and words.department != entry.department)


def _move_batch(session: Session, chunk: FaqChunk, sums: Sums, batch_id: int) -> None:
    moved = update(Batch).where(Batch.id == batch_id, Batch.checkpoint == chunk.first_row, Batch.status == BatchStatus.RUNNING)
    result = session.execute(
        moved.values(
            checkpoint=chunk.rows_done,
            rows_read=Batch.rows_read + sums.read,
            imported=Batch.imported + sums.imported,
            duplicates=Batch.duplicates + sums.duplicates,
            rejected=Batch.rejected + sums.rejected,
        ).execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise ConflictError("同じファイルの取込が、ほかで進んでいます。", hint="終わってから、もう一度取り込んでください。")


def _reject_row(reject: RejectedRow, batch_id: int, keyring: Keyring) -> dict[str, Any]:
    cells = json.dumps(list(reject.cells), ensure_ascii=False)
    return {
        "batch_id": batch_id,
        "row": reject.row,
        "column": reject.column.replace("\0", "").encode("utf-8", "replace").decode()[:255],
        "code": reject.code,
        "reason": reject.reason,
        "sealed_row": keyring.seal(cells, place=f"reject:{batch_id}:{reject.row}"),
    }
