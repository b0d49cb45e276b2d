"""The city's own sign-in, against a real OpenID provider in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.app import create_app
from api.auth import NO_HASH
from core import audit
from core.models import AuditEntry, Role, SignInBy, User, UserSession
from core.settings import Settings
from tests import factories
from tests.api.processes import free_port
from tests.oidc_provider import CLIENT, OidcProvider
from tests.web.browser import Browser, TestClient, check
from tests.web.conftest import SignIn, renew
from tests.web.test_sign_in import try_to_sign_in

START, BACK = "/sign-in/city", "/sign-in/city/back"


@pytest.fixture
def settings(tmp_path: Path, provider: OidcProvider) -> Settings:
    """The application's settings, with the city's sign-in."""
    return provider.settings(tmp_path / "var")


def city_user(save: Session, username: str = "hanako", **values: object) -> User:
    user: User = factories.create_user(save, username=username, sign_in_by=SignInBy.CITY, password_hash=NO_HASH, **values)
    save.commit()
    return user


def go(browser: Browser, *, wanted: str = "") -> str:
    """Presses the button; gives where the provider is asked."""
    page = browser.get(f"/sign-in?next={quote(wanted)}")
    button = next(link.get("href", "") for link in page.all("a") if link.get("href", "").startswith(START))
    response = browser.client.get(button, follow_redirects=False)
    assert response.status_code == 302
    cookie = response.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("koe_city=", "httponly", "samesite=lax", "max-age=600"))
    return str(response.headers["location"])


def enter(browser: Browser, provider: OidcProvider, subject: str = "hanako", *, wanted: str = "") -> httpx.Response:
    provider.has(subject, preferred_username=subject.partition("-")[0])
    response: httpx.Response = browser.client.get(provider.let(go(browser, wanted=wanted), subject), follow_redirects=False)
    return response


def refused(response: httpx.Response, status: int, said: str) -> None:
    assert response.status_code == status
    page = check(response)
    assert said in page.words(page.by_class("notice")[0])
    assert "koe_session" not in response.headers.get("set-cookie", "")


def trail(save: Session) -> list[tuple[str, str, object]]:
    renew(save)
    entries = save.scalars(select(AuditEntry).where(AuditEntry.action.startswith("sign_in")).order_by(AuditEntry.id))
    return [(entry.actor, entry.action, entry.detail.get("reason")) for entry in entries]


def test_somebody_comes_in_and_leaves(reader: Browser, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    page = reader.get("/sign-in")
    assert page.words(page.by_class("sign-in-city")[0]) == "市の認証でログイン"
    response = enter(reader, provider, wanted="/desk?tab=all")
    assert (response.status_code, response.headers["location"]) == (303, "/desk?tab=all")
    cookies = response.headers.get_list("set-cookie")
    assert any("koe_session=" in cookie and "httponly" in cookie.lower() and "samesite=lax" in cookie.lower() for cookie in cookies)
    assert "koe_city" not in reader.client.cookies
    page = reader.get("/desk")
    assert not [link for link in page.all("a") if link.get("href") == "/account/password"]
    left = reader.post("/sign-out", page.form("/sign-out"), status=200)
    assert left.headers["refresh"] == "0; url=/sign-out/city"
    assert reader.client.get("/desk", follow_redirects=False).headers["location"].startswith("/sign-in")
    out = urlsplit(reader.client.get("/sign-out/city", follow_redirects=False).headers["location"])
    assert f"{out.scheme}://{out.netloc}{out.path}" == f"{provider.address}/oauth2/end_session"
    assert parse_qs(out.query) == {"client_id": [CLIENT], "post_logout_redirect_uri": ["http://testserver/sign-in"]}
    renew(save)
    entries = save.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.actor) for entry in entries] == [("sign_in", "hanako"), ("sign_out", "hanako")]
    assert entries[0].detail == {"by": "city", "first": True}
    assert audit.verify(save).broken_at is None
    assert save.scalars(select(UserSession)).all() == []


def test_what_is_asked_of_the_provider(reader: Browser, provider: OidcProvider) -> None:
    first, second = (parse_qs(urlsplit(go(reader)).query) for _ in range(2))
    assert first["redirect_uri"] == [f"http://testserver{BACK}"]
    assert (first["response_type"], first["client_id"], first["scope"]) == (["code"], [CLIENT], ["openid profile"])
    assert first["code_challenge_method"] == ["S256"]
    assert all(first[name] != second[name] and len(first[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))


def test_the_account_stays_the_persons_and_nobody_elses(reader: Browser, app: FastAPI, provider: OidcProvider, save: Session) -> None:
    user = city_user(save)
    enter(reader, provider, "hanako-1")
    renew(save)
    kept = save.get_one(User, user.id).oidc_subject
    assert kept is not None
    assert (len(kept), "hanako" in kept) == (64, False)
    refused(enter(Browser(TestClient(app)), provider, "hanako-2"), 403, "登録されていません")
    first = reader.client.cookies["koe_session"]
    provider.has("hanako-1", preferred_username="renamed")
    assert reader.client.get(provider.let(go(reader), "hanako-1"), follow_redirects=False).status_code == 303
    assert reader.client.cookies["koe_session"] != first, "each sign-in has a session of its own"
    assert trail(save) == [("hanako", "sign_in", None), ("oidc", "sign_in.refused", "unknown"), ("hanako", "sign_in", None)]


def test_a_name_alone_never_takes_over_an_account_with_a_password(reader: Browser, provider: OidcProvider, save: Session) -> None:
    factories.create_user(save, username="hanako")
    save.commit()
    refused(enter(reader, provider), 403, "登録されていません")
    assert trail(save) == [("oidc", "sign_in.refused", "unknown")]
    assert save.scalars(select(User.oidc_subject)).all() == [None]


@pytest.mark.parametrize(("username", "subject", "actor", "reason"), [
    ("hanako", "ichiro", "oidc", "unknown"),
    ("hanako", "hanako", "hanako", "inactive"),
    ("key:line", "key:line", "oidc", "unknown"),
])  # fmt: skip
def test_who_has_no_open_account_is_told_the_same(
    reader: Browser, provider: OidcProvider, save: Session, username: str, subject: str, actor: str, reason: str
) -> None:
    city_user(save, username, active=reason != "inactive")
    refused(enter(reader, provider, subject), 403, "利用者として登録されていません")
    assert trail(save) == [(actor, "sign_in.refused", reason)]
    assert save.scalars(select(UserSession)).all() == []


def test_a_closed_account_that_has_come_in_before_stays_out(reader: Browser, provider: OidcProvider, save: Session) -> None:
    user = city_user(save)
    enter(reader, provider)
    renew(save)
    save.get_one(User, user.id).active = False
    save.commit()
    assert reader.client.get("/desk", follow_redirects=False).status_code == 302
    refused(enter(reader, provider), 403, "登録されていません")
    assert trail(save)[-1] == ("hanako", "sign_in.refused", "inactive")


def test_a_way_back_that_belongs_to_no_attempt(reader: Browser, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    refused(reader.client.get(f"{BACK}?code=x&state=y", follow_redirects=False), 400, "もう一度")
    provider.has("hanako", preferred_username="hanako")
    back = provider.let(go(reader), "hanako")
    kept = reader.client.cookies["koe_city"]
    assert reader.client.get(back, follow_redirects=False).status_code == 303
    refused(reader.client.get(back, follow_redirects=False), 400, "もう一度")
    reader.client.cookies.set("koe_city", kept)
    refused(reader.client.get(back, follow_redirects=False), 502, "確かめられません")
    assert [reason for *_, reason in trail(save)] == [None, "oidc_token"]


@pytest.mark.parametrize("spoil", [lambda kept: kept[:-8] + "AAAAAAA=", lambda _: "é", lambda _: "x" * 40])
def test_what_the_browser_keeps_cannot_be_made_up(
    reader: Browser, provider: OidcProvider, save: Session, spoil: Callable[[str], str]
) -> None:
    back = provider.let(go(reader), "hanako")
    kept = reader.client.cookies["koe_city"]
    reader.client.cookies.clear()
    headers = {"Cookie": f"koe_city={spoil(kept)}".encode()}
    refused(reader.client.get(back, headers=headers, follow_redirects=False), 400, "もう一度")
    assert trail(save) == []


def test_another_attempts_state(reader: Browser, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    provider.has("hanako", preferred_username="hanako")
    back = provider.let(go(reader), "hanako")
    go(reader)
    refused(reader.client.get(back, follow_redirects=False), 400, "もう一度")
    assert trail(save) == [("oidc", "sign_in.refused", "state")]


def test_another_issuers_answer(reader: Browser, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    back = provider.let(go(reader), "hanako")
    refused(reader.client.get(f"{back}&iss=https://other.example", follow_redirects=False), 400, "もう一度")


def test_another_attempts_token(reader: Browser, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    provider.has("hanako", preferred_username="hanako")
    asked = httpx.URL(go(reader))
    back = provider.let(str(asked.copy_set_param("nonce", "of-another-attempt")), "hanako")
    refused(reader.client.get(back, follow_redirects=False), 502, "確かめられません")
    assert trail(save) == [("oidc", "sign_in.refused", "oidc_token")]


def test_somebody_doesnt_agree(reader: Browser, provider: OidcProvider, save: Session) -> None:
    address = go(reader)
    state = parse_qs(urlsplit(address).query)["state"][0]
    sent_back = httpx.URL(provider.refuse(address)).copy_set_param("state", state)  # this provider forgets it
    refused(reader.client.get(str(sent_back), follow_redirects=False), 403, "とりやめ")
    assert trail(save) == [("oidc", "sign_in.refused", "denied")]


@pytest.mark.parametrize("wanted", ["https://example.org", "//example.org", "/\\example.org", "/" + "x" * 1000])
def test_after_signing_in_one_stays_on_this_site(reader: Browser, provider: OidcProvider, save: Session, wanted: str) -> None:
    city_user(save)
    provider.has("hanako", preferred_username="hanako")
    asked = reader.client.get(START, params={"next": wanted}, follow_redirects=False).headers["location"]
    response = reader.client.get(provider.let(asked, "hanako"), follow_redirects=False)
    assert response.headers["location"] == "/desk"


def test_a_password_opens_no_account_of_the_citys(reader: Browser, save: Session) -> None:
    city_user(save)
    for password in (NO_HASH, "", factories.PASSWORD) * 2:
        assert try_to_sign_in(reader, "hanako", password).status_code == 401
    assert trail(save) == [("hanako", "sign_in.refused", "city")] * 6
    assert save.scalars(select(User.locked_until)).all() == [None], "nobody is locked out by what others type"


def test_there_is_no_password_to_change(reader: Browser, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    enter(reader, provider)
    page = reader.get("/account/password")
    assert "市の認証の側で変えてください" in page.words()
    form = page.form("/sign-out")
    response = reader.post("/account/password", {**form, "old": NO_HASH, "new": "潮風と灯台の町で暮らしている", "again": ""}, status=403)
    assert "市の認証でログインします" in check(response).words()


def test_the_provider_is_down(tmp_path: Path, app: FastAPI, save: Session) -> None:
    factories.create_user(save, username="hanako")
    save.commit()
    url = app.state.settings.database_url
    down = Settings(
        home=tmp_path / "var", database_url=url, engine="serial", oidc_issuer=f"http://127.0.0.1:{free_port()}", oidc_client_id=CLIENT
    )
    other = create_app(down)
    browser = Browser(TestClient(other))
    refused(browser.client.get(START, follow_redirects=False), 503, "つながりません")
    assert browser.client.get("/sign-out/city", follow_redirects=False).headers["location"] == "/sign-in"
    assert try_to_sign_in(browser, "hanako").status_code == 303
    other.state.engine.dispose()


def test_without_a_provider_there_is_no_button(tmp_path: Path, sqlite_engine: object) -> None:
    app = create_app(Settings(home=tmp_path / "var", engine="serial"))
    browser = Browser(TestClient(app))
    assert "市の認証" not in browser.get("/sign-in").words()
    for address in (START, BACK, "/sign-out/city"):
        assert "設定されていません" in browser.get(address, status=409).words()
    app.state.engine.dispose()


FOLLOWING = {"oidc_role_claim": "role", "oidc_department_claim": "department", "oidc_position_claim": "title"}


@pytest.mark.parametrize(("claims", "expected"), [
    ({"role": "department", "department": "道路維持課", "title": "係長"}, (Role.DEPARTMENT, "道路維持課", "係長")),
    ({"department": ["公園緑地課"]}, (Role.DEPARTMENT, "公園緑地課", "主任")),
    ({"role": "kocho", "department": "広聴課", "title": ""}, (Role.KOCHO, "広聴課", "")),
    ({}, (Role.DEPARTMENT, "ごみ減量課", "主任")),
    ({"department": "ない課"}, None),
    ({"role": "emperor"}, None),
    ({"role": ["department", "kocho"], "department": "道路維持課"}, None),
    ({"role": []}, None),
    ({"role": "department", "department": "道" * 65}, None),
    ({"title": 7}, None),
])  # fmt: skip
def test_role_department_and_position_follow_the_city(
    tmp_path: Path, app: FastAPI, provider: OidcProvider, save: Session, claims: dict[str, str], expected: tuple[Role, str, str] | None
) -> None:
    user = city_user(save, role=Role.DEPARTMENT, department="ごみ減量課", position="主任")
    following = create_app(provider.settings(tmp_path / "other", database_url=app.state.settings.database_url, **FOLLOWING))
    browser = Browser(TestClient(following))
    provider.has("hanako-f", preferred_username="Hanako", **claims)
    response = browser.client.get(provider.let(go(browser), "hanako-f"), follow_redirects=False)
    following.state.engine.dispose()
    renew(save)
    found = save.get_one(User, user.id)
    if expected is None:
        refused(response, 403, "登録されていません")
        assert trail(save) == [("hanako", "sign_in.refused", "claims")]
        assert (found.oidc_subject, found.department) == (None, "ごみ減量課")
    else:
        assert response.status_code == 303
        assert (found.role, found.department, found.position) == expected


def test_the_last_administrator_stays_one(tmp_path: Path, app: FastAPI, provider: OidcProvider, save: Session) -> None:
    city_user(save, role=Role.ADMIN)
    following = create_app(provider.settings(tmp_path / "other", database_url=app.state.settings.database_url, **FOLLOWING))
    browser = Browser(TestClient(following))
    provider.has("hanako-a", preferred_username="hanako", role="kocho")
    refused(browser.client.get(provider.let(go(browser), "hanako-a"), follow_redirects=False), 403, "登録されていません")
    following.state.engine.dispose()


def test_over_https_the_cookies_are_tied_to_the_host(tmp_path: Path, app: FastAPI, provider: OidcProvider, save: Session) -> None:
    city_user(save)
    url = app.state.settings.database_url
    outside = "https://koe.city.example"
    secure = create_app(provider.settings(tmp_path / "other", database_url=url, secure_cookies=True, base_url=f"{outside}/"))
    client = TestClient(secure, base_url=outside)
    asked = client.get(START, follow_redirects=False)
    assert all(word in asked.headers["set-cookie"] for word in ("__Host-koe_city=", "Secure", "Path=/"))
    assert parse_qs(urlsplit(asked.headers["location"]).query)["redirect_uri"] == [outside + BACK]
    provider.has("hanako", preferred_username="hanako")
    response = client.get(provider.let(asked.headers["location"], "hanako"), follow_redirects=False)
    assert response.status_code == 303
    assert set(client.cookies) == {"__Host-koe_session"}
    secure.state.engine.dispose()


def test_an_administrator_says_how_people_sign_in(
    sign_in: SignIn, reader: Browser, provider: OidcProvider, save: Session
) -> None:  # fmt: skip
    admin = sign_in(Role.ADMIN, username="root01")
    page = admin.get("/admin/users/new")
    fields = {"username": "hanako", "display_name": "潮見 花子", "role": "kocho", "sign_in_by": "city"}
    address = admin.post("/admin/users", {**page.form("/admin/users"), **fields}).headers["location"]
    here = address.partition("?")[0]
    page = admin.get(address)
    assert "最初にログインすると" in page.words()
    assert "最初のログイン前" in admin.get("/admin/users").words()
    assert enter(reader, provider).status_code == 303
    page = admin.get(here)
    assert "市の認証の人と結びついています" in page.words()
    page = admin.submit(page, f"{here}/city")
    assert "最初にログインするのを待っています" in page.words()
    assert reader.client.get("/desk", follow_redirects=False).status_code == 302, "the session has ended"
    assert enter(reader, provider, "hanako-new").status_code == 303
    shown = check(admin.post(f"{here}/password", page.form(f"{here}/password"), status=200))
    refused(enter(reader, provider, "hanako-new"), 403, "登録されていません")
    assert try_to_sign_in(reader, "hanako", shown.words(shown.all("code")[1])).status_code == 303
    admin.submit(admin.get(here), f"{here}/city")
    assert try_to_sign_in(reader, "hanako", shown.words(shown.all("code")[1])).status_code == 401
    renew(save)
    own = save.scalars(select(User.id).where(User.username == "root01")).one()
    page = admin.get(f"/admin/users/{own}")
    told = admin.post(f"/admin/users/{own}/city", page.form(f"/admin/users/{own}/city"), status=409)
    assert "自分のログインのしかた" in check(told).words()
    assert "市の認証に移した" in admin.get("/admin/audit").words()
