"""Parallel work in one place: the same call runs in this process or over processes, in order, with memory held flat."""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core.settings import Settings

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items that each process has waiting, so that none is idle while the reader is busy with a result.
_AHEAD = 2
# Processes share the cores; each must not take all of them for its linear algebra.
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")


# New objects between two searches for cycles, in place of Python's 700: results are many small tuples without any, and searching them
# took three quarters of the time that their way between processes takes.
_RARELY = 50_000


def workers(settings: Settings) -> int:
    """How many processes ``map`` uses."""
    return settings.workers or os.cpu_count() or 1


def map(  # noqa: A001  (the name that every engine of this sort uses; called as engine.map)
    function: Callable[[Item], Result], items: Iterable[Item], *, settings: Settings
) -> Generator[Result, None, None]:
    """``function`` over ``items``, results in the order of the items, at most ``2 × workers`` items ahead of the reader.

    ``function`` must be importable by name (a module-level function) and give the same result in any process.
    """
    count = workers(settings)
    if settings.engine == "serial" or count == 1:
        yield from (function(item) for item in items)
        return
    # joblib.Parallel would run through all items while the reader saves one result, and keep every other in memory;
    # this is the pool behind it, so that both may be used in one process.
    from joblib.executor import get_memmapping_executor

    threads = str(max((os.cpu_count() or 1) // count, 1))
    executor = get_memmapping_executor(count, timeout=300, env=dict.fromkeys(_THREAD_LIMITS, threads), initializer=_prepare)
    waiting: deque[Any] = deque()
    with _collecting_rarely():
        try:
            for item in items:
                waiting.append(executor.submit(function, item))
                if len(waiting) == _AHEAD * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _prepare() -> None:
    """In each process: Ctrl+C reaches all of them, and it is the one at the terminal that decides what becomes of the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _collect_rarely()


def _collect_rarely() -> None:
    gc.set_threshold(_RARELY)


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    before = gc.get_threshold()
    _collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
