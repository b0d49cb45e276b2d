"""docs/benchmarks.md is written by bench/document.py and by nobody else."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from core.settings import PROJECT_ROOT


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROJECT_ROOT / "bench")
    return importlib.import_module("document")


def test_the_document_is_as_the_program_writes_it(document: ModuleType) -> None:
    assert document.DOCUMENT == PROJECT_ROOT / "docs/benchmarks.md"
    assert document.DOCUMENT.read_text("utf-8") == document.compose(document.kept_sections())


def test_a_section_is_put_in_its_place_and_the_others_stay(document: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "DOCUMENT", tmp_path / "benchmarks.md")
    document.put("start", "一度目", command=["start.py"])
    document.put("intake", "| 表 |", command=["intake.py", "--records", "3000"])
    document.put("start", "二度目\n二行目", command=["start.py"])
    text = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "一度目" not in text
    assert text.index("| 表 |") < text.index("二度目\n二行目")
    assert "python bench/intake.py --records 3000\n" in text
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [document.SECTIONS[name].title for name in ("intake", "start")]
    assert re.search(r"^\d{4}-\d\d-\d\d、.+、\d+ コア、メモリ [\d.]+ GB、.*Python 3", text, re.MULTILINE)
    assert document.compose(document.kept_sections()) == text
