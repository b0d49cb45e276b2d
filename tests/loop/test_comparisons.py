from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, false_discovery_control

from loop.comparisons import Pair, compare, discoveries, named, ratio
from loop.periods import Period

COUNTS = st.integers(0, 2000)
DAYS = st.integers(1, 800)


@given(before=COUNTS, after=COUNTS, days_before=DAYS, days_after=DAYS)
def test_a_ratio_agrees_with_scipy(before: int, after: int, days_before: int, days_after: int) -> None:
    found = ratio(before, after, days_before, days_after)
    if not before + after:
        assert (found.value, found.p) == (None, 1.0)
        return
    share = days_after / (days_before + days_after)
    exact = binomtest(after, before + after, share)
    interval = exact.proportion_ci(method="exact")
    scale = days_before / days_after
    assert found.low == pytest.approx(interval.low / (1 - interval.low) * scale, rel=1e-6)
    assert (found.high is None) is (interval.high == 1) is (before == 0)
    if found.high is not None and found.value is not None:
        assert found.high == pytest.approx(interval.high / (1 - interval.high) * scale, rel=1e-6)
        assert found.low <= found.value * (1 + 1e-9)
        assert found.value <= found.high * (1 + 1e-9)
    less = binomtest(after, before + after, share, alternative="less").pvalue
    greater = binomtest(after, before + after, share, alternative="greater").pvalue
    assert found.p == pytest.approx(min(1.0, 2 * min(less, greater)), rel=1e-6, abs=1e-12)


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_discoveries_agree_with_scipy(p: list[float]) -> None:
    adjusted = false_discovery_control(p)
    clear = np.abs(adjusted - 0.05) > 1e-9
    assert (discoveries(np.array(p))[clear] == (adjusted <= 0.05)[clear]).all()


def test_nothing_is_told_of_nothing() -> None:
    assert compare({}, {}, days_before=30, days_after=30) == []


def test_the_same_rate_over_more_days_is_no_change() -> None:
    (found,) = compare({"a": 100}, {"a": 50}, days_before=60, days_after=30)
    assert (found.before_rate, found.after_rate, found.growth, found.told) == (50.0, 50.0, 0.0, False)


def test_what_is_new_and_what_is_gone() -> None:
    changes = compare({"gone": 30, "stays": 40}, {"new": 20, "stays": 41, "": 5}, days_before=30, days_after=30)
    by_value = {change.value: change for change in changes}
    assert by_value["new"].is_new
    assert by_value["new"].growth is None
    assert by_value["gone"].is_gone
    assert by_value["gone"].growth == -1
    assert not by_value["stays"].told
    assert by_value["gone"].told
    assert [change.value for change in changes] == ["stays", "new", "gone", ""]


def test_among_many_that_only_vary_few_are_told() -> None:
    rng = np.random.default_rng(3)
    told = 0
    for _ in range(50):
        before, after = ({str(at): int(number) for at, number in enumerate(rng.poisson(30, 40))} for _ in range(2))
        told += sum(change.told for change in compare(before, after, days_before=90, days_after=90))
    assert told <= 5  # of 2,000


@pytest.mark.parametrize(
    ("pair", "last", "after", "before"),
    [
        (Pair.FISCAL_YEAR, date(2026, 9, 12), ("2026-04-01", "2026-09-12"), ("2025-04-01", "2025-09-12")),
        (Pair.FISCAL_YEAR, date(2027, 3, 31), ("2026-04-01", "2027-03-31"), ("2025-04-01", "2026-03-31")),
        (Pair.FISCAL_YEAR, date(2024, 2, 29), ("2023-04-01", "2024-02-29"), ("2022-04-01", "2023-02-28")),
        (Pair.LAST_FISCAL_YEAR, date(2026, 2, 1), ("2024-04-01", "2025-03-31"), ("2023-04-01", "2024-03-31")),
        (Pair.MONTH, date(2026, 9, 12), ("2026-09-01", "2026-09-12"), ("2025-09-01", "2025-09-12")),
        (Pair.MONTH, date(2025, 2, 28), ("2025-02-01", "2025-02-28"), ("2024-02-01", "2024-02-29")),
        (Pair.MONTH, date(2024, 2, 29), ("2024-02-01", "2024-02-29"), ("2023-02-01", "2023-02-28")),
        (Pair.QUARTER, date(2026, 9, 30), ("2026-07-02", "2026-09-30"), ("2026-04-02", "2026-07-01")),
    ],
)
def test_named_pairs(pair: Pair, last: date, after: tuple[str, str], before: tuple[str, str]) -> None:
    expected = tuple(Period(date.fromisoformat(since), date.fromisoformat(until)) for since, until in (after, before))
    assert named(pair, last=last) == expected
