"""The notebooks run from the first cell to the last, and are kept without what a run leaves."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

from core.settings import PROJECT_ROOT
from tests.fonts import need_japanese_font
from tests.notebooks.conftest import Prepared
from tests.notebooks.running import FOLDER, complaints, figures, run, told

NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
# Fewer months, days and rounds than the notebook's own; how many figures it has to draw.
SMALL = {
    "01_sample_city": ("", 4),
    "02_topics_identity": ("MONTHS, FIRST, REFIT = 8, 3, 5", 2),
    "03_surges": ("EVERY, DAYS, RUNS = 60, 5, 3", 3),
    "04_labels_quality": ("SHARES = (0.5, 1.0)", 3),
}
TRUTH = [json.loads(line) for line in (PROJECT_ROOT / "data/sample/truth.jsonl").read_text("utf-8").splitlines()]
PERSONAL = {mark["surface"] for line in TRUTH for mark in line["pii"] if len(mark["surface"]) > 3}


def book(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def font() -> None:
    need_japanese_font()


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROJECT_ROOT / "tools")
    return importlib.import_module("notebooks")


def test_there_are_four() -> None:
    assert list(SMALL) == NAMES


@pytest.mark.slow
@pytest.mark.usefixtures("font")
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name: str, prepared: Prepared, tmp_path: Path) -> None:
    parameters, drawn = SMALL[name]
    done = run(book(name), home=prepared.copied(tmp_path / "home"), parameters=parameters, KOE_DATA=str(prepared.data))
    assert complaints(done) == []
    assert figures(done) == drawn
    assert [surface for surface in PERSONAL if surface in told(done)] == []


@pytest.mark.usefixtures("font")
def test_a_letter_that_the_font_lacks_is_no_figure_but_a_complaint(tmp_path: Path) -> None:
    lines = ["import matplotlib.pyplot as plt", "from nlp.notebook import japanese_figures", "japanese_figures()"]
    drawn = nbformat.v4.new_notebook()
    drawn.cells = [nbformat.v4.new_code_cell("\n".join([*lines, "plt.title('声の件数')", "plt.show()"]))]
    assert complaints(run(drawn, home=tmp_path)) == []
    drawn.cells[0].source = drawn.cells[0].source.replace("声の件数", "\ue000")
    assert "Glyph" in "".join(complaints(run(drawn, home=tmp_path)))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_without_what_a_run_leaves(name: str, tool: ModuleType) -> None:
    text = (FOLDER / f"{name}.ipynb").read_text("utf-8")
    assert text == tool.kept(text)
    assert all(not cell.outputs and cell.execution_count is None for cell in book(name).cells if cell.cell_type == "code")


def test_what_a_run_leaves_is_taken_out(tool: ModuleType) -> None:
    ran = book(NAMES[0])
    cell = next(cell for cell in ran.cells if cell.cell_type == "code")
    cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", name="stdout", text="声")], 3
    cell.metadata["execution"] = {"iopub.execute_input": "2026-11-22T00:00:00Z"}
    ran.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    assert tool.kept(nbformat.writes(ran)) == (FOLDER / f"{NAMES[0]}.ipynb").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_it_names_no_machine_and_each_cell_keeps_its_id(name: str) -> None:
    cells = book(name).cells
    assert len({cell.id for cell in cells}) == len(cells)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", cell.id) for cell in cells)
    text = "\n".join(cell.source for cell in cells)
    assert re.search(r"(^|[\s\"'(])(/(?!v\d)[a-z]+/|[A-Z]:\\|~/)", text) is None
    assert [surface for surface in PERSONAL if surface in text] == []
