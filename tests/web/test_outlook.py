"""What pages and JSON say of deadlines to come: interim replies, a corrected label's new day, and what is likely to be late."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.app import create_app
from core import deadline_file
from core.clock import today
from core.deadline_rules import DeadlineRules
from core.models import Case, Facet, Kind, Role, Status, Voice
from core.settings import PROJECT_ROOT, Settings
from loop import cases, clock, forecast, merging
from loop.pace import LEAST
from tests import factories
from tests.loop.people import actor_of, case_of, target
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn, queries_of, renew

ROADS, NURSERY = "道路維持課", "保育課"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A city that wants an interim reply after five open days, and an answer to 通報 after five."""
    shutil.copytree(PROJECT_ROOT / "data/taxonomy", tmp_path / "taxonomy")
    path = tmp_path / "taxonomy/city.yaml"
    rule = "from: next_day, interim: {days: 5}, rules: [{kind: 通報, days: 5}]}"
    path.write_text(path.read_text("utf-8").replace("from: next_day}", rule), "utf-8")
    return path.parent


@pytest.fixture
def app(database_url: str, settings: Settings, folder: Path) -> Iterator[FastAPI]:
    app = create_app(settings.model_copy(update={"database_url": database_url, "taxonomy": folder}))
    yield app
    app.state.engine.dispose()


@pytest.fixture
def rules(folder: Path) -> DeadlineRules:
    return deadline_file.load(folder)


def waiting(save: Session, rules: DeadlineRules, days: int, **values: object) -> Voice:
    """A voice of 道路維持課 that came so many days ago."""
    received = today() - timedelta(days=days)
    common = {"theme": "道路・交通", "department": ROADS, "kind": Kind.REQUEST, "received_on": received, "due_on": rules.due_on(received)}
    voice: Voice = factories.create_voice(save, **{**common, **values})
    return voice


def past(save: Session, rules: DeadlineRules) -> None:
    """A year in which 道路維持課 was always late, and a forecast of today from it."""
    for number in range(LEAST * 3):
        voice = waiting(save, rules, 40 + number, status=Status.ANSWERED, labelled=False)
        factories.create_answer(save, voice, answered_on=rules.calendar.add(voice.received_on, 14))
    save.commit()
    engine = save.get_bind()
    forecast.update(engine.engine, rules.calendar)


def row_of(page: Page, voice: Voice) -> str:
    return next(words for row in page.by_class("voice-row") if voice.receipt_number in (words := page.words(row)))


def test_a_row_says_that_an_interim_reply_is_due_until_it_was_given(staff: Browser, save: Session, rules: DeadlineRules) -> None:
    old, new = waiting(save, rules, 20), waiting(save, rules, 0)
    replied = waiting(save, rules, 20)
    clerk = actor_of(factories.create_user(save))
    cases.accept(save, [target(replied)], actor=clerk)
    case_of(save, replied).interim_on = today()
    save.commit()
    page = staff.get("/desk")
    assert "中間回答 未送付" in row_of(page, old)
    assert all("中間回答" not in row_of(page, voice) for voice in (new, replied))
    items = {item["receipt_number"]: item["interim_by"] for item in staff.client.get("/api/v1/voices").json()["items"]}
    interim = rules.interim_on(old.received_on)
    assert interim is not None
    assert items[old.receipt_number] == interim.isoformat()
    assert items[replied.receipt_number] is None
    for voice in (old, new):
        day = rules.interim_on(voice.received_on)
        assert day is not None
        shown = staff.get(f"/desk/{voice.receipt_number}")
        assert "中間回答" in shown.words(shown.by_class("case-facts")[0])
        assert f"中間回答 {day.year}/{day.month}/{day.day}" in staff.get(f"/desk/{voice.receipt_number}/course").words()
        assert staff.client.get(f"/api/v1/cases/{voice.receipt_number}").json()["interim_by"] == day.isoformat()
    assert "に送りました" in staff.get(f"/desk/{replied.receipt_number}").words()


def test_a_clock_that_stands_still_says_why(staff: Browser, save: Session, rules: DeadlineRules) -> None:
    voice = waiting(save, rules, 3)
    who = actor_of(factories.create_user(save))
    clock.stop(save, target(voice), "other_office", actor=who)
    clock.go_on(save, target(voice), actor=who, rules=rules)
    clock.stop(save, target(voice), "on_site", actor=who)
    save.commit()
    page = staff.get(f"/desk/{voice.receipt_number}")
    assert "から止めています（現地の調査を待っている）" in page.words(page.by_class("case-facts")[0])
    assert "停止中" in row_of(staff.get("/desk"), voice)
    assert "から止めています" in staff.get(f"/desk/{voice.receipt_number}/answer").words()


def test_a_correction_moves_the_deadline_on_the_page_and_undo_moves_it_back(staff: Browser, save: Session, rules: DeadlineRules) -> None:
    voice = waiting(save, rules, 0)
    other = waiting(save, rules, 0)
    merging.merge(save, [target(other), target(voice)], actor=actor_of(factories.create_user(save)))
    save.commit()
    usual, sooner = rules.calendar.add(today(), 10), rules.calendar.add(today(), 5)
    address = f"/desk/{voice.receipt_number}"
    page = staff.get(address)
    fields = {**page.form(f"{address}/labels"), "facet": Facet.KIND.value, "value": Kind.REPORT.value, "seen": "0"}
    changed = staff.get(staff.post(f"{address}/labels", fields).headers["location"].partition("#")[0])
    renew(save)
    case = save.scalars(select(Case).where(Case.lead_id == voice.id)).one()
    assert (voice.due_on, voice.folded, other.folded) == (sooner, False, True)
    said = staff.get(f"{address}/course").words()
    assert f"期限を数えなおし: {_day(usual)}" in said
    assert "（種別の修正）" in said
    staff.submit(changed, f"{address}/undo")
    renew(save)
    assert voice.due_on == usual
    assert save.get_one(Case, case.id).lead_id == min(voice.id, other.id)
    body = {"act": "relabel", "targets": [{"receipt_number": voice.receipt_number}], "facet": "kind", "value": "通報"}
    token = staff.client.get("/api/v1/session").json()["csrf_token"]
    done = staff.client.post("/api/v1/acts", json=body, headers={"X-CSRF-Token": token}).json()
    renew(save)
    assert (voice.due_on, other.due_on) == (sooner, sooner)
    staff.client.post(f"/api/v1/acts/{done['id']}/undo", headers={"X-CSRF-Token": token})
    renew(save)
    assert (voice.due_on, other.due_on) == (usual, usual)
    given = {"facet": "kind", "value": "通報"}
    answer = staff.client.post(f"/api/v1/voices/{voice.receipt_number}/labels", json=given, headers={"X-CSRF-Token": token})
    assert answer.json()["due_on"] == sooner.isoformat()


def test_what_is_likely_to_be_late_is_told_in_rows_and_listed(sign_in: SignIn, save: Session, rules: DeadlineRules) -> None:
    own, others = waiting(save, rules, 10), waiting(save, rules, 0, department=NURSERY, theme="子育て・保育")
    past(save, rules)
    member = sign_in(Role.DEPARTMENT, department=ROADS)
    page = member.get("/desk")
    assert "遅れる見込み" in row_of(page, own)
    (item,) = member.client.get("/api/v1/voices?tab=open").json()["items"]
    assert item["chance_late"] > 0.9
    listed = member.get("/desk/outlook?department=保育課").words()
    assert own.receipt_number in listed
    assert others.receipt_number not in listed
    found = member.client.get("/api/v1/outlook", params={"department": NURSERY}).json()
    assert [item["receipt_number"] for item in found["items"]] == [own.receipt_number]
    assert [each["department"] for each in found["departments"]] == [ROADS]
    clerk = sign_in(Role.KOCHO)
    assert {each["department"] for each in clerk.client.get("/api/v1/outlook").json()["departments"]} == {"", ROADS, NURSERY}
    # Who sees all departments finds the way back to all; a member has their own alone.
    shown = clerk.get(f"/desk/outlook?department={NURSERY}"), clerk.get("/desk/outlook"), member.get("/desk/outlook")
    assert [len(page.all("a", href="/desk/outlook")) for page in shown] == [1, 0, 0]
    # A department without a past is taken to be as quick as the city.
    assert others.receipt_number in clerk.get(f"/desk/outlook?department={NURSERY}").words()
    assert "「公園緑地課」の見通しはありません" in clerk.get("/desk/outlook?department=公園緑地課").words()


def test_the_head_of_the_desk_says_how_many(sign_in: SignIn, save: Session, rules: DeadlineRules) -> None:
    for _ in range(4):
        waiting(save, rules, 12)
    past(save, rules)
    note = "件が期限を過ぎる見込み"
    week = sign_in(Role.DEPARTMENT, department=ROADS).client.get("/api/v1/outlook").json()["week"]
    own = sign_in(Role.DEPARTMENT, department=ROADS).get("/desk").words()
    assert week["as_of"] == today().isoformat()
    assert (f"{week['expected']} {note}" in own) == (week["expected"] > 0)
    assert note not in sign_in(Role.DEPARTMENT, department=NURSERY).get("/desk").words()


def test_without_a_past_nothing_is_foreseen(staff: Browser, sign_in: SignIn, save: Session, rules: DeadlineRules) -> None:
    waiting(save, rules, 10)
    save.commit()
    assert "見通しはまだありません" in staff.get("/desk/outlook").words()
    assert "遅れる見込み" not in staff.get("/desk").words()
    assert json.loads(staff.client.get("/api/v1/outlook").text) == {"week": None, "departments": [], "likely_late": 0, "items": []}
    nobody = sign_in(Role.DEPARTMENT, department="")
    assert "見通しはまだありません" in nobody.get("/desk/outlook").words()


def test_marks_cost_as_many_statements_for_many_rows_as_for_few(
    staff: Browser, app: FastAPI, save: Session, rules: DeadlineRules
) -> None:  # fmt: skip
    past(save, rules)
    sent = []
    for count in (2, 20):
        for _ in range(count):
            waiting(save, rules, 20)
        save.commit()
        staff.get("/desk")
        with queries_of(app.state.engine) as statements:
            staff.get("/desk")
        sent.append(len(statements))
    assert sent[0] == sent[1]


def _day(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"
