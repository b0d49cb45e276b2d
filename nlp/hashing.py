"""Numbers found among many others by hashing, which for batches of thousands takes far less time than bisection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# 2^64 over the golden ratio (Knuth, "The art of computer programming", volume 3, section 6.4).
_SCATTER = np.uint64(0x9E3779B97F4A7C15)


class Places:
    """Where each of some numbers above 0 stands among them: a hash table with open addressing."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        bits = max(len(keys), 1).bit_length() + 2  # a quarter full at most: nearly every number is where it is looked for first
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        # What is asked for is never 0: where nothing stands (-1, the last), nothing is found.
        self._keys = np.append(keys, np.uint64(0))
        self._table = np.full(1 << bits, -1, dtype=np.int32)
        waiting = np.arange(len(keys))
        slots = self._first(keys)
        while len(waiting):
            free = self._table[slots] < 0
            self._table[slots[free]] = waiting[free]
            left = self._table[slots] != waiting
            waiting, slots = waiting[left], (slots[left] + 1) & self._last

    def of(self, wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The places of the numbers wanted, -1 for those that aren't there."""
        slots = self._first(wanted)
        found = self._table[slots].astype(np.int64)
        others = np.flatnonzero((self._keys[found] != wanted) & (found >= 0))
        slots = slots[others]
        while len(others):
            slots = (slots + 1) & self._last
            here = self._table[slots]
            found[others] = here
            on = (self._keys[here] != wanted[others]) & (here >= 0)
            others, slots = others[on], slots[on]
        return found

    def _first(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return ((keys * _SCATTER) >> self._shift).astype(np.int64)
