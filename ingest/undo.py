"""A whole batch taken back: its voices go with everything that hangs on them, and its file can be imported again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from core import audit, casework, db, facts
from core.bulk import among
from core.clock import utc_now
from core.errors import ConflictError
from core.models import Batch, BatchStatus, Case, FaqCount, FaqEntry, HumanLabel, Reject, Status, Voice
from ingest.rejects import batch_of, reason_of
from nlp import forget

CHUNK_VOICES = 1000
_OF_THE_IMPORT = (Status.RECEIVED, Status.ANSWERED)


@dataclass(frozen=True, slots=True)
class StaffWork:
    """Voices of a batch in which staff have a hand: with a person's label, and otherwise beyond what the import made of them."""

    labelled: int
    handled: int

    def __bool__(self) -> bool:
        return bool(self.labelled or self.handled)


@dataclass(frozen=True, slots=True)
class OverlappingBatch:
    """A later import that counted duplicates: of the batch that was undone, perhaps. Imported again, it brings those voices in."""

    batch: int
    name: str
    duplicates: int


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What an undo took away. ``resumed``: it had been begun earlier, and the numbers are those of the rest."""

    batch: int
    name: str
    voices: int
    rejects: int
    counts: int
    seconds: float
    resumed: bool
    overlapping: tuple[OverlappingBatch, ...]

    def as_dict(self) -> dict[str, Any]:
        """What ``koe batches undo --json`` prints."""
        return {
            "batch": self.batch, "voices": self.voices, "rejects": self.rejects, "counts": self.counts, "seconds": round(self.seconds, 3),
            "resumed": self.resumed,
            "overlapping": [{"batch": other.batch, "name": other.name, "duplicates": other.duplicates} for other in self.overlapping],
        }  # fmt: skip


def staff_work(session: Session, batch_id: int) -> StaffWork:
    """In how many of a batch's voices staff have a hand."""
    labelled = exists().where(HumanLabel.voice_id == Voice.id)
    handled = or_(
        Voice.status.not_in(_OF_THE_IMPORT), exists().where(Case.id == Voice.case_id, Case.changed_by.is_not(None))
    )  # a campaign that the machine folded is nobody's work
    own = select(func.count()).select_from(Voice).where(Voice.batch_id == batch_id)
    return StaffWork(session.scalar(own.where(labelled)) or 0, session.scalar(own.where(~labelled, handled)) or 0)


def undo_batch(
    engine: Engine,
    batch_id: int,
    *,
    actor: str,
    reason: str,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    chunk_voices: int = CHUNK_VOICES,
) -> UndoReport:
    """Takes a batch back, some voices at a time; one that was interrupted goes on when it is called again.

    The batch stays with its sums as UNDONE. Receipt numbers are not given out again. ``force`` takes what staff did with it.
    ``progress`` is called with (voices deleted, voices in all).

    Raises:
        NotFoundError: no such batch.
        ConflictError: it is undone already, or staff have worked on its voices; says on how many.
        InputError: no reason given.
    """
    began = time.monotonic()
    told = reason_of(reason, "取込を取り消す")
    resumed, left = _begin(engine, batch_id, actor=actor, reason=told, force=force)
    deleted = 0
    while number := _delete_voices(engine, batch_id, chunk_voices):
        deleted += number
        if progress:
            progress(deleted, left)
    with db.writing(engine) as session:
        rejects = _delete(session, delete(Reject).where(Reject.batch_id == batch_id))
        counts = _delete_counts(session, batch_id)
        name = batch_of(session, batch_id).source_name
        detail = {"voices": deleted, "rejects": rejects, "counts": counts}
        audit.record(session, actor=actor, action="import.undone", subject=f"batch:{batch_id}", detail=detail)
        overlapping = tuple(_overlapping(session, batch_of(session, batch_id)))
    return UndoReport(batch_id, name, deleted, rejects, counts, time.monotonic() - began, resumed, overlapping)


def _begin(engine: Engine, batch_id: int, *, actor: str, reason: str, force: bool) -> tuple[bool, int]:
    """Whether an undo had been begun, and how many voices there are to delete."""
    with db.writing(engine) as session:
        batch = batch_of(session, batch_id)
        session.refresh(batch, with_for_update=True)
        left = session.scalar(_left(batch_id)) or 0
        if batch.status == BatchStatus.UNDONE:
            rest = session.scalar(select(exists().where(Reject.batch_id == batch_id))) or _counts_left(session, batch_id)
            if not left and not rest:
                raise ConflictError(f"取込 {batch_id} は、すでに取り消されています。", hint="koe batches list で確かめてください。")
            return True, left
        work = staff_work(session, batch_id)
        if work and not force:
            raise ConflictError(
                f"取込 {batch_id} には、職員が手を加えた声があります"
                f"（分類を決めた声 {work.labelled:,} 件、そのほかに対応を進めた声 {work.handled:,} 件）。",
                hint="それでも取り消すなら、手を加えた内容も消えることを確かめて、--force を付けてください。",
            )
        batch.status, batch.finished_at = BatchStatus.UNDONE, utc_now()
        detail = {
            "reason": reason, "read": batch.rows_read, "imported": batch.imported, "duplicates": batch.duplicates,
            "rejected": batch.rejected, "labelled": work.labelled, "handled": work.handled,
        }  # fmt: skip
        audit.record(session, actor=actor, action="import.undo", subject=f"batch:{batch_id}", detail=detail)
        return False, left


def _left(batch_id: int) -> Select[int]:
    return select(func.count()).select_from(Voice).where(Voice.batch_id == batch_id)


def _counts_left(session: Session, batch_id: int) -> bool:
    return bool(session.scalar(select(exists().where(FaqCount.batch_id == batch_id))))


def _delete_voices(engine: Engine, batch_id: int, size: int) -> int:
    """Deletes the next voices of a batch, and gives their number."""
    with db.writing(engine) as session:
        forget.hold_marks(session)
        # Locked in the order in which a label's change locks them: the voice, then the counts of its day.
        own = [getattr(Voice, name) for name in ("id", "received_on", *facts.OWN)]
        wanted = select(*own).where(Voice.batch_id == batch_id).order_by(Voice.id).limit(size).with_for_update()
        rows = session.execute(wanted).mappings().all()
        ids = [row["id"] for row in rows]
        if ids:
            casework.release(session, ids)
            topics = forget.forget(session, ids, leaving=Voice.batch_id == batch_id)
            facts.remove(session, [{**row, "topic": topics.get(row["id"], "")} for row in rows])
            session.execute(delete(Voice).where(among(session, Voice.id, ids)).execution_options(synchronize_session=False))
            forget.lower_marks(session)
        return len(ids)


def _delete_counts(session: Session, batch_id: int) -> int:
    """A FAQ's counts, and the entries that nothing counts any more."""
    entries = session.scalars(select(FaqCount.entry_id).where(FaqCount.batch_id == batch_id).distinct()).all()
    number = _delete(session, delete(FaqCount).where(FaqCount.batch_id == batch_id))
    counted = exists().where(FaqCount.entry_id == FaqEntry.id)
    _delete(session, delete(FaqEntry).where(among(session, FaqEntry.id, entries), ~counted))
    return number


def _delete(session: Session, statement: Any) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(cast("CursorResult[Any]", result).rowcount)


def _overlapping(session: Session, batch: Batch) -> list[OverlappingBatch]:
    later = select(Batch.id, Batch.source_name, Batch.duplicates).where(Batch.id > batch.id, Batch.duplicates > 0)
    found = later.where(Batch.status != BatchStatus.UNDONE, Batch.content == batch.content).order_by(Batch.id)
    return [OverlappingBatch(*row) for row in session.execute(found)]
