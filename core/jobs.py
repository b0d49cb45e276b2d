"""Background jobs in their table: asked for, taken by one worker, reported on, ended, taken up again. Knows no queue.

A worker's own calls carry its name: one that was thought dead and whose job another has taken can't write into it any more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import utc_now
from core.errors import ConflictError, NotFoundError
from core.models import Job, JobState

MAX_ATTEMPTS = 5
ENDED = frozenset((JobState.DONE, JobState.FAILED, JobState.CANCELLED))
AGAIN = frozenset((JobState.FAILED, JobState.CANCELLED))
_LONGEST_LINE = 255


class Standing(StrEnum):
    """What a worker learns when it reports: go on, a person asked to stop, or the job isn't its own any more."""

    OURS = "ours"
    CANCEL = "cancel"
    LOST = "lost"


def create(session: Session, *, kind: str, title: str, arguments: dict[str, Any], actor: str, total: int = 0) -> Job:
    """A new job, waiting for a worker. ``arguments`` and ``title`` must hold no personal data. ``api.jobs.submit`` tells the queue, too."""
    job = Job(kind=kind, title=title[:_LONGEST_LINE], arguments=arguments, total=total, created_by=actor, created_at=utc_now())
    session.add(job)
    session.flush()
    audit.record(session, actor=actor, action="job.create", subject=f"job:{job.id}", detail={"kind": kind})
    return job


def is_active(session: Session, kind: str) -> bool:
    """Whether a job of this kind waits or runs."""
    active = select(Job.id).where(Job.kind == kind, Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    return session.scalar(active.limit(1)) is not None


def claim(session: Session, job_id: int, *, worker: str) -> Job | None:
    """Takes a waiting job for this worker; ``None`` when it isn't waiting (any more), so that only one worker ever has it.

    ``worker`` must be another name each time that a job is taken.
    """
    now = utc_now()
    taken = update(Job).where(Job.id == job_id, Job.state == JobState.QUEUED)
    values = {"state": JobState.RUNNING, "worker": worker, "attempts": Job.attempts + 1, "started_at": now, "heartbeat_at": now}
    return _fresh(session, job_id) if _changed(session, taken.values(**values)) else None


def report(session: Session, job_id: int, *, worker: str, done: int, total: int, message: str = "") -> Standing:
    """How far a running job is; counts as a sign of life."""
    return _touch(session, job_id, worker, {"done": done, "total": total, "message": message[:_LONGEST_LINE]})


def beat(session: Session, job_id: int, *, worker: str) -> Standing:
    """The worker is alive, although it has nothing to report."""
    return _touch(session, job_id, worker, {})


def attach(session: Session, job_id: int, *, batch_id: int) -> None:
    """Says which batch an import's job writes to."""
    session.execute(update(Job).where(Job.id == job_id).values(batch_id=batch_id))


def finish(session: Session, job_id: int, *, worker: str, result: dict[str, Any]) -> bool:
    """Ends a job well. ``False``: it wasn't this worker's any more, and nothing was written (so for the three below)."""
    return _end(session, job_id, worker, {"state": JobState.DONE, "result": result, "message": ""})


def fail(session: Session, job_id: int, *, worker: str, error: str, hint: str) -> bool:
    """Ends a job that can't be done, with what was wrong and what to do about it, in Japanese."""
    return _end(session, job_id, worker, {"state": JobState.FAILED, "error": error, "hint": hint, "message": ""})


def cancelled(session: Session, job_id: int, *, worker: str, result: dict[str, Any] | None = None) -> bool:
    """Ends a job that has stopped because a person asked for it."""
    return _end(session, job_id, worker, {"state": JobState.CANCELLED, "result": result or {}, "message": ""})


def release(session: Session, job_id: int, *, worker: str) -> bool:
    """Puts a job back that this worker stopped in order to end itself. It doesn't count as an attempt."""
    values = {"state": JobState.QUEUED, "worker": "", "attempts": Job.attempts - 1, "heartbeat_at": None}
    return _changed(session, _own(job_id, worker).values(**values))


def request_cancel(session: Session, job_id: int, *, actor: str) -> Job:
    """Cancels a waiting job at once; asks a running one's worker to stop, which it does at the next good moment.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it has ended already.
    """
    now = utc_now()
    waiting = update(Job).where(Job.id == job_id, Job.state == JobState.QUEUED)
    running = update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING)
    if not _changed(session, waiting.values(state=JobState.CANCELLED, cancel_requested=True, finished_at=now)) and not _changed(
        session, running.values(cancel_requested=True)
    ):
        find(session, job_id)
        raise ConflictError(f"処理 {job_id} はもう終わっています。", hint="一覧を開きなおして、結果を確かめてください。")
    audit.record(session, actor=actor, action="job.cancel", subject=f"job:{job_id}")
    return _fresh(session, job_id)


def retry(session: Session, job_id: int, *, actor: str) -> Job:
    """Lets a job that failed or was cancelled wait again: the same row, its attempts counted anew.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it waits, runs or was done.
    """
    ended = update(Job).where(Job.id == job_id, Job.state.in_(AGAIN))
    fresh = {"state": JobState.QUEUED, "worker": "", "error": "", "hint": "", "message": "", "result": {}, "attempts": 0, "done": 0}
    never: dict[str, Any] = {"cancel_requested": False, "started_at": None, "heartbeat_at": None, "finished_at": None}
    if not _changed(session, ended.values(**fresh, **never)):
        job = find(session, job_id)
        why = "終わっています" if job.state is JobState.DONE else "待機中か実行中です"
        raise ConflictError(f"処理 {job_id} は{why}。", hint="やり直せるのは、失敗した処理と取り消した処理だけです。")
    audit.record(session, actor=actor, action="job.retry", subject=f"job:{job_id}")
    return _fresh(session, job_id)


def find(session: Session, job_id: int) -> Job:
    """The job.

    Raises:
        NotFoundError: there is none with this number.
    """
    job = session.get(Job, job_id, populate_existing=True)
    if job is None:
        raise NotFoundError(f"処理 {job_id} はありません。", hint="処理の一覧から選びなおしてください。")
    return job


def listing(session: Session, *, limit: int, before_id: int | None = None) -> list[Job]:
    """Jobs, the newest first; ``before_id`` goes on after the last one of the page before."""
    wanted = select(Job).order_by(Job.id.desc()).limit(limit)
    return list(session.scalars(wanted if before_id is None else wanted.where(Job.id < before_id)))


def waiting(session: Session) -> list[int]:
    """The numbers of the jobs that wait, the oldest first."""
    return list(session.scalars(select(Job.id).where(Job.state == JobState.QUEUED).order_by(Job.id)))


def running(session: Session) -> list[Job]:
    """The jobs that a worker has now."""
    return list(session.scalars(select(Job).where(Job.state == JobState.RUNNING).order_by(Job.id)))


def stale(session: Session, *, silent_for: timedelta, dead: Collection[str] = ()) -> list[Job]:
    """Lets running jobs wait again whose worker gave no sign of life for so long, or is known to be dead; gives those jobs.

    One that a person wanted to stop is cancelled instead. One that took five workers with it fails.
    """
    silent = or_(Job.heartbeat_at < utc_now() - silent_for, Job.worker.in_(dead))
    # Looked at one by one behind a lock: a worker that reports at this moment keeps its job.
    found = session.scalars(select(Job).where(Job.state == JobState.RUNNING, silent).order_by(Job.id).with_for_update(skip_locked=True))
    jobs = list(found)
    for job in jobs:
        job.worker, job.heartbeat_at, job.message = "", None, ""
        if job.cancel_requested:
            job.state, job.finished_at = JobState.CANCELLED, utc_now()
        elif job.attempts >= MAX_ATTEMPTS:
            job.state, job.finished_at = JobState.FAILED, utc_now()
            job.error = f"処理するプロセスが {MAX_ATTEMPTS} 回続けて途中で止まりました。"
            job.hint = "計算機のメモリと空き容量、koe worker の記録を確かめてから、やり直してください。"
        else:
            job.state = JobState.QUEUED
    session.flush()
    return jobs


def _own(job_id: int, worker: str) -> Any:
    return update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING, Job.worker == worker)


def _touch(session: Session, job_id: int, worker: str, values: dict[str, Any]) -> Standing:
    if not _changed(session, _own(job_id, worker).values(heartbeat_at=utc_now(), **values)):
        return Standing.LOST
    asked = session.scalar(select(Job.cancel_requested).where(Job.id == job_id))
    return Standing.CANCEL if asked else Standing.OURS


def _end(session: Session, job_id: int, worker: str, values: dict[str, Any]) -> bool:
    return _changed(session, _own(job_id, worker).values(finished_at=utc_now(), **values))


def _changed(session: Session, statement: Any) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return bool(cast("CursorResult[Any]", result).rowcount)


def _fresh(session: Session, job_id: int) -> Job:
    return session.get_one(Job, job_id, populate_existing=True)
