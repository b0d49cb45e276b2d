"""Regularised least squares on one-hot labels, solved exactly, with every example's leave-one-out scores as a by-product.

Rifkin, Lippert, "Notes on regularized least squares", MIT CSAIL 2007: with G = (K + λW⁻¹)⁻¹ the dual solution is GY, and what a model
without example i would say of it is y_i − (GY)_i / G_ii. One inverse serves any number of labels, and there are no folds to fit.
On voices it is at least as good as logistic regression (docs/adr/0021), and quicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.vectors import Floats

# Columns that so many rows have are multiplied as a dense matrix; the rest stays sparse.
_FREQUENT = 0.02


@dataclass(frozen=True, slots=True)
class Solution:
    """Coefficients (k, d), intercepts (k), and each example's scores by the model without it, (n, k)."""

    coefficients: Floats
    intercept: Floats
    held_out: Floats


class Solver:
    """The weighted ridge problem of some rows; ``solve`` gives the solution for any labels of theirs.

    In single precision: n² numbers are kept (400 MB for 10,000 examples), and λ keeps the condition number near n.

    Args:
        rows: sparse features, shape (n, d).
        weights: how much each example counts, shape (n), above 0.
        penalty: λ; larger is smoother.
    """

    def __init__(self, rows: Any, weights: NDArray[Any], *, penalty: float) -> None:
        from scipy.linalg import cholesky, lapack

        self._rows = rows
        kernel = gram(rows)
        kernel += 1.0  # the intercept, as a feature that every text has
        kernel[np.diag_indices_from(kernel)] += (penalty / weights).astype(np.float32)
        # LAPACK works on columns: the transpose of a symmetric matrix is itself, and needs no copy.
        factor = cholesky(kernel.T, lower=True, overwrite_a=True, check_finite=False)
        inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
        for row in range(1, len(inverse)):
            inverse[:row, row] = inverse[row, :row]
        self._inverse = inverse

    def solve(self, targets: NDArray[Any]) -> Solution:
        """The solution for targets of shape (n, k), one column a label."""
        wanted = np.asarray(targets, dtype=np.float32)
        dual = self._inverse @ wanted
        return Solution(
            coefficients=np.asarray((self._rows.T @ dual).T, dtype=np.float32),
            intercept=np.asarray(dual.sum(axis=0, dtype=np.float64), dtype=np.float32),
            held_out=np.asarray(wanted - dual / self._inverse.diagonal()[:, None], dtype=np.float32),
        )


def gram(rows: Any) -> Floats:
    """The inner products of all rows with each other, shape (n, n)."""
    columns = rows.tocsc()
    filled = np.diff(columns.indptr)
    frequent = filled > max(1, rows.shape[0] * _FREQUENT)
    dense = columns[:, np.flatnonzero(frequent)].toarray().astype(np.float32)
    products = dense @ dense.T
    rare = columns[:, np.flatnonzero(~frequent)].tocsr()
    step = 1000  # as dense rows: the whole sparse product would hold most of its entries, with an index each
    for start in range(0, rows.shape[0], step):
        products[start : start + step] += (rare[start : start + step] @ rare.T).toarray()
    return np.asarray(products, dtype=np.float32)
