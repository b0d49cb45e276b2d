from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest

from tests.api.conftest import Koe, json_lines, refused

HEADINGS = "管理番号,受付日,受付媒体,ご意見\n"
FILE = HEADINGS + "T-1,2025/4/1,電話,歩道の段差が大きい。\nT-2,いつか,電話,公園の遊具がさびています。\nT-3,2025/4/1,電話,\n"


@pytest.fixture
def batch(koe: Koe, tmp_path: Path) -> str:
    path = tmp_path / "voices.csv"
    path.write_text(FILE, "utf-8")
    return str(json.loads(koe("import", "--json", path).stdout)["batch"])


def test_rejects_are_listed_exported_mended_and_taken_in(koe: Koe, batch: str, tmp_path: Path) -> None:
    listed = koe("rejects", "list", batch).stdout
    assert "3 行目「受付日」" in listed
    assert "さびて" not in listed
    path = tmp_path / "mend.csv"
    exported = koe("rejects", "export", batch, path, "--reason", "日付を直す")
    assert "2 行" in exported.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][6] = "2025/4/2"
    rows[2][6] = "x"
    with path.open("w", encoding="cp932", newline="") as file:
        csv.writer(file).writerows([*rows, ["いち", *rows[1][1:]]])

    retried = koe("rejects", "retry", batch, path, "--actor", "suzuki")
    assert "取込 1、重複 0、まだ取込不可 1、直していない行 0" in retried.stdout
    assert "まだ取込不可 4 行目「ご意見」" in retried.stdout
    assert "mend.csv の 4 行目" in retried.stderr
    (still,) = json_lines(koe("rejects", "list", batch, "--json").stdout)
    assert (still["code"], still["resolution"]) == ("empty", "")
    assert koe("rejects", "retry", batch, path, "--json").stdout.startswith('{"batch"')
    assert "1 行を破棄" in koe("rejects", "discard", str(still["reject"]), "--reason", "空の行").stdout
    assert "片付いていない行はありません" in koe("rejects", "list", batch).stderr
    assert "破棄" in koe("rejects", "list", batch, "--all").stdout


def test_an_export_overwrites_nothing_and_leaves_nothing_when_refused(koe: Koe, batch: str, tmp_path: Path) -> None:
    path = tmp_path / "mend.csv"
    path.write_text("直しかけ", "utf-8")
    assert "すでにあります" in refused(koe("rejects", "export", batch, path, "--reason", "r"))
    assert path.read_text("utf-8") == "直しかけ"
    assert "理由" in refused(koe("rejects", "export", batch, tmp_path / "other.csv", "--reason", " "))
    assert "取込 99" in refused(koe("rejects", "export", "99", tmp_path / "other.csv", "--reason", "r"))
    assert not (tmp_path / "other.csv").exists()


def test_what_can_t_be_taken_as_mended(koe: Koe, batch: str, tmp_path: Path) -> None:
    assert "書き出したファイルではありません" in refused(koe("rejects", "retry", batch, tmp_path / "voices.csv"))
    assert "no.csv" in refused(koe("rejects", "retry", batch, tmp_path / "no.csv"))
    assert "取込 99" in refused(koe("rejects", "list", "99"))
