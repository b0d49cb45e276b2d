from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nlp import wordings as module
from nlp.wordings import NEAR, SCHEME, TOO_SHORT, VALUES, Wording, grams, near, overlap, plain_text, wordings

POOL = (
    "市営プールを廃止しないでください。市営プールは子どもから高齢者まで、年間四万人が利用している大切な施設です。"
    "廃止されれば、子どもたちが泳ぎを学ぶ場も、高齢者が健康を保つ場も失われます。修理して使いつづけることをお願いします。"
)
BUS = "通学のバスの本数が減って、朝は満員で乗れません。次のバスまで四十分も待つので学校に遅れます。増便してください。"
FROZEN_KEY = 1400777110052723689
FROZEN_SIGNATURE = "e2edf5c9a38513e30a13c037e14bf04d722559a277b8c6c93bfbf08618a59936"
LETTERS = [chr(0x4E00 + number) for number in range(400)]


def signatures(*texts: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
    return np.frombuffer(b"".join(found.signature for found in wordings(texts)), dtype="<u2").reshape(-1, VALUES)


def pairs(*texts: str, since: int = 0) -> list[tuple[int, int]]:
    return [(first, second) for first, second in near(signatures(*texts), since=since).tolist()]


def random_text(rng: random.Random, length: int = 120) -> list[str]:
    return [rng.choice(LETTERS) for _ in range(length)]


def changed(rng: random.Random, text: list[str], places: int) -> list[str]:
    other = text.copy()
    for place in rng.sample(range(len(text)), places):
        other[place] = rng.choice(LETTERS)
    return other


def test_a_wording_is_told_by_its_letters_alone() -> None:
    first, second = wordings([POOL, POOL.replace("。", "！\n").replace("市営プール", "市営 プール") + "〔氏名〕"])
    assert first == second != TOO_SHORT


def test_signatures_stay_what_they_are_since_they_are_stored() -> None:
    """Whatever gives others must be told apart by another ``SCHEME``, so that stored ones are made anew."""
    assert SCHEME == "minhash affine32 seed 1, 14x5 of 16 bits, 5-grams"
    (found,) = wordings([POOL])
    assert found.key == FROZEN_KEY
    assert hashlib.sha256(found.signature).hexdigest() == FROZEN_SIGNATURE


def test_short_texts_have_no_wording() -> None:
    assert wordings(["バスの本数を増やしてほしい。", "！" * 200, ""]) == [TOO_SHORT] * 3
    assert wordings([]) == []


@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=90), max_size=6))
def test_a_text_has_the_same_wording_alone_and_among_others(texts: list[str]) -> None:
    texts = [*texts, POOL, "短い文", BUS]
    assert wordings(texts) == [found for text in texts for found in wordings([text])]


def test_greetings_and_districts_leave_them_a_pair() -> None:
    edits = ("初めてお便りします。", "山手地区の住民です。", "いつもお世話になっております。", "港地区に住む者です。", "")
    texts = [edit + POOL + end for edit in edits for end in ("", "よろしくお願いします。")]
    assert len(pairs(*texts)) == len(texts) * (len(texts) - 1) / 2


def test_other_matters_are_no_pair() -> None:
    assert pairs(POOL, BUS) == []


@pytest.mark.parametrize(("places", "common"), [(0, 1.0), (3, 0.78), (8, 0.55), (40, 0.1)])
def test_signatures_estimate_the_overlap(places: int, common: float) -> None:
    rng = random.Random(7)  # noqa: S311
    agreeing, true = [], []
    for _ in range(60):
        text = random_text(rng)
        first, second = "".join(text), "".join(changed(rng, text, places))
        found = signatures(first, second)
        agreeing.append(float((found[0] == found[1]).mean()))
        true.append(overlap(grams(first), grams(second)))
    assert abs(np.mean(true) - common) < 0.05, "the pairs are what they should be"
    assert abs(np.mean(agreeing) - np.mean(true)) < 0.03  # standard error 0.009


def test_of_pairs_that_are_close_nearly_all_are_found() -> None:
    rng = random.Random(8)  # noqa: S311
    texts = [random_text(rng) for _ in range(60)]
    both = [*("".join(text) for text in texts), *("".join(changed(rng, text, 3)) for text in texts)]
    wanted = {(place, place + 60) for place in range(60) if overlap(grams(both[place]), grams(both[place + 60])) >= NEAR}
    found = set(pairs(*both))
    assert len(wanted) == 60
    assert found <= wanted
    assert len(found) >= 54  # 0.78 in common: 0.99 of the pairs share a band


@given(seed=st.integers(0, 1000), since=st.integers(0, 30))
@hypothesis_settings(max_examples=20)
def test_what_came_before_is_compared_with_what_came_since(seed: int, since: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    bases = [random_text(rng) for _ in range(3)]
    texts = ["".join(changed(rng, rng.choice(bases), 2)) for _ in range(30)]
    whole = pairs(*texts)
    assert all(first < second for first, second in whole)
    assert [second for _, second in whole] == sorted(second for _, second in whole)
    assert pairs(*texts, since=since) == [pair for pair in whole if pair[1] >= since]
    assert pairs(*texts[:since]) == [pair for pair in whole if pair[1] < since], "what comes later changes nothing"


def test_a_large_campaign_hangs_together_though_not_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_COMPARED", 3)
    found = pairs(*(f"{POOL}{'お願いします。' * (number % 3)}" for number in range(40)))
    assert {second for _, second in found} == set(range(1, 40))
    assert len(found) < 40 * 39 / 4


def test_no_wordings_are_no_pairs() -> None:
    assert near(np.empty((0, VALUES), dtype=np.uint16), since=0).shape == (0, 2)
    assert pairs(POOL) == []


@given(st.text(max_size=80), st.text(max_size=80))
def test_overlap_is_a_share_and_symmetric(first: str, second: str) -> None:
    left, right = grams(plain_text(first)), grams(plain_text(second))
    assert 0 <= overlap(left, right) == overlap(right, left) <= 1
    assert overlap(left, left) == 1


def test_a_wording_is_small_to_send() -> None:
    (found,) = wordings([POOL])
    assert found == Wording(found.key, found.signature)
    assert len(found.signature) == 2 * VALUES
