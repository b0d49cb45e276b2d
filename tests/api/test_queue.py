"""The queue of jobs on a file and on a server that speaks Redis's protocol: numbers go through it, and nothing that could be run."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import huey.storage
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api import queue
from api.jobs import enqueue, submit
from api.queue import open_queue
from core import db
from core.errors import QueueError, SettingsError
from core.models import Job, JobState
from core.settings import Settings
from tests.api.conftest import Koe
from tests.api.processes import Started, free_port


@pytest.fixture(params=["file", "redis"])
def given(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    settings.home.mkdir(exist_ok=True)
    yield settings if request.param == "file" else settings.model_copy(update={"queue": request.getfixturevalue("redis")})
    if request.param == "redis":
        open_queue(settings.model_copy(update={"queue": request.getfixturevalue("redis")})).huey.storage.conn.close()


def test_numbers_come_out_in_the_order_in_which_they_went_in(given: Settings) -> None:
    done: list[int] = []
    ours = open_queue(given)
    ours.runner = done.append
    for job_id in (3, 1, 2):
        ours.send(job_id)
    assert ours.pending() == {1, 2, 3}
    while ours.run_next():
        pass
    assert done == [3, 1, 2]
    assert ours.pending() == set()


def test_what_lies_in_the_queue_is_json_and_what_is_not_ours_is_thrown_away(given: Settings, tmp_path: Path) -> None:
    ours = open_queue(given)
    ours.send(7)
    (item,) = ours.huey.storage.enqueued_items()
    assert [7] in json.loads(item)
    done: list[int] = []
    ours.runner = done.append
    trap = tmp_path / "was_run"
    for strange in (pickle.dumps(_Trap(trap)), b"[1, 2]", b'["x", "another.task"]', b"\xff"):
        ours.huey.storage.enqueue(strange)
    assert ours.pending() == {7}
    while ours.run_next():
        pass
    assert done == [7]
    assert not trap.exists()


class _Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_job_is_sent_when_its_row_is_committed_and_not_before(given: Settings, engine: Engine) -> None:
    with db.writing(engine) as session:
        job = submit(session, given, kind="campaigns", title="まとめる", arguments={}, actor="hanako")
        assert open_queue(given).pending() == set()
    assert open_queue(given).pending() == {job.id}


def test_a_job_that_is_taken_back_is_not_sent(given: Settings, engine: Engine) -> None:
    with Session(engine) as session:
        submit(session, given, kind="campaigns", title="まとめる", arguments={}, actor="hanako")
        session.rollback()
    assert open_queue(given).pending() == set()


def test_a_server_that_does_not_answer(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    away = settings.model_copy(update={"queue": f"redis://127.0.0.1:{free_port()}/0"})
    with pytest.raises(QueueError, match="つながりません") as caught:
        open_queue(away).pending()
    assert "KOE_QUEUE" in caught.value.hint
    enqueue(away, 5)  # the page that asks for a job doesn't fail: a worker finds it later
    assert "処理 5" in caplog.text


def test_a_file_that_can_not_be_made(settings: Settings) -> None:
    with pytest.raises(QueueError, match="つながりません"):
        open_queue(settings.model_copy(update={"home": settings.home / "nowhere"}))


def test_redis_without_its_package(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huey.storage, "Redis", None)
    queue._open.cache_clear()
    with pytest.raises(SettingsError, match="パッケージ redis がありません") as caught:
        open_queue(settings.model_copy(update={"queue": "redis://127.0.0.1:1/0"}))
    assert "koenowa[redis]" in caught.value.hint
    monkeypatch.setitem(sys.modules, "redis.exceptions", None)
    with pytest.raises(QueueError):
        open_queue(settings.model_copy(update={"home": settings.home / "nowhere"}))


def test_a_worker_on_redis(koe: Koe, home: Path, trained_home: Path, redis: str, tmp_path: Path) -> None:
    assert koe("jobs", "add", "campaigns", KOE_QUEUE=redis).exit_code == 0
    assert not (home / "queue.db").exists()
    variables = {"KOE_HOME": str(home), "KOE_DATA": str(trained_home / "data"), "KOE_ENGINE": "serial", "KOE_QUEUE": redis}
    assert Started("koe", "worker", "--once", log=tmp_path / "log", environment=variables).wait() == 0
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.reading(engine) as session:
        assert list(session.scalars(select(Job.state))) == [JobState.DONE]
    engine.dispose()
