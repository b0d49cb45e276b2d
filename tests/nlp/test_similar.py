from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Settings
from nlp import artifacts, similar
from nlp.similar import Lookup, best, lookups, rarity, scores, terms
from nlp.taxonomy import load as load_taxonomy


def test_terms_are_the_words_that_carry_meaning() -> None:
    assert terms("歩道の段差が大きく、車いすで通れません。") == ("歩道", "段差", "大きい", "車椅子", "通る")


def test_terms_hold_no_masks_numbers_or_words_of_time() -> None:
    assert terms("〔氏名〕です。昨日、３回〔電話番号〕に電話しました。ＰＴＡの会議") == ("電話", "為る", "pta", "会議")


def test_each_term_stands_once_in_the_texts_order() -> None:
    assert terms("バス停。バスとバス停と歩道") == ("バス停", "バス", "歩道")


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=60))
def test_terms_of_any_text_need_no_escaping_anywhere(text: str) -> None:
    for term in terms(text):
        assert term.isalnum()
        assert len(term.encode()) <= 4 * similar.LONGEST_TERM


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    assert rarity(3, 1000) > rarity(300, 1000) > rarity(1000, 1000) > 0


def test_rare_words_are_looked_up_first_and_common_ones_left_out() -> None:
    found = lookups({"側溝": 40, "水": 5000, "市": 90_000, "蓋": 300, "ない語": 0}, 100_000, budget=6000)
    assert [lookup.terms for lookup in found] == [("側溝",), ("蓋",), ("水",)]
    assert found[0].weight > found[1].weight > found[2].weight
    assert all(lookup.limit == 0 for lookup in found)


def test_words_that_are_all_common_are_looked_up_together() -> None:
    found = lookups({"バス": 50_000, "市": 90_000}, 100_000, budget=6000)
    assert [lookup.terms for lookup in found] == [("バス", "市"), ("バス",)]
    assert sum(lookup.limit for lookup in found) <= 6000


def test_one_common_word_gives_its_newest_voices() -> None:
    assert lookups({"バス": 50_000}, 100_000, budget=6000) == (Lookup(("バス",), rarity(50_000, 100_000), 6000),)


@given(
    st.dictionaries(st.text("あいうえおかきくけこ", min_size=1, max_size=4), st.integers(0, 200_000), max_size=80),
    st.integers(1, 30_000),
)
def test_no_more_postings_are_read_than_the_budget(documents: dict[str, int], budget: int) -> None:
    found = lookups(documents, 200_000, budget=budget)
    assert sum(lookup.limit or documents[lookup.terms[0]] for lookup in found) <= budget


def test_lookups_of_nothing_are_none() -> None:
    assert lookups({}, 0, budget=100) == ()
    assert best([], limit=5) == []


def test_the_best_hold_the_most_weight_and_the_newest_come_first() -> None:
    found = [(Lookup(("側溝",), 3.0), [1, 2, 9]), (Lookup(("蓋",), 2.0), [2, 5, 6])]
    assert best(found, limit=10) == [2, 9, 1, 6, 5]
    assert best(found, without=[2, 9], limit=2) == [1, 6]


def test_scores_are_one_for_the_same_words_and_zero_for_none_in_common() -> None:
    weights = {"側溝": 3.0, "蓋": 2.0, "市": 0.1}
    found = scores(["側溝", "蓋"], [["側溝", "蓋"], ["側溝", "市"], ["公園"], []], weights=weights, sif=None)
    assert found[0] == pytest.approx(1.0)
    assert 0.5 < found[1] < 1.0
    assert found[2:].tolist() == [0.0, 0.0]


def test_scores_of_nothing_are_nothing() -> None:
    assert scores(["側溝"], [], weights={}, sif=None).tolist() == []
    assert scores([], [["側溝"]], weights={}, sif=None).tolist() == [0.0]


def test_with_vectors_meaning_counts_beside_words(trained_settings: Settings, annotator: object) -> None:
    sif = similar.load_sif(trained_settings)
    found = scores(["保育園", "入る"], [["幼稚園", "入園"], ["側溝", "水"]], weights={}, sif=sif)
    assert found[0] > found[1]


def test_the_vectors_are_those_of_the_models(trained_settings: Settings, annotator: object) -> None:
    folder = artifacts.current_folder(trained_settings)
    assert folder is not None
    taxonomy = load_taxonomy(trained_settings.taxonomy_dir)
    whole = artifacts.load(folder, lexicon=artifacts.lexicon_folder(trained_settings), taxonomy=taxonomy).features.sif
    alone = similar.load_sif(trained_settings)
    assert alone is not None
    words = [["歩道", "段差"], ["保育園"]]
    assert np.allclose(alone.encode(words), whole.encode(words))


def test_without_models_there_are_no_vectors(settings: Settings) -> None:
    assert similar.load_sif(settings) is None
