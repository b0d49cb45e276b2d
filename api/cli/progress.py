"""How an import in progress is told: a live bar on a terminal, a plain line now and then elsewhere, JSON Lines for programs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from api.cli.context import as_json, note

if TYPE_CHECKING:
    from ingest.pipeline import ImportProgress

Tell = Callable[["ImportProgress"], None]

_PLAIN_EVERY = 5.0
_JSON_EVERY = 1.0
_MINUTE, _HOUR = 60, 3600
_STOPPING = "\n止めます。いまの区切りを保存するまで待ってください（もう一度 Ctrl+C を押すと、すぐに止めます）。\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes: records a second, and the seconds that are left (``None``: not known yet)."""

    rate: float
    left: float | None


class Stopwatch:
    """Tells the pace from the progress so far. What an earlier import had done already says nothing about this one's pace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: tuple[float, ImportProgress] | None = None
        self._skipped = False

    def pace(self, progress: ImportProgress) -> Pace:
        now = self._clock()
        if self._since is None or (not self._skipped and self._since[1].read):
            self._skipped = self._since is not None
            self._since = (now, progress)
            return Pace(0.0, None)
        began, first = self._since
        seconds, lines = now - began, progress.done - first.done
        rate = (progress.read - first.read) / seconds if seconds > 0 else 0.0
        return Pace(rate, (progress.total - progress.done) * seconds / lines if lines > 0 else None)


@contextmanager
def watched(name: str, *, json_lines: bool) -> Iterator[Tell]:
    """What to call with a file's progress. It goes to standard error, so that standard output holds the result alone."""
    if json_lines:
        yield _Json(name)
    elif sys.stderr.isatty():
        with _bar(name) as tell:
            yield tell
    else:
        yield _Plain(name)


class Interrupt:
    """Ctrl+C within its block: the first one asks to stop at the next good place, a second one ends the work at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __call__(self) -> bool:
        return self.asked

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # Past the stream's buffer, in which the interrupted program may just be.
        with suppress(OSError):
            os.write(2, _STOPPING.encode())


class _Plain:
    def __init__(self, name: str) -> None:
        self._name, self._watch, self._last = name, Stopwatch(), time.monotonic()

    def __call__(self, progress: ImportProgress) -> None:
        pace = self._watch.pace(progress)
        if time.monotonic() - self._last >= _PLAIN_EVERY:
            self._last = time.monotonic()
            note(f"{self._name}: {line(progress, pace)}")


class _Json:
    def __init__(self, name: str) -> None:
        self._name, self._watch, self._last = name, Stopwatch(), -_JSON_EVERY

    def __call__(self, progress: ImportProgress) -> None:
        pace = self._watch.pace(progress)
        now = time.monotonic()
        if progress.done and (now - self._last >= _JSON_EVERY or progress.done == progress.total):
            self._last = now
            counts = {key: getattr(progress, key) for key in ("done", "total", "read", "imported", "duplicates", "rejected")}
            seconds = None if pace.left is None else round(pace.left, 1)
            note(as_json({"file": self._name, **counts, "per_second": round(pace.rate, 1), "seconds_left": seconds}))


def line(progress: ImportProgress, pace: Pace) -> str:
    """The progress in one sentence."""
    counts = f"取込 {progress.imported:,}・重複 {progress.duplicates:,}・取込不可 {progress.rejected:,}"
    return f"{progress.read:,} 件（{_share(progress):.0%}、{counts}、毎秒 {pace.rate:,.0f} 件、残り{duration(pace.left)}）"


def duration(seconds: float | None) -> str:
    """A time that is left, as people say it."""
    if seconds is None:
        return "不明"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}秒"
    if whole < _HOUR:
        return f"{whole // _MINUTE}分{whole % _MINUTE:02d}秒"
    return f"{whole // _HOUR}時間{whole % _HOUR // _MINUTE:02d}分"


def _share(progress: ImportProgress) -> float:
    return progress.done / progress.total if progress.total else 1.0


@contextmanager
def _bar(name: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(20), TaskProgressColumn(), TextColumn("{task.fields[told]}"))
    watch = Stopwatch()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, told="")

        def tell(progress: ImportProgress) -> None:
            pace = watch.pace(progress)
            told = (
                f"{progress.read:,}件 {pace.rate:,.0f}件/秒 残り{duration(pace.left)} 重複{progress.duplicates:,} 不可{progress.rejected:,}"
            )
            bar.update(task, total=progress.total, completed=progress.done, told=told)

        yield tell
