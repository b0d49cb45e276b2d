"""The sample city's committed files: made again byte for byte, and what their list of truths says of them holds."""

from __future__ import annotations

import csv
import importlib
import io
import json
import runpy
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

DATA = Path(__file__).resolve().parents[2] / "data"
SAMPLE = DATA / "sample"
TRUTH: dict[str, Any] = json.loads((SAMPLE / "truth.json").read_text("utf-8"))
LINES: list[dict[str, Any]] = [json.loads(line) for line in (SAMPLE / "truth.jsonl").read_text("utf-8").splitlines()]
CALLS, VOICES, SURVEY, COUNTER = "call_log_cp932.csv", "voices_utf8bom.csv", "survey_wide_utf8.csv", "counter_log.xlsx"
ENCODINGS = {CALLS: "cp932", VOICES: "utf-8-sig", SURVEY: "utf-8"}


def read(name: str) -> list[list[str]]:
    """The file's records, its headings first."""
    text = (SAMPLE / name).read_bytes().decode(ENCODINGS[name], errors="replace")
    return list(csv.reader(io.StringIO(text, newline="")))


def column(name: str, heading: str) -> list[str]:
    """What stands below a heading, in every column that has it; a row too short for it has none."""
    head, *rows = read(name)
    places = [at for at, title in enumerate(head) if title.startswith(heading)]
    return [row[at] for row in rows for at in places if at < len(row)]


def texts() -> Iterator[str]:
    """Every citizen's text of the three CSV files."""
    yield from column(CALLS, "問合せ内容")
    yield from column(VOICES, "ご意見")
    yield from filter(None, column(SURVEY, "上記回答の理由"))


def files_of(folder: Path) -> dict[str, bytes]:
    """The outputs: everything but the script, its material and the read-me."""
    found = [path for pattern in ("*.csv", "*.xlsx", "truth.*", "mail/*") for path in folder.glob(pattern)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_script_makes_the_committed_files_again_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SAMPLE)
    monkeypatch.setattr(sys, "argv", ["make_sample.py", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(SAMPLE / "make_sample.py"), run_name="__main__")
    assert done.value.code == 0
    made, committed = files_of(tmp_path), files_of(SAMPLE)
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []
    assert all(made.values())


def test_the_files_have_the_rows_their_truth_counts() -> None:
    counts = TRUTH["counts"]
    assert counts == Counter("mail" if line["file"].startswith("mail/") else line["file"] for line in LINES)
    assert TRUTH["records"] == len(LINES) == sum(counts.values())
    bad = Counter(row["file"] for row in TRUTH["bad_rows"])
    assert bad == {CALLS: 6}
    assert len(read(CALLS)) - 1 == counts[CALLS] + bad[CALLS] == 3006
    assert len(read(VOICES)) - 1 == counts[VOICES] == 2000
    assert len(read(SURVEY)) - 1 == TRUTH["respondents"] == 500
    assert sum(map(bool, column(SURVEY, "上記回答の理由"))) == counts[SURVEY] == 1049
    assert len(list((SAMPLE / "mail").glob("*.eml"))) == counts["mail"] == 40
    assert TRUTH["pii_records"] == sum(bool(line["pii"]) for line in LINES)


def test_the_workbook_has_the_rows_its_truth_names() -> None:
    openpyxl: Any = importlib.import_module("openpyxl")
    book = openpyxl.load_workbook(SAMPLE / COUNTER)
    lines = [line for line in LINES if line["file"] == COUNTER]
    assert sum(sheet.max_row - 2 for sheet in book) == len(lines) == TRUTH["counts"][COUNTER]
    assert all(book[line["sheet"]].cell(line["row"], 1).value == line["external_id"] for line in lines)


@pytest.mark.parametrize(("name", "heading"), [(CALLS, "問合せ内容"), (VOICES, "ご意見")])
def test_each_line_of_truth_points_at_its_row_and_at_what_is_private_in_it(name: str, heading: str) -> None:
    rows = read(name)
    at = rows[0].index(heading)
    for line in LINES:
        if line["file"] == name:
            row = rows[line["row"] - 1]
            assert row[0] == line["external_id"]
            assert all(private["surface"] in row[at] for private in line["pii"])
    for bad in TRUTH["bad_rows"]:
        if bad["file"] == name:
            assert rows[bad["row"] - 1][0] == bad["external_id"]


def test_the_duplicates_are_the_same_row_twice() -> None:
    rows = read(VOICES)
    assert len(TRUTH["duplicates"]) == 12
    for twin in TRUTH["duplicates"]:
        first, second = (rows[row - 1] for row in twin["rows"])
        assert first == second
        assert first[0] == twin["external_id"]
    assert len({tuple(row) for row in rows}) == len(rows) - 12


def test_every_subtheme_has_exactly_one_department() -> None:
    themes = yaml.safe_load((DATA / "taxonomy/themes.yaml").read_text("utf-8"))["themes"]
    departments = yaml.safe_load((DATA / "taxonomy/departments.yaml").read_text("utf-8"))["departments"]
    owned = Counter((entry["theme"], sub) for dept in departments for entry in dept["themes"] for sub in entry["subthemes"])
    wanted = {(theme["name"], sub) for theme in themes for sub in theme["subthemes"]}
    assert owned == dict.fromkeys(wanted, 1)
    main = {(entry["theme"], sub): dept["name"] for dept in departments for entry in dept["themes"] for sub in entry["subthemes"]}
    assert all(main[line["theme"], line["subtheme"]] == line["department"] for line in LINES)
    assert {(line["theme"], line["subtheme"]) for line in LINES} == wanted


def test_at_most_two_in_a_hundred_records_share_their_text() -> None:
    counted = Counter(texts())
    assert sum(n for n in counted.values() if n > 1) <= 0.02 * counted.total()
    assert TRUTH["same_text_records"] <= 0.02 * TRUTH["records"]


@pytest.mark.parametrize("surge", TRUTH["surges"], ids=lambda surge: surge["name"])
def test_a_surge_is_at_least_twice_what_was_to_be_expected(surge: dict[str, Any]) -> None:
    hits = [line for line in LINES if line["surge"] == surge["name"]]
    assert surge["external_ids"] == [line["external_id"] for line in hits]
    assert {(line["theme"], line["subtheme"]) for line in hits} == {(surge["theme"], surge["subtheme"])}
    start, end = date.fromisoformat(surge["start"]), date.fromisoformat(surge["end"])
    weeks = ((end - start).days + 1) / 7
    assert len(hits) / weeks >= 2 * surge["expected_per_week"]
    rows = read(CALLS)
    days = [date(*map(int, rows[line["row"] - 1][1].split()[0].split("/"))) for line in hits if line["file"] == CALLS]
    assert days
    assert start <= min(days) <= max(days) <= end


def test_there_are_three_surges_and_one_campaign_of_sixty() -> None:
    assert len(TRUTH["surges"]) == 3
    campaign = TRUTH["campaign"]
    assert campaign["external_ids"] == [line["external_id"] for line in LINES if line["campaign"]]
    assert (campaign["records"], campaign["senders"]) == (60, 45)
