"""A real server with a city's data, and a real browser on it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.app import create_app
from core import db, jobs
from core.clock import today
from core.crypto import load_keyring
from core.models import Batch, FaqCount, Kind, Reject, Role, Urgency
from core.settings import Settings
from nlp.opinions import service as opinion_service
from tests import factories
from tests.e2e.answering import Answering, fill

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@dataclass(frozen=True)
class Site:
    """Where the server is, and addresses of pages that have something on them."""

    address: str
    voice: str
    published: str
    topic: int
    faq_batch: int = 0
    answering: Answering = field(default_factory=Answering)


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """A server on a free port of this machine alone, as long as the block lasts; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server with a city's data."""
    home = tmp_path_factory.mktemp("site")
    shutil.copy(sqlite_template, home / "koenowa.db")
    settings = Settings(home=home, engine="serial")
    places = _fill(settings)
    with serving(settings) as address:
        yield Site(address, *places)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium; without one the tests are skipped, or fail where ``KOE_REQUIRE_E2E=1`` asks for them."""
    path = os.environ.get("KOE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = "no Chromium: install one or set KOE_CHROMIUM"
        if os.environ.get("KOE_REQUIRE_E2E") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """A tab that notes what the browser complains of."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        self.context = browser.new_context(base_url=site.address, locale="ja-JP", **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, username: str = "hanako") -> Visitor:
        self.page.goto("/sign-in")
        self.page.get_by_label("利用者名").fill(username)
        self.page.get_by_label("パスワード").fill(factories.PASSWORD)
        self.page.get_by_role("button", name="ログイン").click()
        self.page.wait_for_url("**/desk")
        return self


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Any]:
    """Opens tabs, and closes them after the test."""
    visitors: list[Visitor] = []

    def visit(**options: Any) -> Visitor:
        visitors.append(Visitor(chromium, site, **options))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.context.close()


def _fill(settings: Settings) -> tuple[str, str, int, int, Answering]:
    engine, keyring = db.connect(settings.url), load_keyring(settings)
    with db.writing(engine) as session:
        hanako = factories.create_user(session, username="hanako", display_name="潮見 花子", position="課長")
        factories.create_user(session, username="root01", display_name="情報 三郎", role=Role.ADMIN)
        factories.create_user(session, username="doro01", role=Role.DEPARTMENT, position="係長", must_change_password=True)
        factories.create_user(session, username="kouen01", role=Role.DEPARTMENT, department="公園緑地課", active=False)
        voices = [
            factories.create_voice(
                session, theme=theme, received_on=today() - timedelta(days=ago), published=ago > 20, attributes={"age": "40代"}
            )
            for ago, theme in enumerate(list(factories.THEMES) * 8)
        ]
        urgent = factories.create_voice(
            session, theme="道路・交通", kind=Kind.REPORT, urgency=Urgency.TODAY, confidence=0.42, received_on=today(),
            title="歩道の穴について、長い件名が折りかえしてもはみ出さないことを確かめるための声",
            text="歩道に深い穴があり、昨夜ひとが落ちました。\n" + "長い本文です。" * 30 + "〔氏名〕、〔電話〕まで。",
            context={"question": "【問２】住みやすいと思いますか。", "choice": "どちらかといえば住みにくい"},
            reidentifying=["年齢", "病気", "町名"],
        )  # fmt: skip
        factories.create_secret(session, urgent, keyring, text="歩道に深い穴があり、港町太郎まで。", name="港町太郎")
        above = factories.create_topic(session, name="歩道と街灯")
        topic = factories.create_topic(session, name="歩道の段差", voices=voices[::5], parent_id=above.id)
        factories.create_topic(session, name="その他の声", voices=voices[1::5], is_rest=True)
        where = [{"facet": "district", "value": "港地区", "observed": 16, "expected": 2.5}]
        rise = {"value": str(topic.id), "where": where, "voices": topic.examples}
        through = [{"facet": "topic", "value": str(topic.id), "observed": 18, "expected": 2.0}]
        theme = {"facet": "theme", "value": "道路・交通", "where": through}
        factories.create_look(session, rise, {**rise, "is_campaign": True}, *[{**rise, "expected": 0.2}] * 4, theme, as_of=today())
        _create_jobs(session)
        faq_batch = _create_faq(session)
        answering = fill(session, keyring, hanako)
    opinion_service.update(engine, settings, topic=topic.id)
    engine.dispose()
    return urgent.receipt_number, voices[-1].receipt_number, topic.id, faq_batch, answering


def _create_faq(session: Session) -> int:
    """Questions of this month and the one before, a row of their log that could not be taken, and the number of its batch."""
    first = today().replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    before = (first - timedelta(days=1)).replace(day=1), first - timedelta(days=1)
    for at, theme in enumerate([*factories.THEMES, "防災・防犯"]):
        factories.create_faq_entry(session, theme=theme, counts={(first, last): 50 + 20 * at, before: 100 if at else 0})
    long = "長い質問が折りかえしてもはみ出さないことを確かめるための質問です。" * 3
    entry = factories.create_faq_entry(session, theme="ごみ・環境", question=long, counts={(first, last): 12_345})
    batch_id = session.scalars(select(FaqCount.batch_id).where(FaqCount.entry_id == entry.id)).one()
    reason = "参照回数が 0 以上の整数ではありません。数字だけを入れてください。"
    session.add(Reject(batch_id=batch_id, row=9, column="参照回数", code="count", reason=reason, sealed_row=b""))
    batch = session.get_one(Batch, batch_id)
    batch.rows_read, batch.imported, batch.rejected = 14, 13, 1
    return batch_id


def _create_jobs(session: Session) -> None:
    """One in each state, the last still running."""
    for title in ("長い名前のファイル_令和8年度_第3四半期_最終版.csv の取込", "話題を作る", "訂正から学び直す", "意見を読み取る"):
        jobs.create(session, kind="import", title=title, arguments={}, actor="hanako")
    done, failed, stopped, running = jobs.waiting(session)
    for job_id in (done, failed, stopped, running):
        jobs.claim(session, job_id, worker="w")
    jobs.finish(session, done, worker="w", result={"read": 1200, "imported": 1198, "duplicates": 2, "rejected": 0})
    jobs.fail(session, failed, worker="w", error="話題を作る声がまだありません。", hint="声を取り込んでください。")
    jobs.cancelled(session, stopped, worker="w")
    jobs.report(session, running, worker="w", done=300, total=1200, message="声を読み取っています")
    jobs.create(session, kind="train", title="訂正から学び直す", arguments={}, actor="hanako")
