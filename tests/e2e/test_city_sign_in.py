"""Somebody comes in by the city's own sign-in in Chromium, and leaves both: redirects, cookies and the page's policy as they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core import db
from core.models import Role, SignInBy
from tests import factories
from tests.e2e.conftest import Site, Visitor, serving
from tests.e2e.test_accessibility import complaints_of_axe, is_wider_than_the_window
from tests.oidc_provider import OidcProvider


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[OidcProvider]:
    with OidcProvider(tmp_path) as provider:
        provider.has("jiro-7", preferred_username="jiro")
        yield provider


@pytest.fixture
def address(provider: OidcProvider, sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """Where the server is; one member of staff signs in by the city's own sign-in, an administrator by a password."""
    home = tmp_path / "var"
    home.mkdir()
    shutil.copy(sqlite_template, home / "koenowa.db")
    settings = provider.settings(home)
    engine = db.connect(settings.url)
    with db.writing(engine) as session:
        factories.create_user(session, username="jiro", display_name="港 次郎", role=Role.MANAGER, sign_in_by=SignInBy.CITY)
        factories.create_user(session, username="root01", role=Role.ADMIN)
    engine.dispose()
    with serving(settings) as address:
        yield address


def enter(page: Page, address: str) -> None:
    page.goto("/desk?tab=all")
    page.get_by_role("link", name="市の認証でログイン").click()
    page.get_by_placeholder("sub").fill("jiro-7")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(f"{address}/desk?tab=all")


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["scripts", "none"])
def test_in_and_out(chromium: Browser, provider: OidcProvider, address: str, options: dict[str, bool]) -> None:
    visitor = Visitor(chromium, Site(address, "", "", 0), **options)
    page = visitor.page
    enter(page, address)
    expect(page.get_by_text("港 次郎").first).to_be_visible()
    page.get_by_role("button", name="ログアウト").click()
    page.wait_for_url(f"{provider.address}/oauth2/end_session?**")
    page.goto("/desk")
    expect(page.get_by_role("heading", name="職員のログイン")).to_be_visible()
    # The provider's page asks for a style from outside; of ours nothing may be held back.
    assert not [text for text in visitor.complaints if "Content Security Policy" in text]
    visitor.context.close()


@pytest.mark.parametrize("width", [1280, 375])
def test_the_pages_at_both_widths(chromium: Browser, address: str, width: int) -> None:
    visitor = Visitor(chromium, Site(address, "", "", 0), viewport={"width": width, "height": 800})
    page = visitor.page

    def looked_at() -> None:
        assert complaints_of_axe(page) == []
        assert not is_wider_than_the_window(page)

    page.goto("/sign-in")
    looked_at()
    page.goto("/sign-in/city/back")
    expect(page.get_by_role("alert")).to_be_visible()
    looked_at()
    enter(page, address)
    page.goto("/account/password")
    looked_at()
    page.route("**/sign-out/city", lambda route: route.fulfill(status=204))  # the page would go on at once
    page.get_by_role("button", name="ログアウト").click()
    expect(page.get_by_role("heading", name="ログアウトしました")).to_be_visible()
    looked_at()
    visitor.sign_in("root01")
    for where in ("/admin/users", "/admin/users/new", "/admin/users/1"):
        page.goto(where)
        looked_at()
    visitor.context.close()
