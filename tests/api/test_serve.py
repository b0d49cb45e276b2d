"""``koe serve --worker`` as real processes: both begin, work and end together, whichever way they end."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.beside import worker_beside
from core.models import JobState
from tests.api.conftest import Koe
from tests.api.processes import Started, free_port, wait_until
from tests.api.test_worker import ROWS, add, assert_whole, checkpoint, is_in, is_under_way, job, write

SAID_WAITING = "終わるのを待っています"


def workers(home: Path) -> list[int]:
    return [int(path.name.rsplit("-", 2)[1]) for path in sorted((home / "run").glob("*"))]


class Serving(Started):
    """``koe serve`` on a port of its own."""

    def __init__(self, *arguments: str, home: Path, data: Path, log: Path) -> None:
        self.port = free_port()
        self.home = home
        settings = {"KOE_HOME": str(home), "KOE_DATA": str(data), "KOE_ENGINE": "serial", "KOE_LOG_LEVEL": "info"}
        super().__init__("koe", "serve", "--port", str(self.port), *arguments, log=log, environment=settings)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def workers(self) -> list[int]:
        """The numbers of the worker processes that have begun and not ended in good order, by the names of their locks."""
        return workers(self.home)

    def worker(self) -> int:
        """The number of the one worker, once it is there."""
        wait_until(lambda: len(self.workers()) == 1, alive=self)
        return self.workers()[0]


Serve = Callable[..., Serving]


@pytest.fixture
def serve(home: Path, trained_home: Path, tmp_path: Path) -> Iterator[Serve]:
    """Starts ``koe serve``; what still runs after the test is killed."""
    started: list[Serving] = []

    def start(*arguments: str) -> Serving:
        log = tmp_path / f"serve{len(started)}.log"
        started.append(Serving(*arguments, home=home, data=trained_home / "data", log=log))
        wait_until(started[-1].answers, alive=started[-1])
        return started[-1]

    yield start
    for process in started:
        process.kill()
        for worker in process.workers():
            if is_alive(worker):
                os.killpg(worker, signal.SIGKILL)


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_jobs_are_done_beside_the_pages_and_both_end_at_sigterm(koe: Koe, database: Engine, serve: Serve) -> None:
    server = serve("--worker")
    worker = server.worker()
    job_id = add(koe, "campaigns")
    wait_until(is_in(database, job_id, JobState.DONE), alive=server)
    assert server.answers()
    assert server.end() == 0
    assert not is_alive(worker)
    assert server.workers() == []
    assert not server.answers()
    assert "Traceback" not in server.said


def test_ctrl_c_stops_an_import_after_a_chunk_and_the_next_server_goes_on(koe: Koe, database: Engine, serve: Serve, tmp_path: Path) -> None:
    file = write(tmp_path, "interrupted")
    job_id = add(koe, "import", file)
    server = serve("--worker")
    worker = server.worker()
    wait_until(is_under_way(database, file), alive=server)
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.wait() == 0
    assert not is_alive(worker)
    assert "Traceback" not in server.said
    found = job(database, job_id)
    assert (found.state, found.attempts) == (JobState.QUEUED, 0)
    assert 0 < checkpoint(database, file) < ROWS
    again = serve("--worker")
    wait_until(is_in(database, job_id, JobState.DONE), alive=again)
    assert_whole(database, file)


def test_a_worker_that_ends_by_itself_is_started_again(koe: Koe, database: Engine, serve: Serve) -> None:
    server = serve("--worker")
    first = server.worker()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: any(number != first for number in server.workers()), alive=server)
    assert "もう一度始めます" in server.said
    job_id = add(koe, "campaigns")
    wait_until(is_in(database, job_id, JobState.DONE), alive=server)
    assert server.end() == 0
    assert not any(map(is_alive, server.workers()))


def test_a_worker_that_does_not_end_is_killed_at_the_second_signal(serve: Serve) -> None:
    server = serve("--worker")
    worker = server.worker()
    os.kill(worker, signal.SIGSTOP)
    server.process.terminate()
    wait_until(lambda: SAID_WAITING in server.said, alive=server)
    assert is_alive(worker)
    server.process.terminate()
    assert server.wait() == 0
    assert not is_alive(worker)
    assert "Traceback" not in server.said


def test_a_worker_that_does_not_end_in_time_is_killed(koe: Koe, home: Path) -> None:
    with worker_beside(patience=0):
        wait_until(lambda: len(workers(home)) == 1)
        (worker,) = workers(home)
        os.kill(worker, signal.SIGSTOP)
    assert not is_alive(worker)


def test_a_worker_ends_when_its_server_was_killed(serve: Serve) -> None:
    server = serve("--worker")
    server.worker()
    server.kill()
    wait_until(lambda: server.workers() == [])


def test_a_server_without_a_worker_says_how_to_have_one(serve: Serve) -> None:
    server = serve()
    assert "koe serve --worker" in server.said
    assert server.end() != 0
    assert server.workers() == []
