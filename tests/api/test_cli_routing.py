"""koe taxonomy check and koe routing try, and the rules in koe annotate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core import db
from core.models import Facet
from core.settings import PROJECT_ROOT
from tests.api.conftest import Koe, json_lines
from tests.factories import create_human_label, create_user, create_voice

RULES = """rules:
  - name: 港の段差
    if: {district: 港地区, words: [段差]}
    department: 水道課
  - name: 段差
    if: {words: [段差]}
    department: 障害福祉課
"""


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample city's files with two rules of its own."""
    shutil.copytree(PROJECT_ROOT / "data/taxonomy", tmp_path / "taxonomy")
    (tmp_path / "taxonomy/routing.yaml").write_text(RULES, "utf-8")
    monkeypatch.setenv("KOE_TAXONOMY", str(tmp_path / "taxonomy"))
    return tmp_path / "taxonomy"


def test_check_tells_the_files_are_right_and_what_each_rule_would_take(koe: Koe, city: Path, database: Engine) -> None:
    with db.writing(database) as session:
        voice = create_voice(session, text="段差がある", title="", district="港地区", department="市民課")
        create_human_label(session, voice, create_user(session), facet=Facet.DEPARTMENT, value="水道課")
    result = koe("taxonomy", "check")
    assert result.exit_code == 0
    assert "誤りはありません" in result.stdout
    assert "声 1 件のうち 1 件に規則が当てはまります。" in result.stdout
    told = "1. 港の段差 → 水道課：1 件、いまは別の課の声 1 件、職員の判断 1 件のうち 1 件が同じ"
    assert f"{told}　例 {voice.receipt_number}" in result.stdout
    assert "2. 段差 → 障害福祉課：0 件、上の規則が先に当てはまる声 1 件" in result.stdout


def test_check_names_every_problem_and_fails(koe: Koe, city: Path) -> None:
    (city / "routing.yaml").write_text(RULES.replace("水道課", "水道か").replace("港地区", "港"), "utf-8")
    result = koe("taxonomy", "check")
    assert result.exit_code == 1
    assert "routing.yaml の 3 行目: 地区「港」は city.yaml にありません。「港地区」ではありませんか。" in result.stdout
    assert "routing.yaml の 4 行目: 所管課「水道か」は departments.yaml にありません。「水道課」ではありませんか。" in result.stdout
    assert "2 か所を直してください" in result.stderr


def test_check_names_a_way_to_approval_that_cannot_be_taken(koe: Koe, city: Path) -> None:
    path = city / "approvals.yaml"
    path.write_text(path.read_text("utf-8").replace("department: 広聴課", "department: 公聴課", 1), "utf-8")
    result = koe("taxonomy", "check")
    assert result.exit_code == 1
    assert "approvals.yaml の" in result.stdout
    assert "所管課「公聴課」はありません" in result.stdout


def test_check_without_a_database(koe: Koe, home: Path, city: Path) -> None:
    (home / "koenowa.db").unlink()
    result = koe("taxonomy", "check")
    assert result.exit_code == 0
    assert "振り分け規則 2 件。取込済みの声はまだありません。" in result.stdout


def test_try(koe: Koe, city: Path, database: Engine) -> None:
    with db.writing(database) as session:
        create_voice(session, text="段差がある", title="", district="山手地区")
    (said,) = json_lines(koe("routing", "try", "--json").stdout)
    assert [(rule["rule"], rule["voices"]) for rule in said["rules"]] == [("港の段差", 0), ("段差", 1)]
    (later,) = json_lines(koe("routing", "try", "--json", "--since", "2026-11-01").stdout)
    assert later["voices"] == 0
    assert "--since「いつか」" in koe("routing", "try", "--since", "いつか").stderr


def test_try_without_rules_says_where_to_write_them(koe: Koe, city: Path) -> None:
    (city / "routing.yaml").unlink()
    result = koe("routing", "try")
    assert result.exit_code == 1
    assert "routing.yaml に規則を書いてください" in result.stderr


def test_annotate_follows_the_rules_and_takes_a_district(koe: Koe, trained_home: Path) -> None:
    # The models of the shared folder are those of its own taxonomy.
    lines = [{"id": 1, "text": "除雪してほしい"}, {"id": 2, "text": "除雪してほしい", "district": "山手地区"}]
    plain, ruled = json_lines(koe("annotate", stdin="\n".join(map(json.dumps, lines))).stdout)
    assert plain.keys() == ruled.keys()
    assert ruled["department"].keys() == plain["department"].keys()
    assert ruled["department"]["label"] == "道路維持課"
    assert ruled["department"]["confidence"] == 1
    assert [word["text"] for word in ruled["department"]["evidence"]] == ["除雪"]
    assert plain["department"]["confidence"] < 1
