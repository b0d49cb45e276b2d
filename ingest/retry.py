"""Rejects that somebody mended: read as the rest of their file was, taken in one by one, each with its batch's sums in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, select, update
from sqlalchemy.orm import Session

from core import audit, db, deadline_file
from core.bulk import among
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import ConflictError, InputError, NotFoundError
from core.models import Batch, BatchStatus, Reject, Voice
from core.settings import Settings
from ingest.chunks import Annotate, Annotated, AnnotateWork, Chunk, Mask
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Interpreter
from ingest.plan import RowPlan
from ingest.readers import TEXT_ENCODINGS, fitted
from ingest.rejects import LEADING_COLUMNS, batch_of, cells_of, read_back, refuse_unless_mendable
from ingest.sources import open_source
from ingest.storage import Sums, save_chunk
from nlp import routing_file

_ATTEMPTS = 5
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mended row. ``resolution``: imported, duplicate, or empty: it is still open, for this reason."""

    reject: int
    row: int
    resolution: str
    imported: int = 0
    duplicates: int = 0
    column: str = ""
    code: str = ""
    reason: str = ""


@dataclass(slots=True)
class RetryReport:
    """What became of the rows of a mended file.

    ``rejected`` are still open, with new reasons (``sample``: the first of them); ``unchanged`` were left; ``settled`` were taken in
    or discarded earlier; ``unknown`` are lines of the file that are no rejects of this batch.
    """

    batch: int
    imported: int = 0
    duplicates: int = 0
    rejected: int = 0
    unchanged: int = 0
    settled: int = 0
    unknown: list[int] = field(default_factory=list)
    sample: list[Outcome] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """What ``koe rejects retry --json`` prints."""
        return {
            "batch": self.batch, "imported": self.imported, "duplicates": self.duplicates, "rejected": self.rejected,
            "unchanged": self.unchanged, "settled": self.settled, "unknown": self.unknown,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tools:
    """What a row becomes voices with: as ``pipeline.import_file`` takes them."""

    settings: Settings
    keyring: Keyring
    annotate: Annotate
    mask: Mask


def retry_reject(engine: Engine, reject_id: int, cells: Sequence[str], *, tools: Tools, actor: str) -> Outcome:
    """Takes a mended row in. Its cells are those of its file's headings, in their order.

    One that still can't be taken stays open as it was given, with the new reason. A voice that is there already is a duplicate;
    its twin, an identical row of the same survey, is not.

    Raises:
        NotFoundError: no such reject.
        ConflictError: it is not open any more, or its batch was undone.
        InputError: its batch doesn't say how its rows are read.
    """
    with db.reading(engine) as session:
        reject = session.get(Reject, reject_id)
        if reject is None:
            raise NotFoundError(f"取り込めなかった行 {reject_id} はありません。", hint="番号を確かめてください。")
        if reject.resolved_at is not None:
            raise _settled(reject_id)
        mender = _Mender(engine, batch_of(session, reject.batch_id), tools, actor=actor)
    return mender.take(reject, cells)


def retry_file(
    engine: Engine, batch_id: int, path: Path, *, tools: Tools, actor: str, progress: Callable[[RetryReport], None] | None = None
) -> RetryReport:
    """Takes in the rows of an exported file (``rejects.export_rejects``) that were mended in the meantime. Any encoding, CSV or Excel.

    Each row is saved by itself: after an interruption, the same file is simply given again.

    Raises:
        NotFoundError: no such batch.
        ConflictError: the batch was undone.
        InputError: the file isn't an exported one, or the batch doesn't say how its rows are read.
    """
    with db.reading(engine) as session:
        mender = _Mender(engine, batch_of(session, batch_id), tools, actor=actor)
    report = RetryReport(batch_id)
    for line, number, cells in _mended_rows(path, settings=tools.settings):
        with db.reading(engine) as session:
            reject = session.get(Reject, number) if number else None
        if reject is None or reject.batch_id != batch_id:
            report.unknown.append(line)
        elif reject.resolved_at is not None:
            report.settled += 1
        else:
            _count(report, mender.take_changed(reject, cells))
        if progress:
            progress(report)
    return report


def _count(report: RetryReport, outcome: Outcome | None) -> None:
    if outcome is None:
        report.unchanged += 1
    elif outcome.resolution:
        report.imported += outcome.imported
        report.duplicates += outcome.duplicates
    else:
        report.rejected += 1
        if len(report.sample) < _TOLD:
            report.sample.append(outcome)


def _mended_rows(path: Path, *, settings: Settings) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Line, reject's number (0: none can be read) and cells of each row of an exported file."""
    source = open_source(path)
    leading = len(LEADING_COLUMNS)
    if source.headings[:leading] != LEADING_COLUMNS:
        raise InputError(
            f"「{path.name}」は、取り込めなかった行を書き出したファイルではありません。",
            hint=f"koe rejects export で書き出したファイルを、見出し（{'、'.join(LEADING_COLUMNS)} …）を残したまま直してください。",
        )
    with closing(source.rows(needed=1, settings=settings)) as rows:
        for row in rows:
            line, number = row.number if isinstance(row, Row) else row.row, row.cells[0].strip() if row.cells else ""
            whole = len(row.cells) > leading and number.isascii() and number.isdigit()
            yield line, int(number) if whole else 0, row.cells[leading:]


class _ChangedMeanwhileError(Exception):
    """A voice came in between the look and the insert: another twin, or the same one."""


class _NothingLeftError(Exception):
    """Masking left nothing of a text."""


class _Mender:
    """Takes mended rows of one batch in."""

    def __init__(self, engine: Engine, batch: Batch, tools: Tools, *, actor: str) -> None:
        refuse_unless_mendable(batch)
        self._engine, self._tools, self._actor = engine, tools, actor
        self._batch_id = batch.id
        self._plan = RowPlan.from_dict(batch.plan)
        self._encoding = batch.encoding if batch.encoding in TEXT_ENCODINGS else ""
        self._rules = deadline_file.load(tools.settings.taxonomy_dir)
        self._routing = routing_file.load(tools.settings.taxonomy_dir)

    def take_changed(self, reject: Reject, cells: Sequence[str]) -> Outcome | None:
        """``take`` with the cells of an exported file, ``None`` when nobody changed them."""
        mended = read_back(cells, cells_of(reject, self._tools.keyring))
        return None if mended is None else self.take(reject, mended)

    def take(self, reject: Reject, cells: Sequence[str]) -> Outcome:
        for _ in range(_ATTEMPTS):
            read = self._read(Row(reject.row, tuple(cells)))
            if isinstance(read, RejectedRow):
                return self._left_open(reject, read)
            voices, known = read
            fresh = tuple(voice for voice in voices if voice.content_hash not in known)
            expected = Sums(len(fresh), len(voices) - len(fresh))
            chunk = Chunk(fresh, expected.duplicates, (), 0, 0, reject.row)
            annotated = AnnotateWork(self._tools.annotate, self._tools.mask, self._routing)(chunk.work())
            try:
                return self._save(reject, chunk, annotated, expected)
            except _NothingLeftError:
                reason = "個人情報を除くと本文が残りません。原文を確かめてください。"
                return self._left_open(reject, RejectedRow(reject.row, "", "empty", reason, ()))
            except _ChangedMeanwhileError:
                continue
        raise ConflictError("同じ行が、ほかで取り込まれています。", hint="終わってから、もう一度実行してください。")

    def _read(self, row: Row) -> tuple[list[IncomingVoice], dict[str, int]] | RejectedRow:
        """The row's voices and the batches of those that are there already, or why it can't be taken."""
        mapping = self._plan.mapping
        row = Row(row.number, row.cells + ("",) * (len(mapping.headings) - len(row.cells)))
        whole = fitted(row, mapping.headings, needed=mapping.needed, settings=self._tools.settings, encoding=self._encoding)
        if isinstance(whole, RejectedRow):
            return whole
        interpreter: Interpreter = self._plan.interpreter()
        before: list[IncomingVoice] = []
        occurrence = 0
        while True:
            occurrence += 1
            voices = interpreter.read_mended(whole, occurrence=occurrence)
            if isinstance(voices, RejectedRow):
                return voices
            if not voices:
                reason = "どの欄にも本文がありません。本文を入れるか、行を破棄してください。"
                return RejectedRow(row.number, "", "empty", reason, row.cells)
            with db.reading(self._engine) as session:
                hashes = [voice.content_hash for voice in voices]
                columns = select(Voice.content_hash, Voice.batch_id).where(among(session, Voice.content_hash, hashes))
                known = {row.content_hash: row.batch_id for row in session.execute(columns)}
            # A voice of this very file is the row's twin, and this row the next one like it; one of another file is this row itself.
            twin = self._batch_id in known.values()
            if not twin or (before and before[0].content_hash == voices[0].content_hash):
                return voices, known
            before = voices

    def _left_open(self, reject: Reject, now: RejectedRow) -> Outcome:
        with db.writing(self._engine) as session:
            values = {"column": now.column[:255], "code": now.code, "reason": now.reason}
            session.execute(update(Reject).where(Reject.id == reject.id, Reject.resolved_at.is_(None)).values(values))
        return Outcome(reject.id, reject.row, "", column=now.column, code=now.code, reason=now.reason)

    def _save(self, reject: Reject, chunk: Chunk, annotated: Annotated, expected: Sums) -> Outcome:
        outcome = Outcome(
            reject.id,
            reject.row,
            "imported" if expected.imported else "duplicate",
            imported=expected.imported,
            duplicates=expected.duplicates,
        )

        def move(session: Session, _: Chunk, sums: Sums, batch_id: int) -> None:
            if sums.rejected:
                raise _NothingLeftError
            if sums != expected:
                raise _ChangedMeanwhileError
            self._settle(session, outcome, batch_id)

        save_chunk(
            self._engine, chunk, annotated, batch_id=self._batch_id, keyring=self._tools.keyring, rules=self._rules, move=move
        )  # fmt: skip
        return outcome

    def _settle(self, session: Session, outcome: Outcome, batch_id: int) -> None:
        moved = update(Batch).where(Batch.id == batch_id, Batch.status != BatchStatus.UNDONE)
        sums = {
            "rows_read": Batch.rows_read + outcome.imported + outcome.duplicates - 1,
            "imported": Batch.imported + outcome.imported,
            "duplicates": Batch.duplicates + outcome.duplicates,
            "rejected": Batch.rejected - 1,
        }
        closed = update(Reject).where(Reject.id == outcome.reject, Reject.resolved_at.is_(None))
        values = {"resolved_at": utc_now(), "resolution": outcome.resolution}
        for statement in (moved.values(sums), closed.values(values)):
            result = session.execute(statement.execution_options(synchronize_session=False))
            if cast("CursorResult[Any]", result).rowcount != 1:
                raise _settled(outcome.reject)
        detail = {"reject": outcome.reject, "row": outcome.row, "imported": outcome.imported, "duplicates": outcome.duplicates}
        audit.record(session, actor=self._actor, action="reject.retry", subject=f"batch:{batch_id}", detail=detail)


def _settled(reject_id: int) -> ConflictError:
    return ConflictError(f"取り込めなかった行 {reject_id} は、すでに片付いています。", hint="一覧を開きなおしてください。")
