"""The exact solver: what it says is what scikit-learn's ridge says, and its held-out scores are those of models without the example."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import lapack
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_sparse
from sklearn.linear_model import Ridge

from nlp import ridge

ROWS = csr_matrix(random_sparse(40, 25, density=0.3, random_state=3, dtype=np.float32))
TARGETS = np.eye(3)[np.arange(40) % 3]
WEIGHTS = np.linspace(0.5, 2.0, 40)
PENALTY = 0.7


def plain(rows: csr_matrix, targets: np.ndarray, weights: np.ndarray) -> Ridge:
    """Ridge whose intercept is penalised like a feature that is always 1."""
    return Ridge(alpha=PENALTY, fit_intercept=False, solver="cholesky").fit(with_one(rows), targets, weights)


def with_one(rows: csr_matrix) -> np.ndarray:
    return np.hstack([rows.toarray(), np.ones((rows.shape[0], 1))])


@pytest.mark.parametrize("step", [1, 3, 7, 40, 500])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 39, 40])
def test_packed_products_are_those_that_lapack_packs(monkeypatch: pytest.MonkeyPatch, size: int, step: int) -> None:
    monkeypatch.setattr(ridge, "_STEP", step)
    packed = ridge.Packed(size)
    for start, _, products in ridge.gram(ROWS[:size]):
        packed.write(start, products)
    whole = (ROWS[:size] @ ROWS[:size].T).toarray()
    expected, _ = lapack.strttf(whole, transr="N", uplo="L")
    assert packed.numbers == pytest.approx(expected, abs=1e-5)
    assert packed.diagonal() == pytest.approx(whole.diagonal(), abs=1e-5)


def test_coefficients_are_those_of_ridge() -> None:
    solved = ridge.solve(ROWS, WEIGHTS, TARGETS, penalty=PENALTY)
    expected = plain(ROWS, TARGETS, WEIGHTS)
    assert solved.coefficients == pytest.approx(expected.coef_[:, :-1], abs=1e-3)
    assert solved.intercept == pytest.approx(expected.coef_[:, -1], abs=1e-3)


def test_held_out_scores_are_those_of_a_model_without_the_example() -> None:
    solved = ridge.solve(ROWS, WEIGHTS, TARGETS, penalty=PENALTY)
    for left_out in (0, 7, 39):
        kept = np.arange(40) != left_out
        without = plain(ROWS[kept], TARGETS[kept], WEIGHTS[kept])
        assert solved.held_out[left_out] == pytest.approx(without.predict(with_one(ROWS[[left_out]]))[0], abs=2e-3)


def test_weights_that_make_no_sense_are_told() -> None:
    with pytest.raises(ArithmeticError):
        ridge.solve(ROWS, -WEIGHTS, TARGETS, penalty=1000.0)
