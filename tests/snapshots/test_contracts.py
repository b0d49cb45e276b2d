"""The frozen shape (keys and types) of what programs read of ``koe``. A change here breaks somebody's program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core import db
from tests.api.conftest import Koe
from tests.factories import create_topic, create_voice

SNAPSHOT = Path(__file__).parent / "contracts.json"
CONTRACTS = json.loads(SNAPSHOT.read_text("utf-8"))
TEXT = "私は山田太郎と申します。歩道の段差が大きく、車いすで通れません。"


def shape(value: Any) -> Any:
    """Keys with the names of their types; of a list, the shape of its first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def only_line(text: str) -> Any:
    (line,) = text.splitlines()
    return json.loads(line)


def test_annotate(koe: Koe) -> None:
    said = only_line(koe("annotate", stdin=json.dumps({"id": "T-1", "text": TEXT})).stdout)
    # What else the models found to say of one text isn't the contract.
    assert said["theme"]["evidence"]
    for facet in ("subtheme", "kind", "urgency", "department"):
        if facet in said:
            said[facet] |= {"alternatives": [], "evidence": []}
    said["department"]["related"] = []
    assert shape(said) == CONTRACTS["annotate"]


def test_annotate_of_a_damaged_line(koe: Koe) -> None:
    assert shape(only_line(koe("annotate", stdin="{").stdout)) == CONTRACTS["annotate, a damaged line"]


def test_import(koe: Koe, tmp_path: Path) -> None:
    path = tmp_path / "voices.csv"
    path.write_text(f"管理番号,受付日,受付媒体,ご意見\nT-1,令和8年10月1日,電話,{TEXT}\nT-2,いつか,電話,{TEXT}\n", "utf-8")
    assert shape(only_line(koe("import", "--json", path).stdout)) == CONTRACTS["import"]


def test_topics(koe: Koe, home: Path, tmp_path: Path) -> None:
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.writing(engine) as session:
        parent = create_topic(session, name="道路")
        voice = create_voice(session)
        create_topic(session, voices=[voice], name="歩道の段差", parent_id=parent.id)
        number = voice.receipt_number
    engine.dispose()
    target = tmp_path / "topics.jsonl"
    assert koe("topics", "export", target).exit_code == 0
    assert shape(only_line(target.read_text("utf-8"))) == CONTRACTS["topics export"]
    listed = [json.loads(line) for line in koe("topics", "list", "--json").stdout.splitlines()]
    assert [shape(line) for line in listed if line["topic"] == "歩道の段差"] == [CONTRACTS["topics list"]]
    topic = next(str(line["topic_id"]) for line in listed if line["topic"] == "歩道の段差")
    for arguments in (("pin", topic, "段差"), ("move", "--to", topic, number)):
        assert shape(only_line(koe("topics", *arguments, "--json").stdout)) == CONTRACTS["topics pin"]


def test_evaluate(koe: Koe, tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    record = {"id": 1, "text": TEXT, "theme": "道路・交通", "subtheme": "道路・歩道の傷み", "kind": "苦情", "urgency": "通常"}
    gold.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    assert shape(only_line(koe("evaluate", "--gold", gold, "--json").stdout)) == CONTRACTS["evaluate"]
