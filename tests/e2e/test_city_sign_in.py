"""Somebody comes in by the city's own sign-in in Chromium, and leaves both: redirects, cookies and the page's policy as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from core import db
from core.models import Role, SignInBy
from tests import factories
from tests.e2e.conftest import Site, Visitor, serving
from tests.oidc_provider import OidcProvider


def test_in_and_out(chromium: Browser, sqlite_template: Path, tmp_path: Path) -> None:
    home = tmp_path / "var"
    home.mkdir()
    shutil.copy(sqlite_template, home / "koenowa.db")
    with OidcProvider(tmp_path) as provider:
        settings = provider.settings(home)
        engine = db.connect(settings.url)
        with db.writing(engine) as session:
            factories.create_user(session, username="jiro", display_name="港 次郎", role=Role.MANAGER, sign_in_by=SignInBy.CITY)
        engine.dispose()
        provider.has("jiro-7", preferred_username="jiro")
        with serving(settings) as address:
            for scripts in (True, False):
                visitor = Visitor(chromium, Site(address, "", "", 0), java_script_enabled=scripts)
                page = visitor.page
                page.goto("/desk?tab=all")
                page.get_by_role("link", name="市の認証でログイン").click()
                page.get_by_placeholder("sub").fill("jiro-7")
                page.get_by_role("button", name="Authorize").click()
                page.wait_for_url(f"{address}/desk?tab=all")
                expect(page.get_by_text("港 次郎")).to_be_visible()
                page.get_by_role("button", name="ログアウト").click()
                page.wait_for_url(f"{provider.address}/oauth2/end_session?**")
                page.goto(f"{address}/desk")
                expect(page.get_by_role("heading", name="職員のログイン")).to_be_visible()
                # The provider's page asks for a style from outside; of ours nothing may be held back.
                assert not [text for text in visitor.complaints if "Content Security Policy" in text]
                visitor.context.close()
