"""A worker beside the server: ``koe worker`` as a process of its own that begins and ends with the one that serves the pages."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATIENCE = 60.0  # seconds that a worker has for the chunk under way
_LOOKED = 0.2
_SILENT = 2.0  # an idle worker is gone by then, and nothing need be said
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # before a worker that ended by itself is started again; the pause doubles while none lives long
_PROGRAM = "from api.cli import app; app()"
_log = logging.getLogger("koenowa.worker")


@contextmanager
def worker_beside(*, patience: float = PATIENCE) -> Iterator[None]:
    """Does background jobs in another process as long as the block lasts. To be entered in the main thread.

    SIGTERM ends the block as Ctrl+C does. The worker is then asked to end, and killed when ``patience`` seconds have passed or a second
    signal has come; its job goes on when a worker is started again. A worker that ends by itself is started again.
    """
    keeper = _Keeper(patience)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    keeper.start()
    try:
        yield
    finally:
        try:
            keeper.stopping.set()
            keeper.ended.wait()
        except KeyboardInterrupt:
            keeper.hurried.set()
            keeper.ended.wait()
        signal.signal(signal.SIGTERM, before)


class _Keeper(threading.Thread):
    """Starts the worker, looks after it, and ends it."""

    def __init__(self, patience: float) -> None:
        super().__init__(name="worker-beside", daemon=True)
        self._patience = patience
        self.stopping = threading.Event()
        self.hurried = threading.Event()
        self.ended = threading.Event()  # instead of join(), which takes a thread for ended when a signal interrupts it (Python 3.11)

    def run(self) -> None:
        try:
            self._keep()
        finally:
            self.ended.set()

    def _keep(self) -> None:
        pause = _PAUSE
        while not self.stopping.is_set():
            began = time.monotonic()
            worker = _start()
            while worker.poll() is None and not self.stopping.wait(_LOOKED):
                pass
            if self.stopping.is_set():
                self._end(worker)
                return
            pause = _PAUSE if time.monotonic() - began > _LONGEST_PAUSE else pause
            _log.warning("処理のプロセス（koe worker）が止まりました（終了コード %s）。%.0f 秒後にもう一度始めます。", worker.poll(), pause)
            self.stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        worker.terminate()
        asked, told = time.monotonic(), False
        while worker.poll() is None and not self.hurried.wait(_LOOKED) and time.monotonic() < asked + self._patience:
            if not told and time.monotonic() > asked + _SILENT:
                told = True
                _log.warning("処理のプロセスが、区切りのよいところで終わるのを待っています（もう一度 Ctrl+C を押すと、すぐに止めます）。")
        if worker.poll() is None:
            _log.warning("処理のプロセスを止めました。途中の処理は、次に koe worker を動かしたときに続けます。")
            # With the processes that it computes with; whoever did its last step in between is gone already.
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def _start() -> subprocess.Popen[bytes]:
    # In a session of its own, so that a Ctrl+C in the terminal reaches the server alone, which ends the worker in good order.
    # -P: a folder named api where somebody happens to stand is none of ours.
    command = [sys.executable, "-P", "-c", _PROGRAM, "worker", "--parent", str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
