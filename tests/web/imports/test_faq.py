"""FAQ logs on the import page: recognised, asked for their period, tried, taken in, looked at and taken back."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import db
from core.models import Batch, BatchContent, FaqCount, FaqEntry, Job, Reject, Voice
from core.settings import Settings
from ingest.mapping_files import saved_folder
from tests.web.browser import Browser, Page
from tests.web.conftest import renew
from tests.web.imports.pages import SQLITE, choices, sent, sums, work

HEADINGS = "番号,質問,参照回数,備考"
WASTE, CARD = "粗大ごみの申込み方法を教えてください。", "住民票の写しはどこで取れますか。"
LOG = "\n".join([HEADINGS, f"F-1,{WASTE},300,", f"F-2,{CARD},多い,急増", "F-3,駐輪場はどこですか。,80,"]).encode("cp932")
MONTHS = f"質問,4月,5月\n{WASTE},5,6\n{CARD},7,多い\n".encode()


def read_as(page: Page) -> list[str]:
    """The last cell of each row in the table of columns."""
    (table,) = page.by_class("columns")
    return [page.words(row[-1]) for row in table.iter() if row.tag.endswith("}tr")][1:]


def ended(app: FastAPI, staff: Browser, address: str, page: Page, **fields: str) -> Page:
    """The page of the job that a form of the preview starts, when it is done."""
    job = staff.post(address, {**choices(page), **fields}).headers["location"]
    work(app)
    return staff.get(job)


@SQLITE
def test_a_log_is_known_and_asked_for_its_period(staff: Browser) -> None:
    address = sent(staff, LOG, "よくある質問.csv")
    page = staff.get(address)
    assert "「FAQ の参照回数」として取り込みます" in page.words()
    assert read_as(page) == ["番号", "質問", "参照回数", "使わない"]
    assert "参照回数の期間が分かりません" in page.words()
    assert "期間を 2026-04 や 2026年度 のように指定してください" in page.words()
    assert [field.get("name") for field in page.all("input", type="text")] == ["period"]
    assert "急増" in page.words()  # the table as it stands is there to be looked at


@SQLITE
@pytest.mark.parametrize("step", ["check", "start"])
def test_without_a_period_nothing_starts(staff: Browser, save: Session, step: str) -> None:
    address = sent(staff, LOG, "よくある質問.csv")
    given = choices(staff.get(address))
    for period, told in (("", "期間が分かりません"), ("いつか", "期間「いつか」が読めません"), ("2999-04", "先の期間です")):
        response = staff.post(f"{address}/{step}", {**given, "period": period})
        assert response.headers["location"] == f"{address}#outcome"
        assert told in staff.get(address).words()
    assert save.scalars(select(Job)).all() == []


@SQLITE
def test_what_its_first_rows_become(staff: Browser) -> None:
    address = sent(staff, LOG, "よくある質問.csv")
    given = {**choices(staff.get(address)), "period": "令和8年4月"}
    block = staff.client.post(f"{address}/choices", data=given, headers={"HX-Request": "true", "HX-Target": "outcome"})
    assert "期間は 2026-04-01 から 2026-04-30" in block.text
    page = staff.get(address)
    assert "参照回数 2 件、取り込めない回数 1 件" in page.words()
    assert "「参照回数」: 参照回数が 0 以上の整数ではありません" in page.words()
    assert page.all("input", name="period")[0].get("value") == "令和8年4月"


@SQLITE
def test_a_column_for_each_month_and_the_year_from_the_name_of_the_file(staff: Browser) -> None:
    known = staff.get(sent(staff, MONTHS, "FAQ令和8年度.csv"))
    assert read_as(known) == ["質問", "参照回数（2026-04）", "参照回数（2026-05）"]
    assert "参照回数 3 件、取り込めない回数 1 件" in known.words()
    assert "11（2 件の和）" in known.words()
    unknown = staff.get(sent(staff, MONTHS, "FAQ.csv"))
    assert read_as(unknown) == ["質問", "参照回数", "参照回数"]
    assert "何年度のものか分かりません" in unknown.words()


@SQLITE
def test_what_only_looks_like_a_log_can_be_taken_as_voices(app: FastAPI, staff: Browser, save: Session) -> None:
    address = sent(staff, LOG, "FAQ令和8年4月.csv")
    staff.post(f"{address}/choices", {**choices(staff.get(address)), "content": "voices"})
    page = staff.get(address)
    assert "本文の列" in page.words()
    given = choices(page)
    assert given["content"] == "voices"
    given["column"][1] = "text"
    staff.post(f"{address}/choices", {**given, "received_on": "2026-04-01"})
    assert "声 3 件" in staff.get(address).words()
    staff.post(f"{address}/choices", {**given, "content": ""})
    assert "「FAQ の参照回数」として取り込みます" in staff.get(address).words()
    staff.post(f"{address}/choices", {**given, "received_on": "2026-04-01"})
    ended(app, staff, f"{address}/start", staff.get(address), received_on="2026-04-01")
    assert save.scalar(select(func.count()).select_from(Voice)) == 3
    assert save.scalar(select(func.count()).select_from(FaqEntry)) == 0


@SQLITE
def test_a_mapping_for_logs_is_chosen_and_one_that_does_not_fit_is_told(staff: Browser, settings: Settings) -> None:
    saved_folder(settings).mkdir()
    (saved_folder(settings) / "machi-faq.yaml").write_text("faq: {question: 見出し語, views: のべ}\n", "utf-8")
    address = sent(staff, f"見出し語,のべ\n{WASTE},12\n".encode(), "2026-04.csv")
    staff.post(f"{address}/choices", {**choices(staff.get(address)), "mapping": "machi-faq"})
    page = staff.get(address)
    assert (read_as(page), "参照回数 1 件" in page.words()) == (["質問", "参照回数"], True)
    refused = staff.post(f"{address}/mapping", {**choices(page), "name": "x"}, status=400)
    assert "画面からは保存できません" in refused.text
    other = sent(staff, LOG, "FAQ令和8年4月.csv")
    staff.post(f"{other}/choices", {**choices(staff.get(other)), "mapping": "machi-faq"})
    assert "対応表「machi-faq」の質問か参照回数の列がファイルにありません" in staff.get(other).words()


def test_a_log_is_tried_taken_in_and_taken_back(app: FastAPI, staff: Browser, save: Session) -> None:
    address = sent(staff, LOG, "よくある質問.csv")
    tried = ended(app, staff, f"{address}/check", staff.get(address), period="2026-04")
    assert sums(tried) == {"読んだ": "3", "取り込む": "2", "重複": "0", "取り込めない": "1"}
    assert "参照回数が読めないか、食い違う" in tried.words()
    assert save.scalar(select(func.count()).select_from(FaqCount)) == 0
    take = next(form.get("action", "") for form in tried.all("form") if form.get("action", "").endswith("/take"))
    response = staff.post(take, tried.form(take))
    work(app)
    done = staff.get(response.headers["location"])
    assert [*sums(done).values()] == ["3", "2", "0", "1"]

    renew(save)
    batch = save.scalars(select(Batch)).one()
    here = f"/admin/import/batches/{batch.id}"
    assert (batch.content, batch.mapping) == (BatchContent.FAQ, "auto")
    assert {count.since.isoformat() for count in save.scalars(select(FaqCount))} == {"2026-04-01"}
    page = staff.get(here)
    assert [*sums(page).values()] == ["3", "2", "0", "1"]
    assert "この画面では直せません" in page.words()
    assert not page.all("input", type="file")
    links = [link.get("href", "") for link in page.all("a")]
    assert "/trends/faq?since=2026-04-01&until=2026-04-30" in links
    assert not [link for link in links if link.startswith("/desk?")]
    assert "FAQ" in staff.get("/admin/import").words(staff.get("/admin/import").all("tbody")[0])

    form = {**page.form(f"{here}/undo"), "reason": "trial", "sure": "true"}
    job = staff.post(f"{here}/undo", form).headers["location"]
    work(app)
    assert "消した参照回数 2 件、取り込めなかった行 1 行" in staff.get(job).words()
    renew(save)
    assert [save.scalar(select(func.count()).select_from(table)) for table in (FaqEntry, FaqCount, Reject)] == [0, 0, 0]
    assert "取り消し" in staff.get(here).words()


@SQLITE
def test_a_row_of_a_log_can_be_seen_and_discarded_but_not_mended(app: FastAPI, staff: Browser, save: Session) -> None:
    address = sent(staff, LOG, "FAQ令和8年4月.csv")
    ended(app, staff, f"{address}/start", staff.get(address))
    reject = save.scalars(select(Reject)).one()
    here = f"/admin/import/batches/{reject.batch_id}"
    page = staff.get(here)
    opened = staff.post(
        f"/admin/import/rejects/{reject.id}/open", {**page.form("/admin/import/rejects"), "reason": "mend"}, status=200
    )  # fmt: skip
    assert "画面では直せません" in opened.text
    assert "<dt>備考</dt><dd>急増</dd>" in opened.text
    token = page.form("/admin/import/rejects")
    mended = staff.client.post(f"/admin/import/rejects/{reject.id}/mend", data={**token, "cell": ["F-2", CARD, "5", ""]})
    assert (mended.status_code, "市民の声の取込ではありません" in mended.text) == (400, True)
    data = {"csrf_token": staff.client.get("/api/v1/session").json()["csrf_token"]}
    response = staff.client.post(f"{here}/mended", data=data, files=[("files", ("直した.csv", b"a", "text/csv"))])
    assert (response.status_code, "もとのファイルを直して" in response.text) == (400, True)
    staff.post(f"/admin/import/rejects/{reject.id}/discard", {**token, "reason": "empty"})
    renew(save)
    assert save.get_one(Reject, reject.id).resolution == "discarded"


@SQLITE
def test_an_undo_that_was_interrupted_is_gone_on_with(app: FastAPI, staff: Browser, save: Session) -> None:
    address = sent(staff, LOG, "FAQ令和8年4月.csv")
    ended(app, staff, f"{address}/start", staff.get(address))
    with db.writing(app.state.engine) as session:
        batch = session.scalars(select(Batch)).one()
        batch.status = batch.status.UNDONE
    assert "この取込の取り消しを続ける" in staff.get(f"/admin/import/batches/{batch.id}").words()


@SQLITE
def test_the_same_as_json(app: FastAPI, staff: Browser) -> None:
    headers = {"X-CSRF-Token": staff.client.get("/api/v1/session").json()["csrf_token"], "X-File-Name": "faq.csv"}
    upload = sent(staff, LOG, "よくある質問.csv").rpartition("/")[2]
    seen = staff.client.get(f"/api/v1/imports/uploads/{upload}").json()
    assert (seen["content"], seen["columns"], seen["counts"]) == ("faq", ["number", "question", "views", ""], 0)
    assert "期間が分かりません" in seen["problem"]
    refused = staff.client.post(f"/api/v1/imports/uploads/{upload}/start", json={}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "input")
    job = staff.client.post(f"/api/v1/imports/uploads/{upload}/start", json={"period": "2026-04"}, headers=headers).json()
    work(app)
    result = staff.client.get(f"/api/v1/imports/jobs/{job['id']}").json()
    assert result["state"] == "done", result
    batch = staff.client.get(f"/api/v1/imports/{result['batch_id']}").json()
    assert (batch["content"], batch["imported"], batch["open_rejects"]) == ("faq", 2, {"count": 1})
