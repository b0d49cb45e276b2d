from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from core.models import Voice
from tests.api.conftest import Koe, refused

HEADINGS = "管理番号,受付日,受付媒体,ご意見\n"
GOOD = HEADINGS + "T-1,令和8年10月1日,電話,歩道の段差が大きい。\nT-2,令和8年10月2日,手紙,公園の遊具がさびています。\n"


def voices(home: Path) -> int:
    engine = create_engine(f"sqlite:///{home / 'koenowa.db'}")
    with engine.connect() as connection:
        count = connection.scalar(select(func.count(Voice.id)))
    engine.dispose()
    assert count is not None
    return count


def write(folder: Path, content: str | bytes, name: str = "voices.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def test_voices_are_taken_once(koe: Koe, home: Path, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    first = koe("import", path)
    assert first.exit_code == 0
    assert "読込 2 ＝ 取込 2 ＋ 重複 0 ＋ 取込不可 0" in first.stdout
    again = koe("import", path)
    assert again.exit_code == 0
    assert "取込 0 ＋ 重複 2" in again.stdout
    assert voices(home) == 2


def test_a_row_that_cannot_be_taken_is_told_and_the_rest_is_taken(koe: Koe, home: Path, tmp_path: Path) -> None:
    result = koe("import", write(tmp_path, GOOD + "T-3,令和8年13月45日,電話,街灯が切れています。\nT-4,令和8年10月1日,電話,\n"))
    assert result.exit_code == 0
    assert "取込不可 4 行目" in result.stdout
    assert "取込不可 5 行目" in result.stdout
    assert "街灯" not in result.output
    assert voices(home) == 2


BAD: dict[str, bytes] = {
    "binary": bytes(range(256)) * 40,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(400),
    "workbook": b"PK\x03\x04" + bytes(400),
    "empty": b"",
    "spaces": b"\n\n  \n",
    "heading only": HEADINGS.encode(),
    "other columns": "品名,単価,数量\nりんご,100,3\nみかん,80,5\n".encode(),
    "zero bytes": b"\x00" * 3000,
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_nothing_can_be_taken_from(koe: Koe, home: Path, tmp_path: Path, name: str) -> None:
    result = koe("import", write(tmp_path, BAD[name]))
    assert "Traceback" not in result.output
    assert result.exit_code == 1
    assert "対処" in result.stderr
    assert voices(home) == 0


def test_half_a_character_at_the_end_costs_one_row(koe: Koe, home: Path, tmp_path: Path) -> None:
    whole = (HEADINGS + "T-1,令和8年10月1日,電話,道路に穴がある\nT-2,令和8年10月1日,電話,街灯が暗い").encode()
    result = koe("import", write(tmp_path, whole[:-1]))
    assert result.exit_code == 0
    assert "読込 2 ＝ 取込 1 ＋ 重複 0 ＋ 取込不可 1" in result.stdout
    assert "取込不可 3 行目" in result.stdout
    assert voices(home) == 1


def test_two_megabytes_in_one_cell(koe: Koe, home: Path, tmp_path: Path) -> None:
    long = HEADINGS + "T-1,令和8年10月1日,電話," + "道" * 700_000 + "\n"
    result = koe("import", write(tmp_path, long))
    assert result.exit_code == 1
    assert "取込不可 2 行目" in result.stdout
    assert voices(home) == 0
    assert koe("import", write(tmp_path, long + GOOD.removeprefix(HEADINGS), "more.csv")).exit_code == 0
    assert voices(home) == 2


def test_a_missing_file_stops_before_anything_is_taken(koe: Koe, home: Path, tmp_path: Path) -> None:
    assert "no.csv" in refused(koe("import", write(tmp_path, GOOD), tmp_path / "no.csv"))
    assert voices(home) == 0


def test_a_folder_is_refused_and_the_next_file_is_taken(koe: Koe, home: Path, tmp_path: Path) -> None:
    assert str(tmp_path) in refused(koe("import", tmp_path, write(tmp_path, GOOD)))
    assert voices(home) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--mapping", "nothing-like-it"), "nothing-like-it"),
        (("--mapping", "../../etc/passwd"), "passwd"),
        (("--channel", "伝書鳩"), "伝書鳩"),
        (("--received-on", "いつか"), "いつか"),
        (("--received-on", "令和8年2月30日"), "令和8年2月30日"),
    ],
)
def test_options_that_cannot_be_used(koe: Koe, home: Path, tmp_path: Path, options: tuple[str, str], told: str) -> None:
    assert told in refused(koe("import", write(tmp_path, GOOD), *options))
    assert voices(home) == 0


def test_channel_and_day_fill_in_what_the_file_lacks(koe: Koe, home: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "ご意見\n歩道の段差が大きく、車いすで通れません。\n公園の遊具がさびています。\n")
    result = koe("import", path, "--channel", "アンケート", "--received-on", "令和8年10月1日")
    assert result.exit_code == 0, result.output
    engine = create_engine(f"sqlite:///{home / 'koenowa.db'}")
    with engine.connect() as connection:
        rows = connection.execute(select(Voice.channel, Voice.received_on)).all()
    engine.dispose()
    assert {(channel.value, day.isoformat()) for channel, day in rows} == {("アンケート", "2026-10-01")}


def test_a_line_of_json_for_each_file(koe: Koe, tmp_path: Path) -> None:
    paths = [write(tmp_path, GOOD), write(tmp_path, GOOD.replace("T-", "U-").replace("道の", "道橋の").encode("cp932"), "old.csv")]
    result = koe("import", "--json", *paths)
    assert result.exit_code == 0
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(reports) == 2
    for report in reports:
        assert report["read"] == report["imported"] + report["duplicates"] + report["rejected"] > 0


def test_a_damaged_keys_file_stops_the_import(koe: Koe, home: Path, tmp_path: Path) -> None:
    (home / "keys.json").write_text("{")
    assert "keys.json" in refused(koe("import", write(tmp_path, GOOD)))
    assert voices(home) == 0


def test_a_dry_run_writes_nothing_and_tells_what_the_import_then_does(koe: Koe, home: Path, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "T-1,令和8年10月1日,電話,歩道の段差が大きい。\nT-4,いつか,電話,声\nT-5,令和8年10月1日,電話,\n")
    checked = koe("import", "--dry-run", "--json", path)
    assert checked.exit_code == 0
    report = json.loads(checked.stdout)
    assert report["codes"] == {"date": 1, "empty": 1}
    shown = koe("import", "--dry-run", path).stdout
    assert "調べただけで取り込んでいません" in shown
    assert "取込不可の内わけ: date 1、empty 1" in shown
    assert voices(home) == 0
    taken = json.loads(koe("import", "--json", path).stdout)
    assert [report[key] for key in ("read", "imported", "duplicates", "rejected")] == [5, 2, 1, 2]
    assert [taken[key] for key in ("read", "imported", "duplicates", "rejected")] == [5, 2, 1, 2]


def test_an_encoding_that_is_given_holds(koe: Koe, home: Path, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.encode("cp932"))
    assert "文字コード「latin」" in refused(koe("import", path, "--encoding", "latin"))
    assert "本文の列" in refused(koe("import", path, "--encoding", "utf-8"))
    assert voices(home) == 0
    assert "CP932" in koe("import", path, "--encoding", "cp932").stdout
