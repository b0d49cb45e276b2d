"""全件照合: every record that was ever read is accounted for, and the tables that hang on the voices agree with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Integer, Select, case, cast, func, select
from sqlalchemy.orm import Session

from core import db, facts
from core.errors import InputError
from core.models import Batch, BatchContent, BatchStatus, FaqCount, MachineReading, ReceiptCounter, Reject, Secret, Voice
from core.settings import Settings
from ingest.chunks import known_hashes
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.mapping_files import AUTO
from ingest.options import FileOptions
from ingest.plan import plan_again, plan_source
from ingest.receipts import receipt_number
from ingest.sources import open_source
from nlp import postings

_TOLD = 20
_RECOUNT = "koe index を実行すると、声から数え直します。"
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch's own sums beside what stands in the tables. ``wrong`` says in Japanese what doesn't agree; empty when all does.

    ``voices`` are its voices (of FAQ, its counts), ``open`` its rejects that wait, ``discarded`` those that were given up,
    ``mended`` those that were taken in later and are among ``imported`` or ``duplicates`` by now.
    """

    batch: int
    name: str
    status: BatchStatus
    read: int
    imported: int
    duplicates: int
    rejected: int
    voices: int
    open: int
    discarded: int
    mended: int
    wrong: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Two numbers that must be the same. ``remedy`` says in Japanese what puts them right; empty where a person has to look."""

    name: str
    expected: int
    found: int
    remedy: str = ""

    @property
    def agrees(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class FileLine:
    """What became of a file's records: each gave voices, is among the rejects, or is blank, else it is among ``missing`` (lines)."""

    name: str
    batch: int | None
    records: int
    in_voices: int
    in_rejects: int
    blank: int
    missing: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What ``reconcile`` found."""

    batches: tuple[BatchLine, ...]
    sums: tuple[Sum, ...]
    file: FileLine | None = None

    @property
    def agrees(self) -> bool:
        """Whether every record is accounted for and all tables agree."""
        told = any(line.wrong for line in self.batches) or not all(line.agrees for line in self.sums)
        return not told and (self.file is None or not self.file.missing)

    def as_dict(self) -> dict[str, Any]:
        """What ``koe reconcile --json`` prints."""
        batches = [
            {
                "batch": line.batch, "name": line.name, "status": line.status.value, "read": line.read, "imported": line.imported,
                "duplicates": line.duplicates, "rejected": line.rejected, "voices": line.voices, "open": line.open,
                "discarded": line.discarded, "mended": line.mended, "wrong": line.wrong,
            }
            for line in self.batches
        ]  # fmt: skip
        sums = [
            {
                "name": line.name, "expected": line.expected, "found": line.found, "agrees": line.agrees,
                "remedy": "" if line.agrees else line.remedy,
            }
            for line in self.sums
        ]  # fmt: skip
        file = self.file and {name: getattr(self.file, name) for name in self.file.__dataclass_fields__} | {"lines": list(self.file.lines)}
        return {"agrees": self.agrees, "batches": batches, "sums": sums, "file": file}


def reconcile(engine: Engine) -> Reconciliation:
    """Compares the sums of every batch, and of all, with what stands in the tables; nothing is changed.

    All is read as of one moment, so that an import under way doesn't disturb it.
    """
    with db.reading(engine) as session:
        if engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return Reconciliation(tuple(_batches(session)), tuple(_sums(session)))


def reconcile_file(
    engine: Engine, path: Path, *, settings: Settings, progress: Callable[[int, int], None] | None = None
) -> FileLine:  # fmt: skip
    """Reads a file again, as its import did, and looks for every record: among the voices by content, else among the rejects by row.

    The newest import of the file that wasn't undone says how its rows are read; a file that was never imported is read as ``auto``.
    ``progress`` is called with (lines done, lines in the file).

    Raises:
        InputError: the file can't be read.
    """
    source = open_source(path)
    with db.reading(engine) as session:
        same_file = select(Batch).where(Batch.source_sha256 == source.sha256, Batch.status != BatchStatus.UNDONE)
        batch = session.scalar(same_file.order_by(Batch.id.desc()).limit(1))
        rejects = Counter(session.scalars(select(Reject.row).where(Reject.batch_id == batch.id)) if batch else ())
    if batch and batch.content != BatchContent.VOICES:
        raise InputError(f"「{path.name}」は市民の声のファイルではありません。", hint="--file には、市民の声のファイルを指定してください。")
    if batch and batch.plan:
        plan = plan_again(path, batch.plan, encoding=batch.encoding)
    else:
        plan = plan_source(source, FileOptions(batch.mapping if batch else AUTO), settings=settings)
    search = _Search(engine, rejects)
    rows = plan.source.rows(needed=plan.mapping.needed, settings=settings)
    interpreter = plan.rows.interpreter()
    with closing(rows):
        for row in rows:
            line = row.number if isinstance(row, Row) else row.row
            search.add(line, interpreter.read(row))
            if progress and search.records % _AT_ONCE == 0:
                progress(line, source.lines)
    search.look()
    return FileLine(
        path.name, batch.id if batch else None, search.records, search.in_voices, search.in_rejects, search.blank, search.missing,
        tuple(sorted(search.lines)),
    )  # fmt: skip


class _Search:
    """Looks for records, some thousand at a time."""

    def __init__(self, engine: Engine, rejects: Counter[int]) -> None:
        self._engine, self._rejects = engine, rejects
        self._waiting: list[tuple[int, list[IncomingVoice]]] = []
        self.records = self.in_voices = self.in_rejects = self.blank = self.missing = 0
        self.lines: list[int] = []

    def add(self, line: int, read: list[IncomingVoice] | RejectedRow) -> None:
        self.records += 1
        if isinstance(read, RejectedRow):
            self._among_rejects(line)
        elif not read:
            self.blank += 1
        else:
            self._waiting.append((line, read))
            if len(self._waiting) == _AT_ONCE:
                self.look()

    def look(self) -> None:
        """Looks for those that wait."""
        with db.reading(self._engine) as session:
            known = known_hashes(session, [voice.content_hash for _, voices in self._waiting for voice in voices])
        for line, voices in self._waiting:
            lacking = [voice for voice in voices if voice.content_hash not in known]
            if lacking:
                self._among_rejects(line)
            else:
                self.in_voices += 1
        self._waiting.clear()

    def _among_rejects(self, line: int) -> None:
        if self._rejects[line]:
            self._rejects[line] -= 1  # sheets have rows of the same number
            self.in_rejects += 1
        else:
            self.missing += 1
            if len(self.lines) < _TOLD:
                self.lines.append(line)


def _batches(session: Session) -> Iterator[BatchLine]:
    voices = _counts(session, select(Voice.batch_id, func.count()).group_by(Voice.batch_id))
    views = _counts(session, select(FaqCount.batch_id, func.count()).group_by(FaqCount.batch_id))
    state = case((Reject.resolved_at.is_(None), "open"), (Reject.resolution == "discarded", "discarded"), else_="mended")
    rejects: dict[int, dict[str, int]] = {}
    for batch_id, name, number in session.execute(select(Reject.batch_id, state, func.count()).group_by(Reject.batch_id, state)):
        rejects.setdefault(batch_id, {})[name] = number
    for batch in session.scalars(select(Batch).order_by(Batch.id)):
        own = rejects.get(batch.id, {})
        found = (views if batch.content == BatchContent.FAQ else voices).get(batch.id, 0)
        line = BatchLine(
            batch.id, batch.source_name, batch.status, batch.rows_read, batch.imported, batch.duplicates, batch.rejected, found,
            own.get("open", 0), own.get("discarded", 0), own.get("mended", 0), "",
        )  # fmt: skip
        yield replace(line, wrong="、".join(_wrong(line)))


def _wrong(line: BatchLine) -> Iterator[str]:
    if line.read != line.imported + line.duplicates + line.rejected:
        yield "読込が、取込と重複と取込不可の和ではない"
    if line.status == BatchStatus.UNDONE:
        if line.voices or line.open or line.discarded or line.mended:
            yield f"取り消しが終わっていない（koe batches undo {line.batch} で続きから）"
        return
    if line.voices != line.imported:
        yield f"取込 {line.imported:,} に対して、表には {line.voices:,}"
    if line.open + line.discarded != line.rejected:
        yield f"取込不可 {line.rejected:,} に対して、表には {line.open + line.discarded:,}"


def _sums(session: Session) -> Iterator[Sum]:
    taken = select(func.coalesce(func.sum(Batch.imported), 0))
    taken = taken.where(Batch.status != BatchStatus.UNDONE, Batch.content == BatchContent.VOICES)
    voices = _number(session, select(func.count()).select_from(Voice))
    yield Sum("取り込んだ声（取込ごとの和と、表）", _number(session, taken), voices)
    yield Sum("暗号化した原文", voices, _number(session, select(func.count()).select_from(Secret).where(Secret.field == "original")))
    said = select(MachineReading.voice_id).where(MachineReading.voice_id == Voice.id).exists()
    yield Sum("機械の分類のない声", 0, _number(session, select(func.count()).select_from(Voice).where(~said)))
    indexed = postings.state(session)
    yield Sum("さがすための索引", voices, indexed.entries)
    yield Sum("索引にない声", 0, indexed.lacking, "koe index を実行すると、索引に入ります。")
    yield Sum("索引が数えている声", voices, indexed.counted)
    yield Sum("日ごとの件数の和", voices, sum(number for *_, number in facts.daily(session, "")), _RECOUNT)
    yield Sum("月ごとの件数の和", voices, facts.totals(session, "").get("", 0), _RECOUNT)
    wrong = [difference.monthly for difference in facts.differences(session)]
    yield Sum("日ごとの件数のちがい", 0, wrong.count(False), _RECOUNT)
    yield Sum("月ごとの件数のちがい", 0, wrong.count(True), _RECOUNT)
    yield Sum("重なっている受付番号", 0, voices - _number(session, select(func.count(Voice.receipt_number.distinct()))))
    yield Sum("控えより先の受付番号", 0, _beyond_counters(session))


def _beyond_counters(session: Session) -> int:
    """Voices with a serial that the counter of their fiscal year would give out once more."""
    beyond = 0
    for year, last in session.execute(select(ReceiptCounter.fiscal_year, ReceiptCounter.last)):
        prefix = receipt_number(year, 1).partition("-")[0]
        serial = cast(func.substr(Voice.receipt_number, len(prefix) + 2, func.length(Voice.receipt_number) - len(prefix) - 3), Integer)
        same_year = Voice.receipt_number.between(f"{prefix}-", f"{prefix}.")
        beyond += _number(session, select(func.count()).select_from(Voice).where(same_year, serial > last))
    return beyond


def _number(session: Session, statement: Select[int]) -> int:
    return int(session.scalar(statement) or 0)


def _counts(session: Session, statement: Select[int, int]) -> dict[int, int]:
    return dict(session.execute(statement).all())
