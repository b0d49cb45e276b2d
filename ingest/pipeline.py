"""A file becomes voices: ``import_file``, resumable, adding nothing twice, in which every row read is accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, exists, func, select, update
from sqlalchemy.orm import Session

from core import audit, db, deadline_file
from core.cleaning import clean_line
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import ConflictError
from core.models import Batch, BatchStatus, Reject, Voice
from core.settings import Settings
from ingest.chunks import CHUNK_VOICES, Annotate, AnnotateWork, Mask, annotate_chunks, make_chunks
from ingest.faq import FaqLog, open_faq_log
from ingest.faq_import import import_faq
from ingest.options import NOTHING_SAID, FileOptions
from ingest.plan import FilePlan, RowPlan, plan_source
from ingest.readers import ENCODING_NAMES
from ingest.reports import ImportReport, RejectNote
from ingest.sources import Source, open_source
from ingest.storage import Sums, save_chunk
from nlp import routing_file

_SAMPLE = 5
_LONGEST_NAME = 255
_LONGEST_ACTOR = 64


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import, or its rehearsal, has come: lines of the file, and what became of the records read so far."""

    done: int
    total: int
    imported: int
    duplicates: int
    rejected: int
    batch: int | None = None
    """Where it is written to; a rehearsal writes nowhere."""

    @property
    def read(self) -> int:
        return self.imported + self.duplicates + self.rejected


Progress = Callable[[ImportProgress], None]
"""Called once at the start and after each chunk."""

Stop = Callable[[], bool]
"""Asked after each chunk; yes ends the work there."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where an import begins: its batch (``None``: a new one), the rows that are done, what became of them, how rows are read."""

    batch: int | None
    done: int
    sums: Sums
    blank: int
    plan: RowPlan


def import_file(
    engine: Engine,
    path: Path | Source,
    *,
    settings: Settings,
    keyring: Keyring,
    annotate: Annotate,
    mask: Mask,
    options: FileOptions = NOTHING_SAID,
    actor: str = "cli",
    progress: Progress | None = None,
    stop: Stop | None = None,
    chunk_voices: int = CHUNK_VOICES,
) -> ImportReport:
    """Takes a file in, chunk by chunk, each in a transaction of its own with the batch's checkpoint.

    ``annotate`` and ``mask`` are ``nlp.annotate.annotate_batch`` and ``mask_batch``; they run in other processes, so they must
    be importable by name. ``path`` may be a source that is open already. ``chunk_voices`` are saved together.

    An FAQ log becomes entries with counts, not voices (``ingest.faq``).

    An import of the same file in the same way that was interrupted, or that ``stop`` ended, goes on where it stopped.

    Raises:
        InputError: the file or the mapping can't be used; nothing was saved.
        ConflictError: the same file is being imported, or an import of it undone, elsewhere at this moment.
        ModelError: nlp's models are missing; the batch stays where it is and can be gone on with.
    """
    began = time.monotonic()
    opened = open_source(path, encoding=options.encoding)
    if log := open_faq_log(opened, options, settings=settings):
        work = {"settings": settings, "keyring": keyring, "annotate": annotate, "mask": mask}
        return _import_faq(engine, log, work, name=options.source_name, actor=actor, progress=progress, stop=stop)
    rules = deadline_file.load(settings.taxonomy_dir)
    routing = routing_file.load(settings.taxonomy_dir)
    plan = plan_source(opened, options, settings=settings)
    source = plan.source
    batch_id, begun = _begin(engine, plan, actor=actor)
    meter = Meter(source.lines, begun.sums, progress, batch=batch_id)
    cancelled = False
    rows = source.rows(needed=plan.mapping.needed, settings=settings)
    with closing(rows):
        chunks = make_chunks(rows, begun.plan.interpreter(), engine=engine, done=begun.done, size=chunk_voices)
        with closing(annotate_chunks(chunks, AnnotateWork(annotate, mask, routing), settings=settings)) as annotated_chunks:
            for chunk, annotated in annotated_chunks:
                meter.add(save_chunk(engine, chunk, annotated, batch_id=batch_id, keyring=keyring, rules=rules), line=chunk.line)
                if stop and stop():
                    cancelled = True
                    break
    if not cancelled:
        meter.end()
    ended = _finish(engine, batch_id, cancelled=cancelled, actor=actor)
    db.learn(engine)
    return ImportReport(
        batch=batch_id,
        read=ended.rows_read,
        imported=ended.imported,
        duplicates=ended.duplicates,
        rejected=ended.rejected,
        seconds=time.monotonic() - began,
        encoding=ENCODING_NAMES[source.encoding],
        mapping=plan.mapping.name,
        guessed=tuple(plan.mapping.describe()),
        rejects_sample=_sample(engine, batch_id),
        resumed=begun.done > 0,
        blank=ended.blank,
        cancelled=cancelled,
    )


def _import_faq(
    engine: Engine, log: FaqLog, work: dict[str, Any], *, name: str | None, actor: str, progress: Progress | None, stop: Stop | None
) -> ImportReport:  # fmt: skip
    began, lines = time.monotonic(), log.source.lines

    def told(batch: int, sums: Sums, line: int) -> None:
        if progress:
            progress(ImportProgress(line, lines, sums.imported, sums.duplicates, sums.rejected, batch))

    taken = import_faq(engine, log, source_name=name, actor=actor, told=told, stop=stop, **work)
    if not taken.cancelled:
        told(taken.batch, taken.sums, lines)
    return ImportReport(
        batch=taken.batch,
        read=taken.sums.read,
        imported=taken.sums.imported,
        duplicates=taken.sums.duplicates,
        rejected=taken.sums.rejected,
        seconds=time.monotonic() - began,
        encoding=ENCODING_NAMES[log.source.encoding],
        mapping=log.mapping,
        guessed=tuple(log.describe()),
        rejects_sample=_sample(engine, taken.batch),
        resumed=taken.resumed,
        cancelled=taken.cancelled,
    )


class Meter:
    """Adds up what became of the chunks, and tells it after each."""

    def __init__(self, total: int, sums: Sums, progress: Progress | None, *, batch: int | None = None) -> None:
        self.sums = sums
        self._total, self._progress, self._batch, self._reached = total, progress, batch, 0
        self._tell()

    def add(self, sums: Sums, *, line: int) -> None:
        """A chunk that ends on this line of the file."""
        self.sums += sums
        self._reached = max(self._reached, line)  # a second sheet begins at its own row 1
        self._tell()

    def end(self) -> None:
        """All of the file is read."""
        self._reached = self._total
        self._tell()

    def _tell(self) -> None:
        if self._progress:
            sums = self.sums
            self._progress(ImportProgress(self._reached, self._total, sums.imported, sums.duplicates, sums.rejected, self._batch))


def where_to_begin(session: Session, plan: FilePlan) -> Begun:
    """Where an import of this file in this way begins: where the one before was interrupted or stopped, else at the start."""
    stopped = (BatchStatus.RUNNING, BatchStatus.CANCELLED)
    begun = select(Batch).where(Batch.source_sha256 == plan.source.sha256, Batch.status.in_(stopped))
    for batch in session.scalars(begun.order_by(Batch.id.desc())):
        if _goes_on(batch, plan):
            own = RowPlan.from_dict(batch.plan) if batch.plan else plan.rows
            return Begun(batch.id, batch.checkpoint, Sums(batch.imported, batch.duplicates, batch.rejected), batch.blank, own)
    return Begun(None, 0, Sums(), 0, plan.rows)


def _goes_on(batch: Batch, plan: FilePlan) -> bool:
    # A batch that an earlier version began holds no plan.
    same_rows = plan.rows.agrees_with(batch.plan) if batch.plan else batch.mapping == plan.mapping.name[:_LONGEST_NAME]
    return same_rows and batch.encoding == plan.source.encoding


def _begin(engine: Engine, plan: FilePlan, *, actor: str) -> tuple[int, Begun]:
    with db.writing(engine) as session:
        _queue_up(session, plan)
        _refuse_while_undone(session, plan)
        begun = where_to_begin(session, plan)
        # One that was begun in another way: its voices stay, its rest is what this import takes in.
        others = update(Batch).where(Batch.source_sha256 == plan.source.sha256, Batch.status == BatchStatus.RUNNING)
        session.execute(others.where(Batch.id != begun.batch).values(status=BatchStatus.FAILED, finished_at=utc_now()))
        if begun.batch is not None:
            again = update(Batch).where(Batch.id == begun.batch).values(status=BatchStatus.RUNNING, finished_at=None)
            session.execute(again)
            return begun.batch, begun
        batch = Batch(
            source_name=clean_line(plan.rows.file_name)[-_LONGEST_NAME:],
            source_sha256=plan.source.sha256,
            mapping=plan.mapping.name[:_LONGEST_NAME],
            encoding=plan.source.encoding,
            plan=plan.rows.as_dict(),
            started_by=actor[:_LONGEST_ACTOR],
            status=BatchStatus.RUNNING,
            checkpoint=0,
            blank=0,
            rows_read=0,
            imported=0,
            duplicates=0,
            rejected=0,
            started_at=utc_now(),
        )
        session.add(batch)
        session.flush()
        return batch.id, begun


def _queue_up(session: Session, plan: FilePlan) -> None:
    """Who begins with the same file meanwhile waits for the end of this transaction, and then sees its batch (as on SQLite anyhow)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(int(plan.source.sha256[:15], 16))))


def _refuse_while_undone(session: Session, plan: FilePlan) -> None:
    """A voice that is about to be deleted would make a duplicate of the one that is about to come in."""
    left = exists().where(Voice.batch_id == Batch.id)
    undone = select(Batch.id).where(Batch.source_sha256 == plan.source.sha256, Batch.status == BatchStatus.UNDONE, left)
    if (batch := session.scalar(undone.limit(1))) is not None:
        raise ConflictError(
            f"このファイルの取込（番号 {batch}）の取り消しが、終わっていません。",
            hint=f"koe batches undo {batch} を終わりまで実行してから、もう一度取り込んでください。",
        )


def _finish(engine: Engine, batch_id: int, *, cancelled: bool, actor: str) -> Batch:
    """Closes the batch, unless somebody else did meanwhile, and gives it."""
    with db.writing(engine) as session:
        batch = session.get_one(Batch, batch_id, with_for_update=True)
        if batch.status == BatchStatus.RUNNING:
            batch.status, batch.finished_at = BatchStatus.CANCELLED if cancelled else BatchStatus.DONE, utc_now()
        detail = {"read": batch.rows_read, "imported": batch.imported, "duplicates": batch.duplicates, "rejected": batch.rejected}
        action = "import.cancel" if cancelled else "import.finish"
        audit.record(session, actor=actor, action=action, subject=f"batch:{batch_id}", detail=detail)
        return batch


def _sample(engine: Engine, batch_id: int) -> tuple[RejectNote, ...]:
    with db.reading(engine) as session:
        first = select(Reject.row, Reject.column, Reject.reason).where(Reject.batch_id == batch_id).order_by(Reject.row, Reject.id)
        return tuple(RejectNote(*found) for found in session.execute(first.limit(_SAMPLE)))
