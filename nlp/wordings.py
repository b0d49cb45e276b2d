"""Wordings: what near-copies are told by. MinHash over character 5-grams, for many texts at a time; pure functions.

Broder, "On the resemblance and containment of documents", 1997; of each minimum only 16 bits are kept (Li and König, "b-bit minwise
hashing", 2010), and bands of five of them find the pairs (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# A pair whose 5-grams agree to 0.55 has one band in common with probability 0.52, at 0.7 0.92, at 0.9 1.00; one that shares a stock
# sentence (0.33) with 0.05, unrelated ones (0.05) with 0.000004. In a campaign each text has many near pairs.
NEAR = 0.55
_GRAM = 5
_BANDS, _ROWS = 14, 5
VALUES = _BANDS * _ROWS
SCHEME = f"minhash affine32 seed 1, {_BANDS}x{_ROWS} of 16 bits, {_GRAM}-grams"
# Of two wordings that agree to 0.55, 99 in 100 have so many of the 70 values in common; of those that share a sentence, one in ten.
_LEAST_AGREEING = 29
# Fewer characters are the same by chance (「特にありません」, 「バスを増やしてほしい」).
_SHORTEST_COPY = 40
# So many wordings before it are compared with one in a band. More share a band only where a stock phrase fills their texts, or in a
# campaign, where each of them leads to the others.
_MOST_COMPARED = 100
_PAIRS_AT_ONCE = 200_000

_PLACEHOLDER = re.compile(r"〔[^〔〕]{1,8}〕")
_NOT_WORDS = re.compile(r"[\W_]+")

Pairs = NDArray[np.int64]
"""Places of two wordings a row, the earlier one first."""


class Wording(NamedTuple):
    """A text as near-copies see it: a key that equal wordings share, and its signature, 70 little-endian numbers of 16 bits.

    A text too short to be told from chance has neither.
    """

    key: int | None
    signature: bytes


TOO_SHORT = Wording(None, b"")


def plain_text(masked: str) -> str:
    """A text without what its writers vary without meaning to: width, case, spaces, punctuation, masks."""
    text = unicodedata.normalize("NFKC", _PLACEHOLDER.sub("", masked)).encode("utf-8", "replace").decode()
    return _NOT_WORDS.sub("", text.casefold())


def grams(plain: str) -> frozenset[str]:
    """The 5-grams of a plain text."""
    return frozenset({plain[start : start + _GRAM] for start in range(max(len(plain) - _GRAM + 1, 1))})


def overlap(first: frozenset[str], second: frozenset[str]) -> float:
    """Jaccard: the share of both sets' members that both have."""
    common = len(first & second)
    return common / (len(first) + len(second) - common) if first or second else 0.0


def wordings(masked: Sequence[str]) -> list[Wording]:
    """The wording of each masked text."""
    plain = [plain_text(text) for text in masked]
    long = [text for text in plain if len(text) >= _SHORTEST_COPY]
    signatures = iter(_signatures(long))
    return [Wording(_key(text), next(signatures).tobytes()) if len(text) >= _SHORTEST_COPY else TOO_SHORT for text in plain]


def near(signatures: NDArray[np.uint16], *, since: int) -> Pairs:
    """Pairs of wordings that share a band and are likely near-copies, the later one at place ``since`` or after it.

    ``signatures`` has a row of 70 for each wording, in the order in which they came; which pairs are found depends on nothing
    that came later. In the order of the later ones.
    """
    found = [pairs for band in range(_BANDS) for pairs in _in_band(signatures, band, since)]
    if not found:
        return np.empty((0, 2), dtype=np.int64)
    pairs = np.unique(np.concatenate(found)[:, ::-1], axis=0)
    return np.asarray(pairs[:, ::-1])


def _in_band(signatures: NDArray[np.uint16], band: int, since: int) -> Iterator[Pairs]:
    rows = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS]).astype(np.uint64)
    # Five numbers of 16 bits in 64: the first one over the others, mixed by an odd factor so that none is lost.
    values = rows[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    for row in range(1, _ROWS):
        values ^= rows[:, row] << np.uint64(16 * (row - 1))
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    same = ordered[1:] == ordered[:-1]
    inside = np.zeros(len(order), dtype=bool)
    inside[1:] |= same
    inside[:-1] |= same
    order, ordered = order[inside], ordered[inside]
    for distance in range(1, min(_MOST_COMPARED, len(order) - 1) + 1):
        fits = (ordered[distance:] == ordered[:-distance]) & (order[distance:] >= since)
        if not (ordered[distance:] == ordered[:-distance]).any():
            return
        pairs = np.stack([order[:-distance][fits], order[distance:][fits]], axis=1)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            some = pairs[start : start + _PAIRS_AT_ONCE]
            agreeing = np.count_nonzero(signatures[some[:, 0]] == signatures[some[:, 1]], axis=1)
            yield some[agreeing >= _LEAST_AGREEING]


def _signatures(plain: Sequence[str]) -> NDArray[np.uint16]:
    """A row of 70 for each text of five characters or more."""
    if not plain:
        return np.empty((0, VALUES), dtype="<u2")
    letters = np.frombuffer("".join(plain).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    hashed = np.zeros(len(letters) - _GRAM + 1, dtype=np.uint64)
    for place in range(_GRAM):
        hashed = (hashed ^ letters[place : place + len(hashed)]) * np.uint64(0x9E3779B97F4A7C15)
        hashed ^= hashed >> np.uint64(29)
    lengths = np.fromiter(map(len, plain), dtype=np.int64, count=len(plain))
    inside = np.ones(len(letters), dtype=bool)
    for back in range(1, _GRAM):
        inside[np.cumsum(lengths) - back] = False  # 5-grams that would run into the next text
    points = (hashed[inside[: len(hashed)]] >> np.uint64(32)).astype(np.uint32)
    starts = np.cumsum(lengths - _GRAM + 1) - (lengths - _GRAM + 1)
    factors, shifts = _permutations()
    lowest = np.empty((len(plain), VALUES), dtype=np.uint32)
    for value, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
        lowest[:, value] = np.minimum.reduceat(points * factor + shift, starts)
    return (lowest & 0xFFFF).astype("<u2")


@lru_cache(maxsize=1)
def _permutations() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Of the numbers of 32 bits: x becomes an odd factor times x, and a shift."""
    rng = np.random.Generator(np.random.PCG64(1))
    factors = rng.integers(1, 2**31, size=VALUES, dtype=np.uint32) * 2 + 1
    return factors.astype(np.uint32), rng.integers(0, 2**32, size=VALUES, dtype=np.uint32)


def _key(plain: str) -> int:
    """64 bits of a digest as a signed number, which any database can hold."""
    return int.from_bytes(hashlib.blake2b(plain.encode(), digest_size=8).digest(), "big", signed=True)
