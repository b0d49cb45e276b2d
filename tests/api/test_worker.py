"""``koe worker`` as real processes on a real queue: jobs done and failed, cancelled in the middle, killed, ended, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from api.queue import open_queue
from core import db, jobs
from core.models import Batch, BatchStatus, Job, JobState, Voice
from core.settings import Settings
from tests.api.conftest import Koe, refused
from tests.api.processes import Started, wait_until

ROWS = 12_000  # six chunks
Work = Callable[..., Started]


@pytest.fixture
def work(home: Path, trained_home: Path, tmp_path: Path) -> Iterator[Work]:
    """Starts ``koe worker``; what still runs after the test is killed."""
    settings = {"KOE_HOME": str(home), "KOE_DATA": str(trained_home / "data"), "KOE_ENGINE": "serial", "KOE_LOG_LEVEL": "info"}
    started: list[Started] = []

    def start(*arguments: str) -> Started:
        started.append(Started("koe", "worker", *arguments, log=tmp_path / f"worker{len(started)}.log", environment=settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def write(path: Path, name: str, rows: int = ROWS) -> Path:
    """A file of short calls, none like another."""
    lines = (f"{name}-{number},2026/10/{number % 28 + 1},電話,{name}{number}番地の前の歩道に段差があります。" for number in range(rows))
    file = path / f"{name}.csv"
    file.write_text("\n".join(["管理番号,受付日,受付媒体,ご意見", *lines]) + "\n", "utf-8")
    return file


def add(koe: Koe, *arguments: str | Path) -> int:
    result = koe("jobs", "add", *arguments)
    assert result.exit_code == 0, result.output
    return max(job["id"] for job in listed(koe))


def listed(koe: Koe) -> list[dict[str, object]]:
    return [json.loads(line) for line in koe("jobs", "list", "--json").stdout.splitlines()]


def job(engine: Engine, job_id: int) -> Job:
    with db.reading(engine) as session:
        return jobs.find(session, job_id)


def is_in(engine: Engine, job_id: int, *states: JobState) -> Callable[[], bool]:
    return lambda: job(engine, job_id).state in states


def is_under_way(engine: Engine, file: Path) -> Callable[[], bool]:
    """Whether a part of the file is saved."""
    return lambda: checkpoint(engine, file) > 0


def checkpoint(engine: Engine, file: Path) -> int:
    with db.reading(engine) as session:
        return session.scalar(select(func.max(Batch.checkpoint)).where(Batch.source_name == file.name)) or 0


def voices(engine: Engine, name: str) -> list[str]:
    with db.reading(engine) as session:
        return list(session.scalars(select(Voice.external_id).where(Voice.external_id.startswith(f"{name}-"))))


def assert_whole(engine: Engine, file: Path) -> None:
    """Every row of the file is a voice, once, and the batch says so."""
    assert sorted(voices(engine, file.stem)) == sorted(f"{file.stem}-{number}" for number in range(ROWS))
    with db.reading(engine) as session:
        (batch,) = session.scalars(select(Batch).where(Batch.source_name == file.name)).all()
    assert (batch.status, batch.rows_read, batch.imported) == (BatchStatus.DONE, ROWS, ROWS)


def test_jobs_are_done_and_one_that_fails_says_why_and_can_be_tried_again(koe: Koe, database: Engine, work: Work, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("品名,単価\nりんご,100\n", "utf-8")
    failing, fine = add(koe, "import", file), add(koe, "campaigns")
    worker = work()
    wait_until(is_in(database, fine, JobState.DONE), alive=worker)
    failed = job(database, failing)
    assert failed.state is JobState.FAILED
    assert "本文の列" in failed.error
    assert "--mapping" in failed.hint
    assert "失敗" in koe("jobs", "list").stdout
    assert "対処: " in koe("jobs", "show", str(failing)).stdout
    write(tmp_path, "calls", 50)
    assert koe("jobs", "retry", str(failing)).exit_code == 0
    wait_until(is_in(database, failing, JobState.DONE), alive=worker)
    done = job(database, failing)
    assert (done.result["imported"], done.error, done.hint) == (50, "", "")
    assert done.batch_id is not None
    assert worker.end() == 0
    assert "Traceback" not in worker.said


def test_killed_in_the_middle_the_next_worker_goes_on_and_nothing_is_lost(
    koe: Koe, home: Path, database: Engine, work: Work, tmp_path: Path
) -> None:
    file = write(tmp_path, "killed")
    job_id = add(koe, "import", file)
    first = work()
    wait_until(is_under_way(database, file), alive=first)
    first.kill()
    assert job(database, job_id).state is JobState.RUNNING
    assert 0 < checkpoint(database, file) < ROWS
    assert work("--once").wait() == 0
    found = job(database, job_id)
    assert (found.state, found.attempts) == (JobState.DONE, 2)
    assert_whole(database, file)
    assert list((home / "run").iterdir()) == []


def test_cancelled_in_the_middle_and_taken_up_again(koe: Koe, database: Engine, work: Work, tmp_path: Path) -> None:
    file = write(tmp_path, "cancelled")
    job_id = add(koe, "import", file)
    worker = work()
    wait_until(is_under_way(database, file), alive=worker)
    assert koe("jobs", "cancel", str(job_id)).exit_code == 0
    wait_until(is_in(database, job_id, JobState.CANCELLED), alive=worker)
    assert 0 < len(voices(database, "cancelled")) < ROWS
    assert koe("jobs", "retry", str(job_id)).exit_code == 0
    wait_until(is_in(database, job_id, JobState.DONE), alive=worker)
    assert_whole(database, file)


def test_a_worker_that_is_to_end_puts_its_job_back(koe: Koe, home: Path, database: Engine, work: Work, tmp_path: Path) -> None:
    file = write(tmp_path, "ended")
    job_id = add(koe, "import", file)
    worker = work("--processes", "2")
    wait_until(is_under_way(database, file), alive=worker)
    assert worker.end() == 0
    found = job(database, job_id)
    assert (found.state, found.attempts) == (JobState.QUEUED, 0)
    assert 0 < checkpoint(database, file) < ROWS
    assert work("--once").wait() == 0
    assert job(database, job_id).state is JobState.DONE
    assert_whole(database, file)


def test_a_job_that_the_queue_lost_is_found(koe: Koe, home: Path, database: Engine, work: Work) -> None:
    job_id = add(koe, "campaigns")
    queue = open_queue(Settings(home=home))
    assert queue.pending() == {job_id}
    queue.huey.storage.flush_queue()
    assert queue.pending() == set()
    assert work("--once").wait() == 0
    assert job(database, job_id).state is JobState.DONE
    assert queue.pending() == set()


def test_a_kind_or_a_file_that_is_not_there(koe: Koe, tmp_path: Path) -> None:
    assert "topics_fit" in refused(koe("jobs", "add", "dance"))
    assert "ファイルがありません" in refused(koe("jobs", "add", "import", tmp_path / "none.csv"))
    assert "import のときに1つ" in refused(koe("jobs", "add", "import"))
    assert "処理 7 はありません" in refused(koe("jobs", "show", "7"))
    assert listed(koe) == []
