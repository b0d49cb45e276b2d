"""The import page without a browser: every state of it, on both kinds of database, with the worker's own code doing the jobs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.worker import working
from core import db
from core import jobs as job_table
from core.models import AuditEntry, Batch, Job, JobState, Reject, Role, Upload, Voice
from core.settings import Settings
from tests.web.browser import Browser, Page, check
from tests.web.conftest import SignIn, queries_of, renew

LINES = [
    "管理番号,受付日,受付媒体,ご意見,お名前,備考",
    "T-1,令和8年9月1日,電話,港町1丁目の歩道の段差が大きく、車いすで通れません。,田中花子,至急",
    "T-2,いつか,窓口,駅前の街灯が切れていて、夜は足もとが見えません。,鈴木一郎,",
    "T-3,2026-09-03,メール,公園のブランコの鎖がさびています。,,",
    "T-4,2026-09-04,電話,,山田太郎,",
]
CSV = "\n".join(LINES).encode("cp932")

# For what the kind of database makes no difference to.
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(tmp_path: Path, trained_home: Path) -> Settings:
    """A home of the test's own that finds the trained models."""
    home = tmp_path / "var"
    home.mkdir()
    (home / "models").symlink_to(trained_home / "models")
    return Settings(home=home, data=trained_home / "data", engine="serial")


def send(browser: Browser, *files: tuple[str, bytes], status: int = 303, token: str | None = None, first: str = "csrf_token") -> Any:
    token = browser.client.get("/api/v1/session").json()["csrf_token"] if token is None else token
    parts = [(name, ("files", (name, content, "text/csv"))) for name, content in files]
    response = browser.client.post(
        "/admin/import/uploads", data={first: token}, files=[part for _, part in parts] or None, follow_redirects=False
    )  # fmt: skip
    assert response.status_code == status, response.text[:1500]
    return response


def sent(browser: Browser, content: bytes = CSV, name: str = "記録.csv") -> str:
    """The address of the preview of a file that was sent."""
    return str(send(browser, (name, content)).headers["location"])


def work(app: FastAPI) -> None:
    """Does all jobs that wait, as a worker process would."""
    with working(app.state.settings) as worker:
        worker.sweep()
        while worker.queue.run_next():
            pass


def choices(page: Page) -> dict[str, Any]:
    """What the preview's form holds, as a browser would send it."""
    form = page.form("/admin/import/uploads")
    selects = page.all("select")
    chosen = {select.get("name", ""): _chosen(select) for select in selects if select.get("name") != "column"}
    return {**form, **chosen, "column": [_chosen(select) for select in selects if select.get("name") == "column"]}


def _chosen(select: Any) -> str:
    options = [option for option in select.iter() if option.tag.endswith("}option")]
    return next((option.get("value", "") for option in options if option.get("selected") is not None), options[0].get("value", ""))


def sums(page: Page) -> dict[str, str]:
    (found,) = page.by_class("sums")
    return {page.words(pair[0]): page.words(pair[1]) for pair in found}


Take = Callable[..., int]


@pytest.fixture
def take(app: FastAPI, staff: Browser) -> Take:
    """Takes a file in through the page and gives the batch's number."""

    def take(content: bytes = CSV, name: str = "記録.csv") -> int:
        address = sent(staff, content, name)
        staff.post(f"{address}/start", choices(staff.get(address)))
        work(app)
        with db.reading(app.state.engine) as session:
            return int(session.scalar(select(func.max(Batch.id))) or 0)

    return take


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


@SQLITE
def test_a_preview_says_how_the_file_is_read(staff: Browser) -> None:
    page = staff.get(sent(staff))
    assert "CP932（Shift_JIS）" in page.words()
    assert choices(page)["column"] == ["external_id", "received_on", "channel", "text", "name", ""]
    assert "声 2 件、取り込めない行 2 行" in page.words()
    assert "日付として読めません" in page.words()
    assert "港町1丁目の歩道の段差" in page.words()


def test_looking_at_a_file_is_recorded_once_for_each_person(staff: Browser, sign_in: SignIn, save: Session) -> None:
    address = sent(staff)
    other = sign_in(Role.ADMIN)
    for browser in (staff, staff, other, staff, other):
        browser.get(address)
    seen = save.scalars(select(AuditEntry).where(AuditEntry.action == "upload.view")).all()
    assert len(seen) == 2
    assert len({entry.actor for entry in seen}) == 2
    assert {entry.subject for entry in seen} == {f"upload:{address.rpartition('/')[2]}"}


@SQLITE
def test_a_corrected_column_shows_at_once_and_stays(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][5] = "title"
    response = staff.post(f"{address}/choices", given)
    assert response.headers["location"] == f"{address}#outcome"
    again = staff.get(address)
    assert choices(again)["column"][5] == "title"
    assert "至急 港町1丁目" in again.words()


@SQLITE
def test_htmx_gets_the_outcome_alone(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][3] = ""
    response = staff.client.post(f"{address}/choices", data=given, headers={"HX-Request": "true", "HX-Target": "outcome"})
    assert response.text.lstrip().startswith("<section")
    assert "<h1" not in response.text
    assert "本文の列が選ばれていません" in response.text


@pytest.mark.parametrize("step", ["check", "start"])
def test_a_mapping_that_does_not_fit_leads_back_to_what_is_wrong(staff: Browser, save: Session, step: str) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][0] = "text"
    response = staff.post(f"{address}/{step}", given)
    assert response.headers["location"] == f"{address}#outcome"
    assert "「本文」が2つ以上の列に" in staff.get(address).words()
    assert save.scalars(select(Job)).all() == []


@SQLITE
def test_a_wrong_encoding_is_told_and_can_be_taken_back(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    staff.post(f"{address}/choices", {**given, "encoding": "utf-16"})
    assert "UTF-16 ではありません" in staff.get(address).words()
    staff.post(f"{address}/choices", {**given, "encoding": "cp932"})
    assert "声 2 件" in staff.get(address).words()


@SQLITE
def test_choices_that_are_not_offered_are_refused(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    staff.post(f"{address}/choices", {**given, "mapping": "/etc/passwd.yaml"}, status=400)
    staff.post(f"{address}/choices", {**given, "encoding": "rot13"}, status=400)
    staff.post(f"{address}/choices", {**given, "channel": "のろし"}, status=422)


def test_a_mapping_is_saved_under_a_name_and_chosen_for_the_same_headings(staff: Browser, save: Session) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][5] = "title"
    wrong = staff.post(f"{address}/mapping", {**given, "name": "../x"}, status=400)
    assert "対応表の名前が使えません" in wrong.text
    staff.post(f"{address}/mapping", {**given, "name": "応答記録"})
    page = staff.get(f"{address}?saved=true")
    assert "対応表「応答記録」を保存しました" in page.words()
    assert choices(page)["mapping"] == "応答記録"
    assert save.scalars(select(AuditEntry.subject).where(AuditEntry.action == "mapping.save")).all() == ["mapping:応答記録"]
    other = staff.get(sent(staff, CSV + "\nT-5,2026-09-05,電話,別の月の声です。,,".encode("cp932"), "別の月.csv"))
    assert choices(other)["mapping"] == "auto"
    assert choices(other)["column"][5] == "title"


@SQLITE
def test_choosing_another_mapping_begins_the_columns_anew(staff: Browser) -> None:
    address = sent(staff)
    given = choices(staff.get(address))
    given["column"][5] = "title"
    staff.post(f"{address}/mapping", {**given, "name": "わが市"})
    given = choices(staff.get(address))
    given["column"][0] = ""
    staff.post(f"{address}/choices", {**given, "mapping": "auto"})
    assert choices(staff.get(address))["column"][0] == "external_id"


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
    job = save.scalars(select(Job)).one()
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


@SQLITE
def test_files_that_cannot_be_taken_are_told_each_with_its_reason(staff: Browser, save: Session) -> None:
    response = send(staff, ("よい.csv", CSV), ("空.csv", b""), ("図.png", b"\x89PNG\r\n\x1a\n" + bytes(50)), status=400)
    page = check(response)
    assert "「空.csv」は空のファイルです" in page.words()
    assert "「図.png」は画像ファイル" in page.words()
    assert "ほかの 1 個は受け取りました" in page.words()
    assert save.scalars(select(Upload.name)).all() == ["よい.csv"]


@SQLITE
def test_several_files_lead_to_the_list(staff: Browser) -> None:
    response = send(staff, ("一.csv", CSV), ("二.csv", CSV + b"\n"))
    assert response.headers["location"] == "/admin/import"
    assert {"一.csv", "二.csv"} <= set(staff.get("/admin/import").words().split())


@SQLITE
def test_sending_nothing_is_told(staff: Browser) -> None:
    assert "ファイルが選ばれていません" in send(staff, ("", b""), status=400).text


@SQLITE
def test_what_is_too_large_is_not_kept(app: FastAPI, staff: Browser, save: Session) -> None:
    app.state.settings = app.state.settings.model_copy(update={"max_upload_mb": 1})
    row = "T-9,2026-09-01,電話,長い声です。,,\n".encode("cp932")
    response = send(staff, ("大.csv", CSV + b"\n" + row * 40_000), status=413)
    assert "合わせて 1 MB まで" in response.text
    send(staff, ("もっと大.csv", CSV + b"\n" + row * 120_000), status=413)
    assert not any((app.state.settings.home / "uploads").iterdir())
    assert save.scalars(select(Upload)).all() == []


@SQLITE
def test_without_the_token_or_with_it_behind_the_file_nothing_is_kept(app: FastAPI, staff: Browser) -> None:
    send(staff, ("a.csv", CSV), status=403, token="x")
    send(staff, ("a.csv", CSV), status=403, first="other")
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    body = (
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n番号,ご意見\n1,声\r\n'
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--b--\r\n'
    ).encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert staff.client.post("/admin/import/uploads", content=body, headers=headers).status_code == 403
    assert not any((app.state.settings.home).glob("uploads/*"))


@SQLITE
@pytest.mark.parametrize("cut", [40, 150, 300])
def test_a_form_that_breaks_off_leaves_nothing(app: FastAPI, staff: Browser, cut: int) -> None:
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    body = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n' + "番号,ご意見\n1,声\n" * 20
    ).encode()[:cut]
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = staff.client.post("/admin/import/uploads", content=body, headers=headers)
    assert response.status_code in (400, 403)
    assert not any((app.state.settings.home).glob("uploads/*"))


@SQLITE
@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 300, "text/csv", "multipart/form-data; boundary=\xff"]
)
def test_whatever_calls_itself_a_form_ends_in_an_answer(app: FastAPI, staff: Browser, kind: str) -> None:
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    one = '--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    many = (
        one.format(name="csrf_token", value=token) + "".join(one.format(name=f"f{number}", value="x") for number in range(50)) + "--b--\r\n"
    )
    for body in (b"", b"\0" * 5000, many.encode(), one.format(name="csrf_token", value="x" * 5000).encode()):
        for header in (kind, "multipart/form-data; boundary=b"):
            response = staff.client.post("/admin/import/uploads", content=body, headers={"Content-Type": header.encode("latin-1")})
            assert response.status_code in (400, 403), (header, body[:40], response.text[:300])
    assert not any((app.state.settings.home).glob("uploads/*"))


def test_a_file_is_discarded(app: FastAPI, staff: Browser) -> None:
    address = sent(staff)
    page = staff.submit(staff.get(address), f"{address}/discard")
    assert "ファイルを捨てました" in page.words()
    assert not any((app.state.settings.home / "uploads").iterdir())
    assert "もうありません" in staff.get(address, status=404).words()


def test_a_row_is_opened_for_a_reason_mended_and_taken_in(take: Take, staff: Browser, save: Session) -> None:
    batch = take()
    page = staff.get(f"/admin/import/batches/{batch}")
    assert "鈴木一郎" not in page.text
    reject = save.scalars(select(Reject).where(Reject.code == "date")).one()
    here = f"/admin/import/rejects/{reject.id}"
    form = page.form(f"{here}/open")
    staff.post(f"{here}/open", {**form, "reason": "見たいから"}, status=400)
    opened = check(staff.post(f"{here}/open", {**form, "reason": "mend"}, status=200))
    assert "鈴木一郎" in opened.words()
    renew(save)
    entries = save.scalars(select(AuditEntry).where(AuditEntry.action == "reject.open")).all()
    assert [(entry.subject, entry.detail["reason"]) for entry in entries] == [(f"batch:{batch}", "直して取り込むため")]
    cells = [(area.text or "").removeprefix("\n") for area in opened.all("textarea")]
    assert cells[1] == "いつか"
    still = check(staff.post(f"{here}/mend", {**form, "cell": [cells[0], "あした", *cells[2:]]}, status=422))
    assert "まだ取り込めません" in still.words()
    response = staff.post(f"{here}/mend", {**form, "cell": [cells[0], "令和8年9月2日", *cells[2:]]})
    after = staff.get(response.headers["location"].partition("#")[0])
    assert "直した行を取り込みました" in after.words()
    assert sums(after) == {"読んだ": "4", "取り込んだ": "3", "重複": "0", "取り込めなかった": "1"}
    renew(save)
    assert save.scalars(select(Voice.received_on).where(Voice.external_id == "T-2")).one().isoformat() == "2026-09-02"
    staff.post(f"{here}/mend", {**form, "cell": cells}, status=409)


def test_a_row_is_discarded_for_a_reason(take: Take, staff: Browser, save: Session) -> None:
    batch = take()
    page = staff.get(f"/admin/import/batches/{batch}")
    reject = save.scalars(select(Reject).where(Reject.code == "empty")).one()
    here = f"/admin/import/rejects/{reject.id}"
    form = page.form(f"{here}/open")
    staff.post(f"{here}/discard", form, status=400)
    response = staff.post(f"{here}/discard", {**form, "reason": "empty"})
    after = staff.get(response.headers["location"].partition("#")[0])
    assert "行を破棄しました" in after.words()
    assert f"{here}/open" not in after.text
    assert "破棄した" in staff.get(f"/admin/import/batches/{batch}?all=true").words()


def test_rows_go_out_as_csv_and_come_back_mended(take: Take, app: FastAPI, staff: Browser, save: Session) -> None:
    batch = take()
    here = f"/admin/import/batches/{batch}"
    form = staff.get(here).form(f"{here}/export")
    staff.post(f"{here}/export", form, status=400)
    response = staff.client.post(f"{here}/export", data={**form, "reason": "report"})
    assert (response.headers["content-type"], response.headers["cache-control"]) == ("text/csv; charset=utf-8", "no-store")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    date_row = next(row for row in rows if "いつか" in row)
    date_row[date_row.index("いつか")] = "2026/9/2"
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    files = [("files", ("直した.csv", text.getvalue().encode("utf-8-sig"), "text/csv"))]
    given = {"csrf_token": form["csrf_token"]}
    job = staff.client.post(f"{here}/mended", data=given, files=files, follow_redirects=False).headers["location"]
    assert "直した.csv" not in staff.get("/admin/import").words(), "it waits for no preview"
    work(app)
    assert sums(staff.get(job)) == {"取り込んだ": "1", "重複": "0", "まだ取り込めない": "0"}
    assert sums(staff.get(here))["取り込んだ"] == "3"
    assert save.scalars(select(Upload)).all() == []
    wrong = staff.client.post(f"{here}/mended", data=given, files=[("files", ("x.csv", b"", "text/csv"))], follow_redirects=False)
    assert wrong.status_code == 400
    assert "空のファイル" in check(wrong).words()


@SQLITE
def test_text_of_a_file_is_never_markup(take: Take, staff: Browser) -> None:
    evil = "<script>alert(1)</script>"
    content = f"番号,受付日,{evil},ご意見\n1,いつか,{evil},{evil}\n2,2026-09-01,{evil},{evil}です\n".encode()
    address = sent(staff, content, f"{evil}.csv")
    page = staff.get(address)
    assert evil not in page.text
    batch = take(content, "b.csv")
    assert evil not in staff.get(f"/admin/import/batches/{batch}").text


def test_the_list_takes_a_fixed_number_of_queries(take: Take, app: FastAPI, staff: Browser) -> None:
    take()
    with queries_of(app.state.engine) as few:
        staff.get("/admin/import")
    for _ in range(4):
        take()
    with queries_of(app.state.engine) as many:
        staff.get("/admin/import")
    assert len(few) == len(many) <= 6


def test_the_same_as_json(app: FastAPI, staff: Browser) -> None:
    client = staff.client
    headers = {"X-CSRF-Token": client.get("/api/v1/session").json()["csrf_token"]}
    upload = client.post("/api/v1/imports/uploads?name=記録.csv", content=CSV, headers=headers).json()
    assert (upload["name"], upload["size"]) == ("記録.csv", len(CSV))
    here = f"/api/v1/imports/uploads/{upload['id']}"
    seen = client.get(here).json()
    assert (seen["encoding"], seen["columns"][3], seen["voices"], seen["rejects"], seen["problem"]) == ("cp932", "text", 2, 2, "")
    assert "段差" not in json.dumps(seen, ensure_ascii=False)
    assert client.post(f"{here}/check", json={"mapping": "none"}, headers=headers).status_code == 400
    assert client.post(f"{here}/check", json={"columns": ["text", "text"]}, headers=headers).json()["code"] == "input"
    job = client.post(f"{here}/check", json={}, headers=headers).json()
    assert (job["state"], job["kind"]) == ("queued", "import_check")
    work(app)
    tried = client.get(f"/api/v1/imports/jobs/{job['id']}").json()
    assert (tried["state"], tried["result"]["imported"], tried["result"]["codes"]) == ("done", 2, {"date": 1, "empty": 1})
    job = client.post(f"{here}/start", json={"columns": seen["columns"]}, headers=headers).json()
    work(app)
    batch_id = client.get(f"/api/v1/imports/jobs/{job['id']}").json()["batch_id"]
    (item,) = client.get("/api/v1/imports").json()["items"]
    assert (item["id"], item["read"], item["status"]) == (batch_id, 4, "done")
    assert client.get(f"/api/v1/imports/{batch_id}").json()["open_rejects"] == {"date": 1, "empty": 1}
    rejects = client.get(f"/api/v1/imports/{batch_id}/rejects?limit=1").json()
    assert [reject["code"] for reject in rejects["items"]] == ["date"]
    rest = client.get(f"/api/v1/imports/{batch_id}/rejects?after={rejects['next']}").json()
    assert ([reject["code"] for reject in rest["items"]], rest["next"]) == (["empty"], None)
    assert client.get("/api/v1/imports/999").status_code == 404
    assert client.post(f"/api/v1/imports/jobs/{job['id']}/cancel", headers=headers).json()["code"] == "conflict"


@SQLITE
def test_a_body_that_is_too_large_is_refused_as_json(app: FastAPI, staff: Browser) -> None:
    app.state.settings = app.state.settings.model_copy(update={"max_upload_mb": 1})
    headers = {"X-CSRF-Token": staff.client.get("/api/v1/session").json()["csrf_token"]}
    response = staff.client.post("/api/v1/imports/uploads?name=a.csv", content=bytes(2 << 20), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "input")
    assert not any((app.state.settings.home).glob("uploads/*"))


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
    staff.submit(page, f"/desk/{voice.receipt_number}/accept")
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
