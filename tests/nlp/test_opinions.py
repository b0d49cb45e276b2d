"""What is read of a text: judgements with their senses, requests, questions, for and against. Every sentence is invented."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.settings import PROJECT_ROOT
from nlp.opinions import Opinions, Side, opinions
from nlp.opinions.sentences import LONGEST, sentences

SENSE = {"+": "positive", "-": "negative", "0": "neutral"}


def read(text: str) -> Opinions:
    (said,) = opinions([text])
    return said


def shown(text: str) -> list[str]:
    sense = {value: sign for sign, value in SENSE.items()}
    return [f"{pair.topic}→{pair.predicate} {sense[pair.polarity.value]}" for pair in read(text).pairs]


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("商店街の歩道が狭いです。", "商店街の歩道→狭い -"),
        ("支所の窓口で四十分も待たされました。", "支所の窓口→待たされる -"),
        ("除雪の時間が遅い。", "除雪の時間→遅い -"),
        ("駐車場が足りませんでした。", "駐車場→足りない -"),
        ("ベビーカーで改札が通れなかった。", "改札→通れない -"),
        ("地図が使いにくかったです。", "地図→使いにくい -"),
        ("通知の文章が分かりづらい。", "通知の文章→分かりづらい -"),
        ("案内が分かりません。", "案内→分からない -"),
        ("バスは便利ではありません。", "バス→便利でない -"),
        ("家賃は高くありません。", "家賃→高くない +"),
        ("ベンチがありませんでした。", "ベンチ→ない -"),
        ("校庭の遊具が壊れています。", "校庭の遊具→壊れている -"),
        ("冷房が効かず困った。", "冷房→効かない -"),
        ("給食の量が少なすぎた。", "給食の量→少なすぎる -"),
        ("坂の途中の手すりを直してほしい。", "坂の途中の手すり→直してほしい 0"),
        ("朝の便を増やして", "朝の便→増やしてほしい 0"),
        ("朝の便を増やしてください。", "朝の便→増やしてほしい 0"),
        ("朝の便を増やしていただけませんか。", "朝の便→増やしてほしい 0"),
        ("朝の便を増やしてもらえると助かります。", "朝の便→増やしてほしい 0"),
        ("朝の便を減らさないでください。", "朝の便→減らさないでほしい 0"),
        ("市は早く知らせるべきだ。", "市→知らせるべき 0"),
        ("木陰のベンチがあるとうれしいです。", "木陰のベンチ→うれしい +"),
        ("統合は必要ないと思う。", "統合→必要ない -"),
        ("壊れた街灯を見ました。", "街灯→壊れる -"),
        ("説明不足。", "説明→不足 -"),
    ],
)
def test_a_judgement_is_shown_as_people_read_it(text: str, pair: str) -> None:
    assert pair in shown(text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("対応は悪くない。", "対応→悪くない +"),
        ("事故が減った。", "事故→減る +"),
        ("バスの本数が減った。", "バスの本数→減る -"),
        ("ごみが多い。", "ごみ→多い -"),
        ("花が多い。", "花→多い 0"),
        ("水道料金が高い。", "水道料金→高い -"),
        ("天井が高い。", "天井→高い 0"),
        ("給料が安い。", "給料→安い -"),
        ("入場料が安い。", "入場料→安い +"),
        ("石段が滑りやすい。", "石段→滑りやすい -"),
        ("画面が使いやすい。", "画面→使いやすい +"),
        ("説明が不誠実だった。", "説明→不誠実 -"),
        ("壁が青い。", "壁→青い 0"),
    ],
)
def test_negation_endings_and_the_thing_itself_turn_the_sense(text: str, pair: str) -> None:
    assert pair in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "昨日、市役所に電話しました。",
        "父は港の近くに住んでいます。",
        "祖母は目が悪い。",
        "お金がなくても遊べます。",
        "「車を売ってください」と言われました。",
        "花火大会",
    ],
)
def test_plain_doings_and_what_others_said_are_no_judgements(text: str) -> None:
    assert shown(text) == []


def test_two_judgements_of_one_thing() -> None:
    assert shown("画面の文字が小さく、読みにくい。") == ["画面の文字→小さい -", "画面の文字→読みにくい -"]


def test_an_adverb_is_no_judgement() -> None:
    assert shown("エアコンを早くつけてください。") == ["エアコン→つけてほしい 0"]


def test_spans_lie_where_the_words_stand() -> None:
    text = "こんにちは。\n　港町の歩道が、とても狭かったです。"
    (pair,) = read(text).pairs
    assert text[pair.topic_span.start : pair.topic_span.end] == "港町の歩道"
    assert text[pair.predicate_span.start : pair.predicate_span.end] == "狭かったです"


@pytest.mark.parametrize(
    "text",
    ["街灯を直してほしい。", "街灯を直してください", "点検をお願いします。", "もっと知らせるべきだ。", "休む場所が必要です。",
     "説明会の開催を求めます。",     "修理を希望します。", "何とかなりませんか。",
      "見に来てもらえませんか？", "街灯を増やして", "回覧してほしいとの要望。"],
)  # fmt: skip
def test_sentences_that_ask_for_something(text: str) -> None:
    (span,) = read(text).requests
    assert text[span.start : span.end] == text
    assert read(text).questions == ()


@pytest.mark.parametrize(
    "text",
    [
        "書類は必要ありません。",
        "「売ってください」と言われた。",
        "この件について。",
        "雪が多いので",
        "三度もお願いしたのに来ない。",
        "そう思って",
        "教えてくれた方に感謝します。",
    ],
)
def test_sentences_that_only_sound_like_it(text: str) -> None:
    assert read(text).requests == ()


@pytest.mark.parametrize(
    "text",
    [
        "申込みはいつからですか。",
        "どこに出せばいいでしょうか",
        "予約は要りますか？",
        "締切を教えてください。",
        "なぜ中止になったのでしょうか。",
        "料金はいくら？",
        "書類の種類を知りたいです。",
    ],
)
def test_questions(text: str) -> None:
    (span,) = read(text).questions
    assert text[span.start : span.end] == text


@pytest.mark.parametrize(
    "text",
    [
        "いったい誰のための広場なのか。",
        "子どもに歩かせろというのですか。",
        "これでよいのではないでしょうか。",
        "見に来てもらえませんか？",
        "いつまで待たせるつもりですか。",
        "便利ですよね？",
        "困った(?_?)",
    ],
)
def test_a_reproach_or_a_request_is_no_question(text: str) -> None:
    assert read(text).questions == ()


@pytest.mark.parametrize(
    ("text", "side", "words"),
    [
        ("ごみ袋の有料化に賛成です。", Side.FOR, ["賛成"]),
        ("庁舎の移転には断固反対します。", Side.AGAINST, ["断固反対"]),
        ("図書館の民営化には賛成できません。", Side.AGAINST, ["賛成できません"]),
        ("有料化は反対の人もいるが、私は賛成だ。", Side.FOR, ["賛成"]),
        ("プールの廃止はやめてください。", Side.AGAINST, ["やめてください"]),
        ("児童館をなくさないでください。", Side.AGAINST, ["なくさないでください"]),
        ("分館の存続を強く求めます。", Side.AGAINST, None),
        ("駅前の再開発を進めてほしい。", Side.FOR, ["進めてほしい"]),
        ("新しいホールはいらない。", Side.AGAINST, ["いらない"]),
        ("タワーの建設計画は中止してください。", Side.AGAINST, ["中止してください"]),
        ("給食費の値上げは困ります。", Side.AGAINST, ["困ります"]),
        ("新しい循環バスは便利です。", Side.FOR, ["便利です"]),
        ("賛成でも反対でもありません。", Side.NEITHER, []),
        ("反対しているわけではない。", Side.NEITHER, []),
        ("近所では反対の声が多い。", Side.NEITHER, []),
        ("道路の反対側が暗い。", Side.NEITHER, []),
        ("歩きたばこをやめてほしい。", Side.NEITHER, []),
        ("歩道が狭い。", Side.NEITHER, []),
        ("賛成ですか？", Side.NEITHER, []),
    ],
)
def test_for_and_against(text: str, side: Side, words: list[str] | None) -> None:
    stance = read(text).stance
    assert stance.side is side
    if words is not None:
        assert [text[start:end] for start, end in stance.words] == words
    assert (stance.confidence >= 0.5) is (side is not Side.NEITHER)


@pytest.mark.parametrize("text", ["", " \n　", "😀😀", "。。。！？", "\ud800", "〔氏名〕", "\x00", "(^o^)"])
def test_texts_that_say_nothing(text: str) -> None:
    said = read(text)
    assert said.pairs == ()
    assert said.stance.side is Side.NEITHER


def test_a_lone_surrogate_and_a_picture_keep_the_offsets() -> None:
    text = "\ud83d歩道が😀狭い。"
    for pair in read(text).pairs:
        assert text[pair.topic_span.start : pair.topic_span.end] == pair.topic


def test_english_is_left_alone() -> None:
    said = read("The sidewalk is too narrow. Please fix it.")
    assert said.stance.side is Side.NEITHER


def test_a_very_long_text_is_cut_and_read_to_its_end() -> None:
    text = "あ" * 50_000 + "。" + "歩道が狭い。" * 3 + "い" * 50_000 + "。街灯が暗い。"
    assert all(0 < end - start <= LONGEST for start, end in sentences(text))
    found = read(text)
    assert [pair.topic for pair in found.pairs].count("歩道") == 3
    last = found.pairs[-1]
    assert text[last.topic_span.start : last.predicate_span.end] == "街灯が暗い"


def test_texts_are_read_alike_alone_and_together_and_from_threads() -> None:
    texts = ["歩道が狭い。街灯が暗い。", "", "市の対応に感謝します。", "バスを増やして"] * 5
    together = opinions(texts)
    assert together == [read(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, texts)) == together


def check_spans(text: str, said: Opinions) -> None:
    spans = [(span.start, span.end) for pair in said.pairs for span in (pair.topic_span, pair.predicate_span)]
    spans += [(span.start, span.end) for span in (*said.requests, *said.questions)]
    spans += said.stance.words
    for start, end in spans:
        assert 0 <= start < end <= len(text)
        assert text[start:end].strip()
    for pair in said.pairs:
        assert pair.topic
        assert pair.predicate
    json.dumps(said.as_dict(), ensure_ascii=False).encode()


JAPANESE = st.text(
    alphabet=st.sampled_from("歩道窓口が狭いで待たされましたてほしくないのは賛成反対か？。、\n 　😀\ud800「」〔〕すぎにくやめてください")
)


@settings(max_examples=60)
@given(st.one_of(st.text(), JAPANESE))
@example("賛成\n\u2028反対")
@example("　\u200b歩道\u200bが狭い")
def test_any_text_gives_spans_inside_the_text(text: str) -> None:
    check_spans(text, read(text))


def test_corpus_voices_give_spans_inside_the_text() -> None:
    paths = sorted((PROJECT_ROOT / "data/corpus").glob("*.jsonl"))
    texts = [json.loads(line)["text"] for path in paths for line in path.read_text("utf-8").splitlines()[:6]]
    for text, said in zip(texts, opinions(texts), strict=True):
        check_spans(text, said)


def test_the_gold_sentences_are_read_as_well_as_the_decision_record_says() -> None:
    records = [json.loads(line) for line in (PROJECT_ROOT / "data/gold/opinions.jsonl").read_text("utf-8").splitlines()]
    said = opinions([record["text"] for record in records])
    wanted = [{(pair["topic"], pair["predicate"]) for pair in record["pairs"]} for record in records]
    found = [{(pair.topic, pair.predicate) for pair in item.pairs} for item in said]
    hits = sum(len(want & got) for want, got in zip(wanted, found, strict=True))
    assert hits / sum(map(len, found)) > 0.85
    assert hits / sum(map(len, wanted)) > 0.85
    assert sum(record["stance"] == item.stance.side for record, item in zip(records, said, strict=True)) / len(records) > 0.9
