from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, delete, update

from core import db
from core.models import DailyCount, Reject, Status, Voice
from tests import factories
from tests.api.conftest import Koe, json_lines, refused

HEADINGS = "管理番号,受付日,受付媒体,ご意見\n"
STEP = "T-1,2025/4/1,電話,歩道の段差が大きい。\n"
FILE = f"{HEADINGS}{STEP}T-2,いつか,電話,公園の遊具がさびています。\n{STEP}"


@pytest.fixture
def path(koe: Koe, tmp_path: Path) -> Path:
    path = tmp_path / "voices.csv"
    path.write_text(FILE, "utf-8")
    assert koe("import", path).exit_code == 0
    return path


def damage(home: Path, statement: object) -> None:
    engine = create_engine(f"sqlite:///{home / 'koenowa.db'}")
    with engine.begin() as connection:
        connection.execute(statement)  # type: ignore[call-overload]
    engine.dispose()


def test_imports_are_listed_and_taken_back(koe: Koe, path: Path) -> None:
    assert "取込はまだありません" not in koe("batches", "list").stderr
    (line,) = json_lines(koe("batches", "list", "--json").stdout)
    assert (line["batch"], line["name"], line["status"], line["read"], line["started_by"]) == (1, "voices.csv", "done", 3, "cli")
    assert "読込 3 ＝ 取込 1 ＋ 重複 1 ＋ 取込不可 1" in koe("batches", "list").stdout
    undone = koe("batches", "undo", "1", "--reason", "別のファイルだった", "--actor", "suzuki")
    assert "取込 1「voices.csv」を取り消しました。声 1 件、取り込めなかった行 1 行。" in undone.stdout
    assert "取り消し" in koe("batches", "list").stdout
    assert "すでに取り消されています" in refused(koe("batches", "undo", "1", "--reason", "もう一度"))
    assert json.loads(koe("import", "--json", path).stdout)["imported"] == 1


def test_an_undo_asks_before_it_takes_what_staff_did(koe: Koe, home: Path, path: Path) -> None:
    damage(home, update(Voice).values(status=Status.TRIAGED))
    assert "そのほかに対応を進めた声 1 件" in refused(koe("batches", "undo", "1", "--reason", "r"))
    report = json.loads(koe("batches", "undo", "1", "--reason", "r", "--force", "--json").stdout)
    assert (report["batch"], report["voices"], report["rejects"], report["overlapping"]) == (1, 1, 1, [])


def test_an_undo_names_later_imports_with_duplicates(koe: Koe, path: Path) -> None:
    koe("import", path)
    assert "取込 2「voices.csv」（重複 2）" in koe("batches", "undo", "1", "--reason", "r").stderr


def test_nothing_lost_ends_with_0_and_something_lost_with_1(koe: Koe, home: Path, path: Path) -> None:
    told = koe("reconcile", "--file", path)
    assert told.exit_code == 0, told.output
    assert "すべて合っています" in told.stdout
    assert "記録 3 ＝ 声 2 ＋ 取込不可の行 1 ＋ 記入のない行 0 ＋ 行き先のない行 0" in told.stdout
    result = json.loads(koe("reconcile", "--json").stdout)
    assert (result["agrees"], result["file"], [line["wrong"] for line in result["batches"]]) == (True, None, [""])

    damage(home, delete(Reject))
    told = koe("reconcile", "--file", path)
    assert told.exit_code == 1
    assert "取込不可 1 に対して、表には 0" in told.stdout
    assert "行き先のない行: 3" in told.stdout
    assert "公園" not in told.output
    broken = koe("reconcile", "--file", path, "--json")
    assert (broken.exit_code, json.loads(broken.stdout)["file"]["lines"]) == (1, [3])


def test_daily_counts_that_differ_are_told_with_what_puts_them_right(koe: Koe, home: Path, path: Path) -> None:
    told = koe("index")
    assert told.exit_code == 0, told.output
    assert "ちがいはありませんでした" in told.stdout
    assert "koe index" not in koe("reconcile").stdout
    damage(home, delete(DailyCount).where(DailyCount.facet == "", DailyCount.by_facet == ""))
    told = koe("reconcile")
    assert told.exit_code == 1
    assert "合わない  日ごとの件数のちがい: 1（正しくは 0）\n          koe index を実行すると" in told.stdout
    assert "ちがっていた 1 か所を直しました" in koe("index").stdout
    assert koe("reconcile").exit_code == 0


def test_voices_without_an_index_are_told_with_what_puts_them_right(koe: Koe, database: Engine) -> None:
    with db.writing(database) as session:
        factories.create_voice(session)
    wrong = {line["name"]: line["remedy"] for line in json.loads(koe("reconcile", "--json").stdout)["sums"] if not line["agrees"]}
    assert "koe index" in wrong["索引にない声"]
    assert koe("index").exit_code == 0
    told = json.loads(koe("reconcile", "--json").stdout)["sums"]
    assert {line["name"] for line in told if not line["agrees"]} <= wrong.keys() - {"索引にない声"}
    assert not [line for line in told if line["agrees"] and line["remedy"]]


def test_a_file_that_isn_t_there(koe: Koe, tmp_path: Path) -> None:
    assert "no.csv" in refused(koe("reconcile", "--file", tmp_path / "no.csv"))
    assert "取込はまだありません" in koe("batches", "list").stderr
