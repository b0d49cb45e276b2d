from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.auth import MAX_FAILURES
from core import audit, db
from core.clock import utc_now
from core.models import AuditEntry, User, UserSession
from tests import factories
from tests.web.browser import Browser, Page
from tests.web.conftest import SignIn


def try_to_sign_in(browser: Browser, username: str, password: str = factories.PASSWORD, *, wanted: str = "") -> httpx.Response:
    token = browser.get("/sign-in").form("/sign-in")["csrf_token"]
    data = {"csrf_token": token, "username": username, "password": password, "next": wanted}
    return browser.client.post("/sign-in", data=data, follow_redirects=False)


def test_signing_in_and_out(reader: Browser, app: FastAPI, save: Session) -> None:
    user = factories.create_user(save, username="hanako")
    save.commit()
    response = try_to_sign_in(reader, "hanako")
    assert (response.status_code, response.headers["location"]) == (303, "/desk")
    cookie = response.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("koe_session=", "httponly", "samesite=lax"))
    page = reader.get("/desk")
    assert user.display_name in page.words()
    left = reader.post("/sign-out", page.form("/sign-out"))
    assert left.headers["location"] == "/sign-in"
    assert reader.client.get("/desk", follow_redirects=False).status_code == 302
    with db.reading(app.state.engine) as session:
        assert list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))) == ["sign_in", "sign_out"]
        assert session.scalars(select(UserSession)).all() == []
        assert audit.verify(session).broken_at is None


def test_the_cookie_is_not_what_is_stored(reader: Browser, app: FastAPI, save: Session) -> None:
    factories.create_user(save, username="hanako")
    save.commit()
    try_to_sign_in(reader, "hanako")
    with db.reading(app.state.engine) as session:
        assert session.scalars(select(UserSession.token_hash)).one() != reader.client.cookies["koe_session"]


def test_the_answer_is_the_same_for_every_reason(reader: Browser, app: FastAPI, save: Session) -> None:
    factories.create_user(save, username="hanako")
    factories.create_user(save, username="gone", active=False)
    save.commit()
    tries = (("hanako", "x"), ("nobody", "x"), ("gone", factories.PASSWORD), ("", ""))
    pages = [Page(try_to_sign_in(reader, *pair).text) for pair in tries]
    answers = {page.words(page.by_class("notice")[0]) for page in pages}
    assert len(answers) == 1


def test_five_failures_lock_the_account_also_for_the_right_password(reader: Browser, app: FastAPI, save: Session) -> None:
    factories.create_user(save, username="hanako")
    save.commit()
    for _ in range(MAX_FAILURES):
        assert try_to_sign_in(reader, "hanako", "wrong").status_code == 401
    assert try_to_sign_in(reader, "hanako").status_code == 401
    with db.writing(app.state.engine) as session:
        session.execute(update(User).values(locked_until=utc_now() - timedelta(seconds=1)))
    assert try_to_sign_in(reader, "hanako").status_code == 303
    with db.reading(app.state.engine) as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions == ["sign_in.failed"] * MAX_FAILURES + ["sign_in.refused", "sign_in"]


def test_a_session_ends(staff: Browser, app: FastAPI) -> None:
    with db.writing(app.state.engine) as session:
        session.execute(update(UserSession).values(expires_at=utc_now()))
    assert staff.client.get("/desk", follow_redirects=False).status_code == 302


def test_a_closed_account_is_out_at_once(staff: Browser, app: FastAPI) -> None:
    with db.writing(app.state.engine) as session:
        session.execute(update(User).values(active=False))
    assert staff.client.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/desk?tab=all", "/desk?tab=all"),
        ("https://example.org", "/desk"),
        ("//example.org", "/desk"),
        ("/\\example.org", "/desk"),
        ("/a\nb", "/desk"),
    ],
)
def test_after_signing_in_one_stays_on_this_site(reader: Browser, save: Session, wanted: str, goes: str) -> None:
    factories.create_user(save, username="hanako")
    save.commit()
    assert try_to_sign_in(reader, "hanako", wanted=wanted).headers["location"] == goes


def test_the_page_that_was_wanted_is_remembered(reader: Browser) -> None:
    response = reader.client.get("/desk?tab=all&theme=道路・交通", follow_redirects=False)
    assert reader.get(response.headers["location"]).form("/sign-in")["next"].startswith("/desk?tab=all&theme=")


def test_a_form_from_elsewhere_signs_nobody_in(reader: Browser, save: Session) -> None:
    factories.create_user(save, username="hanako")
    save.commit()
    reader.post("/sign-in", {"username": "hanako", "password": factories.PASSWORD, "csrf_token": ""}, status=403)


def test_htmx_is_told_to_go_to_the_sign_in(reader: Browser) -> None:
    response = reader.client.get("/desk", headers={"HX-Request": "true"}, follow_redirects=False)
    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/sign-in")


def test_over_https_the_cookie_is_tied_to_the_host(sqlite_app: FastAPI, sign_in: SignIn) -> None:
    from api.deps import cookie_name

    settings = sqlite_app.state.settings.model_copy(update={"secure_cookies": True})
    assert cookie_name(settings) == "__Host-koe_session"
