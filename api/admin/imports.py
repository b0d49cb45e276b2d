"""What the import page and its JSON API both do: keep files, remember choices, start jobs, find batches. Composes, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Engine, exists, or_, select
from sqlalchemy.orm import Session

from api import jobs
from api.admin.receiving import Sent
from core import audit, db
from core.crypto import Keyring
from core.errors import ConflictError, InputError, KoeError, NotFoundError
from core.models import Batch, BatchStatus, FaqCount, Job, JobState, Upload, Voice
from core.settings import Settings
from ingest import uploads
from ingest.look import Choices, Look, look
from ingest.mapping_choices import save_mapping
from ingest.rejects import refuse_unless_mendable

IMPORT, CHECK, UNDO, MEND = "import", "import_check", "undo_batch", "retry_rejects"
KINDS = (IMPORT, CHECK, UNDO, MEND)
"""The kinds of background jobs that belong to imports (``api.job_kinds``)."""

OPEN = (JobState.QUEUED, JobState.RUNNING)


def keep_all(engine: Engine, sent: Sent, *, settings: Settings, keyring: Keyring, actor: str) -> list[Upload]:
    """Looks at each file that a form brought and keeps it; what is wrong with the others is added to ``sent.refused``."""
    kept: list[Upload] = []
    while sent.files:
        received = sent.files[0]
        try:
            kept.append(uploads.keep(engine, received, settings=settings, keyring=keyring, actor=actor))
        except KoeError as error:
            sent.refused.append(error)
        sent.files.pop(0)
    return kept


@dataclass(frozen=True, slots=True)
class Looked:
    """An upload with what it looks like under the choices made for it."""

    upload: Upload
    choices: Choices
    look: Look


def look_at(
    engine: Engine, upload_id: str, *, settings: Settings, keyring: Keyring, actor: str, choices: Choices | None = None
) -> Looked:  # fmt: skip
    """What an upload looks like under these choices, else under those made so far.

    That a person sees its rows, which nobody has masked yet, is recorded once for each upload and person.

    Raises:
        NotFoundError: there is no such upload.
        InputError: the file itself can't be read.
    """
    with db.reading(engine) as session:
        upload = uploads.find(session, upload_id)
    if actor not in upload.options.get("seen_by", ()):
        with db.writing(engine) as session:
            upload = uploads.find(session, upload_id, lock=True)
            upload.options = {**upload.options, "seen_by": [*upload.options.get("seen_by", ()), actor]}
            audit.record(session, actor=actor, action="upload.view", subject=f"upload:{upload_id}")
    return _look(upload, choices, settings=settings, keyring=keyring)


def choose(engine: Engine, upload_id: str, choices: Choices) -> Upload:
    """Remembers what a person chose for an upload.

    Raises:
        NotFoundError: there is no such upload.
    """
    with db.writing(engine) as session:
        upload = uploads.find(session, upload_id, lock=True)
        upload.options = {**upload.options, **choices.as_dict()}
    return upload


def keep_mapping(engine: Engine, upload_id: str, name: str, choices: Choices, *, settings: Settings, keyring: Keyring, actor: str) -> str:
    """Saves the mapping chosen for an upload under a name, by which it is chosen from then on; gives the name.

    Raises:
        NotFoundError: there is no such upload.
        InputError: the mapping doesn't fit, or the name can't be one.
    """
    with db.reading(engine) as session:
        upload = uploads.find(session, upload_id)
    looked = _look(upload, choices, settings=settings, keyring=keyring)
    if looked.look.problem:
        raise looked.look.problem
    if looked.look.mapping is None:
        raise InputError(
            "FAQ の参照回数の一覧の対応は、画面からは保存できません。", hint="対応表のファイルの faq に列を書いてください（取込の手引）。"
        )
    saved = save_mapping(looked.look.mapping, name, settings=settings, channel=looked.choices.channel)
    with db.writing(engine) as session:
        upload = uploads.find(session, upload_id, lock=True)
        upload.options = {**upload.options, **choices.as_dict(), "mapping": saved, "columns": None}
        audit.record(session, actor=actor, action="mapping.save", subject=f"mapping:{saved}")
    return saved


def start(
    engine: Engine, upload_id: str, choices: Choices, *, dry_run: bool, settings: Settings, keyring: Keyring, actor: str
) -> int:  # fmt: skip
    """Asks the workers to take an upload in, or to try it; gives the job's number. One that is already under way is given again.

    Raises:
        NotFoundError: there is no such upload.
        InputError: the mapping doesn't fit, or nothing tells the period of an FAQ log's counts.
    """
    with db.reading(engine) as session:
        upload = uploads.find(session, upload_id)
    looked = _look(upload, choices, settings=settings, keyring=keyring)
    if looked.look.problem:
        raise looked.look.problem
    options = looked.choices.options(looked.look.mapping, source_name=upload.name)
    arguments = {"upload": upload_id, **options.as_dict()}
    kind, what = (CHECK, "を試しに取り込む") if dry_run else (IMPORT, "の取込")
    with db.writing(engine) as session:
        upload = uploads.find(session, upload_id, lock=True)  # two clicks come one after the other
        under_way = open_job(session, "upload", upload_id)
        if under_way is not None:
            return under_way.id
        job = jobs.submit(
            session, settings, kind=kind, title=f"「{upload.name}」{what}", arguments=arguments, actor=actor, total=looked.look.lines
        )
        upload.options = {**upload.options, **looked.choices.as_dict(), "job": job.id}
        return job.id


def start_as_tried(session: Session, job_id: int, *, settings: Settings, actor: str) -> Job:
    """Asks the workers to take an upload in just as a rehearsal has read it, whatever was chosen since then.

    Raises:
        NotFoundError: there is no such rehearsal, or its file is gone.
    """
    tried = find_job(session, job_id)
    if tried.kind != CHECK:
        raise NotFoundError(f"処理 {job_id} は、取込の試しではありません。", hint="取込の一覧から選びなおしてください。")
    upload = uploads.find(session, str(tried.arguments["upload"]), lock=True)
    under_way = open_job(session, "upload", upload.id)
    if under_way is not None:
        return under_way
    arguments = dict(tried.arguments)
    job = jobs.submit(session, settings, kind=IMPORT, title=f"「{upload.name}」の取込", arguments=arguments, actor=actor, total=tried.total)
    upload.options = {**upload.options, "job": job.id}
    return job


def start_undo(session: Session, batch_id: int, *, reason: str, force: bool, settings: Settings, actor: str) -> Job:
    """Asks the workers to take a whole batch back.

    Raises:
        NotFoundError: there is no such batch.
        ConflictError: it was taken back already.
    """
    batch = find_batch(session, batch_id)
    under_way = open_job(session, "batch", batch_id)
    if under_way is not None:
        return under_way
    if batch.status is BatchStatus.UNDONE and not half_undone(session, batch):
        raise ConflictError(f"取込 {batch_id} は、もう取り消してあります。", hint="取込の一覧を確かめてください。")
    arguments = {"batch": batch_id, "reason": reason, "force": force}
    job = jobs.submit(
        session, settings, kind=UNDO, title=f"取込 {batch_id} の取り消し", arguments=arguments, actor=actor, total=batch.imported
    )
    job.batch_id = batch_id
    return job


def start_mending(session: Session, batch_id: int, upload: Upload, *, settings: Settings, actor: str) -> Job:
    """Asks the workers to take the rows of a mended file of rejects in.

    Raises:
        NotFoundError: there is no such batch.
        ConflictError: something else is being done with the batch, or it was undone.
        InputError: its rows aren't voices.
    """
    batch = find_batch(session, batch_id)
    refuse_unless_mendable(batch)
    if open_job(session, "batch", batch_id) is not None:
        raise ConflictError(f"取込 {batch_id} は、ほかの処理の途中です。", hint="終わってから、もう一度送ってください。")
    arguments = {"batch": batch_id, "upload": upload.id}
    session.merge(upload).options = {"batch": batch_id}
    job = jobs.submit(
        session, settings, kind=MEND, title=f"取込 {batch_id} の直した行", arguments=arguments, actor=actor, total=batch.rejected
    )
    job.batch_id = batch_id
    return job


def find_batch(session: Session, batch_id: int) -> Batch:
    """A batch by its number.

    Raises:
        NotFoundError: there is none.
    """
    batch = session.get(Batch, batch_id)
    if batch is None:
        raise NotFoundError(f"取込 {batch_id} はありません。", hint="取込の一覧から選びなおしてください。")
    return batch


class Numbered(Protocol):
    @property
    def id(self) -> Any: ...


Row = TypeVar("Row", bound=Numbered)


def cut(found: Sequence[Row], limit: int) -> tuple[Sequence[Row], int | None]:
    """A page of ``limit + 1`` rows that were asked for, and the id after which (or before which) the next one goes on."""
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def half_undone(session: Session, batch: Batch) -> bool:
    """Whether a batch's undo was begun and interrupted: some of its voices, or of an FAQ log's counts, are still there."""
    left = select(or_(exists().where(Voice.batch_id == batch.id), exists().where(FaqCount.batch_id == batch.id)))
    return batch.status is BatchStatus.UNDONE and bool(session.scalar(left))


def open_jobs(session: Session) -> Sequence[Job]:
    """The jobs of imports that wait or run, the newest first."""
    return session.scalars(select(Job).where(Job.state.in_(OPEN), Job.kind.in_(KINDS)).order_by(Job.id.desc())).all()


def open_job(session: Session, name: str, value: str | int) -> Job | None:
    """The job that waits or runs for an upload or a batch."""
    return next((job for job in open_jobs(session) if job.arguments.get(name) == value), None)


def find_job(session: Session, job_id: int) -> Job:
    """A job of an import by its number.

    Raises:
        NotFoundError: there is none, or it is about something else.
    """
    job = session.get(Job, job_id)
    if job is None or job.kind not in KINDS:
        raise NotFoundError(f"取込の処理 {job_id} はありません。", hint="取込の一覧から選びなおしてください。")
    return job


def _look(upload: Upload, choices: Choices | None, *, settings: Settings, keyring: Keyring) -> Looked:
    chosen = choices or Choices.from_dict(upload.options)
    with uploads.opened(upload, settings=settings, keyring=keyring) as path:
        return Looked(upload, chosen, look(path, chosen, settings=settings))
