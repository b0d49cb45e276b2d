"""Rehearsals and imports that the page starts, done by the worker's own code: watched, cancelled, begun again."""

from __future__ import annotations

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core import jobs as job_table
from core.models import AuditEntry, Batch, Job, JobState, Upload, Voice
from tests.web.browser import Browser
from tests.web.conftest import renew
from tests.web.imports.conftest import Take
from tests.web.imports.pages import SQLITE, choices, sent, sums, work


def test_a_rehearsal_and_then_the_import_give_the_same_numbers(app: FastAPI, staff: Browser, save: Session) -> None:
    address = sent(staff)
    job = staff.post(f"{address}/check", choices(staff.get(address))).headers["location"]
    waiting = staff.get(job)
    assert "順番を待っています" in waiting.words()
    assert waiting.all("meta", **{"http-equiv": "refresh"}) or "http-equiv" in waiting.text
    assert "いま動いている処理" in staff.get("/admin/import").words()
    work(app)
    tried = staff.get(job)
    expected = {"読んだ": "4", "取り込む": "2", "重複": "0", "取り込めない": "2"}
    assert sums(tried) == expected
    assert "日付が読めない" in tried.words()
    assert save.scalars(select(Voice)).all() == []
    given = choices(staff.get(address))
    staff.post(f"{address}/choices", {**given, "column": ["", "", "", "title", "text", ""]})  # somebody looks at it in another way
    response = staff.post(f"{job}/take", tried.form(f"{job}/take"))
    again = staff.post(f"{job}/take", tried.form(f"{job}/take"))
    assert again.headers["location"] == response.headers["location"]
    work(app)
    done = staff.get(response.headers["location"])
    assert [*sums(done).values()] == [*expected.values()]
    (link,) = [link.get("href") for link in done.all("a") if "batches" in (link.get("href") or "")]
    batch = staff.get(str(link))
    assert [*sums(batch).values()] == [*expected.values()]
    renew(save)
    assert save.scalars(select(Voice.external_id).order_by(Voice.row)).all() == ["T-1", "T-3"]


def test_the_list_looks_again_until_what_runs_has_ended(app: FastAPI, staff: Browser) -> None:
    address = sent(staff)
    staff.post(f"{address}/start", choices(staff.get(address)))
    block = {"HX-Request": "true", "HX-Target": "running"}
    runs = staff.client.get("/admin/import", headers=block)
    assert ('hx-trigger="every 2s"' in runs.text, "hx-refresh" in runs.headers) == (True, False)
    work(app)
    ended = staff.client.get("/admin/import", headers=block)
    assert ("hx-trigger" in ended.text, ended.headers["hx-refresh"]) == (False, "true")


def test_a_file_that_is_in_lies_no_longer_on_the_disk(take: Take, app: FastAPI, staff: Browser, save: Session) -> None:
    take()
    home = app.state.settings.home
    assert [*(home / "uploads").iterdir()] == [*(home / "tmp").iterdir()] == []
    assert save.scalars(select(Upload)).all() == []
    reasons = [entry.detail for entry in save.scalars(select(AuditEntry).where(AuditEntry.action == "upload.discard"))]
    assert reasons == [{"reason": "imported"}]


def test_a_file_of_which_nothing_came_in_can_be_read_in_another_way(app: FastAPI, staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"] = ["text", "", "received_on", "", "", ""]
    job = staff.post(f"{address}/start", given).headers["location"]
    work(app)
    assert sums(staff.get(job))["取り込んだ"] == "0"
    assert "読み方を直す" in staff.get(job).words()
    staff.get(address)


def test_two_clicks_start_one_job(staff: Browser, save: Session) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    places = {staff.post(f"{address}/start", given).headers["location"] for _ in range(2)}
    assert len(places) == 1
    assert len(save.scalars(select(Job)).all()) == 1


def test_a_waiting_job_is_cancelled_and_begun_again(app: FastAPI, staff: Browser, save: Session) -> None:
    address = sent(staff)
    job = staff.post(f"{address}/start", choices(staff.get(address))).headers["location"]
    page = staff.submit(staff.get(job), f"{job}/cancel")
    assert "途中でやめました" in page.words()
    work(app)
    assert save.scalars(select(Voice)).all() == []
    staff.submit(page, f"{job}/again")
    work(app)
    assert sums(staff.get(job))["取り込んだ"] == "2"


def test_an_import_whose_worker_died_at_the_very_end_is_not_done_twice(take: Take, app: FastAPI, staff: Browser, save: Session) -> None:
    batch = take()
    job = save.scalars(select(Job).where(Job.kind == "import")).one()
    assert job.batch_id == batch
    first = dict(job.result)
    with db.writing(app.state.engine) as session:
        again = session.get_one(Job, job.id)
        again.state, again.result, again.worker = JobState.QUEUED, {}, ""
    work(app)
    renew(save)
    assert save.scalars(select(Batch.id)).all() == [batch]
    assert {**job.result, "seconds": 0} == {**first, "seconds": 0}


def test_a_job_that_fails_says_why_and_can_be_tried_again(app: FastAPI, staff: Browser) -> None:
    address = sent(staff)
    job = staff.post(f"{address}/start", choices(staff.get(address))).headers["location"]
    (sealed,) = (app.state.settings.home / "uploads").iterdir()
    content = sealed.read_bytes()
    sealed.write_bytes(content[:-1])
    work(app)
    page = staff.get(job)
    assert "壊れています" in page.words()
    sealed.write_bytes(content)
    staff.submit(page, f"{job}/again")
    work(app)
    assert sums(staff.get(job))["取り込んだ"] == "2"


@SQLITE
def test_how_far_a_running_job_is(app: FastAPI, staff: Browser, save: Session) -> None:
    with db.writing(app.state.engine) as session:
        job = job_table.create(session, kind="import", title="「記録.csv」の取込", arguments={}, actor="hanako")
        job_table.claim(session, job.id, worker="w")
        job_table.report(session, job.id, worker="w", done=500, total=2000, message="取り込み 500件")
    page = staff.get(f"/admin/import/jobs/{job.id}")
    assert "25% 500 / 2,000 取り込み 500件" in page.words()
    (bar,) = page.all("progress")
    assert (bar.get("value"), bar.get("max")) == ("25", "100")
    block = staff.client.get(f"/admin/import/jobs/{job.id}", headers={"HX-Request": "true", "HX-Target": "progress"}).text
    assert block.lstrip().startswith('<div id="progress"')
    assert 'hx-trigger="every 1s"' in block
    staff.submit(page, f"/admin/import/jobs/{job.id}/cancel")
    assert "とめています" in staff.get(f"/admin/import/jobs/{job.id}").words()


@SQLITE
def test_a_job_of_something_else_is_not_found_there(app: FastAPI, staff: Browser) -> None:
    with db.writing(app.state.engine) as session:
        job = job_table.create(session, kind="train", title="モデル", arguments={}, actor="hanako")
    staff.get(f"/admin/import/jobs/{job.id}", status=404)
    token = staff.get("/admin/import").form("/admin/import/uploads")
    staff.post(f"/admin/import/jobs/{job.id}/take", token, status=404)
    staff.get("/admin/import/jobs/999", status=404)
