from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Settings
from nlp import artifacts, similar
from nlp.similar import Lookup, Wording, best, lookups, overlap, plain_text, rarity, scores, terms, wording
from nlp.taxonomy import load as load_taxonomy

POOL = (
    "市営プールを廃止しないでください。市営プールは子どもから高齢者まで、年間四万人が利用している大切な施設です。"
    "廃止されれば、子どもたちが泳ぎを学ぶ場も、高齢者が健康を保つ場も失われます。修理して使いつづけることをお願いします。"
)

FROZEN_KEY = 1400777110052723689
FROZEN_BANDS = (
    25091244148277176,
    -8361037167336817823,
    49585345156669061,
    6910793639393223189,
    -1474070884089409539,
    -7941600954630721519,
    -4922722372307468665,
    4526965049034480847,
    -3127111174052065622,
    -1136932757024670752,
)


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


def test_a_wording_is_told_by_its_letters_alone() -> None:
    first = wording(POOL)
    assert first is not None
    assert wording(POOL.replace("。", "！\n").replace("市営プール", "市営 プール") + "〔氏名〕") == first


def test_signatures_stay_what_they_are_since_they_are_stored() -> None:
    """A library that gives others must be told apart by another ``SCHEME``, so that stored ones are made anew."""
    assert similar.SCHEME == "datasketch affine32 seed 1, 10x5, 5-grams"
    assert wording(POOL) == Wording(key=FROZEN_KEY, bands=FROZEN_BANDS)


def test_short_texts_have_no_wording() -> None:
    assert wording("バスの本数を増やしてほしい。") is None
    assert wording("！" * 200) is None
    assert wording("") is None


def test_greetings_and_districts_leave_a_band_in_common() -> None:
    edits = ("初めてお便りします。", "山手地区の住民です。", "いつもお世話になっております。", "港地区に住む者です。", "")
    words = [wording(edit + POOL + end) for edit in edits for end in ("", "よろしくお願いします。")]
    assert all(set(first.bands) & set(second.bands) for first in words if first for second in words if second)


def test_other_matters_have_none() -> None:
    other = wording("通学のバスの本数が減って、朝は満員で乗れません。次のバスまで四十分も待つので学校に遅れます。増便してください。")
    first = wording(POOL)
    assert first is not None
    assert other is not None
    assert not set(first.bands) & set(other.bands)


def test_signatures_estimate_the_overlap() -> None:
    rng = random.Random(7)  # noqa: S311
    letters = [chr(0x4E00 + number) for number in range(400)]
    agreeing = near = 0
    for _ in range(60):
        text = [rng.choice(letters) for _ in range(120)]
        other = text.copy()
        for place in rng.sample(range(120), 3):
            other[place] = rng.choice(letters)
        first, second = wording("".join(text)), wording("".join(other))
        assert first is not None
        assert second is not None
        near += overlap(similar.grams("".join(text)), similar.grams("".join(other))) >= similar.NEAR
        agreeing += bool(set(first.bands) & set(second.bands))
    assert near == 60
    assert agreeing >= 54  # 0.78 in common: 0.97 of the pairs share a band


@given(st.text(max_size=80), st.text(max_size=80))
def test_overlap_is_a_share_and_symmetric(first: str, second: str) -> None:
    left, right = similar.grams(plain_text(first)), similar.grams(plain_text(second))
    assert 0 <= overlap(left, right) == overlap(right, left) <= 1
    assert overlap(left, left) == 1
