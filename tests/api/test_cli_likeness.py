from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core import db
from nlp import likeness
from nlp.similar import terms
from tests import factories
from tests.api.conftest import Koe, json_lines, refused

BUS = "通学のバスの本数が減って、朝は満員で乗れません。次のバスまで四十分も待つので学校に遅れます。増便してください。"


@pytest.fixture
def engine(home: Path) -> Engine:
    return db.connect(f"sqlite:///{home / 'koenowa.db'}")


def save(engine: Engine, *texts: str, indexed: bool = True, **values: object) -> list[str]:
    with db.writing(engine) as session:
        voices = [factories.create_voice(session, text=text, labelled=False, **values) for text in texts]
        if indexed:
            likeness.index(session, [(voice.id, terms(voice.text)) for voice in voices])
        numbers = [voice.receipt_number for voice in voices]
    engine.dispose()
    return numbers


def test_similar_to_a_text(koe: Koe, engine: Engine) -> None:
    number, _ = save(engine, "朝のバスが満員で乗れません。本数を増やしてください。", "図書館の本が古い。")
    (line,) = json_lines(koe("similar", BUS, "--json").stdout)
    assert line["receipt_number"] == number
    assert 0 < line["score"] <= 1
    assert line["answer"] is None
    assert number in koe("similar", BUS).stdout


def test_similar_to_a_text_from_standard_input(koe: Koe, engine: Engine) -> None:
    (number,) = save(engine, BUS)
    assert number in koe("similar", "-", stdin=BUS).stdout


def test_similar_to_a_voice_with_its_answer(koe: Koe, engine: Engine) -> None:
    subject, _ = save(engine, BUS, BUS + "お願いします。")
    (answered,) = save(engine, "朝のバスが満員で乗れません。本数を増やしてください。", answered=True, department="交通政策課")
    (line,) = json_lines(koe("similar", "--voice", subject, "--answered", "--json").stdout)
    assert line["receipt_number"] == answered
    assert line["answer"]["department"] == "交通政策課"
    assert line["answer"]["answered_on"]
    assert "回答（交通政策課、" in koe("similar", "--voice", subject, "--answered").stdout


def test_the_limit_is_kept(koe: Koe, engine: Engine) -> None:
    save(engine, *(f"{BUS}その{number}" for number in range(6)))
    assert len(json_lines(koe("similar", BUS, "--limit", "4", "--json").stdout)) == 4


def test_nothing_found_says_what_to_look_at(koe: Koe, engine: Engine) -> None:
    result = koe("similar", BUS)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "koe index" in result.stderr


@pytest.mark.parametrize("arguments", [[], [BUS, "--voice", "R08-000001-1"], [" "]])
def test_a_text_or_a_voice_but_not_both(koe: Koe, engine: Engine, arguments: list[str]) -> None:
    assert "どちらか一つ" in refused(koe("similar", *arguments))


def test_an_unknown_receipt_number(koe: Koe, engine: Engine) -> None:
    assert "見つかりません" in refused(koe("similar", "--voice", "R08-999999-9"))


def test_campaigns_are_updated_and_listed(koe: Koe, engine: Engine) -> None:
    save(engine, *(f"{BUS}{'お願いします。' * number}" for number in range(6)), "図書館の本が古いので買いかえてください。")
    assert "koe campaigns --update" in koe("campaigns").stderr
    result = koe("campaigns", "--update", "--json")
    (line,) = json_lines(result.stdout)
    assert (line["voices"], line["texts"], line["senders"], line["unknown"]) == (6, 6, 0, 6)
    assert line["first_on"] <= line["last_on"]
    assert line["sample"].startswith("通学のバス")
    assert "7 件の声を調べました" in result.stderr
    assert "×6（文面 6 種、送り主 0 人、送り主不明 6 件）" in koe("campaigns").stdout
    assert koe("campaigns", "--min", "7").stdout == ""


def test_the_index_is_made_for_voices_that_lack_it(koe: Koe, engine: Engine) -> None:
    (number,) = save(engine, BUS, indexed=False)
    assert koe("similar", BUS).stdout == ""
    assert "索引に 1 件を入れ" in koe("index").stdout
    assert number in koe("similar", BUS).stdout
    assert "索引に 0 件を入れ" in koe("index").stdout


def test_an_import_is_found_at_once_and_its_senders_are_counted(koe: Koe, engine: Engine, tmp_path: Path) -> None:
    rows = [f"K-{number},令和8年10月{number + 1}日,Webフォーム,{BUS}{'お願いします。' * number},{mail}" for number, mail in enumerate(
        ("hanako@example.jp", "ＨＡＮＡＫＯ@example.jp", "ichiro@example.jp", "", ""))]  # fmt: skip
    path = tmp_path / "voices.csv"
    path.write_text("\n".join(["管理番号,受付日,受付媒体,ご意見,メール", *rows]) + "\n", "utf-8")
    assert json.loads(koe("import", "--json", path).stdout)["imported"] == 5
    # The import has grouped them already: one stands for all five.
    (found,) = json_lines(koe("similar", "バスが満員で乗れない", "--json").stdout)
    assert found["copies"] == 5
    (group,) = json_lines(koe("campaigns", "--json").stdout)
    assert (group["voices"], group["texts"], group["senders"], group["unknown"]) == (5, 5, 2, 2)
    assert "0 件作りました" in koe("index").stdout


def test_a_database_that_nobody_prepared_says_what_to_run(koe: Koe, home: Path) -> None:
    (home / "koenowa.db").unlink()
    assert "koe db upgrade" in refused(koe("similar", BUS))
    assert "koe db upgrade" in refused(koe("campaigns"))
