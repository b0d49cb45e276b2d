"""The background jobs of imports: a file taken in, tried, a batch taken back, mended rows taken in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.jobs import JobContext, JobStopped
from core import db
from core.errors import ConflictError
from core.models import Batch, BatchStatus, Job, Upload

if TYPE_CHECKING:
    from ingest.pipeline import ImportProgress


def import_file(context: JobContext) -> dict[str, Any]:
    """A file's voices, or an FAQ log's counts. What was sent through the page is removed from the disk when it is in.

    Arguments: ``upload`` (an id) or ``path``, and those of ``FileOptions.as_dict``.
    """
    from api.campaigns import update_campaigns
    from ingest import pipeline
    from ingest.options import FileOptions

    done = _done_before(context)
    if done is None:
        context.report(0, 0, "準備しています")
        pace = _Pace(context)
        with _file(context) as path:
            report = pipeline.import_file(
                context.engine, path, settings=context.settings, keyring=context.keyring, **_annotating(context),
                options=FileOptions.from_dict(context.arguments), actor=context.actor, progress=pace.tell, stop=context.stop,
            )  # fmt: skip
        done = report.as_dict() | {"blank": report.blank, "encoding": report.encoding, "mapping": report.mapping}
        if report.cancelled:
            raise JobStopped(done)
    context.report(done["read"], done["read"], "同文・一斉投稿をまとめています")
    update_campaigns(context.engine, context.settings)
    if done["imported"] or done["duplicates"]:  # else somebody will want to look at the file's columns again
        _forget_upload(context)
    return done


def check_file(context: JobContext) -> dict[str, Any]:
    """What an import of the whole file would do at this moment. Arguments: those of ``import_file``."""
    from ingest import check
    from ingest.options import FileOptions

    context.report(0, 0, "準備しています")
    with _file(context) as path:
        report = check.check_file(
            context.engine, path, settings=context.settings, options=FileOptions.from_dict(context.arguments),
            progress=_Pace(context).tell, stop=context.stop,
        )  # fmt: skip
    result = report.as_dict() | {
        "blank": report.blank,
        "sample": [{"row": note.row, "column": note.column, "reason": note.reason} for note in report.rejects_sample],
    }
    if report.cancelled:
        raise JobStopped(result)
    return result


def retry_rejects(context: JobContext) -> dict[str, Any]:
    """Mended rows of an exported file. Arguments: ``batch``, and ``upload`` or ``path``."""
    from ingest.retry import RetryReport, Tools, retry_file

    def tell(report: RetryReport) -> None:
        done = report.imported + report.duplicates + report.rejected + report.unchanged + report.settled
        counts = f"取り込み {report.imported:,}件・重複 {report.duplicates:,}件・まだ取り込めない行 {report.rejected:,}件"
        context.report(done, 0, counts)
        if context.stop():
            raise JobStopped(report.as_dict())  # what was taken in is saved, and settled when the same file is given again

    context.report(0, 0, "準備しています")
    with _file(context) as path:
        tools = Tools(context.settings, context.keyring, **_annotating(context))
        report = retry_file(context.engine, context.arguments["batch"], path, tools=tools, actor=context.actor, progress=tell)
    _forget_upload(context)
    return report.as_dict() | {
        "sample": [{"row": outcome.row, "column": outcome.column, "reason": outcome.reason} for outcome in report.sample]
    }


def undo_batch(context: JobContext) -> dict[str, Any]:
    """A batch taken back. Arguments: ``batch``, ``reason``, ``force``."""
    from ingest import undo

    def tell(deleted: int, total: int) -> None:
        context.report(deleted, total, "声を消しています")
        if context.stop():
            raise JobStopped({"voices": deleted})  # goes on from there when it is called again

    given = context.arguments
    context.report(0, 0, "準備しています")
    try:
        report = undo.undo_batch(
            context.engine, given["batch"], actor=context.actor, reason=given["reason"], force=given.get("force", False), progress=tell
        )
    except ConflictError:
        if not _is_undone(context):
            raise
        return {"batch": given["batch"]}  # a worker before this one came to its end and was killed before it could say so
    return report.as_dict()


class _Pace:
    """Tells how far an import is, how fast it goes and what is left, measured from where this worker began."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._began: tuple[float, int] | None = None

    def tell(self, progress: ImportProgress) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now, progress.done
            if progress.batch is not None:
                self._context.attach(progress.batch)
        since, first = self._began
        counts = f"取り込み {progress.imported:,}件・重複 {progress.duplicates:,}件・取り込めない行 {progress.rejected:,}件"
        seconds, read = now - since, progress.done - first
        if seconds >= 1 and read > 0:
            rate = read / seconds
            counts += f"（毎秒 {rate:,.0f} 行、残り {_words((progress.total - progress.done) / rate)}）"
        self._context.report(progress.done, progress.total, counts)


def _words(seconds: float) -> str:
    if seconds < 100:
        return f"およそ {max(round(seconds), 1)} 秒"
    return f"およそ {round(seconds / 60)} 分"


@contextmanager
def _file(context: JobContext) -> Iterator[Path]:
    """The file that a job is about: a plain copy of an upload, or one that lies on this machine."""
    from ingest import uploads

    if "upload" not in context.arguments:
        yield Path(context.arguments["path"])
        return
    with db.reading(context.engine) as session:
        upload = uploads.find(session, str(context.arguments["upload"]))
    with uploads.opened(upload, settings=context.settings, keyring=context.keyring) as path:
        yield path


def _forget_upload(context: JobContext) -> None:
    """Removes what was sent, now that what it says is in the tables."""
    from ingest import uploads

    with db.writing(context.engine) as session:
        upload = session.get(Upload, str(context.arguments.get("upload", "")), with_for_update=True)
        if upload is not None:
            uploads.throw_away(session, upload, settings=context.settings, actor=context.actor, reason="imported")


def _annotating(context: JobContext) -> dict[str, Any]:
    from nlp import annotate

    return {"annotate": annotate.ready(context.settings), "mask": annotate.Masker(context.settings.taxonomy_dir)}


def _is_undone(context: JobContext) -> bool:
    with db.reading(context.engine) as session:
        return session.get_one(Batch, context.arguments["batch"]).status is BatchStatus.UNDONE


def _done_before(context: JobContext) -> dict[str, Any] | None:
    """What the import did, where a worker before this one came to its end and was killed before it could say so."""
    with db.reading(context.engine) as session:
        job = session.get_one(Job, context.job_id)
        batch = session.get(Batch, job.batch_id) if job.batch_id else None
        if batch is None or batch.status is not BatchStatus.DONE:
            return None
        from ingest.readers import ENCODING_NAMES

        sums = {"read": batch.rows_read, "imported": batch.imported, "duplicates": batch.duplicates, "rejected": batch.rejected}
        more = {"seconds": 0.0, "blank": batch.blank, "encoding": ENCODING_NAMES[batch.encoding], "mapping": batch.mapping}
        return {"batch": batch.id, **sums, **more}
