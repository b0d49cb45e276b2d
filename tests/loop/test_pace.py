"""The estimate of waiting times: by hand, by brute force, and against departments whose future is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import OpenDays
from loop import pace
from loop.backtest import Handled, score, told
from loop.pace import BORROWED, CITY, LEAST, LONGEST, Wait, chance_late, curve_for, learn
from loop.simulated_waits import departments

WAITS = st.lists(
    st.builds(
        Wait,
        st.sampled_from(("道路維持課", "保育課")),
        st.sampled_from(("要望", "苦情")),
        st.integers(-2, LONGEST + 20),
        ended=st.booleans(),
        voices=st.integers(1, 5),
    ),
    max_size=40,
)
PAST = [Wait("道路維持課", "要望", 3, ended=True, voices=LEAST)]


def test_the_textbook_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten voices: two end on day 1, one waits on day 2, three end on day 2, four wait on day 5. Without anything borrowed."""
    monkeypatch.setattr(pace, "BORROWED", 0.0)
    monkeypatch.setattr(pace, "LEAST", 1)
    monkeypatch.setattr(pace, "LONGEST", 4)
    waits = [
        Wait("課", "要望", 1, ended=True, voices=2),
        Wait("課", "要望", 2, ended=False),
        Wait("課", "要望", 2, ended=True, voices=3),
        Wait("課", "要望", 5, ended=False, voices=4),
    ]
    curve = learn(waits)["課", "要望"]
    after_two = 0.8 * (1 - 3 / 7)  # who waits on day 2 has been seen through day 1 only
    assert curve.still_open == pytest.approx((1.0, 0.8, after_two, after_two, after_two))
    assert (curve.ended, curve.waiting) == (5, 5)
    assert chance_late(curve.still_open, waited=0, due=1) == pytest.approx(0.8)
    assert chance_late(curve.still_open, waited=2, due=4) == pytest.approx(4 / 7)
    assert chance_late(curve.still_open, waited=3, due=2) == 1.0


def test_too_few_say_nothing() -> None:
    assert learn([Wait("課", "要望", 1, ended=True, voices=LEAST - 1), Wait("課", "要望", 1, ended=False, voices=99)]) == {}
    assert curve_for({}, "課", "要望") is None


@given(waits=WAITS)
def test_shares_fall_and_every_group_has_a_curve(waits: list[Wait]) -> None:
    curves = learn([*waits, *PAST])
    assert set(curves) >= {CITY, *((wait.department, kind) for wait in waits for kind in ("", wait.kind))}
    for curve in curves.values():
        assert len(curve.still_open) == LONGEST + 1
        assert all(0 <= later <= earlier <= 1 for earlier, later in zip((1.0, *curve.still_open), curve.still_open, strict=False))
    for city, count in (("ended", True), ("waiting", False)):
        known = [wait for wait in (*waits, *PAST) if (wait.ended and wait.days <= LONGEST) == count]
        assert getattr(curves[CITY], city) == sum(wait.voices for wait in known)


@given(waits=WAITS, waited=st.integers(0, LONGEST + 30), due=st.integers(0, LONGEST + 30))
def test_a_chance_is_one_and_grows_as_the_deadline_comes_nearer(waits: list[Wait], waited: int, due: int) -> None:
    curve = learn([*waits, *PAST])[CITY].still_open
    chance = chance_late(curve, waited=waited, due=due)
    assert 0 <= chance <= 1
    assert chance_late(curve, waited=waited, due=due + 1) <= chance
    if waited <= due:
        assert chance_late(curve, waited=waited + 1, due=due) >= chance - 1e-12


def test_a_department_with_few_voices_borrows_from_the_city() -> None:
    many = [Wait("遅い課", "要望", day, ended=True, voices=20) for day in range(20, 40)]
    few = [Wait("新しい課", "苦情", 1, ended=True, voices=3)]
    curves = learn([*many, *few])
    city = curves[CITY].still_open[10]
    assert curves["遅い課", "要望"].still_open[10] == pytest.approx(1, abs=0.01)
    assert 1 - 3 / (3 + BORROWED) - 0.05 < curves["新しい課", ""].still_open[10] < city
    assert curve_for(curves, "新しい課", "提案") is curves["新しい課", ""]
    assert curve_for(curves, "ない課", "提案") is curves[CITY]


def test_what_is_said_is_what_comes() -> None:
    """Of the voices said to be late with 40 %, about 40 % are, although departments have months that no forecast knows of."""
    past = departments(np.random.default_rng(7), days=520, voices_a_day=30)
    first = past[0].received_on
    found = score(list(told(past, OpenDays(), [first + timedelta(days=number) for number in range(200, 480, 9)])))
    assert found.voices > 3000
    assert found.brier < 0.85 * found.brier_of_the_share
    for band in found.bands:
        if band.voices >= 400:
            assert band.late == pytest.approx(band.said, abs=0.08)


def test_a_look_knows_nothing_of_what_came_later() -> None:
    day = date(2026, 3, 2)
    done = [Handled("課", "要望", day - timedelta(days=30), day - timedelta(days=16), day - timedelta(days=20))] * LEAST
    waiting = Handled("課", "要望", day - timedelta(days=7), day + timedelta(days=7), day + timedelta(days=1))
    told_of = list(told([*done, waiting], OpenDays(), [day]))
    assert told_of == list(told([*done, waiting, Handled("課", "要望", day + timedelta(days=1), day, None)], OpenDays(), [day]))
    assert [late for _, late in told_of] == [False]
    with pytest.raises(ValueError, match="no forecasts"):
        score([])
