"""koe demo: the sample city from files to pages, in one command."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import database, note, say, settings
from api.cli.intake import sums
from api.cli.system import run_server
from api.cli.topics import summary
from core.settings import get_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

SAMPLES = ("call_log_cp932.csv", "voices_utf8bom.csv", "survey_wide_utf8.csv", "faq_log.csv")
# Only for the sample city on this machine's own address; docs/operations.md says how real accounts are made.
_ROADS = "道路維持課"
ACCOUNTS = (
    ("kocho", "広聴 花子", "kocho", "", "", "shiomi-kocho"),
    ("doro", "道路 四郎", "department", _ROADS, "", "shiomi-douro"),
    ("kakari", "係長 五月", "department", _ROADS, "係長", "shiomi-kakari"),
    ("kacho", "課長 睦美", "department", _ROADS, "課長", "shiomi-kacho"),
    ("kanri", "管理 次郎", "manager", "", "", "shiomi-kanri"),
    ("admin", "情報 三郎", "admin", "", "", "shiomi-admin"),
)
"""User name, name, role, department, 職位 and password. With the four of one department, an answer can go its whole way."""


@app.command()
def demo(
    *,
    serve: Annotated[bool, typer.Option(help="最後に画面を出す")] = True,
    port: Annotated[int | None, typer.Option(help="待ち受けるポート。省くと KOE_PORT")] = None,
) -> None:
    """見本の市（潮見市）の声を取り込み、話題を作り、画面を出す。"""
    from api.campaigns import update_campaigns
    from core import city
    from core.crypto import load_keyring
    from ingest.pipeline import import_file
    from nlp import annotate, topics
    from nlp.annotate import Masker
    from nlp.surge import service as surge_service
    from nlp.topics import service

    current = settings()
    began = time.monotonic()
    # A first run compiles the clustering; it does so on the second core while the rest is under way.
    compiling = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    compiled = compiling.submit(topics.warm_up)
    with _step("データベースを準備する"):
        engine = database(upgrade=True)
    with _step("分類のモデルを用意する（初回は学習例から作る）"):
        annotator = annotate.ready(current)
    keyring = load_keyring(current)
    for name in SAMPLES:
        with _step(f"取り込む: {name}"):
            report = import_file(
                engine,
                current.data / "sample" / name,
                settings=current,
                keyring=keyring,
                annotate=annotator,
                mask=Masker(current.taxonomy_dir),
                actor="demo",
            )
        say(f"  {report.encoding}　{sums(report)}")
    with _step("同文・一斉投稿をまとめる"):
        update_campaigns(engine, current)
    with _step("話題を作る（初回は準備に1分ほどかかる）"):
        compiled.result()
        compiling.shutdown()
        fitted = service.fit_topics(engine, current, actor="demo")
    say(f"  {summary(fitted)}")
    with _step("急増を調べる"):
        found = surge_service.update(engine, city.load(current.taxonomy_dir).calendar)
    say(f"  {found.as_of} 現在、急増 {sum(not surge.is_campaign for surge in found.surges)} 件（{found.series:,} 系列）")
    with _step("利用者を用意する"):
        _accounts(engine)
    _tell(engine)
    say(f"\n全部で {time.monotonic() - began:.0f} 秒かかりました。")
    say("\nデモの利用者（この計算機だけで使う見本）")
    for username, display_name, role, department, position, password in ACCOUNTS:
        say(f"  {username:<8} パスワード {password:<14} {display_name}（{f'{department}{position}' or role}）")
    engine.dispose()
    if not serve:
        say("\n画面を出すには: .venv/bin/koe serve --worker")
        return
    say(f"\n画面: http://{current.host}:{port or current.port}/　職員の画面: http://{current.host}:{port or current.port}/desk")
    _keep_mails_here()
    run_server(port=port, worker=True)


def _keep_mails_here() -> None:
    """Mails of the demo become files, here and in the worker beside it, unless a server was chosen."""
    if settings().mail_url:
        return
    os.environ["KOE_MAIL_URL"] = "file:outbox"
    os.environ["KOE_MAIL_FROM"] = settings().mail_from or "潮見市広聴課 <kocho@city-shiomi.example.jp>"
    get_settings.cache_clear()
    say(f"メールは送らず、{settings().home / 'outbox'} に書き出します。")


@contextmanager
def _step(text: str) -> Iterator[None]:
    note(f"▶ {text}")
    began = time.monotonic()
    yield
    note(f"  {time.monotonic() - began:.1f} 秒")


def _accounts(engine: Engine) -> None:
    from sqlalchemy import select

    from api import accounts
    from core import db
    from core.models import User

    with db.writing(engine) as session:
        for username, display_name, role, department, position, password in ACCOUNTS:
            user = session.scalar(select(User).where(User.username == username))
            if user is None:
                person = accounts.Person(role=role, display_name=display_name, department=department, position=position)
                accounts.add_user(session, username=username, person=person, password=password, actor="demo", must_change=False)
            else:
                accounts.set_password(session, user, password, actor="demo", must_change=False)


def _tell(engine: Engine) -> None:
    from core import db
    from loop import publication
    from nlp.topics import service

    with db.reading(engine) as session:
        figures = publication.figures(session)
        lines = [line for line in service.list_topics(session) if line.parent_id][:12]
    say(f"\n{figures.name}に受け付けた声 {figures.received:,} 件、回答 {figures.answered:,} 件、公開 {figures.published:,} 件。おもな話題:")
    for line in sorted(lines, key=lambda item: -item.size):
        say(f"  {line.size:>5,} 件  {line.name}")
