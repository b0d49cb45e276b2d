"""Rows that could not be taken in: opened for a reason, mended, discarded, sent out and taken back as a file."""

from __future__ import annotations

import csv
import io

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import AuditEntry, Reject, Upload, Voice
from tests.web.browser import Browser, check
from tests.web.conftest import renew
from tests.web.imports.conftest import Take
from tests.web.imports.pages import sums, work


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
