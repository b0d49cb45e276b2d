"""Tokens cover the text exactly, whatever the text is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlp.japanese import Part, Token, tokenize

JAPANESE = st.text(
    st.sampled_from("市道の穴を直してください。！？\n 　ｱｶﾞﾊﾟヴゞ々〇①㍻髙𠮷👨‍👩‍👧🇯🇵\ud83d\udc00\x00\x1b\ufeff\u200bABCａｂ12３４-ー"),
    max_size=200,
)
ANY = st.text(st.characters(), max_size=200) | st.text(st.characters(categories=["Cs", "Cc", "So", "Mn"]), max_size=60)


def assert_tiles(text: str, tokens: list[Token]) -> None:
    assert "".join(token.surface for token in tokens) == "".join("�" if "\ud800" <= c <= "\udfff" else c for c in text)
    for token in tokens:
        assert token.end - token.start == len(token.surface) > 0
    assert [before.end for before, _ in pairwise(tokens)] == [after.start for _, after in pairwise(tokens)]
    assert not tokens or (tokens[0].start, tokens[-1].end) == (0, len(text))


@given(JAPANESE | ANY)
@settings(max_examples=300, deadline=None)
@example("")
@example("\ud800")
@example("👩‍🦽で通れません")
@example("が\u3099き\u309a")
@example("\r\n\t\x00")
def test_tokens_tile_any_text(text: str) -> None:
    assert_tiles(text, tokenize(text))


@pytest.mark.parametrize(
    "text",
    [
        "歩道の段差が危ない。" * 6_000,
        "あ" * 60_000,
        "👪" * 30_000,
        "\ud83d" * 20_000,
        "\n" * 15_000,
        "除雪が遅い" * 2_400 + "。" + "雪" * 12_001,
    ],
    ids=["sentences", "no break", "four bytes", "surrogates", "breaks only", "break at the seam"],
)
def test_long_texts_are_cut_without_loss(text: str) -> None:
    assert_tiles(text, tokenize(text))


def test_a_long_text_is_cut_at_a_sentence_so_that_no_word_breaks() -> None:
    sentence = "横断歩道の白線が消えています。"
    tokens = tokenize(sentence * 1_000)
    once = [(token.surface, token.part) for token in tokenize(sentence)]
    assert [(token.surface, token.part) for token in tokens] == once * 1_000


def test_eight_threads_get_what_one_gets() -> None:
    texts = [f"{number}番のバスが{'とても' * (number % 5)}混みます。山田さんも困っています。" for number in range(400)]
    alone = [tokenize(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tokenize, texts)) == alone


@pytest.mark.parametrize(
    ("text", "surface", "part"),
    [
        ("田中が来た", "田中", Part.SURNAME | Part.PROPER | Part.NOUN),
        ("花子が来た", "花子", Part.GIVEN_NAME),
        ("横浜に行く", "横浜", Part.PLACE),
        ("歩道を直す", "歩道", Part.NOUN | Part.CONTENT),
        ("歩道を直す", "直す", Part.PREDICATE | Part.CONTENT),
        ("歩道を直す", "を", Part.PARTICLE),
        ("3人いる", "3", Part.NUMBER),
        ("山田さん", "さん", Part.SUFFIX),
        ("はい。", "。", Part.SYMBOL),
        ("先週から", "先週", Part.VAGUE | Part.NOUN),
        ("とても暗い", "とても", Part.CONTENT),
        ("その穴", "その", Part.CONTENT),
        ("そして直した", "そして", Part.NONE),
        ("えーと道が", "えーと", Part.NONE),
    ],
)
def test_parts(text: str, surface: str, part: int) -> None:
    found = next(token for token in tokenize(text) if token.surface == surface)
    assert found.part & part == part
    assert part != Part.NONE or found.part == Part.NONE


def test_normalised_form_only_where_a_word_carries_meaning() -> None:
    by_surface = {token.surface: token.norm for token in tokenize("附属の引越を、行なう")}
    assert by_surface["附属"] == "付属"
    assert by_surface["を"] == "を"
    assert by_surface["、"] == "、"
