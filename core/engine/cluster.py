"""On a Dask cluster: the same items, the same results, and an item whose worker was lost goes to another by Dask's own doing."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core.engine.processes import collecting_rarely
from core.errors import EngineError, SettingsError
from core.settings import Settings

Item = TypeVar("Item")
Result = TypeVar("Result")

# As on one machine: one item is worked on, one waits.
_AHEAD = 2
# Between two looks at whether there are workers; a result that is there is taken at once.
_LOOK_SECONDS = 1.0
_AGAIN = "直してから、同じ命令をもう一度実行してください。取込は続きから進みます。"


def over(function: Callable[[Item], Result], items: Iterable[Item], *, settings: Settings) -> Generator[Result, None, None]:
    """``core.engine.map`` on the cluster that the settings name.

    Raises:
        SettingsError: Dask isn't installed.
        EngineError: the scheduler can't be reached, or all workers stayed away for ``engine_wait`` seconds.
    """
    waiting: deque[Any] = deque()
    with _connected(settings) as client, collecting_rarely(), _explained(settings):
        try:
            for item in items:
                # Not pure: Dask would hash each item to see whether it has had the same one before.
                waiting.append(client.submit(function, item, pure=False))
                while len(waiting) >= _AHEAD * max(_threads(client, settings), 1):
                    yield _result(client, waiting.popleft(), settings)
            while waiting:
                yield _result(client, waiting.popleft(), settings)
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def _connected(settings: Settings) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise SettingsError(
            f"KOE_ENGINE に {settings.engine} を指定していますが、パッケージ dask と distributed がありません。",
            hint="pip install 'koenowa[dask]' で入れるか、KOE_ENGINE=loky にしてください。",
        ) from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it has to say is said in Japanese below
    address = settings.engine.replace("dask://", "tcp://", 1)
    try:
        client = Client(address, timeout=settings.engine_wait, set_as_default=False, name="koenowa")
    except (OSError, TimeoutError, ValueError) as error:
        raise EngineError(
            f"Dask のスケジューラ {settings.engine} につながりません。",
            hint="dask scheduler が動いているか、KOE_ENGINE を確かめてください。",
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=5)


def _threads(client: Any, settings: Settings) -> int:
    """How many items the cluster works on at a time."""
    return sum(worker["nthreads"] for worker in _workers(client, settings).values())


def _workers(client: Any, settings: Settings) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    except OSError as error:
        raise _cut_off(settings) from error
    return found


def _result(client: Any, future: Any, settings: Settings) -> Any:
    finished = threading.Event()
    future.add_done_callback(lambda _: finished.set())
    seen = time.monotonic()
    while True:
        while not (finished.wait(_LOOK_SECONDS) or future.done()):
            if _workers(client, settings):
                seen = time.monotonic()
            elif time.monotonic() - seen >= settings.engine_wait:
                raise EngineError(
                    f"Dask のワーカーが1つもないまま {settings.engine_wait} 秒たちました。",
                    hint="dask worker を動かして、同じ命令をもう一度実行してください。取込は続きから進みます。",
                )
        try:
            return future.result(timeout=settings.engine_wait)
        except TimeoutError:
            if future.status == "error":
                raise  # the item's own
            # Else the worker that kept the result died, and it is being made again elsewhere.
            finished.clear()


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    from asyncio import CancelledError
    from concurrent.futures import CancelledError as Cancelled

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except KilledWorker:
        raise EngineError(
            "Dask のワーカーが、同じ仕事で続けて止まりました。", hint=f"ワーカーのメモリと記録を確かめ、{_AGAIN}"
        ) from None  # fmt: skip
    except (CancelledError, Cancelled, CommClosedError) as error:
        raise EngineError(
            f"Dask のスケジューラ {settings.engine} との接続が切れました。", hint=f"dask scheduler を確かめ、{_AGAIN}"
        ) from error
    except ModuleNotFoundError as error:
        raise EngineError(
            "Dask のワーカーが声環のプログラムを読めません。", hint=f"ワーカーも同じ版の声環の環境（.venv）で動かすように{_AGAIN}"
        ) from error


def _cut_off(settings: Settings) -> EngineError:
    return EngineError(f"Dask のスケジューラ {settings.engine} との接続が切れました。", hint=f"dask scheduler を確かめ、{_AGAIN}")
