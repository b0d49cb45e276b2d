"""New models are put in force only when the decisions made since speak for them."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from core.settings import Settings
from nlp import artifacts, gold, taxonomy
from nlp.annotate import ready
from nlp.corpus import Example, recency
from nlp.retrain import Score, retrain
from nlp.train import decision_key, train

ODD = [
    Example(f"{place}の売店の{dish}がぬるい", theme="その他", kind="苦情")
    for place in ("庁舎", "支所", "別館", "新館", "本庁", "北庁舎", "南庁舎", "食堂")
    for dish in ("うどん", "そば", "カレー")
]


@pytest.fixture
def copied(trained_settings: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(trained_settings.home / "models", tmp_path / "var/models")
    shutil.copytree(trained_settings.data, tmp_path / "data")
    return Settings(home=tmp_path / "var", data=tmp_path / "data", engine="serial")


def test_nothing_new_nothing_done(copied: Settings) -> None:
    before = artifacts.current_folder(copied)
    result = retrain(copied)
    assert (result.folder, result.taken, result.old, result.new) == (before, False, None, None)
    assert "新しい判断がない" in result.reason


def test_decisions_that_teach_are_taken_and_not_asked_again(copied: Settings) -> None:
    said = ready(copied)([example.text for example in ODD])
    assert sum(annotation.theme.label == "その他" for annotation in said) < len(ODD) / 2
    result = retrain(copied, human=ODD)
    assert result.taken
    assert result.old is not None
    assert result.new is not None
    assert result.new.right > result.old.right
    assert artifacts.current_folder(copied) == result.folder
    again = ready(copied)([example.text for example in ODD])
    assert sum(annotation.theme.label == "その他" for annotation in again) > len(ODD) * 0.8
    assert not retrain(copied, human=ODD).taken, "the same decisions say nothing new"


def test_decisions_without_sense_leave_the_old_models(copied: Settings) -> None:
    before = artifacts.current_folder(copied)
    texts = [
        "公園の草を刈ってほしい",
        "保育園に入れない",
        "市道に穴があいた",
        "図書館の本が古い",
        "断水はいつまでですか",
        "防災無線が聞こえない",
    ]
    names = taxonomy.load(copied.taxonomy_dir).theme_names
    said = ready(copied)(texts)
    wrong = [
        Example(text, theme=next(name for name in reversed(names) if name not in {label.theme.label, previous}))
        for text, label, previous in zip(texts, said, ["", *names], strict=False)
    ]
    result = retrain(copied, human=wrong)
    assert (result.folder, result.taken) == (before, False)
    assert "良くならなかった" in result.reason
    assert not list(copied.models_dir.glob("own-*"))


def test_decisions_that_spoil_everything_else_are_not_learnt(copied: Settings) -> None:
    """Very many of one kind: right on the decisions themselves, and wrong on voices of all other themes."""
    before = artifacts.current_folder(copied)
    ends = ("", "。お願いします", "。困っています", "と思う", "。早く", "ので", "。至急", "とのこと")
    one_sided = [
        Example(f"{example.text}{end}", theme="その他") for example in gold.load(copied.data / "gold").voices[:200] for end in ends
    ]
    result = retrain(copied, human=one_sided)
    assert (result.folder, result.taken) == (before, False)
    assert "正解つきの声では前のモデルより悪くなった" in result.reason
    assert result.new is not None
    assert result.old is not None
    assert result.new.beats(result.old)
    assert result.new_test is not None
    assert result.old_test is not None
    assert result.new_test.macro_f1 < result.old_test.macro_f1
    told = result.as_dict()
    assert told["test_f1"][1] < told["test_f1"][0]
    assert told["right_after"] > told["right_before"]
    assert (told["decisions"], told["held_out"]) == (1600, 1600)


def test_a_new_decision_on_a_known_text_is_new() -> None:
    text = ODD[0].text
    assert decision_key(Example(text, kind="苦情")) != decision_key(Example(text, theme="その他", kind="苦情"))
    assert decision_key(Example(text, theme="その他", weight=0.2)) == decision_key(Example(text, theme="その他"))


def test_without_models_the_new_ones_are_taken(copied: Settings) -> None:
    (copied.models_dir / "current.json").unlink()
    assert retrain(copied).taken


def test_scores() -> None:
    assert Score(10, 6, 0.5).beats(Score(10, 5, 0.1))
    assert Score(10, 6, 0.4).beats(Score(10, 6, 0.5))
    assert not Score(10, 6, 0.5).beats(Score(10, 6, 0.5))
    assert not Score(10, 0, 0.4).beats(Score(10, 0, 0.5))


def test_old_decisions_weigh_less() -> None:
    assert recency(0) == 1
    assert recency(365) == pytest.approx(0.5)
    assert recency(-timedelta(days=3).days) == 1


def test_a_citys_past_cases_beside_its_taxonomy(copied: Settings) -> None:
    own = copied.home / "city"
    shutil.copytree(copied.taxonomy_dir, own)
    cases = [{"text": example.text, "theme": "その他", "kind": "苦情"} for example in ODD]
    (own / "cases.jsonl").write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), "utf-8")
    settings = Settings(home=copied.home, data=copied.data, taxonomy=own, engine="serial")
    said = ready(settings)([example.text for example in ODD])
    assert sum(annotation.theme.label == "その他" for annotation in said) > len(ODD) * 0.8
    folder = artifacts.current_folder(settings)
    assert folder is not None
    assert artifacts.card(folder)["case_examples"] == len(ODD)


def test_another_citys_themes_are_learnt_from_few_examples(copied: Settings) -> None:
    own = copied.home / "other"
    own.mkdir()
    themes = "\n".join(f"  - {{name: {name}, slug: s{place}, words: [{words}]}}" for place, (name, words) in enumerate(OTHER.items()))
    (own / "themes.yaml").write_text(f"themes:\n{themes}\n", "utf-8")
    shutil.copy(copied.taxonomy_dir / "kinds.yaml", own / "kinds.yaml")
    settings = Settings(home=copied.home, data=copied.data, taxonomy=own, engine="serial")
    folder = train(settings, human=[Example("市道の穴", theme="こわれたもの"), Example("子どもを預けたい", theme="くらしの助け")])
    assert artifacts.card(folder)["transfer"]
    texts = ["歩道の舗装がはがれている", "遊具がさびている", "母の介護に疲れた", "保育園に入りたい"]
    said = ready(settings)(texts)
    assert [annotation.theme.label for annotation in said] == ["こわれたもの", "こわれたもの", "くらしの助け", "くらしの助け"]


OTHER = {
    "こわれたもの": "修理, 破損, 陥没, 遊具, 舗装, 道路, 故障",
    "くらしの助け": "介護, 保育, 福祉, 子育て, 見守り, 手当",
    "お金": "税金, 保険料, 料金, 年金",
}
