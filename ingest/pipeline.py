"""A file becomes voices: ``import_file``, resumable, adding nothing twice, in which every row read is accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, update

from core import audit, db
from core.clock import utc_now
from core.crypto import Keyring
from core.models import Batch, BatchStatus, Channel, Reject
from core.settings import Settings
from ingest.calls import by_call, guess_calls
from ingest.chunks import CHUNK_VOICES, Annotate, AnnotateWork, Mask, annotate_chunks, make_chunks
from ingest.deadlines import load_deadline_rule
from ingest.faq import FaqCountRow, FaqLog, open_faq_log
from ingest.faq_import import import_faq
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Interpreter, fallback_day
from ingest.mapping import ColumnMapping, resolve_mapping, with_notes
from ingest.mapping_files import AUTO
from ingest.normalize import clean_line
from ingest.readers import ENCODING_NAMES
from ingest.sources import Source, open_source
from ingest.storage import Sums, save_chunk
from ingest.workbook import SheetRow, in_sheet

Progress = Callable[[int, int], None]
"""Called after each chunk with (lines done, lines in the file)."""

_SAMPLE = 5
_PREVIEW_ROWS = 20


@dataclass(frozen=True, slots=True)
class RejectNote:
    """Where and why a row could not be taken, without its content."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. The sums are the batch's own, also when it was gone on with after an interruption."""

    batch: int
    read: int
    imported: int
    duplicates: int
    rejected: int
    seconds: float
    encoding: str
    mapping: str
    guessed: tuple[str, ...]
    rejects_sample: tuple[RejectNote, ...]
    resumed: bool = False

    @property
    def nothing_taken(self) -> bool:
        """Whether not one voice came out of the file, although something was in it."""
        return self.imported == 0 and self.duplicates == 0

    def as_dict(self) -> dict[str, Any]:
        """What ``koe import --json`` prints."""
        return {name: getattr(self, name) for name in ("batch", "read", "imported", "duplicates", "rejected")} | {
            "seconds": round(self.seconds, 3)
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would give, from its first rows, without anything being saved."""

    encoding: str
    mapping: str
    guessed: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    voices: int
    rejects: tuple[RejectNote, ...]


class _SheetInterpreter(Interpreter):
    """Names the sheet in the reasons for which it doesn't take a row, where the file has several."""

    def read(self, row: Row | RejectedRow) -> list[IncomingVoice] | RejectedRow:
        result = super().read(row)
        return in_sheet(result, row.sheet) if isinstance(row, SheetRow) and isinstance(result, RejectedRow) else result


@dataclass(frozen=True, slots=True)
class _Plan:
    source: Source
    mapping: ColumnMapping
    interpreter: Interpreter


def import_file(
    engine: Engine,
    path: Path | Source,
    *,
    settings: Settings,
    keyring: Keyring,
    annotate: Annotate,
    mask: Mask,
    mapping: str = AUTO,
    channel: Channel | None = None,
    received_on: date | None = None,
    period: str | None = None,
    source_name: str | None = None,
    actor: str = "cli",
    progress: Progress | None = None,
    chunk_voices: int = CHUNK_VOICES,
) -> ImportReport:
    """Takes a file in, chunk by chunk, each in a transaction of its own with the batch's checkpoint.

    ``annotate`` and ``mask`` are ``nlp.annotate.annotate_batch`` and ``mask_batch``; they run in other processes, so they must
    be importable by name. ``mapping`` is ``auto``, a name in ``data/mappings`` or a path to a YAML file. ``channel`` and
    ``received_on`` hold for rows that don't say their own; so does ``period`` for the counts of an FAQ log, which become no voices
    (``ingest.faq``). ``path`` may be a source that is open already. ``source_name`` is the file's name where ``path`` is a copy
    (an upload). ``chunk_voices`` are saved together. An import of the same file and mapping that was interrupted goes on where it stopped.

    Raises:
        InputError: the file or the mapping can't be used; nothing was saved.
        ConflictError: the same file is being imported elsewhere at this moment.
        ModelError: nlp's models are missing; the batch stays where it is and can be gone on with.
    """
    began = time.monotonic()
    opened = open_source(path)
    log = open_faq_log(opened, settings=settings, mapping=mapping, period=period, file_name=source_name)
    if log:
        return _import_faq(
            engine, log, settings=settings, keyring=keyring, annotate=annotate, mask=mask, source_name=source_name, actor=actor,
            progress=progress,
        )  # fmt: skip
    rule = load_deadline_rule(settings)
    plan = _plan(opened, settings=settings, mapping=mapping, channel=channel, received_on=received_on, source_name=source_name)
    source = plan.source
    batch_id, done = _begin(engine, source, plan.mapping, name=source_name or source.name)
    rows = source.rows(needed=plan.mapping.needed, settings=settings)
    reached = 0
    with closing(rows):
        chunks = make_chunks(rows, plan.interpreter, engine=engine, done=done, size=chunk_voices)
        with closing(annotate_chunks(chunks, AnnotateWork(annotate, mask), settings=settings)) as annotated_chunks:
            for chunk, annotated in annotated_chunks:
                save_chunk(engine, chunk, annotated, batch_id=batch_id, keyring=keyring, rule=rule)
                if progress:
                    reached = max(reached, chunk.line)  # a second sheet begins at its own row 1
                    progress(reached, source.lines)
    if progress:
        progress(source.lines, source.lines)
    sums = _finish(engine, batch_id, actor=actor)
    return ImportReport(
        batch=batch_id,
        read=sums.read,
        imported=sums.imported,
        duplicates=sums.duplicates,
        rejected=sums.rejected,
        seconds=time.monotonic() - began,
        encoding=ENCODING_NAMES[source.encoding],
        mapping=plan.mapping.name,
        guessed=tuple(plan.mapping.describe()),
        rejects_sample=_first_rejects(engine, batch_id),
        resumed=done > 0,
    )


def _import_faq(
    engine: Engine, log: FaqLog, *, settings: Settings, keyring: Keyring, annotate: Annotate, mask: Mask, source_name: str | None,
    actor: str, progress: Progress | None,
) -> ImportReport:  # fmt: skip
    began = time.monotonic()
    lines = log.source.lines
    taken = import_faq(
        engine, log, settings=settings, keyring=keyring, annotate=annotate, mask=mask, source_name=source_name, actor=actor,
        told=(lambda line: progress(line, lines)) if progress else None,
    )  # fmt: skip
    if progress:
        progress(lines, lines)
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
        rejects_sample=_first_rejects(engine, taken.batch),
        resumed=taken.resumed,
    )


def preview_file(
    path: Path,
    *,
    settings: Settings,
    mapping: str = AUTO,
    channel: Channel | None = None,
    received_on: date | None = None,
    period: str | None = None,
    source_name: str | None = None,
    limit: int | None = _PREVIEW_ROWS,
) -> Preview:
    """How a file would be understood, and what its first ``limit`` rows (``None``: all) would give. Needs no database.

    Raises:
        InputError: the file or the mapping can't be used.
    """
    opened = open_source(path)
    log = open_faq_log(opened, settings=settings, mapping=mapping, period=period, file_name=source_name)
    if log:
        return _preview_faq(log, settings=settings, limit=limit)
    plan = _plan(opened, settings=settings, mapping=mapping, channel=channel, received_on=received_on, source_name=source_name)
    shown: list[tuple[str, ...]] = []
    rejects: list[RejectNote] = []
    voices = 0
    rows = plan.source.rows(needed=plan.mapping.needed, settings=settings)
    with closing(rows):
        for number, row in enumerate(rows, start=1):
            result = plan.interpreter.read(row)
            if isinstance(result, RejectedRow):
                rejects.append(RejectNote(result.row, result.column, result.reason))
            else:
                voices += len(result)
            if number <= _PREVIEW_ROWS:
                shown.append(row.cells)
            if limit is not None and number >= limit:
                break
    return Preview(
        encoding=ENCODING_NAMES[plan.source.encoding],
        mapping=plan.mapping.name,
        guessed=tuple(plan.mapping.describe()),
        headings=plan.source.headings,
        rows=tuple(shown),
        voices=voices,
        rejects=tuple(rejects),
    )


def _preview_faq(log: FaqLog, *, settings: Settings, limit: int | None) -> Preview:
    shown: list[tuple[str, ...]] = []
    rejects: list[RejectNote] = []
    counts = 0
    with closing(log.rows(settings=settings)) as rows:
        for row in islice(rows, limit):
            rejects += [RejectNote(item.row, item.column, item.reason) for item in row if isinstance(item, RejectedRow)]
            counts += sum(isinstance(item, FaqCountRow) for item in row)
            if row and len(shown) < _PREVIEW_ROWS:
                shown.append(row[0].cells)
    return Preview(
        encoding=ENCODING_NAMES[log.source.encoding],
        mapping=log.mapping,
        guessed=tuple(log.describe()),
        headings=log.source.headings,
        rows=tuple(shown),
        voices=counts,
        rejects=tuple(rejects),
    )


def _plan(
    source: Source, *, settings: Settings, mapping: str, channel: Channel | None, received_on: date | None, source_name: str | None
) -> _Plan:  # fmt: skip
    name = source_name or source.name
    resolved = resolve_mapping(mapping, source.headings, settings=settings)
    if mapping == AUTO:
        resolved = guess_calls(resolved, source, settings=settings)
    source = by_call(source, resolved)
    fallback = fallback_day(resolved, file_name=name, received_on=received_on)
    if "received_on" not in resolved.fields:
        resolved = with_notes(resolved, f"受付日の列がないので {fallback.day.isoformat()} とします（{fallback.source}から）。")
    interpreter = _SheetInterpreter(resolved, file_name=name, fallback=fallback, channel=channel)
    if "channel" not in resolved.fields:
        resolved = with_notes(resolved, f"受付媒体の列がないので「{interpreter.channel.value}」とします。")
    return _Plan(source, resolved, interpreter)


def _begin(engine: Engine, source: Source, mapping: ColumnMapping, *, name: str) -> tuple[int, int]:
    """The batch to write to and how many rows of it are done: one that was interrupted, or a new one."""
    with db.writing(engine) as session:
        running = select(Batch).where(Batch.source_sha256 == source.sha256, Batch.status == BatchStatus.RUNNING)
        for batch in session.scalars(running.order_by(Batch.id.desc())):
            if batch.mapping == mapping.name[:255]:
                return batch.id, batch.checkpoint
            # Begun with another mapping: its voices stay, its rest is what this import takes in.
            batch.status, batch.finished_at = BatchStatus.FAILED, utc_now()
        batch = Batch(
            source_name=clean_line(name)[-255:],
            source_sha256=source.sha256,
            mapping=mapping.name[:255],
            encoding=source.encoding,
            status=BatchStatus.RUNNING,
            checkpoint=0,
            rows_read=0,
            imported=0,
            duplicates=0,
            rejected=0,
            started_at=utc_now(),
        )
        session.add(batch)
        session.flush()
        return batch.id, 0


def _finish(engine: Engine, batch_id: int, *, actor: str) -> Sums:
    with db.writing(engine) as session:
        done = update(Batch).where(Batch.id == batch_id).values(status=BatchStatus.DONE, finished_at=utc_now())
        session.execute(done.execution_options(synchronize_session=False))
        counted = session.execute(select(Batch.imported, Batch.duplicates, Batch.rejected).where(Batch.id == batch_id)).one()
        sums = Sums(*counted)
        detail = {"read": sums.read, "imported": sums.imported, "duplicates": sums.duplicates, "rejected": sums.rejected}
        audit.record(session, actor=actor, action="import.finish", subject=f"batch:{batch_id}", detail=detail)
    return sums


def _first_rejects(engine: Engine, batch_id: int) -> tuple[RejectNote, ...]:
    with db.reading(engine) as session:
        first = select(Reject.row, Reject.column, Reject.reason).where(Reject.batch_id == batch_id).order_by(Reject.row, Reject.id)
        return tuple(RejectNote(*found) for found in session.execute(first.limit(_SAMPLE)))
