"""Stretches of text: which of them touch others, in a time that grows with their number and not with its square."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from nlp.annotation import PiiSpan


class Cover:
    """What some spans, overlapping or not, cover together."""

    def __init__(self, spans: Iterable[PiiSpan]) -> None:
        ordered = sorted((span.start, span.end) for span in spans)
        self._starts = [start for start, _ in ordered]
        self._reach = list(accumulate((end for _, end in ordered), max))
        self._ends = sorted(end for _, end in ordered)

    def touches(self, start: int, end: int) -> bool:
        """Whether any span shares a character with this stretch."""
        before = bisect_left(self._starts, end)
        return before > 0 and self._reach[before - 1] > start

    def is_beside(self, start: int, end: int, *, within: int) -> bool:
        """Whether a span ends or begins at most ``within`` characters before or behind this stretch's ends."""
        return _any_between(self._starts, end - within, end + within) or _any_between(self._ends, start - within, start + within)


def settle(found: Iterable[PiiSpan]) -> list[PiiSpan]:
    """Resolves overlaps: the longer span wins, then the earlier; sorted by place."""
    kept: list[PiiSpan] = []
    for span in sorted(found, key=lambda item: (item.start - item.end, item.start)):
        # What is kept never overlaps: only the two neighbours can be in the way.
        place = bisect_left(kept, span.start, key=lambda item: item.start)
        if (place == 0 or kept[place - 1].end <= span.start) and (place == len(kept) or span.end <= kept[place].start):
            kept.insert(place, span)
    return kept


def _any_between(places: list[int], first: int, last: int) -> bool:
    index = bisect_left(places, first)
    return index < len(places) and places[index] <= last
