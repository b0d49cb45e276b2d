"""Acts on cases through the desk's forms, as a browser without JavaScript sends them."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import db
from core.models import Case, CasePart, DeskAct, Role, Status, Voice
from loop import merging
from tests import factories
from tests.web.browser import Browser, Page, check
from tests.web.conftest import SignIn, renew


def boxes(page: Page) -> list[str]:
    return [box.get("value", "") for box in page.all("input", type="checkbox", name="chosen")]


def send(staff: Browser, page: Page, act: str, **fields: object) -> Page:
    """Fills in the bar for several cases, presses one of its buttons, and follows to the page after it."""
    answer = staff.post("/desk/acts", {**page.form("/desk/acts"), "act": act, **fields})
    return staff.get(answer.headers["location"])


def test_several_are_closed_at_once_and_taken_back(staff: Browser, save: Session) -> None:
    for _ in range(3):
        factories.create_voice(save, theme="道路・交通")
    save.commit()
    page = staff.get("/desk")
    chosen = boxes(page)
    assert len(chosen) == 3
    after = send(staff, page, "close", chosen=chosen[:2], reason="noted", assignee="", department="", label="")
    assert "回答せずに完了（2件）" in after.words()
    assert len(boxes(after)) == 1
    undone = staff.post(f"/desk/acts/{save.scalar(select(DeskAct.id))}/undo", after.form("/desk/acts/"))
    page = staff.get(undone.headers["location"])
    assert "取り消しました" in page.words()
    assert len(boxes(page)) == 3


def test_nothing_chosen_and_no_reason_say_what_to_do(staff: Browser, save: Session) -> None:
    factories.create_voice(save)
    save.commit()
    page = staff.get("/desk")
    assert "案件が選ばれていません" in staff.post("/desk/acts", {**page.form("/desk/acts"), "act": "merge"}, status=400).text
    answer = staff.post("/desk/acts", {**page.form("/desk/acts"), "act": "close", "chosen": boxes(page)}, status=400)
    assert "理由が選ばれていません" in answer.text


def test_the_same_boxes_a_second_time_are_refused(staff: Browser, save: Session) -> None:
    factories.create_voice(save)
    save.commit()
    page = staff.get("/desk")
    send(staff, page, "take", chosen=boxes(page))
    answer = staff.post("/desk/acts", {**page.form("/desk/acts"), "act": "close", "chosen": boxes(page), "reason": "noted"}, status=409)
    assert "先に変更" in answer.text


@pytest.mark.parametrize(
    ("came", "led"),
    [
        ("http://{host}/desk?theme=道路", ["/desk?theme=道路"]),
        ("http://elsewhere.example/desk/1", []),
        ("http://{host}//elsewhere.example", []),
        ("javascript:alert(1)", []),
        ("", []),
    ],
)
def test_an_error_leads_back_to_the_page_of_this_site_that_was_left(staff: Browser, came: str, led: list[str]) -> None:
    page = staff.get("/desk/approvals")
    headers = {"referer": quote(came.format(host=staff.client.base_url.netloc.decode()), safe=":/?=()")}
    form = {**page.form("/sign-out"), "act": "merge"}
    answer = staff.client.post("/desk/acts", data=form, headers=headers)
    assert answer.status_code == 400
    links = [unquote(link.get("href", "")) for link in check(answer).by_class("error-page")[0].iter() if link.get("href")]
    assert links == [*led, "/desk"]


def test_a_case_is_assigned_on_its_page_and_appears_under_mine(app: FastAPI, sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通")
    save.commit()
    clerk = sign_in(Role.KOCHO, username="hanako", display_name="潮見 葉子")
    page = clerk.get(f"/desk/{voice.receipt_number}")
    fields = {**page.form("/desk/acts"), "act": "assign", "department": "公園緑地課", "assignee": "hanako", "also": "ごみ減量課"}
    clerk.post("/desk/acts", fields)
    page = clerk.get(f"/desk/{voice.receipt_number}")
    said = page.words(page.by_class("case")[0])
    assert "公園緑地課" in said
    assert "潮見 葉子" in said
    assert "関係課ごみ減量課" in said
    assert boxes(clerk.get("/desk?tab=mine")) == [f"{voice.receipt_number}:1"]
    other = sign_in(Role.DEPARTMENT, department="ごみ減量課")
    assert boxes(other.get("/desk")) == [f"{voice.receipt_number}:1"]
    other.get(f"/desk/{voice.receipt_number}")
    sign_in(Role.DEPARTMENT, department="税務課").get(f"/desk/{voice.receipt_number}", status=404)


def test_a_campaign_is_one_line_that_can_be_taken_apart(staff: Browser, save: Session) -> None:
    voices = [factories.create_voice(save, theme="公園・緑地") for _ in range(5)]
    merging.fold_campaign(save, [voice.id for voice in voices])
    save.commit()
    page = staff.get("/desk")
    assert [page.words(copies) for copies in page.by_class("copies")] == ["×5件をまとめた案件："]
    lead = boxes(page)[0].partition(":")[0]
    page = staff.get(f"/desk/{lead}")
    leaving = [box.get("value", "") for box in page.all("input", type="checkbox", name="voices")][:2]
    fields = {**page.form("/desk/acts"), "act": "split", "voices": leaving}
    staff.post("/desk/acts", fields)
    renew(save)
    sizes = [len(save.scalars(select(Voice.id).where(Voice.case_id == case.id)).all()) for case in save.scalars(select(Case))]
    assert sorted(sizes) == [2, 3]
    folded = staff.get(f"/desk/{leaving[1]}")
    assert "案件にまとめられています" in folded.words() or leaving[1] in boxes(staff.get("/desk"))[0]


def test_a_manager_sees_where_a_case_stands_and_no_button(app: FastAPI, sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save, theme="道路・交通")
    save.commit()
    manager = sign_in(Role.MANAGER)
    assert not boxes(manager.get("/desk"))
    page = manager.get(f"/desk/{voice.receipt_number}")
    assert "回答する課" in page.words()
    assert not page.all("form", action="/desk/acts")
    with db.reading(app.state.engine) as session:
        assert not session.scalars(select(CasePart.id)).all()
        assert session.get_one(Voice, voice.id).status is Status.RECEIVED
