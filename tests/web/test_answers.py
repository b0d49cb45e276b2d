"""From a draft to a sent answer over the pages, without JavaScript."""

from __future__ import annotations

from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import (
    Answer,
    Approval,
    AuditEntry,
    Case,
    Dispatch,
    DispatchState,
    Draft,
    DraftRevision,
    Job,
    Kind,
    Role,
    Status,
    Urgency,
    Voice,
)
from core.settings import Settings
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn, renew
from tests.web.imports.pages import work

TEXT = "歩道の段差は、昨日直しました。"
ASKED = "歩道の段差が大きく、車いすで通れません。直してください。"
FIELDS = {"text": TEXT, "disposition": "planned", "delivery": "mail", "then": "save"}


@pytest.fixture
def voice(app: FastAPI, save: Session) -> Voice:
    voice: Voice = factories.create_voice(
        save, text=ASKED, theme="道路・交通", kind=Kind.REQUEST, urgency=Urgency.NORMAL, received_on=date(2026, 9, 1)
    )
    factories.create_secret(save, voice, app.state.keyring, name="港町一郎", email="ichiro@example.jp", address="本町一丁目1番1号")
    save.commit()
    return voice


@pytest.fixture
def clerk(sign_in: SignIn) -> Browser:
    return sign_in(Role.DEPARTMENT, department="道路維持課")


@pytest.fixture
def head(sign_in: SignIn) -> Browser:
    return sign_in(Role.DEPARTMENT, department="道路維持課", position="課長")


def here(voice: Voice) -> str:
    return f"/desk/{voice.receipt_number}/answer"


def write(browser: Browser, voice: Voice, **fields: str) -> Page:
    page = browser.get(here(voice))
    return browser.submit(page, here(voice), **{**FIELDS, **fields})


def test_from_a_draft_to_a_sent_answer(clerk: Browser, head: Browser, voice: Voice, save: Session) -> None:
    assert "回答案を保存しました" in write(clerk, voice).words()
    page = write(clerk, voice, text=f"{TEXT}国道も直しました。", then="submit")
    assert "決裁へ回しました" in page.words()
    assert not page.all("textarea")
    waiting = head.get("/desk/approvals")
    link = next(link.get("href", "") for link in waiting.all("a") if link.get("href", "").startswith("/desk/approvals/"))
    decided = head.submit(head.get(link), f"{link}/approve", comment="お願いします。")
    assert "決裁を待っている回答はありません" in decided.words()
    page = clerk.get(here(voice))
    assert "お願いします。" in page.words()
    done = clerk.submit(page, f"{here(voice)}/send")
    assert "送りました" in done.words()
    renew(save)
    assert save.scalars(select(Answer.text)).one() == f"{TEXT}国道も直しました。"
    assert save.scalars(select(Dispatch.state)).one() is DispatchState.WAITING
    assert save.scalars(select(Job.arguments).where(Job.kind == "answers")).one() == {"draft": save.scalars(select(Draft.id)).one()}
    assert voice.status is Status.ANSWERED


def test_what_comes_back_shows_its_comment_masked_and_what_changed(clerk: Browser, head: Browser, voice: Voice, save: Session) -> None:
    write(clerk, voice, then="submit")
    first = f"/desk/approvals/{save.scalars(select(func.max(Approval.id))).one()}"
    page = head.get(first)
    head.post(f"{first}/return", page.form(first), status=400)
    head.post(f"{first}/return", {**page.form(first), "comment": "港町一郎さん（090-1234-5678）に時期を確かめてください。"})
    page = clerk.get(here(voice))
    (notice,) = page.by_class("notice")
    assert "道路維持課 課長から差し戻されました。" in page.words(notice)
    assert "に時期を確かめてください。" in page.words(notice)
    assert "090-1234-5678" not in page.text
    clerk.submit(page, here(voice), **{**FIELDS, "text": f"{TEXT}\n工事は10月20日でした。", "then": "submit"})
    renew(save)
    page = head.get(f"/desk/approvals/{save.scalars(select(func.max(Approval.id))).one()}")
    assert [page.words(new) for new in page.all("ins")] == ["加わった文", "工事は10月20日でした。"]
    assert "差し戻されました" not in clerk.get(here(voice)).words()


def test_nothing_typed_is_lost_when_somebody_was_first(clerk: Browser, sign_in: SignIn, voice: Voice, save: Session) -> None:
    other = sign_in(Role.DEPARTMENT, department="道路維持課", display_name="港 一郎")
    stale = clerk.get(here(voice)).form(here(voice))
    write(other, voice, text="先に書いた文です。")
    answer = clerk.post(here(voice), {**stale, **FIELDS, "text": "あとから書いた文です。"}, status=409)
    page = Page(answer.text)
    assert "港 一郎が先に保存した文" in page.words()
    assert "先に書いた文です。" in page.words(page.by_class("theirs")[0])
    assert (page.all("textarea")[0].text or "").strip() == "あとから書いた文です。"
    clerk.post(here(voice), {**page.form(here(voice)), **FIELDS, "text": "あとから書いた文です。"})
    assert save.scalars(select(DraftRevision.text).order_by(DraftRevision.version)).all() == [
        "先に書いた文です。",
        "あとから書いた文です。",
    ]


@pytest.mark.parametrize("wrong", [{"text": " "}, {"review_on": "来月"}, {"disposition": "magic"}, {"delivery": "pigeon"}, {"kind": "x"}])
def test_what_cannot_be_saved_comes_back_as_it_was_typed(clerk: Browser, voice: Voice, save: Session, wrong: dict[str, str]) -> None:
    form = clerk.get(here(voice)).form(here(voice))
    answer = clerk.post(here(voice), {**form, **FIELDS, **wrong}, status=400)
    page = Page(answer.text)
    assert page.all("div", role="alert")
    assert (page.all("textarea")[0].text or "").strip() == wrong.get("text", TEXT).strip()
    assert save.scalar(select(func.count(Case.id))) == 0


def test_what_a_check_stops_is_saved_but_not_put_forward(clerk: Browser, head: Browser, voice: Voice, save: Session) -> None:
    form = clerk.get(here(voice)).form(here(voice))
    answer = clerk.post(here(voice), {**form, **FIELDS, "text": "〔氏名〕様へ。\n段差は検討します。", "then": "submit"}, status=400)
    page = Page(answer.text)
    assert [page.words(item)[:2] for item in page.by_class("finding-stop")] == ["直す", "直す"]
    assert "1行目「〔氏名〕」" in page.words()
    assert "2行目「検討します" in page.words()
    renew(save)
    assert (save.scalars(select(Draft.version)).one(), save.scalars(select(Case.status)).one()) == (1, Status.DRAFTING)
    assert page.form(here(voice))["version"] == "1"
    page = clerk.submit(page, here(voice), **{**FIELDS, "then": "submit"})
    assert "決裁へ回しました" in page.words()


def test_a_check_quotes_the_line_that_it_is_about_and_none_where_it_misses_an_answer(clerk: Browser, voice: Voice) -> None:
    form = {**clerk.get(here(voice)).form(here(voice)), **FIELDS, "text": "拝見しました。\r\n電話は 090-1234-5678 です。", "then": "submit"}
    page = Page(clerk.post(here(voice), form, status=400).text)
    assert "2行目「090-1234-5678」" in page.words(page.by_class("finding-stop")[0])
    form = {**form, "text": "ごみの収集は、火曜日と金曜日です。", "then": "check"}
    (missed,) = Page(clerk.post(here(voice), form, status=200).text).by_class("finding")
    assert "直してください。" in page.words(missed)
    assert "行目" not in page.words(missed)


def test_checking_and_using_a_past_answer_save_nothing(clerk: Browser, voice: Voice, save: Session) -> None:
    past = factories.create_voice(save, theme="道路・交通", answered=True)
    save.commit()
    form = {**clerk.get(here(voice)).form(here(voice)), **FIELDS}
    page = Page(clerk.post(here(voice), {**form, "text": "{所管課}です。", "then": "check"}, status=200).text)
    assert len(page.by_class("finding-stop")) == 1
    page = Page(clerk.post(here(voice), {**form, "then": f"use:answer:{past.receipt_number}"}, status=200).text)
    assert (page.all("textarea")[0].text or "").strip().startswith(f"{TEXT}\n\nご意見をいただき")
    assert page.form(here(voice))["source"] == f"answer:{past.receipt_number}"
    clerk.post(here(voice), {**form, "then": "use:answer:R08-999999-9"}, status=400)
    page = Page(clerk.post(here(voice), {**form, "text": "", "then": "draft"}, status=200).text)
    assert voice.receipt_number in (page.all("textarea")[0].text or "")
    assert page.form(here(voice))["source"].startswith("template:")
    page = Page(clerk.post(here(voice), {**form, "then": "draft", "template": "ないひな形"}, status=400).text)
    assert (page.all("textarea")[0].text or "").strip() == TEXT
    assert save.scalar(select(func.count(Draft.id))) == 0


def test_a_drafter_takes_it_back(clerk: Browser, head: Browser, voice: Voice) -> None:
    page = write(clerk, voice, then="submit")
    assert "決裁から引き戻しました" in clerk.submit(page, f"{here(voice)}/withdraw").words()
    assert clerk.get(here(voice)).all("textarea")


def test_a_letter_shows_name_and_address_once_and_logs_it(clerk: Browser, head: Browser, voice: Voice, save: Session) -> None:
    write(clerk, voice, delivery="letter", then="submit", text=f"{TEXT}\n\nまた、標識も立てました。")
    first = f"/desk/approvals/{save.scalars(select(func.max(Approval.id))).one()}"
    head.submit(head.get(first), f"{first}/approve")
    page = clerk.submit(clerk.get(here(voice)), f"{here(voice)}/send")
    number = page.all("input", name="dispatch")[0].get("value", "")
    printed = clerk.post(f"/desk/{voice.receipt_number}/letter", {**page.form(f"{here(voice)}/post"), "dispatch": number}, status=200)
    assert "港町一郎 様" in printed.text
    assert "本町一丁目1番1号" in printed.text
    # A block that keeps its line breaks shows all but the last one: between the paragraphs stands an empty line.
    assert f'<div class="letter-text">{TEXT}\n\n</div>' in printed.text
    assert '<div class="letter-text">また、標識も立てました。</div>' in printed.text
    assert printed.headers["cache-control"] == "no-store"
    renew(save)
    assert save.scalars(select(AuditEntry.detail).where(AuditEntry.action == "voice.read_original")).one()["fields"] == ["contact"]
    assert "港町一郎" not in clerk.get(here(voice)).text
    sent = clerk.post(f"{here(voice)}/post", {**page.form(f"{here(voice)}/post"), "dispatch": number, "act": "posted"})
    assert "発送済みにしました" in clerk.get(sent.headers["location"]).words()


def test_a_manager_reads_the_answer_and_decides_only_what_waits_for_the_position(
    sign_in: SignIn, clerk: Browser, head: Browser, voice: Voice, save: Session
) -> None:
    write(clerk, voice, then="submit")
    manager = sign_in(Role.MANAGER, department="政策企画課", position="部長")
    page = manager.get(here(voice))
    assert {form.get("action") for form in page.all("form", method="post")} == {"/sign-out"}
    first = f"/desk/approvals/{save.scalars(select(func.max(Approval.id))).one()}"
    page = manager.get(first)
    assert "承認する" not in page.words()
    manager.post(f"{first}/approve", page.form("/sign-out"), status=403)
    kocho = sign_in(Role.KOCHO)
    deputy = save.scalars(select(factories.User.username).where(factories.User.position == "部長")).one()
    page = kocho.submit(kocho.get(first), f"{first}/delegate", deputy=deputy)
    assert "代決する人を決めました" in page.words()
    assert "承認しました" in manager.submit(manager.get(first), f"{first}/approve").words()


def test_another_departments_answer_is_not_there(sign_in: SignIn, clerk: Browser, head: Browser, voice: Voice, save: Session) -> None:
    write(clerk, voice, then="submit")
    first = f"/desk/approvals/{save.scalars(select(func.max(Approval.id))).one()}"
    other = sign_in(Role.DEPARTMENT, department="公園緑地課")
    token = other.get("/desk").form("/sign-out")
    other.get(here(voice), status=404)
    other.post(here(voice), {**token, **FIELDS}, status=404)
    other.get(first, status=404)
    other.post(f"{first}/approve", token, status=404)
    other.get("/desk/approvals/999", status=404)


def test_a_program_goes_the_same_way_by_json(clerk: Browser, head: Browser, voice: Voice) -> None:
    mine, theirs = Api(clerk), Api(head)
    case = f"/api/v1/cases/{voice.receipt_number}"
    assert mine.get(f"{case}/draft") == {"draft": None, "sent": []}
    assert [found["code"] for found in mine.post(f"{case}/draft/check", {"text": "〔氏名〕様"})]
    body = {"text": TEXT, "disposition": "planned", "delivery": "letter", "sources": [{"kind": "faq", "number": "F-1"}]}
    saved = mine.post(f"{case}/draft", body)["draft"]
    assert (saved["version"], saved["state"], saved["sources"]) == (1, "editing", body["sources"])
    assert mine.post(f"{case}/draft", {**body, "text": "別の文"}, status=409)["code"] == "draft_overtaken"
    assert mine.post(f"{case}/draft/submit", {"version": 1})["draft"]["state"] == "in_approval"
    (waits,) = theirs.get("/api/v1/approvals")["items"]
    assert (waits["receipt_number"], waits["position"]) == (voice.receipt_number, "課長")
    step = f"/api/v1/approvals/{waits['approval_id']}"
    seen = theirs.get(step)
    assert (seen["text"], seen["version"], seen["state"], seen["may_decide"]) == (TEXT, 1, "waiting", True)
    assert (seen["receipt_number"], seen["disposition"], seen["delivery"]) == (voice.receipt_number, "planned", "letter")
    assert [each["state"] for each in seen["rounds"][0]["steps"]][-1] == "waiting"
    assert not mine.get(step)["may_decide"]
    assert theirs.client.get("/api/v1/approvals/99999").status_code == 404
    assert theirs.post(f"{step}/return", {"comment": ""}, status=400)["code"] == "input"
    assert theirs.post(f"{step}/return", {"comment": "時期を書いてください。"})[0]["steps"][-1]["state"] == "returned"
    assert (theirs.get(step)["state"], theirs.get(step)["may_decide"]) == ("returned", False)
    assert theirs.post(f"{step}/approve", {}, status=409)["code"] == "conflict"
    mine.post(f"{case}/draft", {**body, "text": f"{TEXT}国道も直しました。", "version": 1})
    mine.post(f"{case}/draft/submit", {"version": 2})
    mine.post(f"{case}/draft/withdraw", {})
    mine.post(f"{case}/draft/submit", {"version": 2})
    (waits,) = theirs.get("/api/v1/approvals")["items"]
    mine.post(f"{case}/draft/send", {}, status=409)
    theirs.post(f"/api/v1/approvals/{waits['approval_id']}/approve", {"comment": "よし"})
    (sent,) = mine.post(f"{case}/draft/send", {})["sent"]
    (dispatch,) = sent["dispatches"]
    assert (sent["text"], dispatch["state"]) == (f"{TEXT}国道も直しました。", "waiting")
    (letter,) = mine.post(f"{case}/letters", {"dispatches": [dispatch["id"]]})
    assert letter["name"] == "港町一郎"
    (sent,) = mine.post(f"{case}/dispatches", {"act": "posted", "dispatches": [dispatch["id"]]})["sent"]
    assert sent["dispatches"][0]["state"] == "sent"


class Api:
    """A person's session as a program uses it."""

    def __init__(self, browser: Browser) -> None:
        self.client = browser.client
        self.headers = {"X-CSRF-Token": self.client.get("/api/v1/session").json()["csrf_token"]}

    def get(self, address: str) -> Any:
        return self._body(self.client.get(address), 200)

    def post(self, address: str, body: dict[str, Any], *, status: int = 200) -> Any:
        return self._body(self.client.post(address, json=body, headers=self.headers), status)

    @staticmethod
    def _body(response: Any, status: int) -> Any:
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mail_url": "file:outbox", "mail_from": "kocho@city-shiomi.example.jp"})


def test_the_worker_puts_the_mails_out(clerk: Browser, head: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    write(clerk, voice, then="submit")
    first = f"/desk/approvals/{save.scalars(select(func.max(Approval.id))).one()}"
    head.submit(head.get(first), f"{first}/approve")
    assert not outbox(app)
    clerk.submit(clerk.get(here(voice)), f"{here(voice)}/send")
    work(app)
    (mail,) = outbox(app)
    assert mail["To"] == "ichiro@example.jp"
    assert voice.receipt_number in mail["Subject"]
    assert mail.get_content().startswith(TEXT)
    renew(save)
    assert save.execute(select(Dispatch.state, Dispatch.message_id)).one() == (DispatchState.SENT, mail["Message-ID"])
    assert "発送済み 1件" in clerk.get(here(voice)).words()


def outbox(app: FastAPI) -> list[EmailMessage]:
    paths = sorted((app.state.settings.home / "outbox").glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]
