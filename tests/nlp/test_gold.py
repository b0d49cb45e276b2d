"""Test sets: both forms are read, files of other forms left out, damage told by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from nlp import gold
from nlp.annotation import PiiSpan
from nlp.corpus import Example
from nlp.gold import GoldSegment, GoldVoice

VOICE = {
    "id": "g-1",
    "text": "穴がある。バスも減った。",
    "topics": [{"theme": "道路", "subtheme": "傷み"}, {"theme": "交通"}],
    "kind": "苦情",
    "urgency": "today",
    "segments": [{"start": 0, "end": 5, "theme": "道路", "subtheme": "傷み"}, {"start": 5, "end": 12, "theme": "交通"}],
}
MASKED = {"id": "p-1", "trap": "name", "text": "山田です", "pii": [{"start": 0, "end": 2, "type": "NAME"}]}


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), "utf-8")
    return path


def test_a_voice_with_all_its_labels(tmp_path: Path) -> None:
    (voice,) = gold.read([write(tmp_path / "voices.jsonl", VOICE)]).voices
    assert voice.topics == (("道路", "傷み"), ("交通", ""))
    assert (voice.kind, voice.urgency, voice.id) == ("苦情", "当日の危険", "g-1")
    assert voice.segments == (GoldSegment(0, 5, ("道路", "傷み")), GoldSegment(5, 12, ("交通", "")))


def test_the_short_form(tmp_path: Path) -> None:
    path = write(tmp_path / "dev.jsonl", {"id": 1, "text": "坂", "theme": "道路", "theme_alt": "福祉", "kind": "その他"}, {"text": "海"})
    first, second = gold.read([path]).voices
    assert first.topics == (("道路", ""), ("福祉", ""))
    assert second == GoldVoice("海")


def test_a_voice_in_the_form_that_models_learn_from_and_back() -> None:
    example = Example("坂", theme="道路", subtheme="傷み", kind="苦情", other_themes=("福祉",), id="1")
    voice = GoldVoice.of(example)
    assert voice.topics == (("道路", "傷み"), ("福祉", ""))
    assert voice.as_example() == example
    assert voice.as_example(topic=("移動", "歩道")) == Example("坂", theme="移動", subtheme="歩道", kind="苦情", id="1")
    assert GoldVoice.of(Example("坂", kind="苦情")).as_example() == Example("坂", kind="苦情")


def test_a_masking_text(tmp_path: Path) -> None:
    (text,) = gold.read([write(tmp_path / "pii.jsonl", MASKED)]).masking
    assert (text.text, text.pii, text.trap) == ("山田です", (PiiSpan(0, 2, "NAME"),), "name")


def test_a_folder_of_all_forms(tmp_path: Path) -> None:
    voices, masking = write(tmp_path / "a.jsonl", VOICE), write(tmp_path / "b.jsonl", MASKED)
    other = write(tmp_path / "c.jsonl", {"id": 1, "text": "道が狭い", "pairs": []})
    found = gold.load(tmp_path)
    assert (len(found.voices), len(found.masking)) == (1, 1)
    assert (found.files, found.left_out) == ((voices, masking), (other,))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="正解つきの文章が"):
        gold.load(tmp_path)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"id": 2}, ""),
        ({"text": 5}, ""),
        ([], ""),
        ({"text": "坂", "topics": [{"subtheme": "傷み"}]}, ""),
        ({"text": "坂", "topics": [{"theme": "道路"}], "segments": [{"start": 0, "end": 2, "theme": "道路"}]}, "位置 0〜2 が文章の外です"),
    ],
)
def test_a_damaged_voice(tmp_path: Path, record: Any, why: str) -> None:
    with pytest.raises(InputError, match=f"voices.jsonl の 2 行目が読めません.*{why}"):
        gold.read([write(tmp_path / "voices.jsonl", VOICE, record)])


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ({"start": 2, "end": 2, "type": "NAME"}, "位置 2〜2 が文章の外です"),
        ({"start": 0, "end": 2, "type": "SHOE_SIZE"}, "種類「SHOE_SIZE」がありません"),
        ({"start": "0", "end": 2, "type": "NAME"}, ""),
        ({"start": 0, "type": "NAME"}, ""),
    ],
)
def test_a_damaged_mark(tmp_path: Path, mark: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=f"pii.jsonl の 1 行目が読めません.*{why}"):
        gold.read([write(tmp_path / "pii.jsonl", MASKED | {"pii": [mark]})])


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"\n\n"])
def test_a_file_without_texts(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "gold.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"gold\.jsonl"):
        gold.read([path])
