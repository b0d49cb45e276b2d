"""Rows that could not be taken: listed without their content, opened or exported with it for somebody with the keys, which is logged."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core import audit
from core.bulk import among
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import ConflictError, InputError, NotFoundError
from core.models import Batch, BatchContent, BatchStatus, Reject
from ingest.encoding import UNDECODABLE

_PAGE = 500
_LONGEST_REASON = 500

LEADING_COLUMNS = ("番号", "行", "列", "コード", "理由")
"""What stands before the cells in an exported file. The number (番号) is the reject's own."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_WRITTEN_FORMULA = re.compile(r"''*[=+\-@\t\r]")
_WRITTEN_BYTE = re.compile(r"\\x([89a-f][0-9a-f]|00)")


@dataclass(frozen=True, slots=True)
class RejectSummary:
    """A reject as anybody at the desk may see it. ``resolution``: imported, duplicate or discarded; empty while it is open."""

    id: int
    row: int
    column: str
    code: str
    reason: str
    resolved_at: datetime | None
    resolution: str


class OpenedReject(NamedTuple):
    """A reject's content: the headings of its file (none where an earlier version read it) and its cells, as given."""

    headings: tuple[str, ...]
    cells: tuple[str, ...]


def list_rejects(
    session: Session, batch_id: int, *, limit: int = 100, after_id: int = 0, open_only: bool = False
) -> list[RejectSummary]:  # fmt: skip
    """A batch's rejects in the order in which they were met, without content; ``after_id`` pages on.

    Raises:
        NotFoundError: no such batch.
    """
    batch_of(session, batch_id)
    columns = (Reject.id, Reject.row, Reject.column, Reject.code, Reject.reason, Reject.resolved_at, Reject.resolution)
    found = select(*columns).where(*_of(batch_id, open_only=open_only), Reject.id > after_id).order_by(Reject.id).limit(limit)
    return [RejectSummary(*row) for row in session.execute(found)]


def count_by_code(session: Session, batch_id: int, *, open_only: bool = False) -> dict[str, int]:
    """How many rejects of a batch there are for each code, the commonest first."""
    count = func.count(Reject.id).label("number")
    found = select(Reject.code, count).where(*_of(batch_id, open_only=open_only)).group_by(Reject.code).order_by(count.desc(), Reject.code)
    return {row.code: row.number for row in session.execute(found)}


def open_reject(session: Session, reject_id: int, *, keyring: Keyring, actor: str, reason: str) -> OpenedReject:
    """A reject's content, to be looked at and mended. The act is recorded in the caller's transaction.

    Raises:
        NotFoundError: no such reject.
        InputError: no reason given.
        DecryptionError: the key is not at hand.
    """
    told = reason_of(reason, "取り込めなかった行を見る")
    reject = session.get(Reject, reject_id)
    if reject is None:
        raise NotFoundError(f"取り込めなかった行 {reject_id} はありません。", hint="番号を確かめてください。")
    batch = batch_of(session, reject.batch_id)
    audit.record(
        session,
        actor=actor,
        action="reject.open",
        subject=f"batch:{batch.id}",
        detail={"reason": told, "reject": reject.id, "row": reject.row},
    )
    return OpenedReject(headings_of(batch), cells_of(reject, keyring))


def discard(session: Session, reject_ids: Sequence[int], *, actor: str, reason: str) -> int:
    """Closes open rejects that nobody wants to take in, and gives their number. They stay, and count as rejected.

    The act is recorded in the caller's transaction, once for each batch.

    Raises:
        NotFoundError: one of them doesn't exist; nothing is changed then.
        InputError: no reason given.
    """
    told = reason_of(reason, "取り込めなかった行を破棄する")
    wanted = sorted(set(reject_ids))
    found = session.scalars(select(Reject).where(among(session, Reject.id, wanted)).order_by(Reject.id).with_for_update()).all()
    if len(found) != len(wanted):
        missing = "、".join(map(str, sorted(set(wanted) - {reject.id for reject in found})))
        raise NotFoundError(f"取り込めなかった行 {missing} はありません。", hint="番号を確かめてください。")
    rows: dict[int, list[int]] = {}
    for reject in found:
        if reject.resolved_at is None:
            reject.resolved_at, reject.resolution = utc_now(), "discarded"
            rows.setdefault(reject.batch_id, []).append(reject.row)
    session.flush()
    for batch_id, lines in rows.items():
        detail = {"reason": told, "rows": len(lines), "lines": lines[:_PAGE]}
        audit.record(session, actor=actor, action="reject.discard", subject=f"batch:{batch_id}", detail=detail)
    return sum(map(len, rows.values()))


def export_rejects(session: Session, file: IO[str], batch_id: int, *, keyring: Keyring, actor: str, reason: str) -> int:
    """Writes a batch's open rejects with their content as CSV (``LEADING_COLUMNS``, then the cells) and gives their number.

    It can be mended in a spreadsheet and given to ``retry.retry_file``. The act is recorded in the audit trail, in the caller's
    transaction: run it inside ``core.db.writing``. A byte that could not be decoded is written as ``\\xNN``. A cell that a
    spreadsheet would take for a formula gets a ``'`` before it.

    Raises:
        NotFoundError: no such batch.
        InputError: no reason given.
        DecryptionError: the key is not at hand.
    """  # noqa: D301  (the backslash is meant)
    told = reason_of(reason, "取り込めなかった行を書き出す")
    batch = batch_of(session, batch_id)
    writer = csv.writer(file)
    writer.writerow((*LEADING_COLUMNS, *(map(written, headings_of(batch)) if headings_of(batch) else ("内容",))))
    count = 0
    for reject, cells in _opened(session, batch_id, keyring):
        writer.writerow((reject.id, reject.row, written(reject.column), reject.code, reject.reason, *map(written, cells)))
        count += 1
    audit.record(session, actor=actor, action="reject.export", subject=f"batch:{batch_id}", detail={"reason": told, "rows": count})
    return count


def batch_of(session: Session, batch_id: int) -> Batch:
    """The batch of that number.

    Raises:
        NotFoundError: no such batch.
    """
    batch = session.get(Batch, batch_id)
    if batch is None:
        raise NotFoundError(f"取込 {batch_id} はありません。", hint="番号を koe batches list で確かめてください。")
    return batch


def refuse_unless_mendable(batch: Batch) -> None:
    """Raises where a batch's rows can't be mended one by one.

    Raises:
        ConflictError: it was undone.
        InputError: its rows aren't voices.
    """
    if batch.status == BatchStatus.UNDONE:
        raise ConflictError(f"取込 {batch.id} は取り消されています。", hint="直した行は、新しいファイルとして取り込んでください。")
    if batch.content != BatchContent.VOICES:
        raise InputError(f"取込 {batch.id} は市民の声の取込ではありません。", hint="もとのファイルを直して、取り込みなおしてください。")


def headings_of(batch: Batch) -> tuple[str, ...]:
    """The headings of a batch's file; none where an earlier version took it in."""
    return tuple(batch.plan.get("mapping", batch.plan).get("headings", ()))


def cells_of(reject: Reject, keyring: Keyring) -> tuple[str, ...]:
    """A reject's cells as given, with the marks of undecodable bytes. Only for what is logged.

    Raises:
        DecryptionError: the key is not at hand.
    """
    return tuple(json.loads(keyring.open(reject.sealed_row, place=reject.place)))


def reason_of(reason: str, act: str) -> str:
    """The reason of an act that needs one.

    Raises:
        InputError: there is none.
    """
    told = " ".join(reason.split())[:_LONGEST_REASON]
    if not told:
        raise InputError(f"{act}理由がありません。", hint="理由を書いてください。記録に残ります。")
    return told


def written(cell: str) -> str:
    """A cell as an exported file has it."""
    shown = UNDECODABLE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", cell).replace("\0", "\\x00")
    return f"'{shown}" if _FORMULA.match(shown) else shown


def read_back(cells: Sequence[str], stored: Sequence[str]) -> list[str] | None:
    """The cells of an exported row as they were before ``written``, ``None`` when nobody changed them.

    What was changed is given as it is; what wasn't, as it was stored, since a spreadsheet changes the ends of lines. Undecodable bytes
    that were left standing in a row are marks again.
    """
    before = [_one_line_end(written(cell)) for cell in stored]
    given = [_one_line_end(cell) for cell in cells]
    width = max(len(before), len(given))
    before += [""] * (width - len(before))
    given += [""] * (width - len(given))
    if given == before:
        return None
    damaged = any("\0" in cell or UNDECODABLE.search(cell) for cell in stored)
    return [
        stored[at] if at < len(stored) and given[at] == before[at] else _without_signs(given[at], damaged=damaged) for at in range(width)
    ]


def _one_line_end(cell: str) -> str:
    return cell.replace("\r\n", "\n")


def _without_signs(cell: str, *, damaged: bool) -> str:
    plain = cell[1:] if _WRITTEN_FORMULA.match(cell) else cell
    return _WRITTEN_BYTE.sub(_byte, plain) if damaged else plain


def _byte(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(0xDC00 + number) if number else "\0"


def _of(batch_id: int, *, open_only: bool) -> list[ColumnElement[bool]]:
    return [Reject.batch_id == batch_id, *([Reject.resolved_at.is_(None)] if open_only else [])]


def _opened(session: Session, batch_id: int, keyring: Keyring) -> Iterator[tuple[Reject, tuple[str, ...]]]:
    last = 0
    while page := session.scalars(
        select(Reject).where(*_of(batch_id, open_only=True), Reject.id > last).order_by(Reject.id).limit(_PAGE)
    ).all():
        for reject in page:
            last = reject.id
            yield reject, cells_of(reject, keyring)
        session.expunge_all()
