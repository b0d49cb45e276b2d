"""Surges on counts that the tests make up: found where there are, and not where a season, a holiday, a new channel or chance is at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, poisson

from core.calendar import OpenDays
from nlp.surge.days import AFTER, HOLIDAY, YEAR_END, kinds_of
from nlp.surge.discoveries import adjusted
from nlp.surge.expected import GUARD, LEAST_PAST, enough_past, expect, windows
from nlp.surge.find import Cut, Facet, Rise, find
from nlp.surge.regression import fit
from nlp.surge.scan import chances, since, tails, upper
from nlp.surge.simulated import City, city, facets, until
from nlp.surge.typical import typical
from nlp.surge.usual import usual

PAST = 500
RATES = [3.0, 8.0, 20.0, 20.0, 40.0, 5.0, 5.0, 10.0, 10.0, 30.0]
ROSE = 3


@pytest.fixture(scope="module")
def quiet() -> City:
    """Ten topics without a surge over a year and a half, the last day an ordinary Thursday."""
    return city(np.random.default_rng(5), RATES, days=PAST, first=date(2025, 4, 1))


def look(made: City, counts: np.ndarray | None = None, **changes: object) -> list[Rise]:
    found = facets(np.random.default_rng(1), made.counts if counts is None else counts)
    found[0] = replace(found[0], **changes)
    return list(find(found, made.kinds[: found[0].counts.shape[1]], made.days[found[0].counts.shape[1] - 1]).rises)


def raised(made: City, row: int, *, days: int, factor: float, seed: int = 3) -> np.ndarray:
    """The counts with one topic's mean multiplied over the last days."""
    counts = made.counts.copy()
    counts[row, -days:] += np.random.default_rng(seed).poisson((factor - 1) * made.means[row, -days:])
    return counts


# --- days


def test_kinds_of_days() -> None:
    days = [date(2025, 12, 25) + timedelta(days=number) for number in range(14)]
    kinds = dict(zip(days, kinds_of(days, OpenDays()).tolist(), strict=True))
    assert kinds[date(2025, 12, 26)] == 4, "an ordinary Friday"
    assert {kinds[date(2025, 12, 29)], kinds[date(2026, 1, 1)], kinds[date(2026, 1, 3)]} == {YEAR_END}
    assert kinds[date(2026, 1, 4)] == 6, "a Sunday"
    assert kinds[date(2026, 1, 5)] == AFTER
    assert kinds_of([date(2026, 11, 3)], OpenDays()).tolist() == [HOLIDAY]
    assert kinds_of([date(2026, 1, 5)], OpenDays()).tolist() == [AFTER], "what came before is known without being asked for"
    assert kinds_of([], OpenDays()).tolist() == []


# --- the regression


@given(st.lists(st.integers(0, 60), min_size=8, max_size=8), st.floats(0.2, 5))
@hypothesis_settings(max_examples=40)
def test_a_level_alone_is_the_mean(counts: list[int], exposure: float) -> None:
    row = np.array([counts], dtype=float)
    design, offset = np.ones((8, 1)), np.full((1, 8), np.log(exposure))
    found = fit(
        row, design, offset=offset, start=np.zeros((1, 1)), precision=np.array([1e-9]), weights=np.ones((1, 8)), dispersion=np.ones(1)
    )
    if row.sum():
        assert np.exp(found.coefficients[0, 0]) == pytest.approx(row.mean() / exposure, rel=1e-4)
        assert found.covariance[0, 0, 0] == pytest.approx(1 / row.sum(), rel=1e-3)


def test_many_series_at_once_are_what_each_alone_is(quiet: City) -> None:
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(40), np.linspace(-1, 0, 40), rng.normal(size=40)])
    counts = rng.poisson(np.exp(1 + rng.normal(size=(5, 3)) @ design.T / 3)).astype(float)
    common = {"precision": np.ones(3), "design": design}

    def fitted(rows: np.ndarray) -> np.ndarray:
        size = len(rows)
        ones = np.ones((size, 40))
        return fit(rows, offset=0 * ones, start=np.zeros((size, 3)), weights=ones, dispersion=np.ones(size), **common).coefficients

    assert np.allclose(fitted(counts), np.vstack([fitted(counts[[row]]) for row in range(5)]), atol=1e-6)


# --- chances


def test_without_doubt_and_dispersion_tails_are_poissons() -> None:
    found = tails(np.array([12.0]), np.array([5.0]), spread=np.array([1.0]), doubt=np.array([0.0]))
    assert found[0] == pytest.approx(poisson.sf(12, 5) + 0.5 * poisson.pmf(12, 5), rel=1e-3)


@given(st.integers(0, 50), st.floats(0.05, 40), st.floats(1, 4), st.floats(0, 0.2))
def test_more_doubt_or_dispersion_never_makes_a_high_count_surer(seen: int, mean: float, spread: float, doubt: float) -> None:
    high = np.array([mean + 6 * np.sqrt(spread * mean) + 3 + seen])
    plain = tails(high, np.array([mean]), spread=np.array([spread]), doubt=np.array([doubt]))
    assert tails(high, np.array([mean]), spread=np.array([spread + 0.5]), doubt=np.array([doubt]))[0] >= plain[0]
    assert tails(high, np.array([mean]), spread=np.array([spread]), doubt=np.array([doubt + 0.05]))[0] >= plain[0]
    most = upper(np.array([mean]), spread=np.array([spread]), doubt=np.array([doubt]))
    assert tails(most + 1, np.array([mean]), spread=np.array([spread]), doubt=np.array([doubt]))[0] < 0.001


def test_chances_come_up_no_more_often_than_they_say() -> None:
    rng = np.random.default_rng(11)
    seen = []
    for _ in range(12):
        made = city(rng, [4.0, 10.0, 25.0] * 20, days=PAST, luck=0.02)
        seen += [chances(expect(made.counts[:, :day], made.kinds[:day])) for day in range(PAST - 90, PAST + 1, 15)]
    found = np.concatenate(seen)
    for level in (0.1, 0.03, 0.01):
        assert (found <= level).mean() <= 1.15 * level
    assert (found <= 0.1).mean() > 0.05, "nor so seldom that nothing would be found"


def test_the_beginning_is_where_the_counts_changed() -> None:
    counts = np.array([2, 1, 3, 2, 2, 1, 2, 2, 6, 7, 5, 8], dtype=float)
    assert since(counts, np.full(12, 2.0), spread=1.2) == 4


# --- all series at once


def test_with_equal_shares_it_is_benjamini_and_hochbergs() -> None:
    rng = np.random.default_rng(2)
    families = [rng.uniform(size=30) ** 3, rng.uniform(size=10) ** 2]
    found = np.concatenate(adjusted(families, shares=(0.75, 0.25)))
    assert np.allclose(found, false_discovery_control(np.concatenate(families)))


def test_a_family_of_thousands_does_not_blind_another() -> None:
    topics, parts = np.full(60, 0.5), np.full(5000, 0.5)
    topics[7] = 0.0005
    few, many = adjusted([topics, parts[:0]], shares=(0.8, 0.2))[0][7], adjusted([topics, parts], shares=(0.8, 0.2))[0][7]
    assert few == pytest.approx(many)
    assert few == pytest.approx(0.0005 * 60 / 0.8)


def test_no_family_has_series() -> None:
    assert [len(levels) for levels in adjusted([np.zeros(0), np.zeros(0)], shares=(0.5, 0.5))] == [0, 0]


# --- surges


def test_a_surge_is_found_with_its_beginning_its_size_and_its_place(quiet: City) -> None:
    counts = raised(quiet, ROSE, days=7, factor=4)
    rises = look(quiet, counts)
    (rise,) = [rise for rise in rises if rise.facet == "topic"]
    assert (rise.value, rise.by_facet, rise.is_campaign) == ("4", "", False)
    assert abs((rise.since - quiet.days[-7]).days) <= 1
    assert rise.until == quiet.days[-1]
    days = (rise.until - rise.since).days + 1
    assert rise.observed == counts[ROSE, -days:].sum() > rise.upper > rise.expected
    assert rise.expected == pytest.approx(quiet.long_run[ROSE, -days:].sum(), rel=0.4)
    assert rise.q <= 0.08
    assert rise.p < 0.0008
    assert rise.weeks[-1].observed == counts[ROSE, -7:].sum() > rise.weeks[-1].upper
    assert len(rise.weeks) == 26
    assert rise.weeks[-1].begins_on == quiet.days[-7]
    assert {place.facet for place in rise.where} <= {"district", "channel"}
    assert rise.where
    assert all(place.observed > place.expected for place in rise.where)


def test_in_a_quiet_city_nothing_is_reported(quiet: City) -> None:
    assert look(quiet) == []


def test_a_month_of_daily_looks_without_a_surge() -> None:
    made = city(np.random.default_rng(8), [2.0, 5.0, 10.0, 20.0, 40.0] * 12, days=780, first=date(2024, 12, 1))
    whole = facets(np.random.default_rng(1), made.counts)
    told = set()
    for day in range(749, 780):  # 年末年始 is among them
        rises = find([until(facet, day) for facet in whole], made.kinds[: day + 1], made.days[day]).rises
        told |= {(rise.facet, rise.value, rise.by_value) for rise in rises}
    assert made.days[749] < date(2026, 12, 29) < date(2027, 1, 3) < made.days[779]
    assert len(told) <= 1


def test_the_turn_of_the_year_is_nobodys_surge() -> None:
    rng = np.random.default_rng(4)
    seen = []
    for _ in range(6):
        made = city(rng, RATES * 6, days=660, first=date(2024, 3, 25))
        seen += [chances(expect(made.counts[:, :day], made.kinds[:day])) for day in range(644, 661)]
    assert made.days[643] < date(2025, 12, 29) < date(2026, 1, 5) < made.days[659]
    assert (np.concatenate(seen) <= 0.01).mean() <= 0.01


def test_twice_of_fifty_a_week_is_reported_within_seven_days_nine_times_of_ten() -> None:
    rng = np.random.default_rng(9)
    level = 0.08 * 0.8 / 60
    reported = []
    for _ in range(8):
        made = city(rng, [50.0] * 40 + [8.0] * 20, days=PAST, luck=0.0)
        more = np.zeros_like(made.counts)
        more[:, -7:] = rng.poisson(made.means[:, -7:])
        seen = np.zeros(60, dtype=bool)
        for day in range(PAST - 7, PAST):
            found = expect(made.counts[:, : day + 1], made.kinds[: day + 1])
            seen |= chances(found, windows(made.counts[:, : day + 1] + more[:, : day + 1])) <= min(level, 0.0008)
        reported += seen[:40].tolist()
    assert np.mean(reported) >= 0.9


def test_a_city_that_doubles_as_a_whole_has_no_surge(quiet: City) -> None:
    made = city(np.random.default_rng(5), RATES * 6, days=PAST)
    for days in (3, 10, 20):
        counts = made.counts.copy()
        counts[:, -days:] += np.random.default_rng(6).poisson(made.means[:, -days:])
        assert look(made, counts) == []


def test_a_surge_does_not_raise_the_others_expectation(quiet: City) -> None:
    counts = raised(quiet, ROSE, days=10, factor=15)
    before, after = expect(quiet.counts, quiet.kinds), expect(counts, quiet.kinds)
    others = [row for row in range(len(RATES)) if row != ROSE]
    assert np.allclose(after.mean[others], before.mean[others], rtol=0.15)
    assert np.allclose(after.mean[ROSE], before.mean[ROSE], rtol=0.15), "nor its own"


def test_a_past_surge_does_not_hide_the_next_one(quiet: City) -> None:
    counts = quiet.counts.copy()
    counts[ROSE, -120:-106] *= 5
    before, after = expect(quiet.counts, quiet.kinds), expect(counts, quiet.kinds)
    assert after.mean[ROSE, 2] < 1.3 * before.mean[ROSE, 2]


def test_a_new_topic_of_an_old_city_is_a_surge(quiet: City) -> None:
    counts = quiet.counts.copy()
    counts[ROSE, :-3] = 0
    counts[ROSE, -3:] = 4
    (rise,) = [rise for rise in look(quiet, counts) if rise.facet == "topic" and not rise.by_facet]
    assert (rise.since, rise.observed) == (quiet.days[-3], 12)
    assert rise.expected < 1


def test_near_copies_are_told_as_what_they_are(quiet: City) -> None:
    copies = np.zeros_like(quiet.counts)
    copies[ROSE, -5:] = 9
    (rise,) = look(quiet, copies=copies)
    assert rise.is_campaign
    assert rise.observed >= 45
    assert rise.where == ()
    (real,) = [rise for rise in look(quiet, quiet.counts + copies) if rise.facet == "topic"]
    assert not real.is_campaign


def test_a_topic_that_rises_in_one_district_alone(quiet: City) -> None:
    whole = facets(np.random.default_rng(1), quiet.counts)[0]
    cut = whole.cuts["district"].counts.copy()
    cut[4, 4, -6:] += 2  # of forty a week, four are that district's
    counts = quiet.counts.copy()
    counts[4, -6:] += 2
    cuts = {**whole.cuts, "district": Cut(whole.cuts["district"].values, cut)}
    found = [rise for rise in look(quiet, counts, cuts=cuts) if rise.facet == "topic"]
    (rise,) = found
    assert (rise.value, rise.by_facet, rise.by_value) == ("5", "district", "district 4")
    assert rise.observed == cut[4, 4, -((rise.until - rise.since).days + 1) :].sum()
    assert rise.weeks[-1].observed == cut[4, 4, -7:].sum()


def test_a_district_that_grows_as_a_whole_is_no_topics_surge(quiet: City) -> None:
    rng = np.random.default_rng(12)
    whole = facets(rng, quiet.counts)[0]
    more = rng.poisson(whole.cuts["district"].counts[:, 2, -12:].mean(axis=1, keepdims=True) * 0.8, size=(len(RATES), 12))
    cut = whole.cuts["district"].counts.copy()
    cut[:, 2, -12:] += more
    counts = quiet.counts.copy()
    counts[:, -12:] += more
    cuts = {**whole.cuts, "district": Cut(whole.cuts["district"].values, cut)}
    assert [rise.by_value for rise in look(quiet, counts, cuts=cuts)] == []


def test_a_channel_without_past_is_not_looked_at(quiet: City) -> None:
    whole = facets(np.random.default_rng(1), quiet.counts)[0]
    cut = whole.cuts["channel"].counts.copy()
    cut[:, 2, :-30] = 0
    values = whole.cuts["channel"].values
    with_it = find([replace(whole, cuts={"channel": whole.cuts["channel"]})], quiet.kinds, quiet.days[-1])
    without = find([replace(whole, cuts={"channel": Cut(values, cut)})], quiet.kinds, quiet.days[-1])
    assert with_it.series - without.series == len(RATES)


def test_the_order_of_the_series_changes_nothing(quiet: City) -> None:
    counts = raised(quiet, ROSE, days=7, factor=4)
    names = tuple(f"t{row}" for row in range(len(RATES)))
    order = np.random.default_rng(3).permutation(len(RATES))
    empty = np.zeros_like(counts)
    straight = find([Facet("topic", names, counts, empty)], quiet.kinds, quiet.days[-1]).rises
    mixed = find([Facet("topic", tuple(names[row] for row in order), counts[order], empty)], quiet.kinds, quiet.days[-1]).rises
    assert [(rise.value, rise.since, rise.observed) for rise in straight] == [(rise.value, rise.since, rise.observed) for rise in mixed]
    assert straight


@pytest.mark.parametrize(
    "counts", [np.zeros((1, 90), dtype=int), np.zeros((3, 90), dtype=int), np.full((1, 90), 3), np.eye(2, 90, dtype=int)]
)
def test_few_and_empty_series(counts: np.ndarray) -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(90)]
    facet = Facet("topic", tuple(str(row) for row in range(len(counts))), counts, np.zeros_like(counts))
    assert find([facet], kinds_of(days, OpenDays()), days[-1]).rises == ()


def test_a_short_past_says_so() -> None:
    needed = LEAST_PAST + GUARD
    assert enough_past(needed)
    assert not enough_past(needed - 1)
    with pytest.raises(ValueError, match="past"):
        expect(np.ones((2, needed - 1), dtype=int), np.zeros(needed - 1, dtype=int))


def test_a_short_past_doubts_more_and_still_finds(quiet: City) -> None:
    counts = raised(quiet, ROSE, days=7, factor=5)
    short = slice(-(LEAST_PAST + GUARD + 10), None)
    long, few = expect(quiet.counts, quiet.kinds), expect(quiet.counts[:, short], quiet.kinds[short])
    assert (few.doubt > long.doubt).all()
    facet = Facet("topic", tuple(str(row) for row in range(len(RATES))), counts[:, short], np.zeros_like(counts[:, short]))
    rises = find([facet], quiet.kinds[short], quiet.days[-1]).rises
    assert [rise.value for rise in rises] == [str(ROSE)]


# --- the voices to begin with


def test_typical_voices_are_of_the_matter_and_in_words_of_their_own() -> None:
    texts = [
        "断水で水が出ません。給水車はどこに来ますか。",
        "断水で水が出ません。給水車はどこに来ますか。急いでいます。",
        "断水はいつ終わりますか。水が出なくて困っています。",
        "図書館の本を返す場所が分かりません。",
        "濁った水が出ます。断水のあとからです。水は飲めますか。",
    ]
    chosen = typical(texts, count=3)
    assert len(set(chosen)) == 3
    assert 3 not in chosen[:2]
    assert not {0, 1} <= set(chosen)
    assert chosen == typical(texts, count=3)


@pytest.mark.parametrize("texts", [[], ["水"], ["", ""], ["あ", "い", "う", "え"]])
def test_texts_with_nothing_to_compare(texts: list[str]) -> None:
    assert typical(texts) == sorted(set(typical(texts)))
    assert len(typical(texts)) == min(3, len(texts))


def test_the_days_of_a_week_share_what_is_expected_of_it(quiet: City) -> None:
    found, expected = usual(quiet.counts, quiet.kinds), expect(quiet.counts, quiet.kinds)
    before = (PAST - GUARD) % 7
    assert found.shape == quiet.counts.shape
    assert np.isnan(found[:, :before]).all()
    assert (found[:, before:] > 0).all()
    weeks = found[:, before : PAST - GUARD].reshape(len(RATES), -1, 7).sum(axis=2)
    assert weeks == pytest.approx(expected.week_means)
    assert found[:, -GUARD:] == pytest.approx(expected.days[:, -GUARD:])
    open_days = (quiet.kinds < 5)[before:]
    assert found[:, before:][:, open_days].mean() > found[:, before:][:, ~open_days].mean()
