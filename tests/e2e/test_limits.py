"""Somebody who searches too often is told so in Chromium, also where htmx would have swapped the list alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from core import db
from core.settings import Settings
from tests import factories
from tests.e2e.conftest import Site, Visitor, serving


def test_a_search_too_many(chromium: Browser, sqlite_template: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engine="serial", rate_search="1/hour")
    shutil.copy(sqlite_template, tmp_path / "koenowa.db")
    engine = db.connect(settings.url)
    with db.writing(engine) as session:
        factories.create_user(session, username="hanako")
        factories.create_voice(session)
    engine.dispose()
    with serving(settings) as address:
        for scripts in (True, False):
            visitor = Visitor(chromium, Site(address, "", "", 0), java_script_enabled=scripts).sign_in()
            page = visitor.page
            for words in ("段差", "街灯"):
                page.goto("/desk?tab=all")
                page.get_by_role("searchbox").fill(words)
                page.get_by_role("searchbox").press("Enter")
                page.wait_for_url("**q=**")
            expect(page.get_by_role("heading", name="回数が多すぎます")).to_be_visible()
            expect(page.get_by_text("待ってから、もう一度お試しください")).to_be_visible()
            page.go_back()
            expect(page.get_by_role("searchbox")).to_be_visible()
            visitor.context.close()
