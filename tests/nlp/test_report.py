"""The report: three files with the same figures, a page that fetches nothing, curves from really trained models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from plotly.graph_objects import Figure

from core.settings import Settings
from nlp import corpus, gold, growth, report, taxonomy, transfer
from nlp.annotate import Annotator
from nlp.annotation import PiiSpan
from nlp.evaluate import evaluate
from nlp.features import Prepared
from nlp.gold import GoldVoice, MaskedText
from nlp.report import Section, Study
from nlp.train import Newcomer, prepare_texts

EXAMPLES = 170
VOICES = 140
DECISIONS = (0, 30, 70)


@pytest.fixture(scope="module")
def voices(trained_settings: Settings) -> list[GoldVoice]:
    return list(gold.load(trained_settings.data / "gold").voices)


@pytest.fixture(scope="module")
def tests(voices: list[GoldVoice]) -> list[Prepared]:
    return prepare_texts([voice.text for voice in voices[::3][:VOICES]])


@pytest.fixture(scope="module")
def curves(trained_settings: Settings, voices: list[GoldVoice], tests: list[Prepared]) -> tuple[transfer.Transfer, tuple[growth.Step, ...]]:
    """Both learning curves on a part of the corpus and of the test voices."""
    whole = corpus.load(trained_settings.data / "corpus")
    examples = whole[:: max(1, len(whole) // EXAMPLES)]
    texts = prepare_texts([example.text for example in examples])
    part = voices[::3][:VOICES]
    folder = trained_settings.data / "gold/other_city"
    newcomer = Newcomer.of(trained_settings.model_copy(update={"taxonomy": folder}), examples, texts)
    trial = transfer.Trial.of(newcomer, part, tests, transfer.load_reading(folder / "mapping.yaml"))
    moved = transfer.run(trial, decisions=DECISIONS, seeds=(0, 1))
    return moved, growth.curve(trained_settings, examples, texts, part, tests, shares=(0.5, 1.0))


@pytest.fixture(scope="module")
def study(
    annotator: Annotator, trained_settings: Settings, voices: list[GoldVoice], curves: tuple[transfer.Transfer, tuple[growth.Step, ...]]
) -> Study:
    masking = [MaskedText("電話は090-1234-5678です", (PiiSpan(3, 16, "PHONE"),)), MaskedText("坂が急だ", ())]
    part = [*voices[:40], *(voice for voice in voices if voice.segments)][:60]
    measured = evaluate(annotator, part, masking=masking, words=taxonomy.load(trained_settings.taxonomy_dir))
    others = {"theme": {"majority": measured.facets["theme"]}}
    return Study(measured, {"測定日": "<b>いつか</b>"}, others, curves[1], curves[0])


@pytest.fixture(scope="module")
def saved(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "new"
    assert [path.name for path in report.save(study, folder)] == ["report.json", "report.md", "report.html"]
    return folder


@pytest.fixture(scope="module")
def parts(study: Study) -> list[Section]:
    return list(report.sections(study))


def test_the_files_tell_the_same(saved: Path, study: Study) -> None:
    said = json.loads((saved / "report.json").read_text("utf-8"))
    assert set(said) >= {"about", "texts", "theme", "kind", "segments", "masking", "baselines", "growth", "transfer"}
    strict = f"{study.report.facets['theme'].strict:.3f}"
    assert f"{said['theme']['strict']:.3f}" == strict
    for name in ("report.md", "report.html"):
        assert strict in (saved / name).read_text("utf-8")


def test_every_section_has_a_table_and_a_plot_that_plotly_takes(parts: list[Section]) -> None:
    assert len(parts) == 10
    assert len({part.title for part in parts}) == len(parts)
    for part in parts:
        assert part.figure is not None
        Figure(part.figure)
        assert part.table.rows
        assert {len(row) for row in part.table.rows} == {len(part.table.header)}


def test_tables_are_markdown(saved: Path) -> None:
    for line in (saved / "report.md").read_text("utf-8").splitlines():
        assert not line.startswith("|") or line.endswith("|")


def without_plotly(page: str) -> str:
    """The page without the library inside it, which names addresses in its comments."""
    scripts = re.findall(r"<script>.*?</script>", page, re.DOTALL)
    return page.replace(max(scripts, key=len), "")


def test_the_page_needs_nothing_from_outside(saved: Path) -> None:
    page = (saved / "report.html").read_text("utf-8")
    own = without_plotly(page)
    assert len(own) < len(page) / 10
    assert "http" not in own.replace("http-equiv", "")
    assert "default-src 'none'" in own
    assert not re.search(r"<(script|img|link)[^>]*\b(src|href)=", own)


def test_the_page_is_sound(saved: Path) -> None:
    own = without_plotly((saved / "report.html").read_text("utf-8"))
    parser = html5lib.HTMLParser(strict=True)
    tree = parser.parse(own)
    ids = [element.get("id") for element in walk(tree) if element.get("id")]
    assert len(ids) == len(set(ids))
    assert own.count("<h1>") == 1
    assert "&lt;b&gt;いつか&lt;/b&gt;" in own
    assert all(f'href="#part-{number}"' in own for number in range(1, 11))


def walk(tree: object) -> Iterator[object]:
    return tree.iter()  # type: ignore[attr-defined]


def test_a_report_of_masking_alone(annotator: Annotator, tmp_path: Path) -> None:
    measured = evaluate(annotator, [], masking=[MaskedText("坂", ())])
    assert [part.title for part in report.sections(Study(measured))] == ["マスキング"]
    report.save(Study(measured), tmp_path)
    assert "マスキング" in (tmp_path / "report.html").read_text("utf-8")


def test_the_other_citys_curve(curves: tuple[transfer.Transfer, tuple[growth.Step, ...]]) -> None:
    moved, _ = curves
    assert [point.decisions for point in moved.curves["ours"]] == list(DECISIONS)
    assert [point.decisions for point in moved.curves["tfidf"]] == [30, 70]
    assert all(0 <= score <= 1 for points in moved.curves.values() for point in points for score in point.scores)
    assert moved.curves["ours"][-1].mean > moved.curves["ours"][0].mean
    assert moved.tests == VOICES - DECISIONS[-1]


def test_more_examples_are_part_of_every_larger_share(curves: tuple[transfer.Transfer, tuple[growth.Step, ...]]) -> None:
    _, steps = curves
    assert [step.examples for step in steps] == sorted(step.examples for step in steps)
    assert set(steps[0].facets) == {"theme", "kind"}
