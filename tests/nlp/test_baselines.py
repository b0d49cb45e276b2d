"""Simpler ways of labelling: each says what it should on texts that leave no doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from nlp import baselines, taxonomy
from nlp.corpus import Example
from nlp.features import Prepared
from nlp.train import prepare_texts

ROADS = [f"{place}の道路に穴が開いている" for place in ("駅前", "学校", "港", "坂", "橋", "役所", "畑", "寺", "店", "池", "林", "浜")]
PARKS = [f"{place}の公園の遊具が古い" for place in ("駅前", "学校", "港", "坂", "橋", "役所", "畑", "寺", "店", "池")]


@pytest.fixture(scope="module")
def texts() -> list[Prepared]:
    return prepare_texts([*ROADS, *PARKS])


@pytest.fixture(scope="module")
def words() -> taxonomy.Taxonomy:
    return taxonomy.load(Path(PROJECT_ROOT / "data/taxonomy"))


LABELS = ["道路・交通"] * len(ROADS) + ["公園・緑地"] * len(PARKS)


def test_the_commonest_label(texts: list[Prepared]) -> None:
    said = baselines.majority(LABELS)(texts[-2:])
    assert [(label.label, label.confidence) for label in said] == [("道路・交通", 12 / 22)] * 2


def test_the_taxonomys_words(words: taxonomy.Taxonomy) -> None:
    say = baselines.theme_words(words, otherwise="その他")
    said = say(prepare_texts(["図書館の本の予約", "んんん"]))
    assert [label.label for label in said] == ["文化・スポーツ・図書館", "その他"]
    assert said[0].confidence > 0.5
    assert said[1].confidence == 0


@pytest.mark.parametrize("name", ["signalen", "tfidf"])
def test_regressions_learn_the_words(name: str, texts: list[Prepared]) -> None:
    say = getattr(baselines, name)(texts, LABELS)
    said = say(prepare_texts(["島の道路に穴", "島の公園の遊具"]))
    assert [label.label for label in said] == ["道路・交通", "公園・緑地"]
    assert all(0.5 < label.confidence <= 1 for label in said)


def test_a_regression_of_few_texts(texts: list[Prepared]) -> None:
    few = [0, 1, len(ROADS), len(ROADS) + 1]
    say = baselines.tfidf([texts[row] for row in few], [LABELS[row] for row in few])
    assert say([texts[2]])[0].label == "道路・交通"


def test_a_label_with_too_few_texts_for_folds(texts: list[Prepared]) -> None:
    labels = [*LABELS[:-1], "その他"]
    assert baselines.tfidf(texts, labels)([texts[0]])[0].label == "道路・交通"


def test_all_of_them(texts: list[Prepared], words: taxonomy.Taxonomy) -> None:
    examples = [Example("", theme=label, kind="苦情" if row % 2 else "要望") for row, label in enumerate(LABELS)]
    assert list(baselines.all_of(texts, examples, "theme", words)) == ["majority", "words", "signalen", "tfidf"]
    assert list(baselines.all_of(texts, examples, "kind", words)) == ["majority", "signalen", "tfidf"]
    assert set(baselines.all_of(texts, examples, "theme", words)) <= set(baselines.NAMES)
