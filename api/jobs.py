"""Background jobs, from the request that asks for one to the worker that does it; ``core.jobs`` keeps their rows."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from core import db, jobs
from core.crypto import Keyring
from core.errors import DatabaseError, KoeError, QueueError
from core.jobs import Standing
from core.models import Job
from core.settings import Settings

BEAT_SECONDS = 5.0
_REPORT_SECONDS = 1.0
_log = logging.getLogger("koenowa.jobs")


class JobStopped(Exception):  # noqa: N818  (no error)
    """What a job's function raises when it has stopped before its end because ``JobContext.stop`` said so."""

    def __init__(self, result: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.result = result or {}


@dataclass
class JobContext:
    """What a job's function works with, and what it tells how far it is by."""

    settings: Settings
    engine: Engine
    keyring: Keyring
    job_id: int
    worker: str
    arguments: dict[str, Any]
    actor: str
    stopping: threading.Event
    """Set when the worker process is to end."""
    standing: Standing = Standing.OURS
    _latest: tuple[int, int, str] | None = field(default=None, init=False)
    _written_at: float = field(default=0.0, init=False)

    def report(self, done: int, total: int, message: str = "") -> None:
        """How far the work is; written at most once a second. Call it as often as you like, with no personal data."""
        self._latest = (done, total, message)
        if time.monotonic() - self._written_at >= _REPORT_SECONDS:
            with db.writing(self.engine) as session:
                self.flush(session)

    def stop(self) -> bool:
        """Whether the function should save what it has and raise ``JobStopped``: a person cancelled, or the worker ends."""
        return self.standing is not Standing.OURS or self.stopping.is_set()

    def check(self) -> None:
        """Raises ``JobStopped`` when it is time to stop, for functions that have nothing to save."""
        if self.stop():
            raise JobStopped

    def attach(self, batch_id: int) -> None:
        """Says which batch the job writes to."""
        with db.writing(self.engine) as session:
            jobs.attach(session, self.job_id, batch_id=batch_id)

    def flush(self, session: Session) -> None:
        """Writes what was reported last."""
        if self._latest is not None:
            done, total, message = self._latest
            self.standing = jobs.report(session, self.job_id, worker=self.worker, done=done, total=total, message=message)
            self._latest, self._written_at = None, time.monotonic()

    def beat(self) -> None:
        """A sign of life, and what was reported since the last one was written: the next report may be long in coming."""
        with db.writing(self.engine) as session:
            if self._latest is not None:
                self.flush(session)
            else:
                self.standing = jobs.beat(session, self.job_id, worker=self.worker)


JobFunction = Callable[[JobContext], dict[str, Any]]


def submit(
    session: Session, settings: Settings, *, kind: str, title: str, arguments: dict[str, Any], actor: str, total: int = 0
) -> Job:  # fmt: skip
    """Asks for a job in the caller's transaction; the workers are told when that is committed."""
    job = jobs.create(session, kind=kind, title=title, arguments=arguments, actor=actor, total=total)
    _tell_after_commit(session, settings, job.id)
    return job


def submit_again(session: Session, settings: Settings, job_id: int, *, actor: str) -> Job:
    """Lets a job that failed or was cancelled wait again, and tells the workers after the commit.

    Raises:
        NotFoundError, ConflictError: see ``core.jobs.retry``.
    """
    job = jobs.retry(session, job_id, actor=actor)
    _tell_after_commit(session, settings, job.id)
    return job


def enqueue(settings: Settings, job_id: int) -> None:
    """Tells the workers that a job waits; to be called after the commit. When the queue can't be reached, a worker finds it later."""
    from api.queue import open_queue

    try:
        open_queue(settings).send(job_id)
    except QueueError as error:
        _log.warning("処理 %d を待ち行列に入れられませんでした: %s", job_id, error)


def _tell_after_commit(session: Session, settings: Settings, job_id: int) -> None:
    event.listen(session, "after_commit", lambda _session: enqueue(settings, job_id), once=True)


@dataclass(frozen=True)
class Runner:
    """Does jobs in this process, one at a time.

    ``new_name`` gives the name under which the next job is taken.
    """

    settings: Settings
    engine: Engine
    keyring: Keyring
    kinds: Mapping[str, JobFunction]
    new_name: Callable[[], str]
    stopping: threading.Event

    def run(self, job_id: int) -> bool:
        """Takes a waiting job and does it to whatever end; ``False`` when it wasn't waiting."""
        if self.stopping.is_set():
            return False  # it stays where it is, and another worker finds it
        worker = self.new_name()
        with db.writing(self.engine) as session:
            job = jobs.claim(session, job_id, worker=worker)
        if job is None:
            return False
        _log.info("処理 %d（%s）を始めます。", job_id, job.kind)
        context = JobContext(
            self.settings, self.engine, self.keyring, job_id, worker, dict(job.arguments), job.created_by, self.stopping
        )  # fmt: skip
        with _beating(context):
            end = self._end_of(job.kind, context)
        with db.writing(self.engine) as session:
            context.flush(session)
            ours = end(session)
        _log.info("処理 %d が終わりました。" if ours else "処理 %d は、ほかのプロセスに移っていました。", job_id)
        return True

    def _end_of(self, kind: str, context: JobContext) -> Callable[[Session], bool]:
        """Does the job; gives what is to be written at its end."""
        own: dict[str, Any] = {"job_id": context.job_id, "worker": context.worker}

        def release(session: Session) -> bool:
            return jobs.release(session, **own)

        ending = context.stopping.is_set
        try:
            result = self._function(kind)(context)
        except JobStopped as stopped:
            if context.standing is Standing.OURS and ending():
                return release
            partly = stopped.result
            return lambda session: jobs.cancelled(session, **own, result=partly)
        except KoeError as error:
            _log.warning("処理 %d が失敗しました（%s）。", context.job_id, error.code)
            message, hint = error.message, error.hint
        except OSError as error:
            _log.warning("処理 %d が失敗しました（%s %s）。", context.job_id, type(error).__name__, error.errno)
            message = f"ファイルを読み書きできません（{error.strerror or type(error).__name__}）。"
            hint = "場所・権限・空き容量を確かめて、やり直してください。"
        except Exception as error:  # noqa: BLE001  (the job fails, the worker goes on)
            _log.error("処理 %d が失敗しました: %s", context.job_id, _where(error))
            message = "処理中に問題が起きました。"
            hint = f"やり直しても続くときは、処理番号 {context.job_id} を管理者に知らせてください。"
        else:
            return lambda session: jobs.finish(session, **own, result=result)
        if ending():
            return release  # the signal that ends this process may have ended the ones that it computes with
        return lambda session: jobs.fail(session, **own, error=message, hint=hint)

    def _function(self, kind: str) -> JobFunction:
        if kind not in self.kinds:
            raise KoeError(f"処理の種類「{kind}」を、このプログラムは知りません。", hint="koe worker を新しい版で動かしてください。")
        return self.kinds[kind]


@contextmanager
def _beating(context: JobContext) -> Iterator[None]:
    """Signs of life from a thread beside the work, until the work ends."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_SECONDS):
            try:
                context.beat()
            except DatabaseError as error:  # busy or being started again: the next beat may get through
                _log.warning("処理 %d: %s", context.job_id, error.message)

    thread = threading.Thread(target=beat, name=f"beat-{context.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _where(error: BaseException) -> str:
    """An error's kind and the lines that it came through, without its message and values, which may be a person's words."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = " ← ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    cause = error.__cause__ or error.__context__
    return f"{type(error).__name__}: {lines}" + (f" / {_where(cause)}" if cause else "")
