"""The list of imports, and a whole import taken back."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core.models import AuditEntry, Job, JobState, Reject, Role, Voice
from tests.web.browser import Browser, check
from tests.web.conftest import SignIn, queries_of, renew
from tests.web.imports.conftest import Take
from tests.web.imports.pages import SQLITE, sums, work


@SQLITE
def test_an_empty_list_explains_itself(staff: Browser) -> None:
    page = staff.get("/admin/import")
    assert "取込はまだありません" in page.words()
    assert "512 MB" in page.words()


@SQLITE
def test_the_menu_leads_there_for_those_who_may(sign_in: SignIn) -> None:
    for role in Role:
        links = [link.get("href") for link in sign_in(role).get("/desk").all("a")]
        assert ("/admin/import" in links) is (role in (Role.ADMIN, Role.KOCHO))


def test_the_list_takes_a_fixed_number_of_queries(take: Take, app: FastAPI, staff: Browser) -> None:
    take()
    with queries_of(app.state.engine) as few:
        staff.get("/admin/import")
    for _ in range(4):
        take()
    with queries_of(app.state.engine) as many:
        staff.get("/admin/import")
    assert len(few) == len(many) <= 6


def undone(staff: Browser, batch: int, **fields: str) -> Any:
    here = f"/admin/import/batches/{batch}"
    form = staff.get(here).form(f"{here}/undo")
    return staff.client.post(f"{here}/undo", data={**form, **fields}, follow_redirects=False)


def test_a_whole_batch_is_taken_back_and_can_be_imported_again(take: Take, app: FastAPI, staff: Browser, save: Session) -> None:
    batch = take()
    assert check(undone(staff, batch, sure="true")).heading == "入力を読み取れませんでした"
    assert undone(staff, batch, reason="file").status_code == 400
    response = undone(staff, batch, reason="file", sure="true")
    assert "処理が動いています" in staff.get(f"/admin/import/batches/{batch}").words()
    work(app)
    page = staff.get(response.headers["location"])
    assert "取込を取り消しました" in page.words()
    assert "消した声 2 件" in page.words()
    renew(save)
    assert save.scalars(select(Voice)).all() == save.scalars(select(Reject)).all() == []
    shown = staff.get(f"/admin/import/batches/{batch}")
    assert "取り消す前の数です" in shown.words()
    assert not [form for form in shown.all("form") if (form.get("action") or "").endswith("/undo")]
    second = take()
    assert sums(staff.get(f"/admin/import/batches/{second}"))["取り込んだ"] == "2"
    entries = save.scalars(select(AuditEntry).where(AuditEntry.action == "import.undo")).all()
    assert [entry.detail["reason"] for entry in entries] == ["違うファイルを取り込んだ"]


def test_what_staff_have_worked_on_is_not_taken_back_unasked(take: Take, app: FastAPI, staff: Browser, save: Session) -> None:
    batch = take()
    voice = save.scalars(select(Voice).order_by(Voice.id)).first()
    assert voice is not None
    page = staff.get(f"/desk/{voice.receipt_number}")
    staff.accept(page, voice.receipt_number)
    response = undone(staff, batch, reason="mapping", sure="true")
    assert response.status_code == 409
    assert "分類を決めた声 1 件" in check(response).words()
    renew(save)
    assert len(save.scalars(select(Voice)).all()) == 2
    response = undone(staff, batch, reason="mapping", sure="true", force="true")
    work(app)
    assert "取込を取り消しました" in staff.get(response.headers["location"]).words()


def test_an_undo_whose_worker_died_at_the_very_end_is_done(take: Take, app: FastAPI, staff: Browser, save: Session) -> None:
    batch = take()
    job = undone(staff, batch, reason="trial", sure="true").headers["location"]
    work(app)
    with db.writing(app.state.engine) as session:
        again = session.get_one(Job, int(job.rpartition("/")[2]))
        again.state, again.result, again.worker = JobState.QUEUED, {}, ""
    work(app)
    assert "取込を取り消しました" in staff.get(job).words()
