"""Coherence, diversity and steadiness against worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.topic_quality import coherence, diversity, stayed

TEXTS = [["街灯", "暗い"], ["街灯", "暗い"], ["街灯"], ["ごみ", "収集"]]


def test_words_that_meet_more_often_than_chance_are_coherent() -> None:
    # P(街灯) = 3/4, P(暗い) = P(both) = 1/2.
    expected = math.log(0.5 / (0.75 * 0.5)) / -math.log(0.5)
    assert coherence([["街灯", "暗い"]], TEXTS) == pytest.approx(expected)


def test_words_that_never_meet_are_as_incoherent_as_can_be() -> None:
    assert coherence([["街灯", "ごみ"]], TEXTS) == -1


def test_each_topic_counts_alike_and_one_of_a_single_word_does_not() -> None:
    both = coherence([["街灯", "暗い"], ["街灯", "ごみ"], ["収集"]], TEXTS)
    assert both == pytest.approx((coherence([["街灯", "暗い"]], TEXTS) - 1) / 2)
    assert coherence([["収集"]], TEXTS) == 0


def test_a_pair_in_every_text_is_wholly_coherent() -> None:
    assert coherence([["a", "b"]], [["a", "b"], ["b", "a", "c"]]) == 1


def test_diversity_is_the_share_of_different_words() -> None:
    assert diversity([["a", "b"], ["b", "c"]]) == 0.75
    assert diversity([]) == 0


def test_new_numbers_cost_nothing_under_the_best_matching() -> None:
    before, after = np.array([0, 0, 1, 1, 2]), np.array([7, 7, 3, 3, 0])
    assert stayed(before, after) == 1
    assert stayed(before, after, by_id=True) == 0


def test_who_is_left_out_has_not_stayed_and_who_was_is_not_asked() -> None:
    assert stayed(np.array([0, 0, 0, -1]), np.array([0, 0, -1, 0])) == pytest.approx(2 / 3)
    assert stayed(np.array([0, 0]), np.array([-1, -1])) == 0
    assert stayed(np.array([-1]), np.array([0])) == 1


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), min_size=1))
def test_matching_never_does_worse_than_the_numbers(pairs: list[tuple[int, int]]) -> None:
    before, after = (np.array(side) for side in zip(*pairs, strict=True))
    assert stayed(before, after, by_id=True) <= stayed(before, after) + 1e-9 <= 1 + 1e-9
