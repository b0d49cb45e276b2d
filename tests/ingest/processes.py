"""``koe`` in processes of its own, which can be killed at an exact step: forked from one that has libraries and models loaded."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

CHUNK_VOICES = 25
KILLED = -signal.SIGKILL
_WAITED = 120  # seconds after which a process hangs for certain

_WARM_HOME = "KOENOWA_TEST_HOME"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a process did to the database: ``SELECT voices``, ``INSERT voices``, … ``commit`` (about to), ``committed``."""

    number: int
    command: int
    what: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a process stops: at the step of this number, at the first one that does this, or when so many chunks are saved.

    It kills itself, or (``told``) says so and waits to be killed or sent on.
    """

    step: int = 0
    what: str = ""
    chunks: int = 0
    told: bool = False


class Koe:
    """A process that runs commands one after another, as ``koe import a.csv`` and then ``koe import b.csv`` would."""

    def __init__(
        self,
        folder: Path,
        commands: Sequence[Sequence[str]],
        environment: Mapping[str, str],
        *,
        stop: Stop | None = None,
        held: bool = False,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        context = multiprocessing.get_context("forkserver")
        self._here, there = context.Pipe()
        arguments = (folder, [list(command) for command in commands], dict(environment), stop, there, held)
        self.process: BaseProcess = context.Process(target=_run, args=arguments)
        self.process.start()
        there.close()

    def wait(self) -> int:
        """Waits for its end and gives the exit code; whatever it started is gone too."""
        self.process.join(_WAITED)
        assert not self.process.is_alive(), "a process hangs"
        self.kill_group()
        assert self.process.exitcode is not None
        return self.process.exitcode

    def wait_until_it_stops(self) -> None:
        assert self._here.poll(_WAITED), "a process never came to its stop"
        self._here.recv()

    def send_on(self) -> None:
        self._here.send("go")

    def kill_group(self) -> None:
        """SIGKILL to the process and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)

    @property
    def steps(self) -> list[Step]:
        lines = (self.folder / "steps").read_text("utf-8").splitlines()
        parts = [line.split("\t") for line in lines]
        return [Step(int(number), int(command), what) for number, command, what in parts]

    @property
    def under_way(self) -> int:
        """Which command it was at when it ended."""
        return int((self.folder / "command").read_text("utf-8"))

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text("utf-8")


def warm_up(home: Path) -> None:
    """Starts the process that the others are forked from; with these models, unless it runs already."""
    from multiprocessing import forkserver

    os.environ[_WARM_HOME] = str(home)
    forkserver.set_forkserver_preload([__name__])
    forkserver.ensure_running()
    del os.environ[_WARM_HOME]


def environment(home: Path, *, url: str, key: str, engine: str = "serial") -> dict[str, str]:
    """The settings of a process: models of ``home``, everything else its own."""
    return {
        "KOE_HOME": str(home),
        "KOE_DATA": str(home / "data"),
        "KOE_DATABASE_URL": url,
        "KOE_KEYS": key,
        "KOE_ENGINE": engine,
        "KOE_WORKERS": "2",
    }


def _run(
    folder: Path,
    commands: list[list[str]],
    variables: dict[str, str],
    stop: Stop | None,
    connection: Connection,
    held: bool,  # noqa: FBT001  (a process is given its arguments by their places)
) -> None:
    os.setsid()  # a group of its own: what it starts is killed with it
    os.environ.update(variables)
    sys.stdout = sys.stderr = said = (folder / "said").open("w", buffering=1, encoding="utf-8")
    for stream in (1, 2):
        os.dup2(said.fileno(), stream)
    _use_small_chunks()
    steps = _Steps(folder / "steps", stop, connection)
    steps.watch()
    if held:
        connection.send("ready")
        connection.recv()
    from api.cli import app

    code = 0
    for number, command in enumerate(commands):
        (folder / "command").write_text(str(number), "utf-8")
        steps.command = number
        try:
            app(command)
        except SystemExit as end:
            code = code or int(end.code or 0)
    sys.exit(code)


def _use_small_chunks() -> None:
    """As the commands run, but with chunks so small that a small file has many."""
    from ingest.pipeline import import_file
    from nlp.campaigns import update_campaigns

    for function in (import_file, update_campaigns):
        assert function.__kwdefaults__
        function.__kwdefaults__["chunk_voices"] = CHUNK_VOICES


class _Steps:
    """Counts what a process does to the database, writes it down, and stops it at one of them."""

    def __init__(self, path: Path, stop: Stop | None, connection: Connection) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._stop, self._connection = stop, connection
        self._number = self._saved = 0
        self._saves = False
        self.command = 0

    def watch(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", lambda _: self._take("commit"))
        event.listen(Session, "after_commit", lambda _: self._take("committed"))
        copy = psycopg.Cursor.copy

        def counted(cursor: Any, statement: str, *arguments: Any, **options: Any) -> Any:
            self._take(f"INSERT {statement.split()[1]}")  # SQLAlchemy sees no COPY
            return copy(cursor, statement, *arguments, **options)

        psycopg.Cursor.copy = counted

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        words = statement.replace('"', "").replace("\n", " ").split()
        verb = words[0].upper()
        marks = {"SELECT": "FROM", "INSERT": "INTO", "DELETE": "FROM", "UPDATE": "UPDATE", "LOCK": "TABLE"}
        following = [after for word, after in pairwise(words) if word.upper() == marks.get(verb)]
        self._take(f"{verb} {[*following, *words[1:2], ''][0].partition('(')[0]}".strip())

    def _take(self, what: str) -> None:
        self._number += 1
        self._file.write(f"{self._number}\t{self.command}\t{what}\n")
        self._file.flush()
        self._saves = self._saves or what == "INSERT voices"
        ends = self._saves and what == "committed"
        if ends:
            self._saves = False
            self._saved += 1
        stop = self._stop
        if stop is None or not (self._number == stop.step or what == stop.what or (ends and self._saved == stop.chunks)):
            return
        self._stop = None
        if stop.told:
            self._connection.send("here")
            self._connection.recv()
        else:
            os.kill(os.getpid(), signal.SIGKILL)


def _warm() -> None:
    from core import db
    from core.settings import Settings
    from nlp import annotate
    from nlp.pii import recogniser

    home = Path(os.environ.pop(_WARM_HOME))
    recogniser.load()
    annotate.ready(Settings(home=home, data=home / "data", engine="serial"))(["橋のたもとの街灯が切れています。"])
    db.connect("postgresql://nobody@localhost/none").dispose()


if _WARM_HOME in os.environ:
    _warm()
