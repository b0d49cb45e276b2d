"""Labelled voices in the forms that people write them, and the line that is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from nlp import corpus


def write(path: Path, *records: Any) -> Path:
    path.write_text("\n".join(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in records), "utf-8")
    return path


def test_the_forms_of_a_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {
            "id": "x-1",
            "text": "穴",
            "topics": [{"theme": "道路", "subtheme": "歩道"}, {"theme": "公園"}],
            "kind": "苦情",
            "urgency": "life",
        },
        "   ",
        {"text": "砂場", "theme": "公園", "theme_alt": "道路", "urgency": "通常"},
        {"id": 3, "text": "さあ", "topics": [], "theme": None, "kind": None},
    )
    first, second, third = corpus.read(path)
    assert (first.theme, first.subtheme, first.other_themes, first.kind) == ("道路", "歩道", ("公園",), "苦情")
    assert first.urgency == "人命・身体の危険"
    assert (second.theme, second.subtheme, second.other_themes, second.urgency) == ("公園", "", ("道路",), "通常")
    assert (third.id, third.theme, third.kind, third.urgency) == ("3", "", "", "")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "3",
        "null",
        "[]",
        '"穴"',
        '{"theme": "道路"}',
        '{"text": "穴", "topics": [1]}',
        '{"text": "穴", "topics": [{"subtheme": "歩道"}]}',
        "穴",
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "よい行"}, "", line)
    with pytest.raises(InputError, match=r"a\.jsonl の 3 行目が読めません") as caught:
        corpus.read(path)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b'{"text": "\x8c\x8a"}', None])
def test_a_file_that_is_no_utf8_or_not_there(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jsonl が読めません"):
        corpus.read(tmp_path / "a.jsonl")


def test_a_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "一行目\u2028二行目\x85三行目"}, {"text": "次"})
    assert [example.text for example in corpus.read(path)] == ["一行目\u2028二行目\x85三行目", "次"]


def test_a_folder_in_order_of_file_and_line(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", {"text": "三"})
    write(tmp_path / "a.jsonl", {"text": "一"}, {"text": "二"})
    write(tmp_path / "c.txt", "読まない")
    assert [example.text for example in corpus.load(tmp_path)] == ["一", "二", "三"]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"学習例が .* にありません"):
        corpus.load(tmp_path)
