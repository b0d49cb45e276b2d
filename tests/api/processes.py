"""Processes of our own that a test starts, watches and kills: ``koe worker``, a Dask scheduler, its workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from core.settings import PROJECT_ROOT

_WAITED = 120  # seconds after which something hangs for certain
_LOOKED = 0.02


class Started:
    """A program with its output in a file, in a group of processes of its own."""

    def __init__(self, name: str, *arguments: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        program = Path(sys.executable).with_name(name)
        variables = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), **(environment or {})}
        with log.open("a") as out:
            self.process = subprocess.Popen([program, *arguments], stdout=out, stderr=out, env=variables, start_new_session=True)  # noqa: S603

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    def kill(self) -> None:
        """SIGKILL to it and to all that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_WAITED)

    def end(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.terminate()
        return self.process.wait(_WAITED)

    def wait(self) -> int:
        return self.process.wait(_WAITED)


def wait_until(condition: Callable[[], bool], *, alive: Started | None = None) -> None:
    """Looks again and again until it holds; fails when it never does, or when the process that should bring it about has ended."""
    deadline = time.monotonic() + _WAITED
    while not condition():
        assert alive is None or alive.process.poll() is None, alive and alive.said
        assert time.monotonic() < deadline, "it never came about" + (f":\n{alive.said}" if alive else "")
        time.sleep(_LOOKED)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
