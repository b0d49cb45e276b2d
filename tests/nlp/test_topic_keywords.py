"""The words that a topic is shown by: those that voices say together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.topics import Document, Term, Words
from nlp.topics.keywords import told_together


def _voices(texts: Sequence[str]) -> Words:
    return Words.of([Document(number, (), tuple(_term(word) for word in text.split()), len(text)) for number, text in enumerate(texts)])


def _term(word: str) -> Term:
    return Term(word, word, is_noun=True)


def _weighed(words: str) -> list[tuple[Term, float]]:
    return [(_term(word), 1 / (place + 1)) for place, word in enumerate(words.split())]


def test_a_word_that_is_said_with_the_others_comes_before_a_rare_one() -> None:
    voices = _voices(["街灯 暗い 夜道"] * 5 + ["街灯 暗い"] * 5 + ["鉄塔"] * 2 + ["空き家 草"] * 8)
    [found] = told_together(voices, [_weighed("街灯 暗い 鉄塔 夜道")], most=3)
    assert [term.norm for term, _ in found] == ["街灯", "暗い", "夜道", "鉄塔"]


def test_few_words_stay_as_they_are() -> None:
    voices = _voices(["街灯 暗い", "草"])
    assert told_together(voices, [_weighed("街灯 暗い"), []], most=10) == [_weighed("街灯 暗い"), []]


def test_a_word_that_every_voice_says_and_one_that_is_said_twice_in_a_voice() -> None:
    voices = _voices(["街灯 街灯 暗い", "街灯"])
    [found] = told_together(voices, [_weighed("街灯 暗い")], most=1)
    assert [term.norm for term, _ in found] == ["街灯", "暗い"]


@given(st.lists(st.lists(st.sampled_from("あいうえおかき"), min_size=1), min_size=1, max_size=12), st.integers(1, 8))
def test_no_word_is_lost_and_the_shown_ones_keep_their_order(texts: list[list[str]], most: int) -> None:
    voices = _voices([" ".join(text) for text in texts])
    words = _weighed(" ".join(dict.fromkeys(word for text in texts for word in text)))
    [found] = told_together(voices, [words], most=most)
    assert sorted(found) == sorted(words)
    for part in (found[:most], found[most:]):
        assert [weight for _, weight in part] == sorted((weight for _, weight in part), reverse=True)
    assert np.isfinite([weight for _, weight in found]).all()
