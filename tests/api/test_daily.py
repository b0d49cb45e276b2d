"""Jobs that are asked for once a day, however many workers look at the clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine, select

from api import daily
from core import db
from core.models import DailyRun, Job
from core.settings import Settings

MORNING = datetime(2026, 11, 3, 15, 30, tzinfo=UTC)  # 0:30 on 4 November in Japan


def kinds(engine: Engine) -> list[str]:
    with db.reading(engine) as session:
        return sorted(session.scalars(select(Job.kind)))


def test_once_a_day(engine: Engine, settings: Settings) -> None:
    settings.home.mkdir()
    assert daily.begin(engine, settings, now=MORNING) == ["forecast"]
    assert daily.begin(engine, settings, now=MORNING + timedelta(hours=1)) == []
    assert kinds(engine) == ["forecast"]
    with db.reading(engine) as session:
        assert session.scalars(select(DailyRun.day)).all() == [date(2026, 11, 4)]
    daily.begin(engine, settings, now=MORNING + timedelta(days=1))
    assert kinds(engine) == ["forecast", "forecast"]
    daily.begin(engine, settings, now=MORNING + timedelta(days=90))
    with db.reading(engine) as session:
        assert session.scalars(select(DailyRun.day)).all() == [date(2027, 2, 2)]


def test_workers_that_look_at_the_same_moment_ask_once(engine: Engine, settings: Settings) -> None:
    settings.home.mkdir()
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda _: daily.begin(engine, settings, now=MORNING), range(6)))
    assert sorted(asked) == [[], [], [], [], [], ["forecast"]]
    assert kinds(engine) == ["forecast"]
