"""Jobs in their table, on both databases: every state, who may leave it, and that only one worker ever has a job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from core import db, jobs
from core.clock import utc_now
from core.errors import ConflictError, NotFoundError
from core.jobs import MAX_ATTEMPTS, Standing
from core.models import AuditEntry, Job, JobState

SILENCE = timedelta(minutes=2)


def create(engine: Engine, **values: object) -> int:
    given = {"kind": "import", "title": "応答記録.csv の取込", "arguments": {"upload": "a1"}, "actor": "kocho1"}
    with db.writing(engine) as session:
        return jobs.create(session, **{**given, **values}).id


def claim(engine: Engine, job_id: int, worker: str = "w1") -> Job | None:
    with db.writing(engine) as session:
        return jobs.claim(session, job_id, worker=worker)


def look(engine: Engine, job_id: int) -> Job:
    with db.reading(engine) as session:
        return jobs.find(session, job_id)


def actions(engine: Engine) -> list[tuple[str, str]]:
    with db.reading(engine) as session:
        return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def fall_silent(engine: Engine, job_id: int) -> None:
    with db.writing(engine) as session:
        session.execute(update(Job).where(Job.id == job_id).values(heartbeat_at=utc_now() - SILENCE * 2))


def test_a_job_is_asked_for_taken_reported_on_and_done(engine: Engine) -> None:
    job_id = create(engine, total=500)
    assert look(engine, job_id).state is JobState.QUEUED
    job = claim(engine, job_id)
    assert job is not None
    assert (job.state, job.attempts, job.worker, job.arguments) == (JobState.RUNNING, 1, "w1", {"upload": "a1"})
    with db.writing(engine) as session:
        assert jobs.report(session, job_id, worker="w1", done=200, total=600, message="読み込み中") is Standing.OURS
    job = look(engine, job_id)
    assert (job.done, job.total, job.message) == (200, 600, "読み込み中")
    with db.writing(engine) as session:
        assert jobs.finish(session, job_id, worker="w1", result={"imported": 600})
    job = look(engine, job_id)
    assert (job.state, job.result, job.message) == (JobState.DONE, {"imported": 600}, "")
    assert job.finished_at is not None
    assert actions(engine) == [("kocho1", "job.create")]


def test_of_many_workers_one_gets_the_job(engine: Engine) -> None:
    job_id = create(engine)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda number: claim(engine, job_id, f"w{number}"), range(8)))
    winners = [job for job in taken if job is not None]
    assert len(winners) == 1
    assert (look(engine, job_id).worker, look(engine, job_id).attempts) == (winners[0].worker, 1)


def test_a_failure_is_kept_with_what_to_do_and_can_be_tried_again(engine: Engine) -> None:
    job_id = create(engine)
    claim(engine, job_id)
    with db.writing(engine) as session:
        assert jobs.fail(session, job_id, worker="w1", error="ファイルがありません。", hint="もう一度送ってください。")
    job = look(engine, job_id)
    assert (job.state, job.error, job.hint) == (JobState.FAILED, "ファイルがありません。", "もう一度送ってください。")
    with db.writing(engine) as session:
        again = jobs.retry(session, job_id, actor="admin1")
    assert (again.id, again.state, again.error, again.hint, again.attempts) == (job_id, JobState.QUEUED, "", "", 0)
    assert again.finished_at is None
    job = claim(engine, job_id, "w2")
    assert job is not None
    assert actions(engine) == [("kocho1", "job.create"), ("admin1", "job.retry")]


def test_a_waiting_job_is_cancelled_at_once(engine: Engine) -> None:
    job_id = create(engine)
    with db.writing(engine) as session:
        assert jobs.request_cancel(session, job_id, actor="admin1").state is JobState.CANCELLED
    assert claim(engine, job_id) is None
    assert actions(engine)[-1] == ("admin1", "job.cancel")


def test_a_running_job_is_asked_to_stop_and_says_when_it_has(engine: Engine) -> None:
    job_id = create(engine)
    claim(engine, job_id)
    with db.writing(engine) as session:
        assert jobs.request_cancel(session, job_id, actor="admin1").state is JobState.RUNNING
    with db.writing(engine) as session:
        assert jobs.beat(session, job_id, worker="w1") is Standing.CANCEL
        assert jobs.report(session, job_id, worker="w1", done=1, total=2) is Standing.CANCEL
        assert jobs.cancelled(session, job_id, worker="w1", result={"imported": 1})
    job = look(engine, job_id)
    assert (job.state, job.result) == (JobState.CANCELLED, {"imported": 1})


@pytest.mark.parametrize("end", ["finish", "cancelled"])
def test_what_has_ended_can_not_be_cancelled_and_what_is_done_not_repeated(engine: Engine, end: str) -> None:
    job_id = create(engine)
    claim(engine, job_id)
    with db.writing(engine) as session:
        assert getattr(jobs, end)(session, job_id, worker="w1", result={})
    with db.writing(engine) as session, pytest.raises(ConflictError, match="終わっています"):
        jobs.request_cancel(session, job_id, actor="admin1")
    if end == "finish":
        with db.writing(engine) as session, pytest.raises(ConflictError, match="やり直せるのは"):
            jobs.retry(session, job_id, actor="admin1")


@pytest.mark.parametrize("running", [False, True])
def test_what_waits_or_runs_is_not_tried_again(engine: Engine, *, running: bool) -> None:
    job_id = create(engine)
    if running:
        claim(engine, job_id)
    with db.writing(engine) as session, pytest.raises(ConflictError, match="待機中か実行中"):
        jobs.retry(session, job_id, actor="admin1")


def test_a_number_that_does_not_exist_is_named(engine: Engine) -> None:
    for act in (jobs.request_cancel, jobs.retry):
        with db.writing(engine) as session, pytest.raises(NotFoundError, match="処理 77 はありません"):
            act(session, 77, actor="admin1")
    with db.reading(engine) as session, pytest.raises(NotFoundError):
        jobs.find(session, 77)


def test_a_job_whose_worker_fell_silent_waits_again_and_the_old_worker_can_not_write_any_more(engine: Engine) -> None:
    job_id, lively = create(engine), create(engine)
    claim(engine, job_id)
    claim(engine, lively, "w2")
    fall_silent(engine, job_id)
    with db.writing(engine) as session:
        assert [job.id for job in jobs.stale(session, silent_for=SILENCE)] == [job_id]
    assert look(engine, job_id).state is JobState.QUEUED
    assert look(engine, lively).state is JobState.RUNNING
    claim(engine, job_id, "w3")
    with db.writing(engine) as session:
        assert jobs.report(session, job_id, worker="w1", done=9, total=9, message="") is Standing.LOST
        assert not jobs.finish(session, job_id, worker="w1", result={"imported": 9})
        assert not jobs.fail(session, job_id, worker="w1", error="x", hint="")
        assert not jobs.cancelled(session, job_id, worker="w1")
        assert not jobs.release(session, job_id, worker="w1")
    job = look(engine, job_id)
    assert (job.state, job.worker, job.done, job.attempts) == (JobState.RUNNING, "w3", 0, 2)


def test_a_worker_that_is_known_to_be_dead_is_not_waited_for(engine: Engine) -> None:
    job_id = create(engine)
    claim(engine, job_id)
    with db.reading(engine) as session:
        assert [job.worker for job in jobs.running(session)] == ["w1"]
    with db.writing(engine) as session:
        assert [job.state for job in jobs.stale(session, silent_for=SILENCE, dead=["w1"])] == [JobState.QUEUED]


def test_a_job_that_takes_worker_after_worker_with_it_fails(engine: Engine) -> None:
    job_id = create(engine)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert claim(engine, job_id, f"w{attempt}") is not None
        fall_silent(engine, job_id)
        with db.writing(engine) as session:
            jobs.stale(session, silent_for=SILENCE)
    job = look(engine, job_id)
    assert (job.state, job.attempts) == (JobState.FAILED, MAX_ATTEMPTS)
    assert "5 回続けて" in job.error
    assert "koe worker" in job.hint


def test_a_job_that_was_to_stop_when_its_worker_died_is_cancelled(engine: Engine) -> None:
    job_id = create(engine)
    claim(engine, job_id)
    with db.writing(engine) as session:
        jobs.request_cancel(session, job_id, actor="admin1")
    fall_silent(engine, job_id)
    with db.writing(engine) as session:
        jobs.stale(session, silent_for=SILENCE)
    assert look(engine, job_id).state is JobState.CANCELLED


def test_a_worker_that_ends_puts_its_job_back_without_counting_an_attempt(engine: Engine) -> None:
    job_id = create(engine)
    claim(engine, job_id)
    with db.writing(engine) as session:
        assert jobs.release(session, job_id, worker="w1")
        assert jobs.waiting(session) == [job_id]
    assert look(engine, job_id).attempts == 0


def test_the_list_is_read_page_by_page_newest_first(engine: Engine) -> None:
    ids = [create(engine) for _ in range(5)]
    with db.reading(engine) as session:
        first = jobs.listing(session, limit=3)
        rest = jobs.listing(session, limit=3, before_id=first[-1].id)
        assert [job.id for job in (*first, *rest)] == ids[::-1]
        assert jobs.waiting(session) == ids
