"""The rehearsal of an import: all of a file is read, and nothing is saved."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

from core import db
from core.settings import Settings
from ingest.chunks import CHUNK_VOICES, Chunk, make_chunks
from ingest.faq import FaqLog, open_faq_log
from ingest.faq_import import check_faq
from ingest.options import NOTHING_SAID, FileOptions
from ingest.pipeline import Meter, Progress, Stop, where_to_begin
from ingest.plan import plan_source
from ingest.readers import ENCODING_NAMES
from ingest.rejects import count_by_code
from ingest.reports import CheckReport, RejectNote
from ingest.sources import open_source
from ingest.storage import Sums

_SAMPLE = 20


def check_file(
    engine: Engine,
    path: Path,
    *,
    settings: Settings,
    options: FileOptions = NOTHING_SAID,
    progress: Progress | None = None,
    stop: Stop | None = None,
    chunk_voices: int = CHUNK_VOICES,
) -> CheckReport:
    """Reads the whole file as ``import_file`` would, and tells the numbers that an import would give at this moment.

    Masking and labels are left out: they leave no text empty, so that they change no number.

    Raises:
        InputError: the file or the mapping can't be used.
    """
    began = time.monotonic()
    opened = open_source(path, encoding=options.encoding)
    if log := open_faq_log(opened, options, settings=settings):
        return _check_faq(engine, log, settings=settings, began=began, progress=progress, stop=stop)
    plan = plan_source(opened, options, settings=settings)
    with db.reading(engine) as session:
        begun = where_to_begin(session, plan)
        codes = Counter(count_by_code(session, begun.batch) if begun.batch else ())
    meter = Meter(plan.source.lines, begun.sums, progress)
    seen: set[int] = set()
    sample: list[RejectNote] = []
    blank, cancelled = begun.blank, False
    rows = plan.source.rows(needed=plan.mapping.needed, settings=settings)
    with closing(rows):
        for chunk in make_chunks(rows, begun.plan.interpreter(), engine=engine, done=begun.done, size=chunk_voices):
            codes.update(reject.code for reject in chunk.rejects)
            sample += [RejectNote(reject.row, reject.column, reject.reason) for reject in chunk.rejects[: _SAMPLE - len(sample)]]
            blank += chunk.blank
            meter.add(_would_be(chunk, seen), line=chunk.line)
            if stop and stop():
                cancelled = True
                break
    if not cancelled:
        meter.end()
    sums = meter.sums
    return CheckReport(
        read=sums.read,
        imported=sums.imported,
        duplicates=sums.duplicates,
        rejected=sums.rejected,
        blank=blank,
        seconds=time.monotonic() - began,
        encoding=ENCODING_NAMES[plan.source.encoding],
        mapping=plan.mapping.name,
        guessed=tuple(plan.mapping.describe()),
        codes=dict(codes.most_common()),
        rejects_sample=tuple(sample),
        resumed=begun.done > 0,
        cancelled=cancelled,
    )


def _check_faq(
    engine: Engine, log: FaqLog, *, settings: Settings, began: float, progress: Progress | None, stop: Stop | None
) -> CheckReport:  # fmt: skip
    meter = Meter(log.source.lines, Sums(), progress)
    sums, rejects, cancelled = check_faq(engine, log, settings=settings, told=lambda part, line: meter.add(part, line=line), stop=stop)
    if not cancelled:
        meter.end()
    return CheckReport(
        read=sums.read,
        imported=sums.imported,
        duplicates=sums.duplicates,
        rejected=sums.rejected,
        blank=0,
        seconds=time.monotonic() - began,
        encoding=ENCODING_NAMES[log.source.encoding],
        mapping=log.mapping,
        guessed=tuple(log.describe()),
        codes=dict(Counter(reject.code for reject in rejects).most_common()),
        rejects_sample=tuple(RejectNote(reject.row, reject.column, reject.reason) for reject in rejects[:_SAMPLE]),
        cancelled=cancelled,
    )


def _would_be(chunk: Chunk, seen: set[int]) -> Sums:
    """A chunk's sums; a voice of an earlier chunk would be in the database by now.

    ``seen`` has 64 bits of each content hash: a year of a large city takes some tens of megabytes.
    """
    hashes = {int(voice.content_hash[:16], 16) for voice in chunk.voices}
    fresh = len(hashes - seen)
    seen |= hashes
    return Sums(fresh, chunk.duplicates + len(chunk.voices) - fresh, len(chunk.rejects))
