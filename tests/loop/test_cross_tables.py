from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association as scipy_association

from loop.cross_tables import CERTAIN, CrossTable, Strength, adjusted_residuals, association

# Agresti, An Introduction to Categorical Data Analysis (2nd ed.), table 2.5: party by sex; the book gives these figures.
PARTY = np.array([[279, 73, 225], [165, 47, 191]])
TABLES = arrays.arrays(np.int64, arrays.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=7), elements=st.integers(0, 400))


def test_residuals_of_a_worked_example() -> None:
    assert adjusted_residuals(PARTY).round(2).tolist() == [[2.29, 0.46, -2.62], [-2.29, -0.46, 2.62]]


def test_chi_square_of_a_worked_example() -> None:
    found = association(PARTY)
    assert found is not None
    assert (round(found.chi_square, 2), found.degrees, round(found.p, 2)) == (7.01, 2, 0.03)
    assert found.strength is Strength.NONE
    assert not found.is_shaky


@given(table=TABLES)
def test_the_whole_agrees_with_scipy(table: np.ndarray) -> None:
    full = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    found = association(table)
    if min(full.shape) < 2:
        assert found is None
        return
    expected = chi2_contingency(full, correction=False)
    assert found is not None
    assert found.chi_square == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert found.degrees == expected.dof
    assert found.least == pytest.approx(expected.expected_freq.min())
    assert found.cramers_v == pytest.approx(scipy_association(full, method="cramer", correction=False), abs=1e-9)
    assert found.is_shaky == bool((expected.expected_freq < 5).mean() > 0.2 or expected.expected_freq.min() < 1)


@given(table=TABLES)
def test_residuals_follow_their_definition(table: np.ndarray) -> None:
    found = adjusted_residuals(table)
    total = table.sum()
    for (row, column), residual in np.ndenumerate(found):
        in_row, in_column = int(table[row].sum()), int(table[:, column].sum())
        if 0 < in_row < total and 0 < in_column < total:
            # The cell against all the rest is a table of two by two, where the squared residual is its chi-square.
            cell = int(table[row, column])
            two = np.array([[cell, in_row - cell], [in_column - cell, total - in_row - in_column + cell]])
            assert residual**2 == pytest.approx(chi2_contingency(two, correction=False).statistic, rel=1e-6, abs=1e-9)
        else:
            assert np.isnan(residual)


def test_chance_alone_marks_few_cells() -> None:
    rng = np.random.default_rng(7)
    beyond = [np.abs(adjusted_residuals(rng.multinomial(3000, np.full(30, 1 / 30)).reshape(5, 6))) > CERTAIN for _ in range(200)]
    assert 0.005 < np.mean(beyond) < 0.016


def test_what_goes_together_is_told() -> None:
    found = association(np.array([[50, 0], [0, 50]]))
    assert found is not None
    assert found.cramers_v == pytest.approx(1.0)
    assert found.strength is Strength.STRONG


def test_lines_stand_by_size_and_those_without_a_value_last() -> None:
    table = CrossTable.of({("a", "x"): 2, ("b", "x"): 5, ("", "y"): 9, ("c", ""): 1, ("d", "x"): 0}, most_rows=30, most_columns=30)
    assert [line.value for line in table.rows] == ["b", "a", "c", ""]
    assert [line.value for line in table.columns] == ["y", "x", ""]
    assert table.counts.tolist() == [[0, 5, 0], [0, 2, 0], [0, 0, 1], [9, 0, 0]]


def test_small_lines_are_folded_and_nothing_is_lost() -> None:
    counts = {(f"row{number:02}", f"column{number % 3}"): number + 1 for number in range(40)} | {("", "column0"): 3}
    table = CrossTable.of(counts, most_rows=30, most_columns=30)
    assert len(table.rows) == 31
    assert table.rows[29].folded
    assert set(table.rows[29].values) == {f"row{number:02}" for number in range(11)}
    assert table.rows[30].value == ""
    assert table.total == sum(counts.values()) == sum(line.count for line in table.rows) == sum(line.count for line in table.columns)
    assert [int(row.sum()) for row in table.counts] == [line.count for line in table.rows]
    assert not CrossTable.of(counts, most_rows=40, most_columns=30).rows[-2].folded


@pytest.mark.parametrize("counts", [{}, {("a", "x"): 3}, {("a", "x"): 3, ("b", "x"): 4}])
def test_a_table_of_one_line_says_nothing_of_the_two(counts: dict[tuple[str, str], int]) -> None:
    table = CrossTable.of(counts, most_rows=30, most_columns=30)
    assert table.association is None
    assert np.isnan(table.residuals).all()
