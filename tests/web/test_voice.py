from __future__ import annotations

from datetime import date

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core.models import AuditEntry, Facet, HumanLabel, MachineReading, Role, Secret, Voice
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import SignIn, queries_of, renew


@pytest.fixture
def voice(save: Session) -> Voice:
    voice: Voice = factories.create_voice(save, theme="道路・交通", received_on=date(2026, 9, 1), confidence=0.7)
    save.commit()
    return voice


def address(voice: Voice) -> str:
    return f"/desk/{voice.receipt_number}"


def test_deciding_words_and_masked_items_stand_out(staff: Browser, voice: Voice) -> None:
    page = staff.get(address(voice))
    assert [page.words(mark) for mark in page.all("mark")] == ["歩道（分野・所管課の手がかり）"]
    masked = [page.words(span) for span in page.by_class("masked")]
    assert masked[:2] == ["〔氏名〕", "〔住所〕"]


def test_context_attributes_and_answer_are_there(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(
        save, context={"question": "住みやすいですか", "choice": "はい"}, attributes={"age": "40代", "自治会": "あり"}, published=True
    )
    save.commit()
    words = staff.get(address(voice)).words()
    assert all(word in words for word in ("住みやすいですか", "はい", "年代", "40代", "自治会", "市の回答", "公開中"))


def test_changing_a_theme_clears_a_foreign_subtheme_and_can_be_undone(staff: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    page = staff.get(address(voice))
    changed = staff.submit(page, f"{address(voice)}/labels", value="公園・緑地")
    assert "分類を変更しました" in changed.words()
    renew(save)
    assert (voice.theme, voice.subtheme, voice.confidence) == ("公園・緑地", "", 1.0)
    back = staff.submit(changed, f"{address(voice)}/undo")
    assert "変更を取り消しました" in back.words()
    renew(save)
    assert (voice.theme, voice.subtheme, voice.confidence) == ("道路・交通", "道路・歩道の傷み", 0.7)
    kept = save.scalars(select(HumanLabel.value).order_by(HumanLabel.id)).all()
    assert kept == ["公園・緑地", "", "道路・交通", "道路・歩道の傷み"]
    actions = save.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["label.set", "label.undo"]
    assert "履歴" in back.words()
    assert "が確認" not in back.words()
    assert "（取消）" in back.words()
    assert "機械の判定・確信度 70%" in back.words()


def test_undo_brings_back_what_the_source_file_said(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通")
    voice.department = "下水道河川課"  # the city's own word in the file, against the machine's 道路維持課
    save.commit()
    page = staff.get(address(voice))
    assert "元データの値" in page.words()
    fields = {**page.form(f"{address(voice)}/labels"), "facet": "department", "value": "公園緑地課"}
    changed = staff.get(staff.post(f"{address(voice)}/labels", fields).headers["location"].partition("#")[0])
    staff.submit(changed, f"{address(voice)}/undo")
    renew(save)
    assert voice.department == "下水道河川課"


def test_a_rules_department_is_shown_as_the_rules(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通", text="段差と街灯が気になる。", title="", department="くらし安全課")
    reading = save.get_one(MachineReading, voice.id)
    ruling = ["街灯の球切れ", "道路維持課", 0.8]
    reading.department = ["くらし安全課", 1.0, [["道路維持課", 0.8]], [["街灯", 1.0, 3, 5]], ruling]
    save.commit()
    page = staff.get(address(voice))
    assert "規則「街灯の球切れ」による" in page.words()
    assert "街灯（所管課の手がかり）" in [page.words(mark) for mark in page.all("mark")]
    fields = {**page.form(f"{address(voice)}/labels"), "facet": "department", "value": "公園緑地課"}
    staff.post(f"{address(voice)}/labels", fields)
    changed = staff.get(address(voice))
    assert "くらし安全課規則「街灯の球切れ」に変える" in changed.words(), "the rule still fits, and is offered again"
    assert "規則「街灯の球切れ」：くらし安全課（機械の判定は道路維持課、80%）" in changed.words()
    assert "100%" not in changed.words()


def test_a_new_theme_brings_the_departments_of_the_rules(staff: Browser, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通", text="夜はとても暗い。", title="")
    save.commit()
    page = staff.get(address(voice))
    assert "規則「" not in page.words()
    changed = staff.submit(page, f"{address(voice)}/labels", value="公園・緑地")
    assert "公園緑地課規則「公園の暗がり」に変える" in changed.words()


def test_accepting_all_confirms_what_stands_and_touches_no_decision(staff: Browser, voice: Voice, save: Session) -> None:
    user = factories.create_user(save, display_name="港 一郎")
    factories.create_human_label(save, voice, user, facet=Facet.KIND, value=voice.kind.value)
    save.commit()
    done = staff.accept(staff.get(address(voice)), voice.receipt_number)
    assert "すべて確認済み" in done.words()
    assert "港 一郎が確認" in done.words()
    assert len(save.scalars(select(HumanLabel)).all()) == 5


def test_a_decision_made_meanwhile_is_not_run_over(staff: Browser, voice: Voice, save: Session) -> None:
    stale = staff.get(address(voice)).form(f"{address(voice)}/labels")
    staff.post(f"{address(voice)}/labels", {**stale, "value": "公園・緑地"})
    refused = staff.post(f"{address(voice)}/labels", {**stale, "value": "防災・防犯"}, status=409)
    assert "先に変更" in refused.text


def test_an_undo_after_a_newer_change_is_refused(staff: Browser, voice: Voice) -> None:
    first = staff.submit(staff.get(address(voice)), f"{address(voice)}/labels", value="公園・緑地")
    staff.submit(first, f"{address(voice)}/labels", value="防災・防犯")
    staff.post(f"{address(voice)}/undo", first.form(f"{address(voice)}/undo"), status=409)


@pytest.mark.parametrize(
    ("facet", "value"), [("theme", "宇宙"), ("kind", "罵倒"), ("urgency", ""), ("department", "宇宙課"), ("subtheme", "遊具・設備")]
)
def test_only_the_taxonomys_words_are_taken(staff: Browser, voice: Voice, facet: str, value: str) -> None:
    token = staff.get(address(voice)).form(f"{address(voice)}/labels")["csrf_token"]
    staff.post(f"{address(voice)}/labels", {"csrf_token": token, "facet": facet, "value": value}, status=400)


def test_a_facet_that_does_not_exist_is_refused_in_japanese(staff: Browser, voice: Voice) -> None:
    token = staff.get(address(voice)).form(f"{address(voice)}/labels")["csrf_token"]
    answer = staff.post(f"{address(voice)}/labels", {"csrf_token": token, "facet": "colour", "value": "x"}, status=422)
    assert "分類の項目" in answer.text


def test_reading_an_original_takes_a_reason_and_leaves_a_trace(staff: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    factories.create_secret(save, voice, app.state.keyring, text="港町太郎と申します。", name="港町太郎", phone="090-0000-1234")
    save.commit()
    page = staff.get(address(voice))
    assert "港町太郎" not in page.text
    token = page.form(f"{address(voice)}/original")
    staff.post(f"{address(voice)}/original", token, status=400)
    shown = staff.post(f"{address(voice)}/original", {**token, "reason": "reply"}, status=200)
    assert "港町太郎と申します。" in shown.text
    assert "090-0000-1234" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    with db.reading(app.state.engine) as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert entry.action == "voice.read_original"
    assert entry.detail == {"receipt": voice.receipt_number, "reason": "reply", "fields": ["contact", "original"]}


@pytest.mark.parametrize(
    ("role", "department", "status"),
    [
        (Role.DEPARTMENT, "道路維持課", 200),
        (Role.DEPARTMENT, "下水道課", 403),  # concerned, but not the one that answers
        (Role.DEPARTMENT, "保育課", 404),
        (Role.MANAGER, "", 403),
    ],
)
def test_originals_are_for_those_who_handle_the_voice(
    sign_in: SignIn, app: FastAPI, voice: Voice, save: Session, role: Role, department: str, status: int
) -> None:
    factories.create_secret(save, voice, app.state.keyring)
    voice.related = ["下水道課"]
    save.commit()
    browser = sign_in(role, department=department)
    token = browser.get("/desk").form("/sign-out")["csrf_token"]
    browser.post(f"{address(voice)}/original", {"csrf_token": token, "reason": "reply"}, status=status)
    seen = browser.get(address(voice), status=404 if status == 404 else 200)
    assert ("原文を表示" in seen.words()) is (status == 200)
    assert bool(save.scalar(select(AuditEntry.id))) is (status == 200)


def test_a_damaged_original_shows_no_traceback(staff: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    secret = factories.create_secret(save, voice, app.state.keyring)
    save.get(Secret, secret.id).place = "elsewhere"
    save.commit()
    token = staff.get(address(voice)).form(f"{address(voice)}/original")
    answer = staff.post(f"{address(voice)}/original", {**token, "reason": "reply"}, status=500)
    assert "Traceback" not in answer.text


def test_neighbours_follow_the_list(staff: Browser, save: Session) -> None:
    names = ["A-1", "A-2", "A-3"]
    for index, name in enumerate(names):
        factories.create_voice(save, receipt_number=name, received_on=date(2026, 9, 1 + index), theme="公園・緑地")
    factories.create_voice(save, receipt_number="B-1", received_on=date(2026, 9, 2), theme="防災・防犯")
    save.commit()
    page = staff.get("/desk/A-2?theme=公園・緑地")
    assert [page.all("a", rel=rel)[0].get("href", "").split("?")[0] for rel in ("prev", "next")] == ["/desk/A-3", "/desk/A-1"]


def test_the_next_voice_takes_the_place_of_the_one_before(staff: Browser, voice: Voice) -> None:
    whole = staff.client.get(address(voice)).text
    asked = {"HX-Request": "true", "HX-Target": "main"}
    block = staff.client.get(address(voice), headers=asked)
    assert block.headers["vary"] == "HX-Request"
    title, _, content = block.text.partition("</title>")
    assert f"{title}</title>" in whole
    assert voice.receipt_number in title
    assert content.strip() == whole.partition('<main id="main" tabindex="-1">')[2].partition("</main>")[0].strip()
    assert "<html" in staff.client.get(address(voice), headers={**asked, "HX-History-Restore-Request": "true"}).text


def test_a_voice_page_takes_a_fixed_number_of_queries(staff: Browser, app: FastAPI, voice: Voice, save: Session) -> None:
    user = factories.create_user(save)
    for _ in range(12):
        factories.create_human_label(save, voice, user, value="公園・緑地")
    save.commit()
    with queries_of(app.state.engine) as statements:
        staff.get(address(voice))
    assert len(statements) <= 12


def test_an_unknown_number_is_a_page_in_plain_words(staff: Browser) -> None:
    assert staff.get("/desk/R08-999999-9", status=404).heading == "ページが見つかりません"
