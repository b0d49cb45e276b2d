"""The sample city's files, as far as their own list of truths tells what must come out."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from core.settings import PROJECT_ROOT, Settings
from ingest.check import check_file
from ingest.options import FileOptions

SAMPLE = PROJECT_ROOT / "data/sample"
TRUTH = json.loads((SAMPLE / "truth.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "mapping", "encoding"),
    [
        ("call_log_cp932.csv", "call-log", "CP932（Shift_JIS）"),
        ("voices_utf8bom.csv", "shimin-no-koe", "UTF-8（BOM 付き）"),
        ("survey_wide_utf8.csv", "survey-wide", "UTF-8"),
    ],
)
def test_every_record_comes_out_and_exactly_the_bad_ones_are_rejected(
    sqlite_engine: Engine, settings: Settings, name: str, mapping: str, encoding: str
) -> None:
    for chosen in ("auto", mapping):
        report = check_file(sqlite_engine, SAMPLE / name, settings=settings, options=FileOptions(chosen))
        assert report.encoding == encoding
        assert report.imported + report.duplicates == TRUTH["counts"][name]
        assert report.rejected == sum(bad["file"] == name for bad in TRUTH["bad_rows"])
