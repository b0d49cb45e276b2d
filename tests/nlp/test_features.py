"""Masking doesn't move the words: each token that is kept points at itself in the masked text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import pii
from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.features import prepare, word_features
from nlp.japanese import tokenize

FRAGMENTS = st.sampled_from(
    [
        "山田太郎と申します。",
        "090-1234-5678",
        "港町3丁目5番地",
        "歩道が",
        "暗い。",
        "a@b.example",
        " ",
        "😀",
        "\ud800",
        "〒100-0001",
        "除雪",
        "12",
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=12).map("".join) | st.text(max_size=80)


def said(text: str) -> str:
    return "".join("�" if "\ud800" <= character <= "\udfff" else character for character in text)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_kept_tokens_point_at_their_surface(text: str) -> None:
    tokens = tokenize(text)
    prepared = prepare(text, tokens, pii.find(text, tokens))
    for token in prepared.tokens:
        assert said(prepared.masked[token.start : token.end]) == token.surface


@given(TEXTS, st.data())
@settings(max_examples=200, deadline=None)
def test_any_spans(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True).map(sorted))
    kinds = st.sampled_from(sorted(PLACEHOLDERS))
    spans = [PiiSpan(start, end, data.draw(kinds)) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
    tokens = tokenize(text)
    prepared = prepare(text, tokens, spans)
    untouched = [token for token in tokens if all(token.end <= span.start or span.end <= token.start for span in spans)]
    assert [token.surface for token in prepared.tokens] == [token.surface for token in untouched]
    for token in prepared.tokens:
        assert said(prepared.masked[token.start : token.end]) == token.surface


def test_placeholders_are_no_words() -> None:
    text = "田中さんは090-1234-5678です"
    tokens = tokenize(text)
    prepared = prepare(text, tokens, pii.find(text, tokens))
    assert prepared.masked == "〔氏名〕さんは〔電話〕です"
    assert [token.surface for token in prepared.tokens] == ["さん", "は", "です"]


def test_word_features_mark_opening_and_ending_and_hide_numbers() -> None:
    features = word_features(tokenize("3 日前に直した"))
    assert features[0] == "0"
    assert features.count("^␣0") == 1
    assert features[-1].startswith("^␣")
    assert "$␣た" in features
    assert not any(" " in feature for feature in features)


def test_no_words_no_features() -> None:
    assert word_features([]) == []
