"""A city's files held against each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from nlp import taxonomy_check

SAMPLE = PROJECT_ROOT / "data/taxonomy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "taxonomy")
    return tmp_path / "taxonomy"


def test_the_sample_citys_files_are_right() -> None:
    assert taxonomy_check.problems(SAMPLE) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        (
            "departments.yaml",
            "subthemes: [道路・歩道の傷み, 除雪・凍結]",
            "subthemes: [道路・歩道の傷み]",
            "中分類「道路・交通 > 除雪・凍結」を受け持つ所管課がありません。",
        ),
        (
            "departments.yaml",
            "subthemes: [道路・歩道の傷み, 除雪・凍結]",
            "subthemes: [道路・歩道の傷み, 除雪・凍結, 穴]",
            "departments.yaml の「道路維持課」の中分類「道路・交通 > 穴」は themes.yaml にありません。",
        ),
        (
            "departments.yaml",
            "subthemes: [道路・歩道の傷み, 除雪・凍結]",
            "subthemes: [道路・歩道の傷み, 除雪・凍結, 鉄道・新幹線]",
            "中分類「道路・交通 > 鉄道・新幹線」を受け持つ所管課が 2 つあります（道路維持課、交通政策課）。",
        ),
        ("departments.yaml", "code: D120", "code: D110", "departments.yaml の code 「D110」が 2 つあります。"),
        ("routing.yaml", "department: 生活衛生課", "department: 生活衛生か", "所管課「生活衛生か」は departments.yaml にありません。"),
        ("city.yaml", "population: 86240", "population: 多い", "地区か人口が読めません。"),
        ("themes.yaml", "themes:", "themes", "themes.yaml"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, file: str, before: str, after: str, said: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), "utf-8")
    (problem,) = taxonomy_check.problems(folder)
    assert said in problem
