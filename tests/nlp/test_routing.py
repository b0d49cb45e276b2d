"""The city's rules: the first that fits decides, in place of the model, and what is wrong with the file is said by line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import utc_now
from core.errors import InputError
from core.models import Channel, MachineLabel
from core.settings import PROJECT_ROOT
from nlp import routing_file
from nlp.annotate import Annotator
from nlp.annotation import stored
from nlp.routing import NO_RULES, Circumstances, Routing, applied, fold, route

TAXONOMY = PROJECT_ROOT / "data/taxonomy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample city's files, without its rules."""
    shutil.copytree(TAXONOMY, tmp_path / "taxonomy")
    (tmp_path / "taxonomy/routing.yaml").unlink()
    return tmp_path / "taxonomy"


def rules_of(folder: Path, text: str) -> Routing:
    (folder / "routing.yaml").write_text(text, "utf-8")
    found, problems = routing_file.read(folder)
    assert problems == []
    return found


def problems_of(folder: Path, content: str | bytes) -> list[str]:
    (folder / "routing.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    return [str(problem) for problem in routing_file.read(folder)[1]]


def rule(name: str, condition: str, department: str = "公園緑地課", more: str = "") -> str:
    return f"  - {{name: {name}, if: {{{condition}}}, department: {department}{more}}}\n"


def test_the_sample_citys_rules() -> None:
    found = routing_file.load(TAXONOMY)
    assert len(found.rules) >= 12
    said = {
        "家の前の街灯が消えています": "くらし安全課",
        "軒下にスズメバチがいます": "生活衛生課",
        "大雨で道が冠水した": "下水道河川課",
        "図書館の本が古い": None,
    }
    assert {text: (hit and hit.department) for text in said for hit in [found.route(Circumstances(text))]} == said


def test_the_channels_are_the_tables_own() -> None:
    assert set(routing_file.CHANNELS) == {channel.value for channel in Channel}


def test_without_a_file_there_are_no_rules(folder: Path) -> None:
    assert routing_file.load(folder) == NO_RULES
    assert route(NO_RULES, Circumstances("穴がある")) is None


def test_an_empty_list_is_no_rules(folder: Path) -> None:
    assert rules_of(folder, "rules:\n").rules == ()
    assert rules_of(folder, "").rules == ()


@pytest.mark.parametrize(
    ("condition", "given", "fits"),
    [
        ("theme: 道路・交通", {"theme": "道路・交通"}, True),
        ("theme: 道路・交通", {"theme": "公園・緑地"}, False),
        ("theme: 道路・交通", {}, False),
        ("theme: [道路・交通, 公園・緑地]", {"theme": "公園・緑地"}, True),
        ("subtheme: 図書館", {"subtheme": "図書館"}, True),
        ("kind: [苦情, 要望]", {"kind": "要望"}, True),
        ("urgency: 当日の危険", {"urgency": "通常"}, False),
        ("channel: 電話", {"channel": "電話"}, True),
        ("channel: 電話", {"channel": ""}, False),
        ("district: 港地区", {"district": "港地区"}, True),
        ("district: 港地区", {"district": "山手地区"}, False),
        ("district: 港地区, words: [穴]", {"district": "港地区"}, True),
        ("district: 港地区, words: [遊具]", {"district": "港地区"}, False),
        ("words: [遊具, 穴]", {}, True),
        ("words: 穴", {}, True),
        ("words: [遊具]", {"title": "遊具について"}, True),
        ("words: [穴], not_words: [道路]", {}, False),
        ("words: [穴], not_words: [公園]", {}, True),
        ("words: [穴], not_words: [公園]", {"title": "公園"}, False),
        ("theme: 道路・交通, not_words: [公園]", {"theme": "道路・交通"}, True),
        ("words: [ａｅｄ]", {"text": "ＡＥＤの場所"}, True),
        ("words: [aed]", {"text": "AEDの場所"}, True),
        ("words: [住所]", {"text": "〔住所〕の前"}, False),
        ("words: [氏名]", {"text": "〔氏名〕の氏名が違う"}, True),
    ],
)
def test_conditions(folder: Path, condition: str, given: dict[str, str], *, fits: bool) -> None:
    found = rules_of(folder, "rules:\n" + rule("穴", condition))
    assert (route(found, Circumstances(**{"text": "道路に穴がある", **given})) is not None) == fits


def test_the_first_that_fits_wins_and_names_its_words(folder: Path) -> None:
    found = rules_of(
        folder,
        "rules:\n" + rule("港の穴", "district: 港地区, words: [穴]") + rule("穴", "words: [穴, 道路]", more=", also: [水道課]"),
    )
    hit = route(found, Circumstances("道路に穴、穴だらけ", district="山手地区"))
    assert hit is not None
    assert (hit.rule, hit.department, hit.also) == ("穴", "公園緑地課", ("水道課",))
    assert [(word.text, word.start, word.end) for word in hit.words] == [("道路", 0, 2), ("穴", 3, 4), ("穴", 5, 6)]
    assert sum(word.weight for word in hit.words) == pytest.approx(1)
    first = route(found, Circumstances("道路に穴", district="港地区"))
    assert first is not None
    assert first.rule == "港の穴"


def test_words_of_the_title_have_no_place_in_the_text(folder: Path) -> None:
    hit = route(rules_of(folder, "rules:\n" + rule("穴", "words: [穴]")), Circumstances("直してください", title="道路の穴"))
    assert hit is not None
    assert hit.words == ()


@given(st.text())
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_the_models_word_stays_beside_the_rules(annotator: Annotator, folder: Path) -> None:
    found = rules_of(folder, "rules:\n" + rule("段差", "words: [段差]", "水道課", ", also: [保育課, 道路維持課]"))
    (before,) = annotator(["歩道の段差が大きくて危ない。直してください。"])
    after = applied(found, before)
    assert (after.department.label, after.department.confidence, after.department.held) == ("水道課", 1.0, False)
    assert after.department.alternatives[0] == (before.department.label, before.department.confidence)
    assert [word.text for word in after.department.evidence] == ["段差"]
    assert after.related[:2] == ("保育課", "道路維持課")
    assert after.as_dict()["department"].keys() == before.as_dict()["department"].keys(), "the contract's shape stays"
    assert (after.theme, after.kind, after.masked) == (before.theme, before.kind, before.masked)
    written = stored([after.department])[0]
    assert written is not None
    read = MachineLabel.from_stored(json.loads(written), model="m", created_at=utc_now())
    assert (read.value, read.rule) == ("水道課", "段差")
    assert read.by_model is not None
    assert read.by_model[0] == before.department.label
    assert read.by_model[1] == pytest.approx(before.department.confidence, abs=1e-4)
    assert applied(NO_RULES, before) is before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("rules: [\n", ["routing.yaml の 2 行目: YAML として読めません。字下げと記号を確かめてください。"]),
        (b"\x93\xb9", ["routing.yaml: 文字コードが UTF-8 ではありません。"]),
        ("rule:\n  - a\n", ["routing.yaml の 1 行目: ファイル の「rule:」がわかりません。「rules」ではありませんか。"]),
        ("- a\n", ["routing.yaml の 1 行目: 「rules:」の一覧がありません。"]),
        ("rules: a\n", ["routing.yaml の 1 行目: 「rules:」が一覧になっていません。規則ごとに - で始めてください。"]),
        ("rules:\n  - 穴\n", ["routing.yaml の 2 行目: 規則の形になっていません。name・if・department を書いてください。"]),
        (
            "rules:\n  - name: 穴\n    if: {words: [穴]}\n",
            ["routing.yaml の 2 行目: 規則に「department:」がありません。"],
        ),
        (
            "rules:\n" + rule("穴", "words: [穴]", "道路維持か"),
            ["routing.yaml の 2 行目: 所管課「道路維持か」は departments.yaml にありません。「道路維持課」ではありませんか。"],
        ),
        (
            "rules:\n" + rule("穴", "theme: 道路交通"),
            ["routing.yaml の 2 行目: 分野「道路交通」は themes.yaml にありません。「道路・交通」ではありませんか。"],
        ),
        (
            "rules:\n  - name: 穴\n    if:\n      words: [穴]\n      district: 港\n    department: 水道課\n",
            ["routing.yaml の 5 行目: 地区「港」は city.yaml にありません。「港地区」ではありませんか。"],
        ),
        (
            "rules:\n" + rule("穴", "channel: 来庁"),
            ["routing.yaml の 2 行目: 受付媒体「来庁」はありません。「来庁・面談」ではありませんか。"],
        ),
        (
            "rules:\n" + rule("穴", "word: [穴]"),
            ["routing.yaml の 2 行目: if の「word:」がわかりません。「words」ではありませんか。"],
        ),
        (
            "rules:\n" + rule("穴", "words: []"),
            ["routing.yaml の 2 行目: 「words:」が空です。"],
        ),
        (
            "rules:\n" + rule("穴", "words: [穴, '']"),
            ["routing.yaml の 2 行目: 「words:」に文字がありません。"],
        ),
        (
            "rules:\n" + rule("穴", "not_words: [穴]"),
            ["routing.yaml の 2 行目: not_words だけでは、ほとんどの声に当てはまります。ほかの条件と合わせて書いてください。"],
        ),
        (
            "rules:\n" + rule("穴", "words: [穴]") + rule("穴", "words: [段差]"),
            ["routing.yaml の 3 行目: 規則「穴」は 2 行目にもあります。別の名前にしてください。"],
        ),
        (
            "rules:\n" + rule("穴", "words: [穴]", more=", also: [公園緑地課]"),
            ["routing.yaml の 2 行目: 関係課に、所管課と同じ「公園緑地課」があります。"],
        ),
        (
            "rules:\n" + rule("穴", "words: [穴], words: [段差]"),
            ["routing.yaml の 2 行目: if に「words:」が2つあります。"],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(folder: Path, content: str | bytes, said: list[str]) -> None:
    assert problems_of(folder, content) == said
    with pytest.raises(InputError) as caught:
        routing_file.load(folder)
    assert said[0] in str(caught.value)
    assert caught.value.hint


def test_all_problems_are_told_and_good_rules_are_kept(folder: Path) -> None:
    content = "rules:\n" + rule("穴", "words: [穴]", "無い課") + rule("段差", "words: [段差]") + rule("枝", "kind: 不満")
    (folder / "routing.yaml").write_text(content, "utf-8")
    found, problems = routing_file.read(folder)
    assert [problem.line for problem in problems] == [2, 4]
    assert [kept.name for kept in found.rules] == ["段差"]
    with pytest.raises(InputError, match="ほか 1 か所"):
        routing_file.load(folder)
