"""Cross tables: two attributes against each other, what would be expected if they had nothing to do with one another, and how far from it.

Pure functions over counts. Rows and columns are in the order of their size, those without a value last; what is beyond a number of
lines is folded into one, so that a table can be read and still adds up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

LIKELY, CERTAIN = 1.96, 2.58  # residuals beyond them come by chance once in twenty and once in a hundred cells
_SMALL, _TINY, _MANY = 5.0, 1.0, 0.2


class Strength(Enum):
    """How much two attributes have to do with each other (Cohen 1988, ch. 7: w of 0.1, 0.3 and 0.5, for tables of any size)."""

    NONE = 0
    WEAK = 1
    MIDDLING = 2
    STRONG = 3


@dataclass(frozen=True, slots=True)
class Association:
    """What a table says as a whole.

    Attributes:
        chi_square: Pearson's, with ``degrees`` of freedom; ``p`` is how often chance alone gives as much.
        cramers_v: 0 (nothing to do with each other) to 1 (the one tells the other).
        small: the share of cells whose expected count is below 5.
        least: the smallest expected count.
    """

    chi_square: float
    degrees: int
    p: float
    cramers_v: float
    strength: Strength
    small: float
    least: float

    @property
    def is_shaky(self) -> bool:
        """Whether p can't be relied upon: more than a fifth of the expected counts below 5, or one below 1 (Cochran 1954)."""
        return self.small > _MANY or self.least < _TINY


@dataclass(frozen=True, slots=True)
class Line:
    """A row or a column: the values that it counts (several where they are folded), and how many voices it has."""

    values: tuple[str, ...]
    count: int
    folded: bool = False

    @property
    def value(self) -> str:
        return self.values[0]


@dataclass(frozen=True, slots=True)
class CrossTable:
    """Counts of two attributes. ``counts`` and ``residuals`` have a row for each of ``rows`` and a column for each of ``columns``."""

    rows: tuple[Line, ...]
    columns: tuple[Line, ...]
    counts: NDArray[np.int64]
    residuals: NDArray[np.float64]
    association: Association | None

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @classmethod
    def of(cls, counts: Mapping[tuple[str, str], int], *, most_rows: int, most_columns: int) -> CrossTable:
        """The table of the numbers of pairs of values; what is beyond ``most_rows`` and ``most_columns`` lines is folded."""
        rows = _lines(Counter(_sums(counts, 0)), most_rows)
        columns = _lines(Counter(_sums(counts, 1)), most_columns)
        row_of, column_of = _places(rows), _places(columns)
        table = np.zeros((len(rows), len(columns)), dtype=np.int64)
        for (value, other), number in counts.items():
            if number > 0:
                table[row_of[value], column_of[other]] += number
        return cls(rows, columns, table, adjusted_residuals(table), association(table))


def adjusted_residuals(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The adjusted standardised residuals of a table: how many standard deviations each cell is from independence.

    Haberman, S. J. (1973): The analysis of residuals in cross-classified tables. Biometrics 29, 205-220. Each is about standard normal
    where the attributes are independent. NaN where it isn't defined: in a row or column that is empty or holds everything.
    """
    table = counts.astype(np.float64)
    total = table.sum()
    if not total:
        return np.full(table.shape, np.nan)
    rows, columns = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    expected = rows * columns / total
    variance = expected * (1 - rows / total) * (1 - columns / total)
    # A row that holds everything leaves no room to vary; rounding must not make a number of that.
    variance[variance < 1e-12 * max(total, 1.0)] = np.nan
    return np.asarray((table - expected) / np.sqrt(variance))


def association(counts: NDArray[np.int64]) -> Association | None:
    """Pearson's chi-square and Cramér's V of a table, empty rows and columns left out; ``None`` where fewer than two of either are left."""
    from scipy.special import chdtrc

    table = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0].astype(np.float64)
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return None
    total = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / total
    chi_square = float(((table - expected) ** 2 / expected).sum())
    degrees, smaller = (rows - 1) * (columns - 1), min(rows, columns) - 1
    v = math.sqrt(chi_square / total / smaller)
    return Association(
        chi_square=chi_square,
        degrees=degrees,
        p=float(chdtrc(degrees, chi_square)),
        cramers_v=v,
        strength=Strength(sum(v * math.sqrt(smaller) >= least for least in (0.1, 0.3, 0.5))),
        small=float((expected < _SMALL).mean()),
        least=float(expected.min()),
    )


def _sums(counts: Mapping[tuple[str, str], int], place: int) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for pair, number in counts.items():
        sums[pair[place]] += number
    return {value: number for value, number in sums.items() if number > 0}


def _lines(sums: Counter[str], most: int) -> tuple[Line, ...]:
    ordered = sorted(sums, key=lambda value: (value == "", -sums[value], value))
    named = [value for value in ordered if value]
    if len(named) <= most:
        return tuple(Line((value,), sums[value]) for value in ordered)
    kept, rest = named[: most - 1], named[most - 1 :]
    lines = [Line((value,), sums[value]) for value in kept]
    lines.append(Line(tuple(rest), sum(sums[value] for value in rest), folded=True))
    return (*lines, *(Line((value,), sums[value]) for value in ordered if not value))


def _places(lines: Sequence[Line]) -> dict[str, int]:
    return {value: place for place, line in enumerate(lines) for value in line.values}
