"""What ``koe import`` tells while it works, in a real process: it can be stopped, and goes on."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from api.cli.progress import Pace, Stopwatch, duration, line
from core.settings import PROJECT_ROOT
from ingest.chunks import CHUNK_VOICES
from ingest.pipeline import ImportProgress

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(home: Path, trained_home: Path) -> Start:
    """Begins a ``koe`` command as a process of its own."""

    def _start(*arguments: str | Path, engine: str = "serial", **streams: Any) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ, "KOE_HOME": str(home), "KOE_DATA": str(trained_home / "data"), "KOE_ENGINE": engine, "KOE_WORKERS": "2",
            "COLUMNS": "120", "TERM": "xterm",
        }  # fmt: skip
        command = [sys.executable, "-c", "from api.cli import app; app()", *map(str, arguments)]
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, start_new_session=True, **given)  # noqa: S603

    return _start


def call_log(folder: Path, chunks: int) -> Path:
    """A file of so many chunks, and one record more."""
    path = folder / "calls.csv"
    rows = (f"{number},2025/4/1,{number}番の街灯が切れています。\n" for number in range(chunks * CHUNK_VOICES + 1))
    path.write_text("管理番号,受付日,ご意見\n" + "".join(rows), "utf-8")
    return path


def told(stream: Any) -> Iterator[dict[str, Any]]:
    for written in stream:
        if written.startswith(b"{"):
            yield json.loads(written)


@pytest.mark.parametrize(("engine", "chunks"), [("serial", 3), ("loky", 5)])
def test_ctrl_c_ends_after_the_chunk_and_the_same_command_goes_on(start: Start, tmp_path: Path, engine: str, chunks: int) -> None:
    path = call_log(tmp_path, chunks)
    with start("import", "--json", path, engine=engine) as process:
        first = next(told(process.stderr))
        assert (first["file"], first["imported"], first["read"]) == ("calls.csv", CHUNK_VOICES, CHUNK_VOICES)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all its processes get it
        out, errors = process.communicate()
    stopped = json.loads(out)
    assert process.returncode == 130
    assert "同じ命令をもう一度実行すると、続きから進みます" in errors.decode()
    assert "Traceback" not in errors.decode()
    assert CHUNK_VOICES <= stopped["read"] < chunks * CHUNK_VOICES
    if engine != "serial":
        return  # how it goes on has nothing to do with the processes

    with start("import", "--json", path, engine=engine) as again:
        out, errors = again.communicate()
    assert again.returncode == 0, errors.decode()
    done = json.loads(out)
    everything = chunks * CHUNK_VOICES + 1
    assert (done["batch"], done["read"], done["imported"], done["duplicates"]) == (stopped["batch"], everything, everything, 0)
    last = [json.loads(written) for written in errors.splitlines() if written.startswith(b"{")][-1]
    assert (last["done"], last["read"]) == (last["total"], everything)


def test_on_a_terminal_a_bar_shows_counts_rate_and_time_left(start: Start, tmp_path: Path) -> None:
    path = call_log(tmp_path, 1)
    ours, theirs = pty.openpty()
    with start("import", path, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # a terminal that nobody writes to any more ends so
            while piece := os.read(ours, 1 << 16):
                shown += piece
        out, _ = process.communicate()
    os.close(ours)
    text = shown.decode("utf-8", "replace")
    assert process.returncode == 0
    for part in ("calls.csv", f"{CHUNK_VOICES + 1:,}件", "件/秒", "残り0秒", "重複0", "不可0", "100%"):
        assert part in text, part
    assert "件/秒" not in out.decode()


def progress(done: int, read: int) -> ImportProgress:
    return ImportProgress(done, 1000, read - 2, 1, 1)


def test_the_pace_counts_from_where_this_import_began() -> None:
    clock = iter([0.0, 10.0, 20.0])
    watch = Stopwatch(lambda: next(clock))
    assert watch.pace(ImportProgress(0, 1000, 0, 0, 0)) == Pace(0.0, None)
    assert watch.pace(progress(200, 100)) == Pace(10.0, 40.0)
    assert watch.pace(progress(1000, 500)) == Pace(25.0, 0.0)


def test_what_an_earlier_import_did_is_no_pace() -> None:
    clock = iter([0.0, 100.0, 110.0])
    watch = Stopwatch(lambda: next(clock))
    assert watch.pace(progress(0, 300)) == Pace(0.0, None)
    assert watch.pace(progress(600, 400)) == Pace(0.0, None)
    assert watch.pace(progress(700, 500)) == Pace(10.0, 30.0)


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "不明"), (0.2, "0秒"), (59.4, "59秒"), (60, "1分00秒"), (754, "12分34秒"), (7384, "2時間03分")]
)
def test_a_time_is_said_as_people_say_it(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_a_line_says_what_became_of_the_records() -> None:
    assert line(progress(250, 1500), Pace(300.4, 75.0)) == (
        "1,500 件（25%、取込 1,498・重複 1・取込不可 1、毎秒 300 件、残り1分15秒）"
    )  # fmt: skip
