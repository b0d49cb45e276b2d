"""Templates and first drafts: chosen, filled, quoted from; nothing is made up, and what may be stale is marked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.models import Disposition, Kind
from core.settings import PROJECT_ROOT
from nlp import taxonomy
from nlp.answering import files, substance, templates
from nlp.answering.checks import Code, check
from nlp.answering.composing import Quotable, compose
from nlp.answering.templates import Template, choose, fill

KNOWN = templates.load()
VALUES = {"受付日": "令和8年4月1日", "所管課": "道路維持課"}
PLAIN = Template("plain", "{受付日}の件です。\n{本文}\n（担当：{所管課}　電話 {電話}）")
PAST = "ご連絡、ありがとうございます。川北地区の側溝は8月3日に3か所を直しました。残りは来年度に行います。（担当：道路維持課　内線3110）"


def test_there_are_templates_for_every_kind_theme_and_disposition() -> None:
    assert len(KNOWN) >= 20
    words = taxonomy.load(PROJECT_ROOT / "data/taxonomy")
    for kind in Kind:
        for theme in words.theme_names:
            for disposition in ("", *Disposition):
                assert not choose(KNOWN, kind=kind.value, theme=theme, disposition=disposition)[0].by_hand
            assert choose(KNOWN, kind=kind.value, theme=theme, stage="interim")
    assert {theme for one in KNOWN for theme in one.themes} <= set(words.theme_names)
    assert {kind for one in KNOWN for kind in one.kinds} <= set(words.kinds)
    assert set(templates.DISPOSITIONS) == {one.value for one in Disposition}


def test_the_closest_template_comes_first() -> None:
    done = choose(KNOWN, kind="通報", theme="道路・交通", disposition="done")
    assert done[0].name == "道路・公園などの通報・対応済み"
    assert choose(KNOWN, kind="感謝", theme="道路・交通")[0].name == "感謝へのお礼"
    assert choose(KNOWN, kind="要望", theme="道路・交通", disposition="forwarded")[0].name == "移送のお知らせ"
    assert all(one.stage == "interim" for one in choose(KNOWN, kind="要望", stage="interim"))
    assert not any(one.dispositions for one in choose(KNOWN, kind="要望"))


def test_a_template_for_the_hand_is_offered_last() -> None:
    found = choose(KNOWN, kind="要望", theme="道路・交通")
    assert [one.by_hand for one in found] == sorted(one.by_hand for one in found)
    assert found[-1].by_hand


def test_fields_are_filled_and_what_is_not_known_is_left_over() -> None:
    assert fill("{受付日}、{電話}、｛電話｝、{所管課}", VALUES) == ("令和8年4月1日、{電話}、{電話}、道路維持課", ("電話",))
    assert fill("{件名}", {"件名": "{電話}"}) == ("{電話}", ())
    assert fill("{件名}", {"件名": " "}) == ("{件名}", ("件名",))


@given(st.text(max_size=80), st.dictionaries(st.sampled_from(templates.FIELDS), st.text(max_size=10)))
def test_any_text_can_be_filled(text: str, values: dict[str, str]) -> None:
    filled, left = fill(text, values)
    assert all("{" + name + "}" in filled for name in left)


def test_a_draft_quotes_what_the_past_answer_says_and_marks_what_may_be_stale() -> None:
    made = compose(PLAIN, VALUES, [Quotable(7, PAST)], courtesy=substance.load(), places=["川北地区", "港"], voice="側溝が割れています。")
    quoted = [made.text[one.start : one.end] for one in made.quotes]
    assert quoted == [
        "【要確認：川北地区】の側溝は【要確認：8月3日】に【要確認：3か所】を直しました。",
        "残りは【要確認：来年度】に行います。",
    ]
    assert {one.key for one in made.quotes} == {7}
    assert made.text.startswith("令和8年4月1日の件です。\n【要確認")
    assert made.text.endswith("（担当：道路維持課　電話 {電話}）")
    assert (made.left_over, made.to_check) == (("電話",), 4)
    stops = [one.code for one in check(made.text, "側溝が割れています。") if one.severity == "stop"]
    assert (stops.count(Code.TO_CHECK), stops.count(Code.FIELD_LEFT)) == (4, 1)


def test_a_place_that_the_voice_names_is_not_doubted() -> None:
    made = compose(PLAIN, VALUES, [Quotable(1, PAST)], courtesy=substance.load(), places=["川北地区"], voice="川北地区の側溝です。")
    assert "【要確認：川北地区】" not in made.text


def test_each_source_is_a_paragraph_and_each_sentence_stands_once() -> None:
    sources = [Quotable(1, "側溝を直しました。"), Quotable(2, "側溝を直しました。バスを増やしました。"), Quotable(3, "側溝を直しました。")]
    made = compose(PLAIN, {}, sources, courtesy=substance.load())
    assert "側溝を直しました。\n\nバスを増やしました。" in made.text
    assert [one.key for one in made.quotes] == [1, 2]


def test_without_sources_the_body_is_left_to_be_written() -> None:
    made = compose(PLAIN, VALUES, [], courtesy=substance.load())
    assert made.text == "令和8年4月1日の件です。\n{本文}\n（担当：道路維持課　電話 {電話}）"
    assert (made.quotes, made.left_over) == ((), ("本文", "電話"))
    bodyless = compose(Template("short", "ありがとうございました。"), {}, [Quotable(1, PAST)], courtesy=substance.load())
    assert (bodyless.text, bodyless.quotes) == ("ありがとうございました。", ())


@given(st.lists(st.text(max_size=60), max_size=3), st.text(max_size=30))
def test_quotes_of_any_sources_lie_where_they_say(answers: list[str], voice: str) -> None:
    made = compose(PLAIN, VALUES, [Quotable(key, text) for key, text in enumerate(answers)], courtesy=substance.load(), voice=voice)
    assert all(0 <= one.start < one.end <= len(made.text) for one in made.quotes)
    assert [one.start for one in made.quotes] == sorted(one.start for one in made.quotes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: 提案へのお答え", "name: 要望・実施済み", "templates.yaml の .* 行目からの項目の名前「要望・実施済み」が重なっています"),
        ("{受付日}", "{受付けた日}", "欄「{受付けた日}」がありません"),
        ("dispositions: [done]", "dispositions: [finished]", "対応区分「finished」がありません"),
        ("stage: interim", "stage: later", "「stage」が final でも interim でもありません"),
        ("kinds: [感謝]", "kinds: 感謝", "「kinds」が言葉の一覧ではありません"),
        ("by_hand: true", "by_hand: いいえ", "「by_hand」が true でも false でもありません"),
    ],
)
def test_a_damaged_template_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = Path(shutil.copytree(files.FOLDER, tmp_path / "answers"))
    text = (folder / "templates.yaml").read_text("utf-8")
    start = text.index("templates:\n")
    assert old in text[start:]
    (folder / "templates.yaml").write_text(text[:start] + text[start:].replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=message):
        templates.load(folder)


def test_a_template_that_is_not_there_is_named() -> None:
    assert templates.get(KNOWN, "感謝へのお礼").kinds == ("感謝",)
    with pytest.raises(InputError, match="ひな形「消えた」がありません"):
        templates.get(KNOWN, "消えた")


def test_a_city_without_lists_of_its_own_has_the_programs(tmp_path: Path) -> None:
    assert files.folder_of(tmp_path) == files.FOLDER
    (tmp_path / "answers").mkdir()
    assert files.folder_of(tmp_path) == tmp_path / "answers"
