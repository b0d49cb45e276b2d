"""Names of topics: phrases out of what their texts say, none twice, nothing private in them. Every sentence is invented."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.annotation import PLACEHOLDERS
from nlp.opinions import words
from nlp.topic_names import LONGEST, NAMELESS, SHORTEST, Child, TopicWords, name_topics
from nlp.topic_names.nominal import lists
from nlp.topic_names.reading import read


def links(text: str) -> set[str]:
    return {link.text for link in read(list(words.parse([text]))).links}


def topic(keywords: str, *texts: str) -> TopicWords:
    """A topic with these keywords, each a little lighter than the one before."""
    said = keywords.split()
    return TopicWords(tuple((word, 1.0 - 0.05 * place) for place, word in enumerate(said)), texts)


SIDEWALK = topic(
    "歩道 段差 狭い ベビーカー",
    "駅前の歩道が狭くて、ベビーカーが通れません。",
    "歩道の段差で車いすが止まってしまう。",
    "小学校の前の歩道が狭い。",
    "歩道の段差を直してください。",
    "歩道が狭く、自転車とすれ違えない。",
    "坂の下の歩道は段差が多い。",
)
SNOW = topic(
    "除雪 遅れる 雪 朝",
    "除雪が遅れて、通勤に間に合わない。",
    "今年は除雪が遅い。",
    "裏通りの除雪がいつも遅れる。",
    "除雪が遅れて、ごみの収集も来なかった。",
)
PARKING = topic(
    "駐車場 足りる 市民病院 満車",
    "市民病院の駐車場が足りない。",
    "駐車場が足りず、路上に車があふれている。",
    "駐車場を増やしてほしい。",
    "満車ばかりで、駐車場が足りません。",
)
LIBRARY = topic(
    "図書館 開館時間 延長 夜",
    "図書館の開館時間を延ばしてほしい。",
    "仕事のあとに寄れるよう、図書館の開館時間を見直してください。",
    "図書館の開館時間が短い。",
    "夜の図書館の開館時間について。",
)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("商店街の歩道が狭い。", "歩道の狭さ"),
        ("除雪が遅れている。", "除雪の遅れ"),
        ("駐車場が足りませんでした。", "駐車場の不足"),
        ("ベンチを増やしてください。", "ベンチの不足"),
        ("活気がない。", "活気のなさ"),
        ("横断歩道に信号を設置してほしい。", "信号の設置"),
        ("案内が分かりません。", "案内の分かりにくさ"),
        ("通知の文章が分かりづらい。", "文章の分かりづらさ"),
        ("窓口で四十分も待たされた。", "窓口の待ち時間"),
        ("本庁に行きにくくなった。", "本庁への行きにくさ"),
        ("市役所に行くのが不便だ。", "市役所への行きにくさ"),
        ("早朝の除雪に感謝しています。", "除雪への感謝"),
        ("駅のトイレがきれいだった。", "トイレのきれいさ"),
        ("町のいいところを広めたい。", "町の良さ"),
        ("思い出を作ってもらいたい。", "思い出づくり"),
        ("図書館の開館時間について。", "図書館の開館時間"),
        ("駅からの夜道が暗い。", "駅からの夜道"),
    ],
)
def test_what_is_said_becomes_a_noun_phrase(text: str, phrase: str) -> None:
    assert phrase in links(text)


@pytest.mark.parametrize(
    "text", ["駐車場がなければ困る。", "公園に行く。", "家賃は高くない。", "祖父母には遠い。", "駅が遠い家。", "市の対応が遅い。"]
)
def test_what_tells_nothing_or_the_contrary_makes_no_phrase(text: str) -> None:
    assert links(text) == set()


def test_names_are_phrases_that_people_would_write() -> None:
    assert name_topics([SIDEWALK, SNOW, PARKING, LIBRARY]) == ["歩道の狭さ・段差", "除雪の遅れ", "駐車場の不足", "図書館の開館時間"]


def test_a_name_that_is_taken_is_given_to_nobody_else() -> None:
    (first,) = name_topics([SNOW])
    (second,) = name_topics([SNOW], taken=[first])
    assert second != first
    assert "除雪" in second


def test_the_same_topic_twice_gets_two_names_without_numbers() -> None:
    names = name_topics([SNOW, SNOW, SNOW])
    assert len(set(names)) == 3
    assert not any(re.search(r"\d", name) for name in names)


def test_the_parent_is_named_for_what_its_children_share() -> None:
    both = TopicWords((*SIDEWALK.keywords[:2], *SNOW.keywords[:2]), (*SIDEWALK.texts, *SNOW.texts))
    leaves = name_topics([SIDEWALK, SNOW])
    children = [Child(name, item.keywords) for name, item in zip(leaves, (SIDEWALK, SNOW), strict=True)]
    (parent,) = name_topics([both], below=[children])
    assert parent not in leaves
    assert {"歩道", "除雪"} <= set(re.split("[との・]", parent))


def test_no_person_and_nothing_masked_gets_into_a_name() -> None:
    private = topic(
        "佐藤 氏名 遊具 太郎 090",
        "〔氏名〕です。公園の遊具が壊れている。",
        "佐藤さんの家の前の公園の遊具が壊れました。",
        "佐藤太郎と申します。遊具が壊れたままです。",
        "〔住所〕の公園で遊具が壊れている。",
    )
    (name,) = name_topics([private])
    assert name == "遊具の破損"
    assert not {"佐藤", "氏名", "太郎"} & {part for text in private.texts for part in links(text)}


def test_a_word_that_may_be_a_family_name_is_in_no_name_unless_the_texts_show_a_place() -> None:
    texts = ("千葉の坂道について。", "千葉の坂道のこと。", "千葉邸の坂道。")
    silent = [topic("千葉 坂道", *texts), topic("千葉 坂道 暗い"), topic("千葉")]
    assert not any("千葉" in name for name in name_topics(silent))
    assert name_topics([topic("千葉 坂道", *texts, "千葉駅の前です。")]) == ["千葉の坂道"]


def test_a_place_is_no_name_but_may_begin_one() -> None:
    place = topic("長野駅 駐輪場 長野", "長野駅の駐輪場が狭い。", "長野駅の駐輪場に止められない。", "長野に住んでいる。", "長野が好きだ。")
    (name,) = name_topics([place])
    assert name not in {"長野", "長野駅"}
    assert "駐輪場" in name


def test_a_campaign_counts_once() -> None:
    copied = "市営の温水プールを廃止する計画を、どうか今すぐ見直してください。"
    others = ("温水プールの料金が高い。", "温水プールの料金を下げて。", "プールの料金が高すぎる。")
    (name,) = name_topics([topic("温水プール 料金 高い", *(f"{copied}{sign}" for sign in "あいうえお"), *others)])
    assert "料金" in name


def test_a_word_that_says_nothing_alone_stands_beside_no_other() -> None:
    counted = topic(
        "増加 苦情 騒音",
        *(f"{noun}の増加。" for noun in ("苦情", "騒音", "落書き", "空き家")),
        "苦情。",
        "騒音。",
        "苦情と騒音。",
        "騒音。",
    )
    leaf = Child("夜間の騒音", (("騒音", 1.0), ("苦情", 0.8), ("増加", 0.7)))
    (name,) = name_topics([counted], below=[[leaf, leaf]])
    assert not re.search("増加[・と]|[・と]増加", name)


@pytest.mark.parametrize(
    ("keywords", "name"),
    [
        ("除雪 歩道 雪", "除雪・歩道"),
        ("除雪", "除雪についての声"),
        ("放課後児童クラブ", "放課後児童クラブ"),
        ("問題 佐藤 こと", NAMELESS),
        ("", NAMELESS),
    ],
)
def test_keywords_alone_give_two_nouns_at_most(keywords: str, name: str) -> None:
    assert name_topics([topic(keywords)]) == [name]


def test_nothing_to_name_gives_no_names() -> None:
    assert name_topics([]) == []


NOUNS = st.sampled_from(
    ["歩道", "千葉", "除雪", "駐車場", "図書館", "保育園", "街灯", "ごみ", "バス", "佐藤", "潮見市", "こと", "沢山", "子供", "〔氏名〕"]
)
SAID = st.sampled_from(
    ["が狭い", "が足りない", "を直してほしい", "の料金が高い", "が遅れた", "について", "がたくさんある", "、090-1234-5678"]
)
TEXT = st.one_of(st.builds(lambda noun, said: f"{noun}{said}。", NOUNS, SAID), st.text(max_size=12))
TOPIC = st.builds(
    TopicWords,
    st.lists(st.tuples(st.one_of(NOUNS, st.text(max_size=8)), st.floats(0, 1)), max_size=4).map(tuple),
    st.lists(TEXT, max_size=6).map(tuple),
)


@settings(max_examples=60)
@given(topics=st.lists(TOPIC, max_size=5), taken=st.lists(st.sampled_from(["歩道の狭さ", "駐車場の不足", NAMELESS]), max_size=2))
def test_any_topics_get_fit_and_distinct_names(topics: list[TopicWords], taken: list[str]) -> None:
    names = name_topics(topics, taken=taken)
    assert names == name_topics(topics, taken=taken)
    assert len({*names, *taken}) == len(names) + len(set(taken))
    for name in names:
        assert SHORTEST <= len(name) <= LONGEST
        assert not any(placeholder.strip("〔〕") in name or "〔" in name for placeholder in PLACEHOLDERS.values())
        assert not re.search(r"佐藤|千葉|090|1234", name)
        assert name not in lists().empty
        assert name.count("・") <= 2
