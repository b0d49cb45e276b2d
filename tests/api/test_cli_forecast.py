"""``koe forecast``, in words and as JSON, and its job."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, update

from api.job_kinds import KINDS
from api.jobs import Runner
from core import db, jobs
from core.calendar import OpenDays
from core.crypto import Keyring
from core.models import JobState, Kind, Status, Voice
from core.settings import Settings
from loop.pace import LEAST
from tests import factories
from tests.api.conftest import Koe, refused

TODAY = date(2026, 10, 15)


@pytest.fixture
def history(database: Engine) -> None:
    with db.writing(database) as session:
        for number in range(LEAST):
            received = TODAY - timedelta(days=30 + number)
            due = OpenDays().add(received, 10)
            voice = factories.create_voice(session, received_on=received, due_on=due, status=Status.ANSWERED, labelled=False)
            factories.create_answer(session, voice, answered_on=received + timedelta(days=5))
        factories.create_voice(session, received_on=TODAY, due_on=TODAY, department="保育課", kind=Kind.REQUEST, labelled=False)


def test_in_words_and_as_json(koe: Koe, history: None) -> None:
    said = koe("forecast", "--as-of", "令和8年10月15日").stdout
    assert f"2026-10-15 の見通し（{LEAST} 件の過去から）" in said
    assert "\n全体　1　0　" in said
    assert "\n保育課　1　0　" in said
    found = json.loads(koe("forecast", "--as-of", "2026-10-15", "--json").stdout)
    assert found["learnt"] == LEAST
    assert [item["department"] for item in found["outlooks"]] == ["", "保育課"]
    assert found["outlooks"][0]["as_of"] == "2026-10-15"


def test_without_a_past_it_says_what_is_missing(koe: Koe) -> None:
    result = koe("forecast")
    assert f"{LEAST} 件以上" in result.stderr
    assert result.stdout == ""
    assert "日付として読めません" in refused(koe("forecast", "--as-of", "きのう"))


def test_with_nothing_open_it_says_so(koe: Koe, history: None, database: Engine) -> None:
    with db.writing(database) as session:
        session.execute(update(Voice).values(is_open=False))
    assert "未対応の声はありません" in koe("forecast", "--as-of", "2026-10-15").stdout


def test_the_job(database: Engine, settings: Settings, keyring: Keyring, history: None) -> None:
    with db.writing(database) as session:
        job = jobs.create(session, kind="forecast", title="見通し", arguments={}, actor="hanako")
    assert Runner(settings, database, keyring, KINDS, lambda: "w", threading.Event()).run(job.id)
    with db.reading(database) as session:
        done = jobs.find(session, job.id)
    assert (done.state, set(done.result)) == (JobState.DONE, {"learnt"})
