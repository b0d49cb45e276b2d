"""A quasi-Poisson regression of many series at once, with normal priors: a few matrix products for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDS = 25
_LARGEST_STEP = 1.0
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of each series, shape (series, columns), and their covariance, shape (series, columns, columns)."""

    coefficients: Floats
    covariance: Floats

    def linear(self, design: Floats) -> Floats:
        """The linear predictor without the offset, shape (series, rows of the design)."""
        return np.asarray(self.coefficients @ design.T)

    def variance(self, row: Floats) -> Floats:
        """The variance of one row's linear predictor, shape (series,)."""
        return np.asarray(np.einsum("p,spq,q->s", row, self.covariance, row))


def fit(
    counts: Floats, design: Floats, *, offset: Floats, start: Floats, precision: Floats, weights: Floats, dispersion: Floats
) -> Fit:  # fmt: skip
    """The most probable coefficients of log E(counts) = offset + design · coefficients, by Newton's method.

    Args:
        counts: shape (series, times).
        design: shape (times, columns), the same for all series.
        offset: shape (series, times).
        start: what each coefficient is before anything is seen, shape (series, columns): the middle of its prior.
        precision: one over the variance of each column's prior, shape (columns,).
        weights: how much each count tells, shape (series, times).
        dispersion: variance of a count over its mean, shape (series,).
    """
    columns = design.shape[1]
    products = np.einsum("tp,tq->tpq", design, design).reshape(len(design), columns * columns)
    informs = weights / dispersion[:, None]
    found = start.copy()
    hessian = np.zeros((len(counts), columns, columns))
    for _ in range(_ROUNDS):
        mean = np.exp(np.clip(offset + found @ design.T, -30, 30))
        hessian = ((informs * mean) @ products).reshape(-1, columns, columns) + np.diag(precision)
        gradient = (informs * (counts - mean)) @ design - precision * (found - start)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        step *= np.minimum(1.0, _LARGEST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-12))
        found = found + step
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            break
    return Fit(found, np.asarray(np.linalg.inv(hessian), dtype=np.float64))
