"""Labels by models that are really trained: probabilities, evidence, stored files, corrections, measures."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import ModelError
from core.models import MachineLabel
from core.settings import PROJECT_ROOT, Settings
from nlp import artifacts, corpus, taxonomy
from nlp.annotate import Annotator, Masker, ready
from nlp.annotation import Annotation, Evidence, Label, stored
from nlp.classify import Classifier, softmax
from nlp.corpus import Example
from nlp.evaluate import evaluate
from nlp.quality import Quality, calibration_error, sure, temperature
from nlp.train import prepare_texts, train
from tests import factories

TEXTS = [
    "歩道の段差が大きく、車いすで通れません。至急直してください。",
    "山田太郎と申します。港町3丁目5番地に住んでいます。公園のブランコの鎖が切れて子どもがけがをしました。電話は090-1234-5678です。",
    "保育園の入園はいつ決まりますか",
    "",
    "😀",
    "\ud800",
    "図書館の皆さんにはいつも感謝しています" * 300,
]


@pytest.fixture(scope="module")
def annotations(annotator: Annotator) -> list[Annotation]:
    return annotator(TEXTS)


@pytest.fixture(scope="module")
def classifier(annotator: Annotator) -> Classifier:
    return artifacts.load(annotator.models, lexicon=annotator.lexicon, taxonomy=taxonomy.load(annotator.taxonomy))


@pytest.fixture
def copied(trained_settings: Settings, tmp_path: Path) -> Settings:
    """The trained home in the test's own folder, for tests that change it."""
    shutil.copytree(trained_settings.home / "models", tmp_path / "var/models")
    shutil.copytree(trained_settings.data, tmp_path / "data")
    return Settings(home=tmp_path / "var", data=tmp_path / "data", engine="serial")


def test_every_label_is_of_the_citys_files(annotations: list[Annotation], annotator: Annotator) -> None:
    words = taxonomy.load(annotator.taxonomy)
    subthemes = {theme.name: theme.subthemes for theme in words.themes}
    for annotation in annotations:
        assert annotation.theme.label in words.theme_names
        assert annotation.subtheme.label in subthemes[annotation.theme.label]
        assert annotation.kind.label in words.kinds
        assert annotation.urgency.label in words.urgencies
        assert annotation.department.label in {department.name for department in words.departments}
        assert annotation.model == annotator.models.name


def test_plain_cases_are_understood(annotations: list[Annotation]) -> None:
    assert [item.theme.label for item in annotations[:3]] == ["道路・交通", "公園・緑地", "子育て・保育"]
    assert annotations[2].kind.label == "問合せ"
    assert annotations[6].kind.label == "感謝"


def test_masks_and_evidence_are_in_the_masked_text(annotations: list[Annotation]) -> None:
    assert annotations[1].masked.startswith("〔氏名〕と申します。〔住所〕に住んでいます。")
    assert [span.type for span in annotations[1].pii] == ["NAME", "ADDRESS", "PHONE"]
    seen = 0
    for annotation in annotations:
        for facet in (annotation.theme, annotation.kind, annotation.urgency, annotation.department):
            for word in facet.evidence:
                seen += 1
                assert annotation.masked[word.start : word.end] == word.text
                assert 0 < word.weight <= 1
            assert sum(word.weight for word in facet.evidence) <= 1.001
    assert seen > 10
    assert "歩道" in {word.text for word in annotations[0].theme.evidence}
    assert annotations[3].theme.evidence == ()


def test_probabilities_sum_to_one(classifier: Classifier) -> None:
    blocks = classifier.features.transform(prepare_texts(TEXTS[:3]))
    for name in ("theme", "kind", "urgency"):
        probabilities = classifier.probabilities(name, blocks)
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-4)
        assert (probabilities >= 0).all()


def test_confidences_fall_and_stay_below_one(annotations: list[Annotation]) -> None:
    for annotation in annotations:
        for facet in (annotation.theme, annotation.subtheme, annotation.kind, annotation.urgency, annotation.department):
            ranked = [facet.confidence, *(confidence for _, confidence in facet.alternatives)]
            assert ranked == sorted(ranked, reverse=True)
            assert sum(ranked) <= 1.001
            assert facet.label not in [label for label, _ in facet.alternatives]


def test_a_text_is_labelled_alike_alone_and_among_others(annotator: Annotator, annotations: list[Annotation]) -> None:
    (alone,) = annotator([TEXTS[0]])
    assert alone.theme.label == annotations[0].theme.label
    assert alone.theme.confidence == pytest.approx(annotations[0].theme.confidence, abs=1e-4)
    assert annotator([]) == []
    many = annotator(TEXTS[:3] * 40)
    assert [item.theme.label for item in many] == [item.theme.label for item in annotations[:3]] * 40


@pytest.mark.parametrize("size", [1, 7, 40, 64])
def test_not_a_digit_depends_on_a_texts_neighbours(annotator: Annotator, size: int) -> None:
    texts = [example.text for example in corpus.load(annotator.taxonomy.parent / "corpus")][:200]
    apart = [said for start in range(0, len(texts), size) for said in annotator(texts[start : start + size])]
    assert [as_kept(said) for said in apart] == [as_kept(said) for said in annotator(texts)]


def as_kept(said: Annotation) -> tuple[object, ...]:
    """All that is stored and told of a text."""
    labels = (said.theme, said.subtheme, said.kind, said.urgency, said.department)
    return (stored(labels), said.as_dict(), said.terms)


def test_labels_without_evidence_are_the_same(classifier: Classifier) -> None:
    prepared = prepare_texts(TEXTS[:3])
    assert classifier.decide([]) == []
    for plain, full in zip(classifier.decide(prepared, evidence=False), classifier.decide(prepared), strict=True):
        assert plain.theme == full.theme._replace(evidence=())


def test_a_line_as_json(annotations: list[Annotation]) -> None:
    line = json.loads(json.dumps(annotations[0].as_dict()))
    assert set(line) == {"masked", "pii", "theme", "kind", "urgency", "department", "segments", "reidentifying"}
    assert line["theme"]["subtheme"] == annotations[0].subtheme.label
    assert set(line["kind"]) == {"label", "confidence", "held", "alternatives", "evidence"}
    assert set(line["segments"][0]) == {"start", "end", "theme", "subtheme", "department", "confidence"}
    assert line["department"]["related"] == list(annotations[0].related)


def test_a_worker_process_may_be_given_both(annotator: Annotator, annotations: list[Annotation]) -> None:
    masker = Masker(annotator.taxonomy)
    assert pickle.loads(pickle.dumps(annotator)) == annotator  # noqa: S301
    assert pickle.loads(pickle.dumps(masker))(TEXTS) == [(item.masked, item.pii) for item in annotations]  # noqa: S301


def test_a_doubtful_surname_is_looked_at() -> None:
    masker = Masker(PROJECT_ROOT / "data/taxonomy")
    ((masked, spans), (other, _)) = masker(["昨日、窓口で山田が説明してくれました。", "\ud800昨日、山田が説明した"])
    assert masked == "昨日、窓口で〔氏名〕が説明してくれました。"
    assert [span.type for span in spans] == ["NAME"]
    assert other.startswith("\ud800昨日、")


def test_the_card(annotator: Annotator, trained_settings: Settings) -> None:
    card = artifacts.card(annotator.models)
    assert card["version"] == annotator.models.name == f"base-{artifacts.source_digest(trained_settings)}"
    assert card["examples"] == len(corpus.load(trained_settings.data / "corpus"))
    assert card["human_examples"] == 0
    for measured in card["metrics"].values():
        assert all(0 <= value <= 1 for name, value in measured.items() if name != "texts")
    assert card["version"] in (annotator.models / "card.md").read_text("utf-8")


def test_ready_trains_nothing_twice(trained_settings: Settings, annotator: Annotator) -> None:
    before = (annotator.models / "words.npy").stat().st_mtime_ns
    assert ready(trained_settings) == annotator
    assert (annotator.models / "words.npy").stat().st_mtime_ns == before


@pytest.mark.parametrize("file", ["words.npy", "intercept.npy", "sif_shares.npy", "models.json"])
@pytest.mark.parametrize("damage", ["missing", "cut", "text"])
def test_a_damaged_model_file(copied: Settings, file: str, damage: str) -> None:
    folder = artifacts.current_folder(copied)
    assert folder is not None
    path = folder / file
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"x")
    with pytest.raises(ModelError, match="モデルのファイルが読めません") as caught:
        artifacts.load(folder, lexicon=artifacts.lexicon_folder(copied), taxonomy=taxonomy.load(copied.taxonomy_dir))
    assert "koe train" in str(caught.value.hint)


def test_a_model_file_that_could_run_something_is_not_opened(copied: Settings) -> None:
    folder = artifacts.current_folder(copied)
    assert folder is not None
    np.save(folder / "intercept.npy", np.array([Path("/etc")], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match="モデルのファイルが読めません"):
        artifacts.load(folder, lexicon=artifacts.lexicon_folder(copied), taxonomy=taxonomy.load(copied.taxonomy_dir))


def test_files_of_two_models_together(copied: Settings) -> None:
    folder = artifacts.current_folder(copied)
    assert folder is not None
    np.save(folder / "intercept.npy", np.zeros(3, dtype=np.float32))
    with pytest.raises(ModelError, match="モデルのファイルが読めません"):
        artifacts.load(folder, lexicon=artifacts.lexicon_folder(copied), taxonomy=taxonomy.load(copied.taxonomy_dir))


@pytest.mark.parametrize("content", ["{", "[]", '{"metrics": 1', None])
def test_what_current_says_may_be_damaged(copied: Settings, content: str | None) -> None:
    path = copied.models_dir / "current.json"
    path.unlink()
    if content is not None:
        path.write_text(content, "utf-8")
    assert artifacts.current_folder(copied) is None


def test_a_damaged_card(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="モデルカードが読めません"):
        artifacts.card(tmp_path)


def test_another_corpus_and_staffs_corrections_make_other_models(copied: Settings) -> None:
    before = artifacts.current_folder(copied)
    text = "庁舎の売店のうどんがぬるい"
    (old,) = ready(copied)([text])
    wanted = next(name for name in taxonomy.load(copied.taxonomy_dir).theme_names if name not in {old.theme.label, "その他"})
    human = [Example(text, theme=wanted, kind="苦情"), *(Example(f"{text}、{count}回目です", theme=wanted) for count in range(8))]
    folder = train(copied, human=human)
    assert folder.name.startswith("own-")
    assert artifacts.current_folder(copied) == folder != before
    assert artifacts.card(folder)["human_examples"] == 9
    (new,) = ready(copied)([text])
    assert new.theme.label == wanted
    with (copied.data / "corpus/roads.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"text": "新しい例", "theme": "道路・交通"}, ensure_ascii=False) + "\n")
    assert artifacts.current_folder(copied) is None, "models of another corpus are not in force"


def test_a_label_with_one_example_is_learnt(copied: Settings) -> None:
    for path in (copied.data / "corpus").glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()[:5]]
        path.write_text("".join(json.dumps(line | {"kind": "要望"}, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    train(copied, human=[Example("屋根を草にしてはどうか", kind="提案")])
    (said,) = ready(copied)(["屋根を草にしてはどうか"])
    assert "提案" in {said.kind.label, *(label for label, _ in said.kind.alternatives)}


def test_a_theme_without_examples_lives_on_its_words(copied: Settings) -> None:
    for path in (copied.data / "corpus").glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        kept = [line for line in lines if all(topic["theme"] != "公園・緑地" for topic in line["topics"])]
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept), "utf-8")
    train(copied)
    (said,) = ready(copied)(["公園の遊具と芝生"])
    assert said.theme.label == "公園・緑地"


def test_evaluate(annotator: Annotator) -> None:
    said = annotator(TEXTS[:3])
    examples = [
        Example(TEXTS[0], theme=said[0].theme.label, kind=said[0].kind.label),
        Example(TEXTS[1], theme="その他", other_themes=(said[1].theme.label,)),
        Example(TEXTS[2], theme="その他"),
    ]
    report = evaluate(annotator, examples)
    assert set(report.facets) == {"theme", "kind"}
    theme = report.facets["theme"]
    assert (theme.texts, theme.strict, theme.lenient) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert report.facets["kind"].strict == 1
    assert report.as_dict()["theme"]["lenient"] == 0.6667
    assert "第2の正解も数えると 0.667" in report.as_text()
    assert "種別: 正解率 1.000" in report.as_text()
    assert evaluate(annotator, []).as_dict() == {"texts": 0}


def test_measures() -> None:
    right = np.array([True, True, False, False])
    assert calibration_error(np.array([0.95, 0.95, 0.05, 0.05], dtype=np.float32), right) == pytest.approx(0.05, abs=1e-5)
    assert calibration_error(np.array([1.0, 1.0, 1.0, 1.0], dtype=np.float32), right) == pytest.approx(0.5)
    assert calibration_error(np.array([], dtype=np.float32), np.array([], dtype=bool)) == 0
    measured = Quality.of(np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32), ["a", "b"], np.array(["a", "a"]))
    assert (measured.accuracy, measured.texts) == (0.5, 2)


def test_who_is_sure() -> None:
    right = np.array([True] * 19 + [False] * 5)
    confidence = np.linspace(0.99, 0.5, 24, dtype=np.float32)
    above, share = sure(confidence, right)
    assert share == pytest.approx(20 / 24)
    assert (right[confidence >= above]).mean() == 0.95
    assert sure(confidence, np.zeros(24, dtype=bool)) == (1.0, 0.0)


def test_unsure_labels_are_held_back(annotator: Annotator) -> None:
    texts = TEXTS[:3]
    for annotation in dataclasses.replace(annotator, hold_below=1.01)(texts):
        assert all(label.held for label in (annotation.theme, annotation.kind, annotation.urgency, annotation.department))
    for annotation in dataclasses.replace(annotator, hold_below=0.0)(texts):
        assert not annotation.theme.held


def test_temperature_cools_the_sure_and_wrong() -> None:
    scores = np.array([[8, 0], [8, 0], [8, 0], [8, 0]], dtype=np.float32)
    assert temperature(scores, np.array([0, 1, 0, 1])) > 3
    assert temperature(scores / 8, np.array([0, 0, 0, 0])) < 1


@given(st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
@hypothesis_settings(deadline=None)
def test_softmax_of_any_scores(rows: list[list[float]]) -> None:
    result = softmax(np.array(rows, dtype=np.float32))
    assert result.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    assert (result >= 0).all()


def test_threads_give_what_one_gives(annotator: Annotator) -> None:
    batches = [[f"{text}その{number}の{number * 7}番" for text in TEXTS] for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(annotator, batches))
    assert together == [annotator(batch) for batch in batches]


def test_what_is_stored_of_a_label_is_what_is_said(annotations: list[Annotation]) -> None:
    labels = [label for item in annotations for label in (item.theme, item.subtheme, item.kind, item.urgency, item.department)]
    labels.append(Label("a", 0.5, (('"引用"\n', 1e-05), ("😀", 1.0)), (Evidence("\ud800\\", 0.12345, 0, 2),)))
    labels.append(Label("b", 0.25, (), labels[-1].evidence))
    for label, written in zip(labels, stored(labels), strict=True):
        assert (written is None) == (not label.label)
        if written is None:
            continue
        said, read = label.as_dict(), MachineLabel.from_stored(json.loads(written), model="m", created_at=factories.NOON)
        assert (read.value, read.confidence) == (said["label"], said["confidence"])
        assert read.alternatives == said["alternatives"]
        assert read.evidence == said["evidence"]
