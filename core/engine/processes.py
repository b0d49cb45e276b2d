"""Over the processes of this machine: loky's pool, which lives on from one call to the next."""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from core.errors import EngineError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items that each process has waiting, so that none is idle while the reader is busy with a result.
_AHEAD = 2
# Processes share the cores; each must not take all of them for its linear algebra.
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")


# New objects between two searches for cycles, in place of Python's 700: results are many small tuples without any, and searching them
# took three quarters of the time that their way between processes takes.
_RARELY = 50_000


def over(function: Callable[[Item], Result], items: Iterable[Item], *, count: int) -> Generator[Result, None, None]:
    """``core.engine.map`` over ``count`` processes."""
    # joblib.Parallel would run through all items while the reader saves one result, and keep every other in memory;
    # this is the pool behind it, so that both may be used in one process.
    from joblib.executor import get_memmapping_executor

    threads = str(max((os.cpu_count() or 1) // count, 1))
    executor = get_memmapping_executor(count, timeout=300, env=dict.fromkeys(_THREAD_LIMITS, threads), initializer=_prepare)
    waiting: deque[Any] = deque()
    with collecting_rarely():
        try:
            for item in items:
                waiting.append(executor.submit(function, item))
                if len(waiting) == _AHEAD * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise EngineError(
                "並列処理のプロセスが途中で止まりました。",
                hint="メモリが足りているかを確かめ、足りなければ KOE_WORKERS を減らしてください。",
            ) from None
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
def collecting_rarely() -> Iterator[None]:
    """Python searches for cycles rarely while results come in."""
    before = gc.get_threshold()
    _collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
