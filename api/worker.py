"""Worker processes: Huey's consumer, one job at a time in each, and a look around for jobs that the queue or a dead worker left behind."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from huey.consumer import Consumer, Scheduler
from sqlalchemy import Engine

from api import daily, presence
from api.job_kinds import KINDS
from api.jobs import Runner
from api.presence import Presence
from api.queue import JobQueue, open_queue
from core import db, jobs
from core.clock import utc_now
from core.crypto import load_keyring
from core.errors import KoeError
from core.settings import Settings
from ingest import uploads
from loop import looks

SILENT_FOR = timedelta(minutes=2)
SWEEP_SECONDS = 5.0
_TIDY_SECONDS = 3600.0  # between two looks for uploads that nobody used, and for what has been forgotten since
_LONGEST_SLEEP = 1.0  # between two looks at a queue that is a file
_log = logging.getLogger("koenowa.worker")


@dataclass(frozen=True)
class Worker:
    """What one worker process works with."""

    settings: Settings
    engine: Engine
    queue: JobQueue
    presence: Presence
    stopping: threading.Event

    def sweep(self) -> None:
        """Lets the jobs of dead workers wait again, and sends the waiting jobs that the queue doesn't hold.

        The queue is only a signal: one that was lost, or sent when the queue couldn't be reached, costs some seconds.
        """
        folder = _folder(self.settings)
        with db.reading(self.engine) as session:
            running = jobs.running(session)
        gone = presence.dead(folder, [job.worker for job in running])
        silent_since = utc_now() - SILENT_FOR
        if gone or any(job.heartbeat_at is not None and job.heartbeat_at < silent_since for job in running):
            with db.writing(self.engine) as session:
                for job in jobs.stale(session, silent_for=SILENT_FOR, dead=gone):
                    _log.warning("処理 %d のプロセスが途中で止まっていました（%s）。", job.id, job.state)
            presence.forget(folder, gone)
        with db.reading(self.engine) as session:
            waiting = jobs.waiting(session)
        if waiting:
            sent = self.queue.pending()
            for job_id in waiting:
                if job_id not in sent:
                    self.queue.send(job_id)


@contextmanager
def working(settings: Settings) -> Iterator[Worker]:
    """A worker in this process.

    Raises:
        KoeError: the database, the keys or the queue can't be used.
    """
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for name in ("huey", "distributed"):
        logging.getLogger(name).setLevel(logging.WARNING)
    engine = db.connect(settings.url)
    keyring = load_keyring(settings)
    queue = open_queue(settings)
    own = Presence(_folder(settings))
    stopping = threading.Event()
    queue.runner = Runner(settings, engine, keyring, KINDS, own.new_name, stopping).run
    try:
        yield Worker(settings, engine, queue, own, stopping)
    finally:
        own.close()
        engine.dispose()


def run_once(settings: Settings) -> None:
    """Does all jobs that wait, and ends. SIGTERM and Ctrl+C end it after the chunk under way.

    Raises:
        KoeError: the database, the keys or the queue can't be used.
    """
    with working(settings) as worker:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stopping.set())
        worker.sweep()
        while not worker.stopping.is_set():
            if not worker.queue.run_next():
                worker.sweep()
                if not worker.queue.pending():
                    return


def run(settings: Settings, *, processes: int = 1, parent: int | None = None) -> None:
    """Does jobs as they come, until SIGTERM or Ctrl+C; then an import stops after its chunk, and goes on when a worker is started again.

    With ``parent``, also until the process of this number, which has started this one, is gone.

    Raises:
        KoeError: the database, the keys or the queue can't be used.
    """
    if processes == 1:
        _serve(settings, parent=parent)
        return
    context = multiprocessing.get_context("spawn")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    def start() -> BaseProcess:
        process = context.Process(target=_serve, args=(settings,), kwargs={"parent": os.getpid()}, name="koe-worker")
        process.start()
        return process

    team = [start() for _ in range(processes)]
    while not stopping.wait(1) and not _is_left(parent):
        for place, process in enumerate(team):
            if not process.is_alive():
                _log.warning("処理のプロセスが止まったので、もう一度始めます（終了コード %s）。", process.exitcode)
                team[place] = start()
    for process in team:
        process.terminate()
    for process in team:
        process.join()


def _serve(settings: Settings, *, parent: int | None) -> None:
    with working(settings) as worker:
        _Consumer(worker, parent=parent).run()


def _is_left(parent: int | None) -> bool:
    return parent is not None and os.getppid() != parent


def _folder(settings: Settings) -> Any:
    return settings.home / "run"


class _Sweeper(Scheduler):  # type: ignore[misc]
    """In the place of Huey's scheduler, whose timed tasks we have none of."""

    def __init__(self, worker: Worker, stop_flag: threading.Event, *, parent: int | None) -> None:
        super().__init__(worker.queue.huey, stop_flag, interval=1, periodic=False)
        self._worker = worker
        self._parent = parent
        self._tidied_at: float | None = None

    def loop(self, now: object = None) -> None:
        """One look around. It is called again and again."""
        if _is_left(self._parent):
            os.kill(os.getpid(), signal.SIGTERM)  # nobody is left who would end this process
        try:
            self._worker.sweep()
            daily.begin(self._worker.engine, self._worker.settings)
            if self._tidied_at is None or time.monotonic() - self._tidied_at > _TIDY_SECONDS:
                uploads.sweep(self._worker.engine, settings=self._worker.settings)
                with db.writing(self._worker.engine) as session:
                    looks.sweep(session)
                self._tidied_at = time.monotonic()
        except KoeError as error:  # being started again; the next look may find it
            _log.warning("%s", error)
        self.stop_flag.wait(SWEEP_SECONDS)


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer with one thread for jobs, which are asked to stop before they are waited for."""

    def __init__(self, worker: Worker, *, parent: int | None) -> None:
        self._worker = worker
        self._parent = parent
        super().__init__(worker.queue.huey, workers=1, periodic=False, max_delay=_LONGEST_SLEEP, graceful_signal="TERM")
        self._signal_actions = {signal.SIGTERM: (False, True), signal.SIGINT: (False, True)}  # restart, graceful

    def _create_scheduler(self) -> _Sweeper:
        return _Sweeper(self._worker, self.stop_flag, parent=self._parent)

    def stop(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002  (Huey's own)
        """Asks the job to stop, and waits for it."""
        self._worker.stopping.set()
        super().stop(graceful)
