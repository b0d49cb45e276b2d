"""A page of a long list, cut by keyset: as quick at the end as at the beginning, and steady while new rows come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from loop.filters import Cursor

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in the list's order; ``previous`` and ``next`` are where the pages beside it begin, or ``None`` at an end."""

    rows: list[Row]
    previous: Cursor | None
    next: Cursor | None


def cut(found: list[Row], *, limit: int, place: Callable[[Row], Cursor], after: Cursor | None, before: Cursor | None) -> Page[Row]:
    """Makes a page of ``limit + 1`` rows that were read forwards, or backwards when ``before`` was given."""
    more = len(found) > limit
    rows = found[:limit]
    if before is not None:
        rows.reverse()
    if not rows:
        return Page([], None, None)
    has_previous, has_next = (more, True) if before is not None else (after is not None, more)
    return Page(rows, place(rows[0]) if has_previous else None, place(rows[-1]) if has_next else None)
