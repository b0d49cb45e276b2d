"""At import the city's rules decide the department before the model; the file's own word stays before both, and a rule can be traced."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core import db
from core.errors import InputError
from core.models import Batch, Facet, MachineLabel, MachineReading, Voice
from core.settings import PROJECT_ROOT, Settings
from ingest.retry import Tools, retry_reject
from tests.ingest.conftest import LIST_HEADINGS, Take, Write, list_row

RULES = """rules:
  - name: 港の段差
    if: {district: 港地区, channel: 電話, words: [段差]}
    department: 水道課
    also: [保育課]
  - name: 件名の段差
    if: {words: [車いす]}
    department: 障害福祉課
"""
TEXT = "歩道の段差が大きくて歩けません。直してください。"


@pytest.fixture
def city(settings: Settings, tmp_path: Path) -> Settings:
    """The sample city with two rules of its own."""
    shutil.copytree(PROJECT_ROOT / "data/taxonomy", tmp_path / "taxonomy")
    (tmp_path / "taxonomy/routing.yaml").write_text(RULES, "utf-8")
    return settings.model_copy(update={"taxonomy": tmp_path / "taxonomy"})


def found(engine: Engine) -> list[tuple[Voice, MachineLabel]]:
    with db.reading(engine) as session:
        rows = session.execute(select(Voice, MachineReading).join(MachineReading).order_by(Voice.row))
        return [(voice, reading.labels()[Facet.DEPARTMENT]) for voice, reading in rows]


def test_a_rule_comes_before_the_model_and_after_the_file(engine: Engine, take: Take, write: Write, city: Settings) -> None:
    rows = [
        list_row("1", TEXT, 地区="港地区"),
        list_row("2", TEXT, 地区="山手地区"),
        list_row("3", TEXT, 地区="港地区", 受付媒体="手紙"),
        list_row("4", TEXT, 地区="港地区", 所管課="特命課"),
        list_row("5", TEXT, 件名="車いすで困る"),
    ]
    take(engine, write([LIST_HEADINGS, *rows]), settings=city)
    ruled, other, letter, given, titled = found(engine)
    model = other[0].department
    assert model not in {"水道課", "障害福祉課", ""}
    assert (ruled[0].department, ruled[1].value, ruled[1].rule, ruled[1].by_model) == (
        "水道課",
        "水道課",
        "港の段差",
        (model, other[1].confidence),
    )
    assert [ruled[0].text[word["start"] : word["end"]] for word in ruled[1].evidence] == ["段差"]
    assert ruled[1].alternatives[0]["label"] == model
    assert ruled[0].related[0] == "保育課"
    assert [(voice.department, said.value, said.rule) for voice, said in (other, letter)] == [(model, model, "")] * 2
    assert (given[0].department, given[1].value, given[1].rule) == ("特命課", model, "")
    assert (titled[0].department, titled[1].rule, titled[1].evidence) == ("障害福祉課", "件名の段差", [])


def test_a_mended_row_follows_the_rules_too(engine: Engine, take: Take, write: Write, city: Settings, tools: Tools) -> None:
    take(engine, write([LIST_HEADINGS, list_row("1", "", 地区="港地区")]), settings=city)
    ruled = Tools(city, tools.keyring, tools.annotate, tools.mask)
    retry_reject(engine, 1, list_row("1", TEXT, 地区="港地区"), tools=ruled, actor="hanako")
    ((voice, said),) = found(engine)
    assert (voice.department, said.rule) == ("水道課", "港の段差")


def test_rules_that_cannot_be_read_stop_an_import_before_it_begins(engine: Engine, take: Take, write: Write, city: Settings) -> None:
    (city.taxonomy_dir / "routing.yaml").write_text("rules:\n  - {name: 穴, if: {words: [穴]}, department: 無い課}\n", "utf-8")
    with pytest.raises(InputError, match=r"routing\.yaml の 2 行目"):
        take(engine, write([LIST_HEADINGS, list_row("1", TEXT)]), settings=city)
    with db.reading(engine) as session:
        assert session.scalar(select(Batch.id)) is None
