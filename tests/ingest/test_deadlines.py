from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core import db
from core.crypto import Keyring
from core.errors import InputError
from core.models import Voice
from core.settings import Settings
from ingest.chunks import Annotate, Mask
from ingest.pipeline import import_file
from tests.ingest.conftest import Write

CITY = """
opening_hours: {counter: {to: "17:15"}}
answer_deadline:
  days: 10
  rules:
    - {name: 手紙とFAX, channel: [手紙, FAX], days: 14, count: calendar_days}
    - {name: 夜の電話, channel: 電話, after_hours: next_open_day}
"""
ROWS = [
    ["受付番号", "受付日", "受付時刻", "受付媒体", "内容"],
    ["1", "2025-04-01", "", "電子メール", "歩道の段差が危ないので直してください。"],
    ["2", "2025-04-05", "", "手紙", "公園の遊具がさびています。"],
    ["3", "2025-04-01", "17:15", "電話", "街灯が切れています。"],
    ["4", "2025-04-01", "17:16", "電話", "側溝があふれています。"],
    ["5", "2025-04-01", "17:16", "電子メール", "ごみの収集が遅いです。"],
]


@pytest.fixture
def city_settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"taxonomy": tmp_path})


def test_each_voice_is_due_by_the_rule_that_fits_it(
    engine: Engine, city_settings: Settings, keyring: Keyring, annotate: Annotate, mask: Mask, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "city.yaml").write_text(CITY, "utf-8")
    import_file(engine, write(ROWS), settings=city_settings, keyring=keyring, annotate=annotate, mask=mask)
    with db.reading(engine) as session:
        due = dict(session.execute(select(Voice.external_id, Voice.due_on)).all())
    assert due == {
        "1": date(2025, 4, 15),
        "2": date(2025, 4, 21),  # 14 days later is a Saturday
        "3": date(2025, 4, 15),
        "4": date(2025, 4, 16),  # as of the 2nd
        "5": date(2025, 4, 15),
    }


def test_a_rule_that_cannot_be_used_is_told_before_anything_is_taken_in(
    sqlite_engine: Engine, city_settings: Settings, keyring: Keyring, annotate: Annotate, mask: Mask, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "city.yaml").write_text("answer_deadline: {days: 十}", "utf-8")
    with pytest.raises(InputError, match=r"city\.yaml の 1 行目、「answer_deadline」の「days」の「十」"):
        import_file(sqlite_engine, write(ROWS), settings=city_settings, keyring=keyring, annotate=annotate, mask=mask)
    with db.reading(sqlite_engine) as session:
        assert session.scalar(select(Voice.id)) is None
