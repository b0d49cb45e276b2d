"""What a voice wants answered, where it stands, and what only looks like a question."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.settings import PROJECT_ROOT
from nlp.answering import gold
from nlp.answering.questions import Wants, questions, wants

KNOW, DO = Wants.KNOW, Wants.DO


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("工事はいつ終わりますか。", KNOW),
        ("廃止した理由を説明してください。", KNOW),
        ("代理人でもよいかとのお尋ね。", KNOW),
        ("費用の助成は市外の病院でも受けられるのか。", KNOW),
        ("歩道の段差をなくしてください。", DO),
        ("閉館を一時間延ばせないでしょうか。", DO),
        ("砂利を入れてもらいたいとのこと。", DO),
        ("図書館の本を増やすべきではないでしょうか。", DO),
        ("いつまで市民を待たせるつもりですか。", None),
        ("税金を何だと思っているのですか。", None),
        ("ご検討のほど、よろしくお願いいたします。", None),
        ("お手数をおかけしますが、何とぞよろしくお願い申し上げます。", None),
        ("お忙しいところ恐縮ですが、ご検討をお願いします。", None),
        ("お手数ですが、街灯の修理をお願いします。", DO),
        ("恐れ入りますが、開館時間を教えてください。", KNOW),
        ("回答はメールでお願いします。", None),
        ("「県に聞いてください」と言われました。", None),
        ("毎朝、カラスがごみを散らかしています。", None),
        ("", None),
    ],
)
def test_what_a_sentence_wants(sentence: str, wanted: Wants | None) -> None:
    assert wants(sentence) is wanted


def test_questions_stand_in_the_voices_order_with_their_places() -> None:
    voice = "〔氏名〕と申します。\n歩道の段差をなくしてください。水道代が三倍です。なぜですか。よろしくお願いします。"
    found = questions(voice)
    assert [(one.text(voice), one.wants) for one in found] == [("歩道の段差をなくしてください。", DO), ("なぜですか。", KNOW)]
    assert [one.subject(voice) for one in found] == ["歩道の段差をなくしてください。", "水道代が三倍です。なぜですか。"]


@given(st.text(max_size=200))
def test_any_text_has_questions_inside_it_or_none(voice: str) -> None:
    for one in questions(voice):
        assert 0 <= one.about <= one.start < one.end <= len(voice)


def test_the_gold_is_large_enough_and_nearly_all_of_it_is_seen() -> None:
    given_sentences = gold.sentences(PROJECT_ROOT / "data/gold" / gold.QUESTIONS)
    score = gold.score(given_sentences)
    assert score.sentences >= 120
    assert (score.recall > 0.95, score.precision > 0.95) == (True, True)
    blind = gold.score(given_sentences, see=lambda _: None)
    assert (blind.recall, blind.precision) == (0, 0)


def test_a_damaged_line_of_gold_is_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": 1, "sentence": "いつですか。", "wants": "know"}\n{"id": 2, "sentence": "いつ", "wants": "maybe"}\n', "utf-8")
    with pytest.raises(InputError, match="2 行目"):
        gold.sentences(path)
    with pytest.raises(InputError, match="読めません"):
        gold.sentences(tmp_path / "none.jsonl")
