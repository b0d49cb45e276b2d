"""Topics as background jobs: they tell how far they are, and a cancel leaves no half a run."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select

from api.job_kinds import KINDS
from api.jobs import JobContext, Runner
from core import db, jobs
from core.crypto import Keyring
from core.models import Job, JobState, TopicMembership, TopicRun
from core.settings import Settings
from tests.factories import create_voice


@pytest.fixture
def run(engine: Engine, trained_settings: Settings, keyring: Keyring) -> Callable[..., Job]:
    def do(kind: str, *, cancel_at: str = "") -> Job:
        def function(context: JobContext) -> dict[str, object]:
            report = context.report

            def told(done: int, total: int, message: str = "") -> None:
                report(done, total, message)
                if cancel_at and cancel_at in message:
                    with db.writing(engine) as session:
                        jobs.request_cancel(session, context.job_id, actor="hanako")
                    context.beat()

            context.report = told  # type: ignore[method-assign]
            return KINDS[kind](context)

        with db.writing(engine) as session:
            job = jobs.create(session, kind=kind, title="話題", arguments={}, actor="hanako")
        assert Runner(trained_settings, engine, keyring, {kind: function}, lambda: f"w-{job.id}", threading.Event()).run(job.id)
        with db.reading(engine) as session:
            return jobs.find(session, job.id)

    return do


def count(engine: Engine, table: type) -> int:
    with db.reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def add(engine: Engine, number: int) -> None:
    with db.writing(engine) as session:
        for _ in range(number):
            create_voice(session)


def test_fit_and_update(engine: Engine, run: Callable[..., Job]) -> None:
    add(engine, 40)
    fitted = run("topics_fit")
    assert (fitted.state, fitted.result["voices"]) == (JobState.DONE, 40)
    add(engine, 10)
    updated = run("topics_update")
    assert (updated.state, updated.result["placed"], updated.result["born"]) == (JobState.DONE, 10, 0)
    assert count(engine, TopicMembership) == 50


def test_without_voices_a_job_says_what_to_do(run: Callable[..., Job]) -> None:
    assert run("topics_fit").state is JobState.FAILED


@pytest.mark.parametrize("step", ["読んで", "見つけて", "地図", "名前", "保存"])
def test_a_cancel_takes_hold_between_steps(engine: Engine, run: Callable[..., Job], step: str) -> None:
    add(engine, 40)
    assert run("topics_fit", cancel_at=step).state is JobState.CANCELLED
    assert (count(engine, TopicRun), count(engine, TopicMembership)) == (0, 0)
