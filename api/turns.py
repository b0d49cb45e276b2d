"""Writers take turns before they take a thread.

A request that writes holds its lock while its answer is being made, for which it needs a thread again and again. When all threads
are taken by requests that wait for that very lock, nobody goes on until the database gives up. So those who wait to write wait here.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

AT_ONCE = {"sqlite": 1}  # a database file has one writer at a time
OTHERWISE = 20  # of the 40 threads: as many again stay free for those who read


class Turns:
    """How many may write at the same time, in one process."""

    def __init__(self, dialect: str) -> None:
        self._at_once = AT_ONCE.get(dialect, OTHERWISE)
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def gate(self) -> asyncio.Semaphore:
        """To be entered for as long as one writes."""
        loop = asyncio.get_running_loop()
        if loop not in self._gates:
            self._gates[loop] = asyncio.Semaphore(self._at_once)
        return self._gates[loop]
