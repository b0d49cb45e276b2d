"""``koe surges``: what is said, in words and as JSON, what is stored, and the job that looks after imports and topics."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from api import job_kinds
from api.jobs import JobContext, JobStopped, Runner
from core import db, jobs
from core.crypto import Keyring
from core.models import Job, JobState, Surge, SurgeRun
from core.settings import Settings
from tests import factories
from tests.api.conftest import Koe, refused

LAST = date(2026, 9, 30)


@pytest.fixture
def surge(database: Engine) -> None:
    """A voice a day in each of two themes for eleven weeks; in the last three days fifteen more in one of them."""
    with db.writing(database) as session:
        for theme in ("道路・交通", "ごみ・環境"):
            for ago in range(77):
                factories.create_voice(session, theme=theme, received_on=LAST - timedelta(days=ago), labelled=False)
        voices = [
            factories.create_voice(session, theme="ごみ・環境", received_on=LAST - timedelta(days=number % 3), labelled=False)
            for number in range(15)
        ]
        factories.create_topic(session, name="カラス", voices=voices)


def test_in_words(koe: Koe, surge: None) -> None:
    said = koe("surges").stdout
    assert "2026-09-30 現在の急増" in said
    assert "カラス　9月28日から、予想1件未満のところ15件" in said
    assert "［分野］ごみ・環境　9月28日から" in said
    assert "めだった増加はありません" in koe("surges", "--as-of", "令和8年9月25日").stdout


def test_as_json_and_saved(koe: Koe, surge: None, database: Engine) -> None:
    found = json.loads(koe("surges", "--json").stdout)
    assert (found["as_of"], found["enough"]) == ("2026-09-30", True)
    assert [(item["facet"], item["name"], item["since"]) for item in found["surges"]] == [
        ("topic", "カラス", "2026-09-28"),
        ("theme", "ごみ・環境", "2026-09-28"),
    ]
    assert len(found["surges"][0]["voices"]) <= 3
    with db.reading(database) as session:
        assert session.scalar(select(func.count()).select_from(SurgeRun)) == 0
    koe("surges", "--save")
    koe("surges", "--save")
    with db.reading(database) as session:
        assert session.scalar(select(func.count()).select_from(SurgeRun)) == 1
        assert session.scalar(select(func.count()).select_from(Surge)) == 2


def test_what_it_refuses(koe: Koe) -> None:
    assert "声がありません" in refused(koe("surges"))
    assert "日付として読めません" in refused(koe("surges", "--as-of", "きのう"))


def test_too_little_past(koe: Koe, database: Engine) -> None:
    with db.writing(database) as session:
        factories.create_voice(session)
    result = koe("surges")
    assert "70 日分の声が要ります" in result.stderr
    assert result.stdout == ""


def do(database: Engine, settings: Settings, keyring: Keyring, kind: str, function: Any = None) -> Job:
    kinds = {**job_kinds.KINDS, **({kind: function} if function else {})}
    with db.writing(database) as session:
        job = jobs.create(session, kind=kind, title="試し", arguments={}, actor="hanako")
    assert Runner(settings, database, keyring, kinds, lambda: f"w-{job.id}", threading.Event()).run(job.id)
    with db.reading(database) as session:
        return jobs.find(session, job.id)


def waiting(database: Engine) -> int:
    with db.reading(database) as session:
        return session.scalar(select(func.count()).where(Job.kind == "surges", Job.state == JobState.QUEUED)) or 0


def test_the_job_stores_what_it_finds(surge: None, database: Engine, settings: Settings, keyring: Keyring) -> None:
    job = do(database, settings, keyring, "surges")
    assert job.state is JobState.DONE
    assert job.result["surges"] == 2
    with db.reading(database) as session:
        assert session.scalars(select(SurgeRun.as_of)).all() == [LAST]


def test_without_voices_the_job_says_why(database: Engine, settings: Settings, keyring: Keyring) -> None:
    job = do(database, settings, keyring, "surges")
    assert job.state is JobState.FAILED
    assert "声がありません" in job.error


def test_after_other_jobs_one_look_waits(database: Engine, settings: Settings, keyring: Keyring) -> None:
    def fine(_: JobContext) -> dict[str, Any]:
        return {"voices": 3}

    def stopped(_: JobContext) -> dict[str, Any]:
        raise JobStopped

    assert do(database, settings, keyring, "import", job_kinds.then_surges(stopped)).result == {}
    assert waiting(database) == 0
    assert do(database, settings, keyring, "import", job_kinds.then_surges(fine)).result == {"voices": 3}
    assert waiting(database) == 0, "there are no voices to look at"
    with db.writing(database) as session:
        factories.create_voice(session)
    assert do(database, settings, keyring, "import", job_kinds.then_surges(fine)).result == {"voices": 3}
    assert do(database, settings, keyring, "topics_update", job_kinds.then_surges(fine)).state is JobState.DONE
    assert waiting(database) == 1
