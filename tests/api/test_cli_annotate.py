from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.settings import PROJECT_ROOT
from tests.api.conftest import Koe, json_lines, refused

TEXT = "歩道の段差が大きく、車いすで通れません。"
IDS = [1, "a", None, 0.5, True, [1, {"b": 2}], {"年": "令和8"}, "", -7]


def line(text: str, identifier: Any = 1) -> str:
    return json.dumps({"id": identifier, "text": text}, ensure_ascii=True) + "\n"


def test_one_text_from_standard_input_to_standard_output(koe: Koe) -> None:
    result = koe("annotate", stdin=line("私は山田太郎と申します。" + TEXT, "T-1"))
    assert result.exit_code == 0
    (said,) = json_lines(result.stdout)
    assert said["id"] == "T-1"
    assert said["masked"] == "私は〔氏名〕と申します。" + TEXT
    assert said["theme"]["label"] == "道路・交通"
    assert [span["type"] for span in said["pii"]] == ["NAME"]
    for item in said["theme"]["evidence"]:
        assert said["masked"][item["start"] : item["end"]] == item["text"]


def test_ids_of_any_json_type_come_back_in_order(koe: Koe) -> None:
    result = koe("annotate", stdin="".join(line(TEXT, identifier) for identifier in IDS))
    assert [said["id"] for said in json_lines(result.stdout)] == IDS


def test_from_file_to_file_over_several_chunks(koe: Koe, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(line(f"公園の遊具 {number} がさびています。", number) for number in range(1101)), "utf-8")
    result = koe("annotate", "--input", source, "--output", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert [said["id"] for said in json_lines(target.read_text("utf-8"))] == list(range(1101))


@pytest.mark.parametrize(
    "damaged",
    [
        "{",
        "歩道の段差",
        "[]",
        "3",
        "null",
        '{"text": "歩道"}',
        '{"id": 1}',
        '{"id": 1, "text": 3}',
        '{"id": 1, "text": null}',
        "[" * 100_000,
        "9" * 5000,
        '{"id": NaN, "text": "歩道"}',
    ],
    ids=lambda text: text[:12],
)
def test_a_damaged_line_is_told_and_the_others_are_done(koe: Koe, damaged: str) -> None:
    result = koe("annotate", stdin=line(TEXT, "前") + damaged + "\n" + line(TEXT, "後"))
    assert "2 行目" in refused(result)
    first, error, last = json_lines(result.stdout)
    assert error == {"id": None, "error": "unreadable", "line": 2}
    assert (first["id"], last["id"]) == ("前", "後")
    assert first["theme"] == last["theme"]


@pytest.mark.parametrize("content", ["", "\n", "\n \n\r\n"])
def test_nothing_in_nothing_out(koe: Koe, content: str) -> None:
    result = koe("annotate", stdin=content)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_empty_lines_are_passed_over_and_counted(koe: Koe) -> None:
    result = koe("annotate", stdin="\n" + line(TEXT) + "\n\n{\n")
    assert "5 行目" in refused(result)
    assert len(json_lines(result.stdout)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "　\n",
        "\x00\x07",
        "👨‍👩‍👧‍👦🚲" * 50,
        "\ud83d",
        "前\udcff後",
        "\u202e逆",
        "か\u3099",
        "ﾌﾞﾗﾝｺ\r\n㌢㍍",
        "歩道の段差。" * 10_000,
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_any_text_gives_a_valid_line(koe: Koe, text: str) -> None:
    result = koe("annotate", stdin=line(text))
    assert result.exit_code == 0
    result.stdout_bytes.decode("utf-8")
    (said,) = json_lines(result.stdout)
    assert said["theme"]["label"]
    assert 0 <= said["theme"]["confidence"] <= 1
    assert said["pii"] == []


def test_a_text_of_a_megabyte(koe: Koe) -> None:
    result = koe("annotate", stdin=line("歩道の段差が大きく、通れません。電話は090-1234-5678です。\n" * 11_000))
    assert result.exit_code == 0
    (said,) = json_lines(result.stdout)
    assert "090" not in said["masked"]
    assert len(said["pii"]) == 11_000


def test_bytes_that_are_not_utf8_and_a_byte_order_mark(koe: Koe, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"\xef\xbb\xbf" + line(TEXT, "first").encode() + b'{"id": "second", "text": "a\xffb"}\n')
    for result in (koe("annotate", "--input", source), koe("annotate", stdin=source.read_bytes())):
        assert result.exit_code == 0
        assert [said["id"] for said in json_lines(result.stdout)] == ["first", "second"]


def test_files_that_cannot_be_opened(koe: Koe, tmp_path: Path) -> None:
    assert "no.jsonl" in refused(koe("annotate", "--input", tmp_path / "no.jsonl"))
    assert str(tmp_path) in refused(koe("annotate", "--input", tmp_path))
    assert "no/out.jsonl" in refused(koe("annotate", "--output", tmp_path / "no/out.jsonl", stdin=line(TEXT)))


def test_a_file_is_not_written_over_itself(koe: Koe, tmp_path: Path) -> None:
    path = tmp_path / "voices.jsonl"
    path.write_text(line(TEXT), "utf-8")
    (tmp_path / "same.jsonl").hardlink_to(path)
    for target in (path, tmp_path / "same.jsonl"):
        assert "同じファイル" in refused(koe("annotate", "--input", path, "--output", target))
    assert path.read_text("utf-8") == line(TEXT)


def test_processes_give_what_one_process_gives(koe: Koe, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(line(f"{TEXT}{number}", number) for number in range(1001)), "utf-8")
    alone = koe("annotate", "--input", source)
    together = koe("annotate", "--input", source, KOE_ENGINE="loky", KOE_WORKERS="2")
    assert together.exit_code == 0
    assert together.stdout == alone.stdout


def test_a_reader_that_has_enough_hears_no_complaint(home: Path, trained_home: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(line(TEXT) * 499, "utf-8")
    environment = {"KOE_HOME": str(home), "KOE_DATA": str(trained_home / "data"), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", "from api.cli import app; app()", "annotate", "--input", str(source)]
    with subprocess.Popen(  # noqa: S603
        command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
