"""Topics stay themselves: the same voices change nothing, fewer change little, and only new voices found new topics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from core.settings import PROJECT_ROOT, Settings
from nlp import artifacts, corpus, topics
from nlp.japanese import tokenize
from nlp.topics import REST, UNSEEN, Ints
from nlp.topics.identity import Known, inherit, refit
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
    assert result.origin[2:] and set(result.origin[2:]) == {None}  # noqa: PT018
    assert (result.grouping.labels[:80] == previous[:80]).all()
    assert (result.grouping.labels[80:] >= 2).mean() > 0.9


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
def test_voices_without_a_known_word_are_all_rest(births: bool) -> None:  # noqa: FBT001
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
