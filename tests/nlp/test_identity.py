"""Topics stay themselves: the same voices change nothing, fewer change little, and only new voices found new topics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from core.settings import PROJECT_ROOT, Settings
from nlp import artifacts, corpus, topics
from nlp.japanese import tokenize
from nlp.topics import REST, UNSEEN, Hold, Ints
from nlp.topics.grouping import LEAST_LIKENESS
from nlp.topics.identity import Known, refit
from nlp.topics.matching import families, inherit, match
from nlp.vectors import Floats, Lexicon, unit


@dataclass
class Fitted:
    vectors: Floats
    labels: Ints
    count: int


@pytest.fixture(scope="module")
def fitted(trained_settings: Settings) -> Fitted:
    """Topics of a thousand real sentences of the corpus."""
    examples = corpus.load(PROJECT_ROOT / "data/corpus")[::2]
    documents = [topics.document(index, tokenize(example.text)) for index, example in enumerate(examples)]
    vectors = topics.embed(documents, Lexicon(artifacts.lexicon_folder(trained_settings)))
    first = refit(vectors, Known(np.full(len(vectors), UNSEEN), 0))
    return Fitted(vectors, first.grouping.labels, len(first.grouping.centroids))


def test_a_first_fit_has_topics_of_some_size(fitted: Fitted) -> None:
    assert 4 <= fitted.count <= len(fitted.labels) // 10
    assert (np.bincount(fitted.labels[fitted.labels >= 0], minlength=fitted.count) >= 3).all()


def test_the_same_voices_change_nothing(fitted: Fitted) -> None:
    again = refit(fitted.vectors, Known(fitted.labels, fitted.count))
    assert again.origin == tuple(range(fitted.count))
    assert (again.grouping.labels == fitted.labels).all()
    third = refit(fitted.vectors, Known(again.grouping.labels, fitted.count))
    assert (third.grouping.labels == again.grouping.labels).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_five_percent_fewer_voices_keep_their_topics(fitted: Fitted, seed: int) -> None:
    kept = np.random.default_rng(seed).random(len(fitted.labels)) > 0.05
    again = refit(fitted.vectors[kept], Known(fitted.labels[kept], fitted.count))
    ids = np.array([REST if origin is None else origin for origin in again.origin])
    now = np.where(again.grouping.labels >= 0, ids[np.maximum(again.grouping.labels, 0)], REST)
    assert (now == fitted.labels[kept]).mean() >= 0.9
    assert None not in again.origin


def test_the_order_of_voices_is_of_no_matter(fitted: Fitted) -> None:
    order = np.random.default_rng(4).permutation(len(fitted.labels))
    again = refit(fitted.vectors[order], Known(fitted.labels[order], fitted.count))
    assert (again.grouping.labels == fitted.labels[order]).mean() >= 0.99


def clouds(*axes: int, each: int, dimensions: int = 30) -> Floats:
    noise = np.random.default_rng(sum(axes)).normal(scale=0.08, size=(len(axes) * each, dimensions))
    return unit((np.eye(dimensions)[np.repeat(axes, each)] + noise).astype(np.float32))


def test_voices_about_a_new_matter_found_a_topic() -> None:
    vectors = np.vstack([clouds(0, 1, each=40), clouds(9, each=60)])
    previous = np.array([0] * 40 + [1] * 40 + [UNSEEN] * 60)
    result = refit(vectors, Known(previous, 2))
    assert result.origin[:2] == (0, 1)
    assert set(result.origin[2:]) == {None}
    assert (result.grouping.labels[:80] == previous[:80]).all()
    assert (result.grouping.labels[80:] >= 2).mean() > 0.9


def test_a_new_matter_is_born_though_its_voices_resemble_a_topic() -> None:
    old = clouds(0, 1, each=200)
    near = unit((clouds(9, each=60) + 0.6 * np.eye(30)[0]).astype(np.float32))
    assert (near @ unit(old[:200].mean(axis=0, keepdims=True)).T > LEAST_LIKENESS).all()
    result = refit(np.vstack([old, near]), Known(np.array([0] * 200 + [1] * 200 + [UNSEEN] * 60), 2))
    assert result.origin == (0, 1, None)
    assert not result.parts
    assert (result.grouping.labels[:400] == np.repeat([0, 1], 200)).mean() > 0.95
    assert (result.grouping.labels[400:] == 2).mean() > 0.95


def test_an_old_matter_that_never_had_a_topic_is_not_born_by_new_voices_of_all_sorts() -> None:
    near = unit((clouds(9, each=90) + 0.6 * np.eye(30)[0]).astype(np.float32))
    vectors = np.vstack([clouds(0, 1, each=60), near])
    previous = np.array([0] * 60 + [1] * 60 + [0] * 50 + [UNSEEN] * 40)
    result = refit(vectors, Known(previous, 2))
    assert result.origin[:2] == (0, 1)
    assert set(result.origin[2:]) <= {None}
    assert set(range(2, len(result.origin))) == set(result.parts)  # it may part from its topic; it isn't new


def test_no_births_where_none_are_wanted() -> None:
    vectors = np.vstack([clouds(0, 1, each=40), clouds(9, each=60)])
    result = refit(vectors, Known(np.array([0] * 40 + [1] * 40 + [UNSEEN] * 60), 2), births=False)
    assert result.origin == (0, 1)
    assert (result.grouping.labels[80:] == REST).all()


@pytest.mark.parametrize(("each", "previous"), [(60, REST), (20, UNSEEN)], ids=["voices known as rest", "too few"])
def test_no_reason_for_a_birth(each: int, previous: int) -> None:
    vectors = np.vstack([clouds(0, 1, each=40), clouds(9, each=each)])
    assert refit(vectors, Known(np.array([0] * 40 + [1] * 40 + [previous] * each), 2)).origin == (0, 1)


def test_new_voices_of_an_old_matter_join_it() -> None:
    vectors = np.vstack([clouds(0, 1, each=40), clouds(1, each=60)])
    result = refit(vectors, Known(np.array([0] * 40 + [1] * 40 + [UNSEEN] * 60), 2))
    assert result.origin == (0, 1)
    assert (result.grouping.labels[80:] == 1).all()


def test_a_topic_without_voices_ends() -> None:
    vectors = clouds(0, 1, each=40)
    result = refit(vectors, Known(np.array([0] * 40 + [2] * 40), 3))
    assert result.origin == (0, 2)
    assert result.grouping.labels.tolist() == [0] * 40 + [1] * 40


def test_a_topic_of_two_voices_ends_and_they_go_to_the_rest() -> None:
    vectors = np.vstack([clouds(0, 1, each=40), clouds(5, each=2)])
    result = refit(vectors, Known(np.array([0] * 40 + [1] * 40 + [2] * 2), 3))
    assert result.origin == (0, 1)
    assert result.grouping.labels[80:].tolist() == [REST, REST]


def test_all_earlier_topics_gone_starts_afresh() -> None:
    vectors = clouds(3, each=50)
    result = refit(vectors, Known(np.full(50, UNSEEN), 2))
    assert result.origin
    assert set(result.origin) == {None}
    assert (result.grouping.labels >= 0).mean() > 0.9


@pytest.mark.parametrize("births", [True, False])
def test_voices_without_a_known_word_are_all_rest(*, births: bool) -> None:
    result = refit(np.zeros((40, 30), dtype=np.float32), Known(np.full(40, UNSEEN), 0), births=births)
    assert result.origin == ()
    assert (result.grouping.labels == REST).all()
    assert (result.grouping.probabilities == 1).all()


def test_one_voice_alone() -> None:
    result = refit(clouds(0, each=1), Known(np.array([UNSEEN]), 0))
    assert result.origin == (None,)
    assert result.grouping.labels.tolist() == [0]


@pytest.mark.parametrize(
    ("groups", "before", "expected"),
    [
        ([0, 0, 1, 1], [7, 7, 8, 8], {0: 7, 1: 8}),
        ([0, 0, 0, 1], [7, 7, 8, 8], {0: 7, 1: 8}),
        ([0, 0, 1, 1], [7, 7, 7, None], {0: 7}),
        ([0, 1], [None, None], {}),
        ([], [], {}),
        ([0, 1, 2], [5, 5, 6], {2: 6, 0: 5}),
    ],
)
def test_parents_are_inherited_at_most_once(groups: list[int], before: list[int | None], expected: dict[int, int]) -> None:
    result = inherit(groups, before)
    assert result == expected or ({*result.values()} == {*expected.values()} and len(result) == len(expected))


def test_a_new_matter_that_was_there_all_along_is_none() -> None:
    """Voices that fit nothing come every month; only what is newer than the rest founds a topic."""
    vectors = np.vstack([clouds(0, 1, each=200), clouds(9, each=300)])
    previous = np.array([0] * 200 + [1] * 200 + [REST] * 300)
    fresh = np.zeros(700, dtype=bool)
    fresh[::10] = True
    assert refit(vectors, Known(previous, 2, fresh=fresh)).origin == (0, 1)


def two_in_one(*, each: int = 60) -> tuple[Floats, Ints]:
    """A topic of one matter that a second one has come into, beside another topic."""
    vectors = np.vstack([clouds(0, each=2 * each), clouds(4, each=each), clouds(9, each=each)])
    return vectors, np.array([0] * (3 * each) + [1] * each)


def test_a_topic_that_has_become_two_is_split_and_the_larger_part_goes_on() -> None:
    vectors, previous = two_in_one()
    fresh = np.zeros(len(vectors), dtype=bool)
    fresh[120:180] = True
    result = refit(vectors, Known(previous, 2, fresh=fresh))
    assert result.origin == (0, 1, None)
    assert result.parts == {2: 0}
    assert result.grouping.labels.tolist() == [0] * 120 + [2] * 60 + [1] * 60
    again = refit(vectors, Known(result.grouping.labels, 3, fresh=np.zeros(len(vectors), dtype=bool)))
    assert (again.origin, again.parts) == ((0, 1, 2), {})


def test_a_topic_is_not_split_without_new_voices_nor_for_being_wide() -> None:
    vectors, previous = two_in_one()
    assert refit(vectors, Known(previous, 2, fresh=np.zeros(len(vectors), dtype=bool))).origin == (0, 1)
    wide = unit((np.eye(30)[np.zeros(300, dtype=int)] + np.random.default_rng(5).normal(scale=0.12, size=(300, 30))).astype(np.float32))
    assert refit(wide, Known(np.zeros(300, dtype=np.int64), 1, fresh=np.arange(300) % 3 == 0)).origin == (0,)


def test_topics_that_have_become_the_same_are_merged_and_the_larger_stays() -> None:
    vectors = np.vstack([clouds(0, each=100), clouds(9, each=40)])
    previous = np.array(([0] * 3 + [1] * 7) * 10 + [2] * 40)
    result = refit(vectors, Known(previous, 3))
    assert (result.origin, result.merged) == ((1, 2), {0: 1})
    assert result.grouping.labels.tolist() == [0] * 100 + [1] * 40


def test_of_two_that_people_set_apart_none_is_merged_away() -> None:
    vectors = np.vstack([clouds(0, each=100), clouds(9, each=40)])
    previous = np.array(([0] * 3 + [1] * 7) * 10 + [2] * 40)
    result = refit(vectors, Known(previous, 3, kept=frozenset({0, 1})))
    assert (result.origin, result.merged) == ((0, 1, 2), {})
    result = refit(vectors, Known(previous, 3, kept=frozenset({0})))
    assert (result.origin, result.merged) == ((0, 2), {1: 0})


def held(previous: Ints, *, moved: dict[int, int] | None = None, pulls: dict[int, int] | None = None, count: int = 2) -> Hold:
    labels = np.full(len(previous), UNSEEN, dtype=np.int64)
    for voice, topic in (moved or {}).items():
        labels[voice] = topic
    towards = np.zeros((count, 30), dtype=np.float32)
    for topic, axis in (pulls or {}).items():
        towards[topic, axis] = 1
    return Hold(labels, previous, towards)


def test_a_voice_stays_where_a_person_put_it() -> None:
    vectors, previous = clouds(0, 9, each=40), np.array([0] * 40 + [1] * 40)
    moved = {3: 1, 50: REST}
    result = refit(vectors, Known(previous, 2, hold=held(previous, moved=moved)))
    assert result.grouping.labels[[3, 50]].tolist() == [1, REST]
    assert result.grouping.probabilities[[3, 50]].tolist() == [1, 1]
    assert (np.delete(result.grouping.labels, [3, 50]) == np.delete(previous, [3, 50])).all()


def test_a_topic_of_one_moved_voice_goes_on() -> None:
    vectors, previous = clouds(0, 9, each=40), np.array([0] * 40 + [1] * 40)
    result = refit(vectors, Known(previous, 3, hold=held(previous, moved={3: 2}, count=3)))
    assert result.origin == (0, 1, 2)
    assert result.grouping.labels[3] == 2


def test_a_pinned_topic_does_not_end_and_gathers_what_its_words_say() -> None:
    vectors = np.vstack([clouds(0, each=40), clouds(9, each=20)])
    previous = np.array([0] * 40 + [UNSEEN] * 20)
    alone = refit(vectors[:40], Known(previous[:40], 2, hold=held(previous[:40], pulls={1: 9})))
    assert alone.origin == (0, 1)
    assert np.bincount(alone.grouping.labels, minlength=2).tolist() == [40, 0]
    result = refit(vectors, Known(previous, 2, hold=held(previous, pulls={1: 9})))
    assert result.grouping.labels.tolist() == [0] * 40 + [1] * 20


def test_a_voice_between_two_topics_stays_in_its_own() -> None:
    middle = unit((np.eye(30)[0] + np.eye(30)[9])[None].astype(np.float32))
    vectors = np.vstack([clouds(0, 9, each=40), middle])
    for topic in (0, 1):
        previous = np.array([0] * 40 + [1] * 40 + [topic])
        assert refit(vectors, Known(previous, 2)).grouping.labels[-1] == topic


def test_topics_of_few_voices_are_made_anew_when_many_come_and_keep_their_ids() -> None:
    axes = tuple(range(20))
    vectors = np.vstack([clouds(0, 1, 2, 3, each=10), clouds(*axes, each=60)])
    previous = np.array([0, 1, 2, 3] * 10 + [UNSEEN] * 1200)
    previous[:40] = np.repeat([0, 1, 2, 3], 10)
    result = refit(vectors, Known(previous, 4))
    assert len(result.origin) > 8
    assert sorted(old for old in result.origin if old is not None) == [0, 1, 2, 3]
    ids = np.array([-9 if old is None else old for old in result.origin])
    assert (ids[result.grouping.labels[:40]] == previous[:40]).mean() > 0.9


def test_matching_gives_each_group_its_best_partner_once() -> None:
    likeness = np.array([[0.9, 0.8], [0.95, 0.1], [0.2, 0.1]])
    assert match(None, likeness) == {0: 1, 1: 0}
    words = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert match(likeness, likeness, words, least=0.7) == {1: 0}


def test_parents_stay_as_long_as_they_fit() -> None:
    centroids = np.eye(12, dtype=np.float32)
    before = [100] * 3 + [200] * 3 + [300] * 3 + [400] * 2 + [None]
    centroids[11] = unit(np.eye(12, dtype=np.float32)[[4]] + 0.1)[0]
    assert families(centroids, before) == [*before[:11], 200]
    few = families(unit(np.random.default_rng(2).normal(size=(12, 12)).astype(np.float32)), [100] * 12)
    assert len(set(few)) > 3
    assert 100 in few
    assert families(centroids[:2], [None, None]) == [-1, -1]
