"""An FAQ log taken in: its questions masked and labelled like voices, its counts saved chunk by chunk, resumable, nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Engine, select

from core import audit, db
from core.cleaning import clean_line
from core.clock import utc_now
from core.crypto import Keyring
from core.errors import ModelError
from core.models import Batch, BatchContent, BatchStatus
from core.settings import Settings
from ingest.chunks import Annotate, Mask
from ingest.faq import FaqCountRow, FaqLog, FaqWords
from ingest.faq_storage import FaqChunk, Key, Wording, save_faq_chunk, would_be
from ingest.incoming import RejectedRow
from ingest.storage import Sums
from nlp import taxonomy

CHUNK_COUNTS = 2000
_LONGEST_LABEL = 64
_WORDINGS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class FaqTaken:
    """What became of a log: its batch, its sums, whether it was gone on with, and whether it was stopped."""

    batch: int
    sums: Sums
    resumed: bool
    cancelled: bool


class _Words:
    """Questions and answers masked and labelled, each wording once."""

    def __init__(self, annotate: Annotate, mask: Mask, *, settings: Settings) -> None:
        self.annotate, self.mask = annotate, mask
        self.themes = frozenset(taxonomy.load(settings.taxonomy_dir).theme_names)
        self.known: dict[FaqWords, Wording] = {}

    def of(self, rows: Sequence[FaqCountRow]) -> dict[FaqWords, Wording]:
        new = [words for words in dict.fromkeys(row.words for row in rows) if words not in self.known]
        if len(self.known) + len(new) > _WORDINGS_KEPT:
            self.known = {words: self.known[words] for words in {row.words for row in rows} & self.known.keys()}
        answers = list(dict.fromkeys(words.answer for words in new if words.answer))
        annotations = self.annotate([words.question for words in new]) if new else []
        masked = self.mask(answers) if answers else []
        if len(annotations) != len(new) or len(masked) != len(answers):
            raise ModelError("分類の結果の数が質問の数と合いません。", hint="koe train でモデルを作りなおしてください。")
        clean = {answer: text for answer, (text, _) in zip(answers, masked, strict=True)}
        for words, annotation in zip(new, annotations, strict=True):
            theme = words.theme if words.theme in self.themes else annotation.theme.label
            department = words.department or annotation.department.label
            self.known[words] = Wording(annotation.masked, clean.get(words.answer, ""), theme[:_LONGEST_LABEL], department[:_LONGEST_LABEL])
        return self.known


def import_faq(
    engine: Engine,
    log: FaqLog,
    *,
    settings: Settings,
    keyring: Keyring,
    annotate: Annotate,
    mask: Mask,
    source_name: str | None = None,
    actor: str = "cli",
    told: Callable[[int, Sums, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    chunk_counts: int = CHUNK_COUNTS,
) -> FaqTaken:
    """Takes an FAQ log in, and tells batch, sums and the line that is reached at the start and after each chunk.

    A count is a record: new or changed ones are imported, one that holds already is a duplicate.

    An import of the same file in the same way that was interrupted, or that ``stop`` ended, goes on where it stopped.

    Raises:
        InputError: the file turned out unreadable further on.
        ConflictError: the same file is being imported elsewhere at this moment.
        ModelError: nlp's models are missing; the batch stays where it is and can be gone on with.
    """
    batch_id, done, sums = _begin(engine, log, name=source_name or log.source.name, actor=actor)
    words = _Words(annotate, mask, settings=settings)
    cancelled = False
    if told:
        told(batch_id, sums, 0)
    with closing(_chunks(log, settings=settings, done=done, size=chunk_counts)) as chunks:
        for chunk in chunks:
            sums += save_faq_chunk(engine, chunk, words.of(chunk.counts), batch_id=batch_id, keyring=keyring)
            if told:
                told(batch_id, sums, chunk.line)
            if stop and stop():
                cancelled = True
                break
    return FaqTaken(batch_id, _finish(engine, batch_id, cancelled=cancelled, actor=actor), done > 0, cancelled)


class FaqChecked(NamedTuple):
    """What an import of a log would report, its rejects, and whether the rehearsal was stopped."""

    sums: Sums
    rejects: list[RejectedRow]
    cancelled: bool


def check_faq(
    engine: Engine,
    log: FaqLog,
    *,
    settings: Settings,
    told: Callable[[Sums, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> FaqChecked:
    """What an import of the log would report at this moment; nothing is written.

    ``told`` hears after each chunk what it would come to, and the line that is reached.
    """
    sums = Sums()
    rejects: list[RejectedRow] = []
    said: dict[Key, int] = {}
    with closing(_chunks(log, settings=settings, done=0, size=CHUNK_COUNTS)) as chunks:
        for chunk in chunks:
            with db.reading(engine) as session:
                part, bad = would_be(session, chunk, said)
            sums += part
            rejects += bad
            if told:
                told(part, chunk.line)
            if stop and stop():
                return FaqChecked(sums, rejects, cancelled=True)
    return FaqChecked(sums, rejects, cancelled=False)


def _chunks(log: FaqLog, *, settings: Settings, done: int, size: int) -> Generator[FaqChunk, None, None]:
    """Chunks of about ``size`` counts; a row is never divided. The first ``done`` rows are passed over."""
    counts: list[FaqCountRow] = []
    rejects: list[RejectedRow] = []
    start, number, line = done, 0, 1
    with closing(log.rows(settings=settings)) as rows:
        for number, row in enumerate(rows, start=1):
            if number <= done:
                continue
            for item in row:
                if isinstance(item, FaqCountRow):
                    counts.append(item)
                else:
                    rejects.append(item)
                line = item.row
            if len(counts) + len(rejects) >= size:
                yield FaqChunk(tuple(counts), tuple(rejects), start, number, line)
                counts, rejects, start = [], [], number
    if number > start:
        yield FaqChunk(tuple(counts), tuple(rejects), start, number, line)


def _begin(engine: Engine, log: FaqLog, *, name: str, actor: str) -> tuple[int, int, Sums]:
    """The batch to write to, how many rows of it are done, and what became of them: one that was interrupted or stopped, or a new one."""
    plan = log.plan()
    with db.writing(engine) as session:
        stopped = (BatchStatus.RUNNING, BatchStatus.CANCELLED)
        begun = select(Batch).where(Batch.source_sha256 == log.source.sha256, Batch.content == BatchContent.FAQ, Batch.status.in_(stopped))
        for batch in session.scalars(begun.order_by(Batch.id.desc())):
            if batch.plan == plan:
                batch.status, batch.finished_at = BatchStatus.RUNNING, None
                return batch.id, batch.checkpoint, Sums(batch.imported, batch.duplicates, batch.rejected)
            batch.status, batch.finished_at = BatchStatus.FAILED, utc_now()
        batch = Batch(
            source_name=clean_line(name)[-255:],
            source_sha256=log.source.sha256,
            mapping=log.mapping[:255],
            encoding=log.source.encoding,
            content=BatchContent.FAQ,
            plan=plan,
            started_by=actor[:64],
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
        return batch.id, 0, Sums()


def _finish(engine: Engine, batch_id: int, *, cancelled: bool, actor: str) -> Sums:
    with db.writing(engine) as session:
        batch = session.get_one(Batch, batch_id, with_for_update=True)
        if batch.status == BatchStatus.RUNNING:
            batch.status, batch.finished_at = BatchStatus.CANCELLED if cancelled else BatchStatus.DONE, utc_now()
        sums = Sums(batch.imported, batch.duplicates, batch.rejected)
        detail = {"read": sums.read, "imported": sums.imported, "duplicates": sums.duplicates, "rejected": sums.rejected}
        audit.record(
            session, actor=actor, action="import.cancel" if cancelled else "import.finish", subject=f"batch:{batch_id}", detail=detail
        )
    return sums
