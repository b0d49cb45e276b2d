"""Rows that could not be taken: listed without their content, exported with it for somebody who has the keys, which is logged."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.crypto import Keyring
from core.errors import InputError, NotFoundError
from core.models import Batch, Reject
from ingest.encoding import UNDECODABLE

_PAGE = 500


@dataclass(frozen=True, slots=True)
class RejectSummary:
    """A reject as anybody at the desk may see it."""

    id: int
    row: int
    column: str
    code: str
    reason: str
    resolved_at: datetime | None


def list_rejects(session: Session, batch_id: int, *, limit: int = 100, after_id: int = 0) -> list[RejectSummary]:
    """A batch's rejects in the order in which they were met, without content; ``after_id`` pages on.

    Raises:
        NotFoundError: no such batch.
    """
    _require_batch(session, batch_id)
    columns = (Reject.id, Reject.row, Reject.column, Reject.code, Reject.reason, Reject.resolved_at)
    found = select(*columns).where(Reject.batch_id == batch_id, Reject.id > after_id).order_by(Reject.id).limit(limit)
    return [RejectSummary(*row) for row in session.execute(found)]


def count_by_code(session: Session, batch_id: int) -> dict[str, int]:
    """How many rejects of a batch there are for each code, the commonest first."""
    count = func.count(Reject.id).label("number")
    found = select(Reject.code, count).where(Reject.batch_id == batch_id).group_by(Reject.code).order_by(count.desc(), Reject.code)
    return {row.code: row.number for row in session.execute(found)}


def export_rejects(session: Session, file: IO[str], batch_id: int, *, keyring: Keyring, actor: str, reason: str) -> int:
    """Writes a batch's rejects with their content as CSV (行, 列, コード, 理由, then the cells) and gives their number.

    The act is recorded in the audit trail, in the caller's transaction: run it inside ``core.db.writing``. A byte that could
    not be decoded is written as ``\\xNN``. A cell that a spreadsheet would take for a formula gets a ``'`` before it.

    Raises:
        NotFoundError: no such batch.
        InputError: no reason given.
        DecryptionError: the key is not at hand.
    """  # noqa: D301  (the backslash is meant)
    if not reason.strip():
        raise InputError("取り込めなかった行を書き出す理由がありません。", hint="理由を書いてください。記録に残ります。")
    _require_batch(session, batch_id)
    writer = csv.writer(file)
    writer.writerow(("行", "列", "コード", "理由", "内容"))
    count = 0
    for reject, cells in _opened(session, batch_id, keyring):
        writer.writerow((reject.row, _safe(reject.column), reject.code, reject.reason, *map(_safe, cells)))
        count += 1
    audit.record(session, actor=actor, action="reject.export", subject=f"batch:{batch_id}", detail={"reason": reason, "rows": count})
    return count


def _opened(session: Session, batch_id: int, keyring: Keyring) -> Iterator[tuple[Reject, list[str]]]:
    last = 0
    while page := session.scalars(
        select(Reject).where(Reject.batch_id == batch_id, Reject.id > last).order_by(Reject.id).limit(_PAGE)
    ).all():
        for reject in page:
            last = reject.id
            yield reject, json.loads(keyring.open(reject.sealed_row, place=reject.place))
        session.expunge_all()


def _require_batch(session: Session, batch_id: int) -> None:
    if session.scalar(select(Batch.id).where(Batch.id == batch_id)) is None:
        raise NotFoundError(f"取込 {batch_id} はありません。", hint="番号を確かめてください。")


def _safe(cell: str) -> str:
    shown = UNDECODABLE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", cell).replace("\0", "\\x00")
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@", "\t", "\r") else shown
