"""The page of background jobs: every state shown, cancelling and trying again, for those who may."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select

from api.queue import open_queue
from core import db, jobs
from core.models import AuditEntry, Job, JobState, Role
from tests.web.browser import Browser
from tests.web.conftest import SignIn


@pytest.fixture
def engine(app: FastAPI) -> Engine:
    given: Engine = app.state.engine
    return given


def create(engine: Engine, title: str = "応答記録.csv の取込", **ending: object) -> int:
    """A job in the state that ``ending`` brings it to."""
    with db.writing(engine) as session:
        job_id = jobs.create(session, kind="import", title=title, arguments={}, actor="hanako").id
        if "running" in ending or "failed" in ending or "done" in ending:
            jobs.claim(session, job_id, worker="w")
        if "running" in ending:
            jobs.report(session, job_id, worker="w", done=1200, total=4000, message="取り込んでいます")
        if "failed" in ending:
            jobs.fail(session, job_id, worker="w", error="文字コードが分かりません。", hint="UTF-8 で保存しなおしてください。")
        if "done" in ending:
            jobs.finish(session, job_id, worker="w", result={"read": 1200, "imported": 1198, "duplicates": 2, "rejected": 0})
    return job_id


def state(engine: Engine, job_id: int) -> Job:
    with db.reading(engine) as session:
        return jobs.find(session, job_id)


def test_nothing_asked_for_yet(staff: Browser) -> None:
    page = staff.get("/admin/jobs")
    assert "処理はまだありません" in page.text
    assert "hx-trigger" not in page.text


def test_every_state_is_shown_with_what_matters(staff: Browser, engine: Engine) -> None:
    for ending in ({}, {"running": True}, {"failed": True}, {"done": True}):
        create(engine, **ending)
    page = staff.get("/admin/jobs")
    for words in (
        "順番を待っています",
        "取り込んでいます",
        "1,200 / 4,000",
        "文字コードが分かりません。",
        "UTF-8 で保存しなおしてください。",
    ):
        assert words in page.text
    assert "読込 1,200、取込 1,198、重複 2、取込不可 0" in page.text
    assert 'hx-trigger="every 2s"' in page.text


def test_what_is_over_is_not_asked_after_again(staff: Browser, engine: Engine) -> None:
    create(engine, done=True)
    assert "hx-trigger" not in staff.get("/admin/jobs").text


def test_htmx_gets_the_block_alone(staff: Browser, engine: Engine) -> None:
    create(engine, running=True)
    response = staff.client.get("/admin/jobs", headers={"HX-Request": "true", "HX-Target": "jobs"})
    assert response.text.lstrip().startswith('<div id="jobs"')
    assert "<h1" not in response.text


def test_learning_from_corrections_is_asked_for_once(staff: Browser, engine: Engine) -> None:
    asked = staff.submit(staff.get("/admin/jobs"), "/admin/jobs/train")
    assert "訂正から学び直す処理を頼みました" in asked.words()
    again = staff.submit(staff.get("/admin/jobs"), "/admin/jobs/train")
    assert "すでに頼まれています" in again.words()
    with db.reading(engine) as session:
        (job,) = session.scalars(select(Job))
        assert (job.kind, job.title, job.state) == ("train", "訂正から学び直す", JobState.QUEUED)
        assert session.scalars(select(AuditEntry.action)).all() == ["job.create"]


def test_what_learning_came_to_is_told_with_figures(staff: Browser, engine: Engine) -> None:
    figures = {
        "decisions": 40,
        "held_out": 60,
        "right_before": 31,
        "right_after": 44,
        "held_out_f1": [0.412, 0.6],
        "test_f1": [0.71, 0.715],
    }
    with db.writing(engine) as session:
        job_id = jobs.create(session, kind="train", title="訂正から学び直す", arguments={}, actor="hanako").id
        jobs.claim(session, job_id, worker="w")
        jobs.finish(session, job_id, worker="w", result={**figures, "taken": True, "reason": "前のモデルより良いため", "model": "own-1"})
    words = staff.get("/admin/jobs").words()
    assert "学んだ判断 40、比べた判断 60、前のモデルの正解 31、新しいモデルの正解 44" in words
    assert (
        "比べた判断のマクロ F1 0.412 → 0.600、正解つきの声のマクロ F1 0.710 → 0.715、モデルを入れかえました（前のモデルより良いため）"
        in words
    )


def test_a_waiting_job_is_cancelled_and_waits_again(staff: Browser, app: FastAPI, engine: Engine) -> None:
    job_id = create(engine)
    page = staff.submit(staff.get("/admin/jobs"), f"/admin/jobs/{job_id}/cancel")
    assert "処理を取り消しました" in page.text
    assert state(engine, job_id).state is JobState.CANCELLED
    page = staff.submit(page, f"/admin/jobs/{job_id}/retry")
    assert "もう一度待ち行列に入れました" in page.text
    assert state(engine, job_id).state is JobState.QUEUED
    assert open_queue(app.state.settings).pending() == {job_id}
    with db.reading(engine) as session:
        acts = list(session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)))
    assert [(action, subject) for action, subject in acts if action.startswith("job.")] == [
        ("job.create", f"job:{job_id}"),
        ("job.cancel", f"job:{job_id}"),
        ("job.retry", f"job:{job_id}"),
    ]


def test_a_running_job_is_asked_to_stop_once(staff: Browser, engine: Engine) -> None:
    job_id = create(engine, running=True)
    page = staff.submit(staff.get("/admin/jobs"), f"/admin/jobs/{job_id}/cancel")
    assert "取り消しています" in page.text
    assert state(engine, job_id).cancel_requested
    assert state(engine, job_id).state is JobState.RUNNING


def test_long_lists_are_turned_page_by_page(staff: Browser, engine: Engine) -> None:
    ids = [create(engine, f"{number} 番のファイルの取込", done=True) for number in range(25)]
    first = staff.get("/admin/jobs")
    assert f"処理 {ids[-1]}　" in first.text
    assert f"処理 {ids[4]}　" not in first.text
    assert f'href="/admin/jobs?before={ids[5]}"' in first.text
    second = staff.get(f"/admin/jobs?before={ids[5]}")
    assert f"処理 {ids[0]}　" in second.text
    assert f"処理 {ids[5]}　" not in second.text


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_may_see_the_entry_in_the_menu(sign_in: SignIn, role: Role) -> None:
    may = role in (Role.ADMIN, Role.KOCHO)
    assert ('href="/admin/jobs"' in sign_in(role, department="道路維持課").get("/desk").text) is may


def test_a_job_that_does_not_exist(staff: Browser) -> None:
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    response = staff.post("/admin/jobs/99/cancel", {"csrf_token": token}, status=404)
    assert "処理 99 はありません" in response.text
