"""The open page tells that it is open, and learns who else has the voice open; the same for programs. Saved views as well."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Look, Role, SavedView
from tests import factories
from tests.web.browser import Browser
from tests.web.conftest import SignIn, renew

HTMX = {"HX-Request": "true"}


def token(browser: Browser) -> str:
    return str(browser.client.get("/api/v1/session").json()["csrf_token"])


def test_two_who_open_a_voice_are_told_of_each_other(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    first, second = sign_in(display_name="潮見 花子"), sign_in(Role.MANAGER, display_name="港 一郎")
    here = f"/desk/{voice.receipt_number}/here"
    alone = first.client.post(here, data={"csrf_token": token(first)}, headers=HTMX)
    assert alone.status_code == 204, "nobody else is there, and the page says so already"
    told = second.client.post(here, data={"csrf_token": token(second)}, headers=HTMX)
    assert (told.status_code, "潮見 花子さんも見ています" in told.text) == (200, True)
    again = second.client.post(here, data={"csrf_token": token(second), "shown": "潮見 花子"}, headers=HTMX)
    assert again.status_code == 204
    answer = first.client.post(f"/api/v1/voices/{voice.receipt_number}/here", headers={"X-CSRF-Token": token(first)})
    assert answer.json() == {"names": ["港 一郎"]}
    assert len(save.scalars(select(Look)).all()) == 2


def test_without_javascript_it_leads_back_to_the_voice(sign_in: SignIn, save: Session) -> None:
    voice = factories.create_voice(save)
    save.commit()
    browser = sign_in()
    response = browser.post(f"/desk/{voice.receipt_number}/here", {"csrf_token": token(browser)})
    assert response.headers["location"] == f"/desk/{voice.receipt_number}"


def test_a_view_is_saved_shown_and_taken_away(sign_in: SignIn, save: Session) -> None:
    browser = sign_in(Role.DEPARTMENT)
    fields = {"csrf_token": token(browser), "name": "段差", "query": "?q=段差&tab=due&after=2026-09-01.5&done=3&theme="}
    response = browser.post("/desk/views", fields)
    assert response.headers["location"] == "/desk?q=%E6%AE%B5%E5%B7%AE&tab=due"
    browser.get(response.headers["location"])
    headers = {"X-CSRF-Token": token(browser)}
    given = {"name": "課の", "query": "", "for_department": True}
    made = browser.client.post("/api/v1/views", json=given, headers=headers).json()
    assert (made["name"], made["department"], made["may_delete"]) == ("課の", "道路維持課", True)
    colleague = sign_in(Role.DEPARTMENT)
    assert [view["name"] for view in colleague.client.get("/api/v1/views").json()] == ["課の"]
    listed = browser.client.get("/api/v1/views").json()
    assert [view["name"] for view in listed] == ["段差", "課の"]
    assert browser.client.post(f"/api/v1/views/{made['id']}/delete", headers=headers).json() == listed[:1]
    browser.post(f"/desk/views/{listed[0]['id']}/delete", {"csrf_token": token(browser)})
    renew(save)
    assert save.scalars(select(SavedView)).all() == []


@pytest.mark.parametrize(
    ("query", "message"),
    [("theme=x&page=2", "「page」という条件"), ("since=x", "期間の始まり"), ("kind=苦&tab=x", "種別"), ("theme=" + "あ" * 65, "分野")],
)
def test_what_is_no_address_of_the_desk_is_refused(sign_in: SignIn, save: Session, query: str, message: str) -> None:
    browser = sign_in()
    response = browser.client.post("/api/v1/views", json={"name": "x", "query": query}, headers={"X-CSRF-Token": token(browser)})
    assert response.status_code == 400
    assert message in response.json()["title"]
    assert save.scalars(select(SavedView)).all() == []
