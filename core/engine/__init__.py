"""Parallel work in one place: the same call runs in this process, over processes or on a cluster, in order, with memory held flat."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from core.settings import Settings

Item = TypeVar("Item")
Result = TypeVar("Result")


def workers(settings: Settings) -> int:
    """How many processes of this machine ``map`` uses."""
    return settings.workers or os.cpu_count() or 1


def map(  # noqa: A001  (the name that every engine of this sort uses; called as engine.map)
    function: Callable[[Item], Result], items: Iterable[Item], *, settings: Settings
) -> Generator[Result, None, None]:
    """``function`` over ``items``, results in the order of the items, at most ``2 × workers`` items ahead of the reader.

    ``function`` must be importable by name (a module-level function) and give the same result in any process, so that an item
    whose process was lost can be given to another.

    Raises:
        EngineError: the processes or the cluster can't be reached, or are gone.
    """
    if settings.engine.startswith("dask://"):
        from core.engine import cluster

        return cluster.over(function, items, settings=settings)
    count = workers(settings)
    if settings.engine == "serial" or count == 1:
        return (function(item) for item in items)
    from core.engine import processes

    return processes.over(function, items, count=count)
