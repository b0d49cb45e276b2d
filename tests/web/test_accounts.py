"""Passwords that people choose, and the administrators' pages of accounts."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api import accounts, passwords
from api.auth import MAX_FAILURES
from core import db
from core.clock import utc_now
from core.errors import ConflictError, InputError
from core.models import AuditEntry, Role, User, UserSession
from tests import factories
from tests.web.browser import Browser, Page, TestClient, check
from tests.web.conftest import SignIn, renew

NEW = "潮風と灯台の町で暮らしている"
ACCOUNT = "/account/password"


def actions(save: Session) -> list[str]:
    renew(save)
    return list(save.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def choose(browser: Browser, old: str = factories.PASSWORD, new: str = NEW, again: str = NEW, *, status: int = 303) -> Page | None:
    form = browser.get(ACCOUNT).form(ACCOUNT)
    response = browser.post(ACCOUNT, {**form, "old": old, "new": new, "again": again}, status=status)
    return None if status == 303 else check(response)


def enter(app: FastAPI, username: str, password: str) -> Browser:
    browser = Browser(TestClient(app))
    form = browser.get("/sign-in").form("/sign-in")
    browser.post("/sign-in", {**form, "username": username, "password": password})
    return browser


def test_a_person_whose_password_another_chose_is_led_to_choosing_one(sign_in: SignIn, app: FastAPI, save: Session) -> None:
    browser = sign_in(username="hanako", must_change_password=True)
    for address in ("/desk", "/trends", "/admin/jobs"):
        response = browser.client.get(address, follow_redirects=False)
        assert (response.status_code, response.headers["location"]) == (302, ACCOUNT)
    answer = browser.client.get("/api/v1/voices")
    assert (answer.status_code, answer.json()["code"]) == (403, "password_change")
    told = browser.client.get("/desk", headers={"HX-Request": "true"}, follow_redirects=False)
    assert (told.status_code, told.headers["HX-Redirect"]) == (403, ACCOUNT)
    assert browser.client.post("/desk/R08-1/undo", data={}, follow_redirects=False).headers["location"] == ACCOUNT
    assert "管理者が決めたもの" in browser.get(ACCOUNT).words()
    choose(browser)
    browser.get("/desk")
    assert actions(save) == ["user.own_password"]
    enter(app, "hanako", NEW).get("/desk")


def test_leaving_is_possible_without_choosing(sign_in: SignIn) -> None:
    browser = sign_in(must_change_password=True)
    assert browser.post("/sign-out", browser.get(ACCOUNT).form("/sign-out")).headers["location"] == "/sign-in"


def test_all_other_sessions_end_with_the_old_password(sign_in: SignIn, app: FastAPI, save: Session) -> None:
    browser = sign_in(username="hanako")
    other = enter(app, "hanako", factories.PASSWORD)
    choose(browser)
    assert "パスワードを変えました" in browser.get(f"{ACCOUNT}?done=true").words()
    assert other.client.get("/desk", follow_redirects=False).status_code == 302


@pytest.mark.parametrize(
    ("new", "again", "said"),
    [
        (NEW, f"{NEW}。", "2つの欄で違います"),
        ("短い文", "短い文", "12 文字以上"),
        ("password1234", "password1234", "すぐに当てられる"),
        ("ああああああああああああ", "ああああああああああああ", "すぐに当てられる"),
        ("hanako.shiomi", "hanako.shiomi", "利用者名と同じ"),
        (factories.PASSWORD, factories.PASSWORD, "いまと同じ"),
        ("長" * 1025, "長" * 1025, ""),
    ],
)
def test_a_password_that_cannot_be_chosen(sign_in: SignIn, save: Session, new: str, again: str, said: str) -> None:
    browser = sign_in(username="hanako.shiomi")
    response = browser.client.post(
        ACCOUNT, data={**browser.get(ACCOUNT).form(ACCOUNT), "old": factories.PASSWORD, "new": new, "again": again}
    )
    assert response.status_code in (400, 422)
    assert said in check(response).words()
    assert new not in response.text
    assert actions(save) == []


def test_guessing_the_old_password_locks_the_account(sign_in: SignIn, app: FastAPI, save: Session) -> None:
    browser = sign_in(username="hanako")
    for _ in range(MAX_FAILURES - 1):
        page = choose(browser, old="wrong", status=400)
        assert page is not None
        assert "いまのパスワードが違います" in page.words()
    form = browser.get(ACCOUNT).form(ACCOUNT)
    response = browser.post(ACCOUNT, {**form, "old": "wrong", "new": NEW, "again": NEW})
    assert response.headers["location"] == "/sign-in"
    assert browser.client.get("/desk", follow_redirects=False).status_code == 302
    renew(save)
    assert save.scalars(select(UserSession)).all() == []
    assert actions(save) == ["password.failed"] * MAX_FAILURES


def test_an_administrator_adds_somebody_who_signs_in(sign_in: SignIn, app: FastAPI, save: Session) -> None:
    admin = sign_in(Role.ADMIN, username="root01")
    page = admin.get("/admin/users/new")
    fields = {"username": "doro01", "display_name": "道路 太郎", "role": "department", "department": "", "position": "係長"}
    wrong = check(admin.post("/admin/users", {**page.form("/admin/users"), **fields}, status=400))
    assert "所管課が選ばれていません" in wrong.words()
    assert "道路 太郎" in wrong.text
    shown = check(admin.post("/admin/users", {**page.form("/admin/users"), **fields, "department": "道路維持課"}, status=200))
    password = shown.words(shown.all("code")[1])
    assert re.fullmatch(r"[a-z2-9]{5}(-[a-z2-9]{5}){3}", password)
    renew(save)
    user = save.scalars(select(User).where(User.username == "doro01")).one()
    assert (user.role, user.department, user.position, user.must_change_password) == (Role.DEPARTMENT, "道路維持課", "係長", True)
    assert password not in admin.get(f"/admin/users/{user.id}").text
    assert "最初のパスワード" in admin.get("/admin/users").words()
    choose(enter(app, "doro01", password), old=password)
    entry = save.scalars(select(AuditEntry).where(AuditEntry.action == "user.add")).one()
    assert (entry.actor, entry.detail) == ("root01", {"role": "department", "department": "道路維持課", "position": "係長"})
    again = check(admin.post("/admin/users", {**page.form("/admin/users"), **fields, "role": "kocho"}, status=409))
    assert "すでにいます" in again.words()


def test_role_and_post_change_at_once(sign_in: SignIn, save: Session) -> None:
    admin, clerk = sign_in(Role.ADMIN), sign_in(Role.KOCHO, username="hanako")
    user = save.scalars(select(User).where(User.username == "hanako")).one()
    here = f"/admin/users/{user.id}"
    page = admin.submit(admin.get(here), here, role="manager", display_name="潮見 花子", position="部長")
    assert "変更しました" in page.words()
    clerk.get("/admin/jobs", status=403)
    renew(save)
    entry = save.scalars(select(AuditEntry).where(AuditEntry.action == "user.change")).one()
    assert entry.detail["to"] == {"role": "manager", "department": "", "position": "部長"}
    assert "潮見" not in str(entry.detail)


def test_closing_locking_and_passwords(sign_in: SignIn, app: FastAPI, save: Session) -> None:
    admin, clerk = sign_in(Role.ADMIN), sign_in(Role.KOCHO, username="hanako")
    with db.writing(app.state.engine) as session:
        session.execute(update(User).where(User.username == "hanako").values(locked_until=utc_now().replace(year=2100)))
    user = save.scalars(select(User).where(User.username == "hanako")).one()
    here = f"/admin/users/{user.id}"
    assert "ログイン停止中" in admin.get("/admin/users").words()
    assert "停止を解きました" in admin.submit(admin.get(here), f"{here}/unlock").words()
    assert "利用を止めました" in admin.submit(admin.get(here), f"{here}/close").words()
    assert clerk.client.get("/desk", follow_redirects=False).status_code == 302
    assert "利用を再開しました" in admin.submit(admin.get(here), f"{here}/reopen").words()
    shown = check(admin.post(f"{here}/password", admin.get(here).form(f"{here}/password"), status=200))
    password = shown.words(shown.all("code")[1])
    assert enter(app, "hanako", password).client.get("/desk", follow_redirects=False).headers["location"] == ACCOUNT
    assert actions(save)[:4] == ["user.unlock", "user.close", "user.reopen", "user.password"]


def test_the_last_administrator_stays(sign_in: SignIn, save: Session) -> None:
    admin = sign_in(Role.ADMIN, username="root01")
    user = save.scalars(select(User).where(User.username == "root01")).one()
    here = f"/admin/users/{user.id}"
    form = admin.get(here).form(here)
    assert "最後の管理者" in check(admin.post(here, {**form, "role": "kocho"}, status=409)).words()
    assert "自分の利用" in check(admin.post(f"{here}/close", form, status=409)).words()
    with pytest.raises(ConflictError):
        accounts.close_user(save, user, actor="cli")
    save.rollback()
    sign_in(Role.ADMIN, active=False)
    assert "最後の管理者" in check(admin.post(here, {**form, "role": "kocho"}, status=409)).words()
    sign_in(Role.ADMIN)
    admin.post(here, {**form, "role": "kocho"})


def test_a_page_of_nobody(sign_in: SignIn) -> None:
    sign_in(Role.ADMIN).get("/admin/users/99999", status=404)


def test_passwords_to_begin_with_can_be_chosen() -> None:
    made = {passwords.to_begin_with() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check(password, username="hanako")
    with pytest.raises(InputError):
        passwords.check("qwertyuiop123", username="hanako")
