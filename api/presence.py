"""Who is alive: every worker process holds a lock on a file, which the system lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

_LONGEST_HOST = 60


class Presence:
    """This process's lock file in a folder that its fellows on this machine look at, and names for the jobs that it takes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())[:_LONGEST_HOST]
        self.name = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
        self._file = (folder / self.name).open("w")  # not inherited by the processes that this one starts
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """A name for one job, never used again."""
        return f"{self.name}.{next(self._numbers)}"

    def close(self) -> None:
        """Leaves: the file goes with its lock."""
        (self._folder / self.name).unlink(missing_ok=True)
        self._file.close()


def dead(folder: Path, names: Iterable[str]) -> set[str]:
    """Those of these names (as ``new_name`` gives them) whose process has certainly ended.

    Of a process on a machine that doesn't share the folder nothing is known: its silence must tell.
    """
    return {name for name in names if _is_free(folder / _process(name))}


def forget(folder: Path, names: Iterable[str]) -> None:
    """Clears the files of dead processes away."""
    for name in names:
        (folder / _process(name)).unlink(missing_ok=True)


def _process(name: str) -> str:
    return Path(name).name.rpartition(".")[0] or "-"


def _is_free(path: Path) -> bool:
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or no such file
        return False
    return True
