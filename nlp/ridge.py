"""Regularised least squares on one-hot labels, solved exactly, with every example's leave-one-out scores as a by-product.

Rifkin, Lippert, "Notes on regularized least squares", MIT CSAIL 2007: with G = (K + λW⁻¹)⁻¹ the dual solution is GY, and what a model
without example i would say of it is y_i − (GY)_i / G_ii. There are no folds to fit. On voices it is at least as good as logistic
regression (docs/adr/0021), and quicker. Symmetric matrices are kept as one half, packed (Gustavson, Waśniewski, Dongarra, Langou,
"Rectangular full packed format for Cholesky's algorithm", ACM TOMS 37(2), 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.vectors import Floats

# Columns that so many rows have are multiplied as a dense matrix; the rest stays sparse.
_FREQUENT = 0.02
# Rows of products made at a time.
_STEP = 500


@dataclass(frozen=True, slots=True)
class Solution:
    """Coefficients (k, d), intercepts (k), and each example's scores by the model without it, (n, k)."""

    coefficients: Floats
    intercept: Floats
    held_out: Floats


def solve(rows: Any, weights: NDArray[Any], targets: NDArray[Any], *, penalty: float) -> Solution:
    """The weighted ridge solution.

    In single precision: n²/2 numbers are kept (430 MB for 14,700 examples), and λ keeps the condition number near n.

    Args:
        rows: sparse features, shape (n, d).
        weights: how much each example counts, shape (n), above 0.
        targets: one column a label, shape (n, k).
        penalty: λ; larger is smoother.
    """
    from scipy.linalg import lapack

    wanted = np.asarray(targets, dtype=np.float32)
    kernel = Packed(len(wanted))
    for start, end, products in gram(rows):
        here = np.arange(start, end)
        products[here - start, here] += (penalty / weights[start:end]).astype(np.float32)
        kernel.write(start, products + np.float32(1))  # the intercept, as a feature that every text has
    factor, failed = lapack.spftrf(len(wanted), kernel.numbers, transr="N", uplo="L", overwrite_a=True)
    if failed:
        raise ArithmeticError("the weighted kernel is not positive definite")
    dual, _ = lapack.spftrs(len(wanted), factor, wanted, transr="N", uplo="L")
    inverse, _ = lapack.spftri(len(wanted), factor, transr="N", uplo="L", overwrite_a=True)
    return Solution(
        coefficients=np.asarray((rows.T @ dual).T, dtype=np.float32),
        intercept=np.asarray(dual.sum(axis=0, dtype=np.float64), dtype=np.float32),
        held_out=np.asarray(wanted - dual / Packed(len(wanted), inverse).diagonal()[:, None], dtype=np.float32),
    )


class Packed:
    """The lower half of a symmetric matrix (n, n) in LAPACK's rectangular full packed form (TRANSR='N', UPLO='L').

    The columns before the middle stand as they are; the triangle right of it stands mirrored in the corner above them.
    """

    def __init__(self, size: int, numbers: Floats | None = None) -> None:
        self.size = size
        self._middle = (size + 1) // 2
        self._down = 1 - size % 2  # the first columns stand a row lower when n is even, the mirrored ones a column further when odd
        self.numbers = np.empty(size * (size + 1) // 2, dtype=np.float32) if numbers is None else numbers
        self._held = self.numbers.reshape(self._middle, -1).T

    def write(self, start: int, products: Floats) -> None:
        """Writes the matrix's rows from ``start`` on, each up to the last of their diagonals, shape (m, start + m)."""
        for first, last in _parts(start, start + len(products), self._middle):
            self._write(first, products[first - start : last - start, :last])

    def diagonal(self) -> Floats:
        """The matrix's diagonal, shape (n)."""
        left, right = np.arange(self._middle), np.arange(self.size - self._middle)
        return np.concatenate([self._held[left + self._down, left], self._held[right, right + 1 - self._down]])

    def _write(self, start: int, products: Floats) -> None:
        """Rows that lie all before the middle or all behind it."""
        end, middle = start + len(products), self._middle
        own = products[:, start:end]
        lower = np.tril_indices(len(own))
        if end <= middle:
            self._held[start + self._down : end + self._down, :start] = products[:, :start]
            self._held[start + self._down + lower[0], start + lower[1]] = own[lower]
            return
        self._held[start + self._down : end + self._down, :middle] = products[:, :middle]
        right, column = start - middle, start - middle + 1 - self._down
        self._held[:right, column : column + len(own)] = products[:, middle:start].T
        self._held[right + lower[1], column + lower[0]] = own[lower]


def gram(rows: Any) -> Iterator[tuple[int, int, Floats]]:
    """The inner products of rows [start, end) with all rows before ``end``, shape (end - start, end), piece by piece."""
    frequent = np.bincount(rows.indices, minlength=rows.shape[1]) > max(1, rows.shape[0] * _FREQUENT)
    dense = rows[:, np.flatnonzero(frequent)].toarray().astype(np.float32)
    rare = rows[:, np.flatnonzero(~frequent)]
    for start in range(0, rows.shape[0], _STEP):
        end = min(start + _STEP, rows.shape[0])
        products = dense[start:end] @ dense[:end].T
        products += (rare[start:end] @ rare[:end].T).toarray()
        yield start, end, products


def _parts(start: int, end: int, middle: int) -> Iterator[tuple[int, int]]:
    """[start, end), cut at the middle if it lies inside."""
    cuts = [start, middle, end] if start < middle < end else [start, end]
    return pairwise(cuts)
