"""Parallel work in one place: the same call runs in this process or over processes, in order, with memory held flat."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from core.settings import Settings

Item = TypeVar("Item")
Result = TypeVar("Result")


def workers(settings: Settings) -> int:
    """How many processes ``map`` uses."""
    return settings.workers or os.cpu_count() or 1


def map(  # noqa: A001  (the name that every engine of this sort uses; called as engine.map)
    function: Callable[[Item], Result], items: Iterable[Item], *, settings: Settings
) -> Iterator[Result]:
    """``function`` over ``items``, results in the order of the items, at most a few items ahead of the reader.

    ``function`` must be importable by name (a module-level function) and give the same result in any process.
    """
    count = workers(settings)
    if settings.engine == "serial" or count == 1:
        yield from (function(item) for item in items)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=count, backend="loky", return_as="generator", pre_dispatch=2 * count, batch_size=1)
    yield from parallel(delayed(function)(item) for item in items)
