"""A worker's way through one job: what its function says, raises or is told becomes the job's state, and nothing personal is logged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from api import presence
from api.jobs import JobContext, JobFunction, JobStopped, Runner
from api.presence import Presence
from core import db, jobs
from core.crypto import Keyring
from core.errors import ConflictError
from core.models import Job, JobState
from core.settings import Settings

Run = Callable[[JobFunction], Job]


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def run(engine: Engine, settings: Settings, keyring: Keyring, stopping: threading.Event) -> Run:
    """Does a function as a job; gives the job as it is afterwards."""

    def do(function: JobFunction) -> Job:
        with db.writing(engine) as session:
            job = jobs.create(session, kind="given", title="試し", arguments={"size": 3}, actor="hanako")
        runner = Runner(settings, engine, keyring, {"given": function}, lambda: f"w-{job.id}", stopping)
        assert runner.run(job.id)
        with db.reading(engine) as session:
            return jobs.find(session, job.id)

    return do


def test_a_function_gets_its_arguments_and_its_result_is_kept(run: Run) -> None:
    def count(context: JobContext) -> dict[str, Any]:
        assert context.actor == "hanako"
        for number in range(1, context.arguments["size"] + 1):
            context.report(number, context.arguments["size"], "数えています")
        return {"counted": number}

    job = run(count)
    assert (job.state, job.result, job.done, job.total) == (JobState.DONE, {"counted": 3}, 3, 3)


def test_progress_is_written_at_most_once_a_second(run: Run, engine: Engine) -> None:
    seen = []

    def hurry(context: JobContext) -> dict[str, Any]:
        for number in range(1, 200):
            context.report(number, 200)
            with db.reading(engine) as session:
                seen.append(jobs.find(session, context.job_id).done)
        return {}

    job = run(hurry)
    assert seen[0] == 1
    assert len(set(seen)) < 100
    assert job.done == 199


def test_an_error_of_ours_is_told_as_it_is(run: Run) -> None:
    def refuse(_: JobContext) -> dict[str, Any]:
        raise ConflictError("同じファイルの取込が、ほかで進んでいます。", hint="終わってから、もう一度取り込んでください。")

    job = run(refuse)
    assert (job.state, job.error) == (JobState.FAILED, "同じファイルの取込が、ほかで進んでいます。")
    assert job.hint == "終わってから、もう一度取り込んでください。"


def test_any_other_error_is_told_with_the_jobs_number_and_logged_without_what_it_says(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    def stumble(_: JobContext) -> dict[str, Any]:
        try:
            raise ValueError("山田太郎")
        except ValueError as error:
            raise KeyError("090-1234-5678") from error

    job = run(stumble)
    assert job.state is JobState.FAILED
    assert f"処理番号 {job.id}" in job.hint
    assert "KeyError" in caplog.text
    assert "ValueError" in caplog.text
    assert "stumble" in caplog.text
    for text in (caplog.text, job.error, job.hint):
        assert "山田" not in text
        assert "090" not in text


def test_a_file_that_is_gone(run: Run, tmp_path: Path) -> None:
    job = run(lambda _: {"text": (tmp_path / "山田太郎").read_text()})
    assert job.state is JobState.FAILED
    assert "読み書きできません" in job.error
    assert "山田" not in job.error


def test_a_cancelled_function_stops_and_what_it_had_is_kept(run: Run, engine: Engine) -> None:
    def be_cancelled(context: JobContext) -> dict[str, Any]:
        context.check()
        with db.writing(engine) as session:
            jobs.request_cancel(session, context.job_id, actor="hanako")
        context.beat()
        assert context.stop()
        raise JobStopped({"read": 5})

    job = run(be_cancelled)
    assert (job.state, job.result) == (JobState.CANCELLED, {"read": 5})


@pytest.mark.parametrize("error", [JobStopped(), OSError("the processes that it computed with were ended, too")])
def test_a_worker_that_is_to_end_leaves_the_job_for_another(run: Run, stopping: threading.Event, error: Exception) -> None:
    def be_told(context: JobContext) -> dict[str, Any]:
        stopping.set()
        assert context.stop()
        raise error

    assert run(be_told).state is JobState.QUEUED


def test_a_worker_that_lost_its_job_is_told_and_writes_nothing(run: Run, engine: Engine) -> None:
    def be_slow(context: JobContext) -> dict[str, Any]:
        with db.writing(engine) as session:
            session.execute(update(Job).values(worker="another"))
        context.report(1, 2)
        assert context.stop()
        return {"imported": 2}

    job = run(be_slow)
    assert (job.state, job.worker, job.result) == (JobState.RUNNING, "another", {})


def test_a_kind_that_this_version_does_not_know(engine: Engine, settings: Settings, keyring: Keyring, stopping: threading.Event) -> None:
    with db.writing(engine) as session:
        job = jobs.create(session, kind="new", title="新しい", arguments={}, actor="hanako")
    runner = Runner(settings, engine, keyring, {}, lambda: "w", stopping)
    assert runner.run(job.id)
    assert not runner.run(job.id), "it isn't waiting any more"
    with db.reading(engine) as session:
        assert "「new」" in jobs.find(session, job.id).error


def test_a_process_is_known_to_be_alive_or_dead_by_its_lock(tmp_path: Path) -> None:
    alive, gone = Presence(tmp_path), Presence(tmp_path)
    names = [alive.new_name(), gone.new_name(), "elsewhere-1-abcd.1", "", "../x.1"]
    assert len({alive.new_name(), alive.new_name()}) == 2
    assert presence.dead(tmp_path, names) == set()
    gone._file.close()  # as its end would
    assert presence.dead(tmp_path, names) == {names[1]}
    presence.forget(tmp_path, [names[1]])
    assert presence.dead(tmp_path, names) == set()
    alive.close()
    assert list(tmp_path.iterdir()) == []
