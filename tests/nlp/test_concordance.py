from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.concordance import excerpt, places, sort_key, spellings

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80)


def found(text: str, wanted: str) -> list[str]:
    return [text[start:end] for start, end in places(text, wanted)]


@pytest.mark.parametrize(
    ("wanted", "text", "expected"),
    [
        ("歩道", "歩道がせまく、歩道橋も古い。", ["歩道", "歩道"]),
        ("ごみ", "ゴミの収集が遅い。", ["ゴミ"]),
        ("べんち", "公園のベンチが傷んでいる。", ["ベンチ"]),
        ("jr", "ＪＲの駅まで、JRで。", ["ＪＲ", "JR"]),
        ("歩く", "夜は怖くて歩けない。朝は歩いている。", ["歩け", "歩い"]),
        ("子供", "こどもの遊び場がない。", ["こども"]),
        ("市", "市役所の人が市に伝えた。", ["市"]),
        ("歩道の段差", "歩道の段差を直して。", ["歩道の段差"]),
        ("〔電話〕", "連絡は〔電話〕まで。", ["〔電話〕"]),
        ("の", "庭の木の枝", ["の", "の"]),
        ("ゼブラ", "歩道がせまい。", []),
        ("夜", "夜は暗い。今夜も。", ["夜", "夜"]),
    ],
)
def test_where_a_word_stands(wanted: str, text: str, expected: list[str]) -> None:
    assert found(text, wanted) == expected


@given(text=TEXTS, wanted=st.text(min_size=1, max_size=6))
def test_places_lie_in_the_text_one_after_the_other(text: str, wanted: str) -> None:
    ends = [0]
    for start, end in places(text, wanted):
        assert ends[-1] <= start < end <= len(text)
        ends.append(end)


@given(before=TEXTS, wanted=st.text("歩道ごみアイウABCａｂｃ0９", min_size=2, max_size=5), after=TEXTS)
def test_what_is_written_so_is_always_found(before: str, wanted: str, after: str) -> None:
    assert places(before + wanted + after, wanted)


def test_a_word_is_spelled_in_both_kana_and_widths() -> None:
    assert [spelling.text for spelling in spellings("ごみ")] == ["ごみ", "ゴミ"]
    assert [spelling.text for spelling in spellings("JR")] == ["JR", "ＪＲ"]
    assert [spelling.is_word for spelling in spellings("歩道")] == [True]
    assert [spelling.is_word for spelling in spellings("歩道の段差")] == [False]
    assert [spelling.terms for spelling in spellings("の")] == [(), ()]


def test_an_excerpt_is_one_line_with_its_ends_marked() -> None:
    made = excerpt("あ" * 10 + "\n歩道\n\n" + "い" * 10, (11, 13), around=5)
    assert (made.left, made.keyword, made.right) == ("…ああああ ", "歩道", " いいい…")
    whole = excerpt("歩道", (0, 2), around=5)
    assert (whole.left, whole.keyword, whole.right) == ("", "歩道", "")


def test_excerpts_are_ordered_from_the_word_outwards() -> None:
    made = [
        excerpt(f"{left}歩道{right}", (len(left), len(left) + 2), around=9)
        for left, right in (("あの", "ん"), ("いあ", "う"), ("かい", "ア"))
    ]
    assert [each.right for each in sorted(made, key=lambda each: sort_key(each, left=False))] == ["ア", "う", "ん"]
    assert [each.left for each in sorted(made, key=lambda each: sort_key(each, left=True))] == ["いあ", "かい", "あの"]
