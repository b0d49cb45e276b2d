"""Letters in topics: sentences cover the text, the path stays where it can, and offsets fit both texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp import pii, segments
from nlp.annotate import Annotator
from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.japanese import tokenize
from nlp.train import prepare_texts

LETTER = (
    "いつもお世話になっております。港町に住む者です。中央公園の草が腰の高さまで伸び、子どもがボールを見つけられません。"
    "ベンチも壊れたままです。草刈りの回数を増やしてください。\n"
    "もう一つ、図書館のことです。閉館が早く、仕事の帰りに本が返せません。週に一度でも夜の開館をお願いします。"
    "読みたい本の予約も三か月待ちです。\n"
    "最後に、国民健康保険料の納付書が届きましたが、口座振替に変える手続きが分かりません。用紙を送ってください。090-1234-5678 まで。"
)


@given(st.text(max_size=300))
def test_sentences_cover_any_text(text: str) -> None:
    places = segments.sentences(text)
    assert "".join(text[start:end] for start, end in places) == text
    assert all(start < end for start, end in places)


def test_crumbs_go_with_what_follows() -> None:
    text = "はい。道路の穴をふさいでください。"
    assert segments.sentences(text) == [(0, len(text))]


@given(st.text(max_size=120))
def test_cutting_keeps_every_token_once(text: str) -> None:
    (prepared,) = prepare_texts([text])
    places = segments.sentences(prepared.masked)
    pieces = list(segments.cut(prepared, places))
    assert [token.surface for piece in pieces for token in piece.tokens] == [token.surface for token in prepared.tokens]
    for piece in pieces:
        for token in piece.tokens:
            assert 0 <= token.start < len(piece.masked)


def test_the_path_ignores_one_doubtful_sentence() -> None:
    sure, unsure = np.log([0.9, 0.1]), np.log([0.4, 0.6])
    rows = np.array([sure, unsure, sure], dtype=np.float32)
    assert segments.best_path(rows, [False] * 3, change=1.5, discount=1.0) == [0, 0, 0]


def test_the_path_follows_the_sentences_and_the_writers_turn() -> None:
    first, second, leaning = np.log([0.99, 0.01]), np.log([0.01, 0.99]), np.log([0.2, 0.8])
    rows = np.array([first, first, second, second], dtype=np.float32)
    assert segments.best_path(rows, [False] * 4, change=1.5, discount=1.0) == [0, 0, 1, 1]
    rows = np.array([first, leaning], dtype=np.float32)
    assert segments.best_path(rows, [False, False], change=1.5, discount=1.0) == [0, 0]
    assert segments.best_path(rows, [False, True], change=1.5, discount=1.0) == [0, 1]


def test_offsets_in_the_given_text() -> None:
    text = "山田です。電話は090-1234-5678です。道が悪い。"
    spans = [PiiSpan(0, 2, "NAME"), PiiSpan(8, 21, "PHONE")]
    masked = pii.mask(text, spans)
    for word in ("です。電話", "です。道", "道が悪い"):
        assert segments.given_offset(masked.index(word), spans) == text.index(word)
    assert segments.given_offset(0, spans) == 0
    assert PLACEHOLDERS["NAME"] in masked


def test_a_letter_with_three_matters(annotator: Annotator) -> None:
    (said,) = annotator([LETTER])
    assert [part.theme for part in said.segments][:3] == ["公園・緑地", "文化・スポーツ・図書館", "税・保険・年金"]
    assert "".join(LETTER[part.start : part.end] for part in said.segments) == LETTER
    assert "".join(said.masked[part.masked_start : part.masked_end] for part in said.segments) == said.masked
    assert len({said.department.label, *said.related}) == 1 + len(said.related) >= 3
    assert LETTER[said.segments[1].start :].startswith("もう一つ")


@pytest.mark.parametrize("text", ["", "道が悪い", "道が悪い。" * 8, "🚗" * 200, "\ud800" * 130])
def test_what_has_one_matter_is_one_segment(annotator: Annotator, text: str) -> None:
    (said,) = annotator([text])
    assert [(part.start, part.end) for part in said.segments] == [(0, len(text))]
    assert said.segments[0].theme == said.theme.label


def test_sentences_without_content_go_with_their_neighbours() -> None:
    pieces = prepare_texts(["よろしくお願いします。", "側溝がつまって雨のたびに道路へ水があふれ、家の前が池になります。"])
    own = np.array([[0.5, 0.5], [0.1, 0.9]], dtype=np.float32)
    scores = segments.sentence_scores(pieces, own, np.array([0.2, 0.8], dtype=np.float32))
    assert np.ptp(scores[0]) < np.ptp(scores[1])
    assert tokenize("よろしく")
