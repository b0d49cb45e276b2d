"""``koe deadlines recount``, tried and done."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core import db
from core.clock import today
from core.models import Voice
from core.settings import PROJECT_ROOT
from tests import factories
from tests.api.conftest import Koe, refused

SOME_DAY = date(2026, 4, 1)


@pytest.fixture
def voices(database: Engine) -> list[int]:
    """Two that were received on 1 April and are due by other rules than the sample city's, one by those, and an answered one."""
    with db.writing(database) as session:
        days = (date(2026, 4, 20), date(2026, 4, 10), date(2026, 4, 15))
        made = [factories.create_voice(session, received_on=SOME_DAY, due_on=day) for day in days]
        made.append(factories.create_voice(session, received_on=SOME_DAY, due_on=days[0], answered=True))
        return [voice.id for voice in made]


def days(database: Engine) -> list[date | None]:
    with db.reading(database) as session:
        return list(session.scalars(select(Voice.due_on).order_by(Voice.id)))


def test_it_is_told_before_it_is_done(koe: Koe, database: Engine, voices: list[int]) -> None:
    before = days(database)
    said = koe("deadlines", "recount", "--dry-run").stdout
    assert "声 3 件のうち、いまの決まりと違うもの 2 件（早くなる 1 件、遅くなる 1 件）。" in said
    assert "2026-04-20 → 2026-04-15" in said
    assert "変えていません" in said
    assert days(database) == before
    said = koe("deadlines", "recount").stdout
    assert "2 件の期限を数えなおしました。" in said
    assert days(database) == [date(2026, 4, 15)] * 3 + [before[3]]
    assert koe("deadlines", "recount").stdout == "期限のある未対応の声 3 件のうち、いまの決まりと違うもの 0 件。\n"


def test_as_json(koe: Koe, database: Engine, voices: list[int]) -> None:
    overdue = sum(day is not None and date(2026, 4, 15) < today() <= day for day in days(database)[:2])
    assert json.loads(koe("deadlines", "recount", "--json").stdout) == {
        "open": 3, "differing": 2, "earlier": 1, "later": 1, "overdue": overdue, "changed": 2,
    }  # fmt: skip


def test_rules_that_cannot_be_read_change_nothing(koe: Koe, database: Engine, voices: list[int], tmp_path: Path) -> None:
    shutil.copytree(PROJECT_ROOT / "data/taxonomy", tmp_path / "taxonomy")
    city = tmp_path / "taxonomy/city.yaml"
    city.write_text(city.read_text("utf-8").replace("count: business_days", "count: someday"), "utf-8")
    before = days(database)
    assert "someday" in refused(koe("deadlines", "recount", KOE_TAXONOMY=str(city.parent)))
    assert days(database) == before
