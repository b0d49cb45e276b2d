"""Morning digests over a real mail server and as a command: in words, once a day, without personal data."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, select

from api import daily, digest_mail, job_kinds
from api.jobs import Runner
from core import db, deadline_file, jobs
from core.clock import today
from core.crypto import Keyring
from core.errors import MailServerError, SettingsError
from core.models import AuditEntry, Job, JobState, Kind, Role
from core.settings import PROJECT_ROOT, Settings
from tests import factories
from tests.api.conftest import Koe, refused
from tests.smtp_server import FROM, SmtpServer

DAY = date(2026, 11, 24)  # a Tuesday
ROADS, NURSERY = "道路維持課", "保育課"
MAILS = {ROADS: "roads@shiomi.example.jp", NURSERY: "nursery@shiomi.example.jp"}


@pytest.fixture
def city_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "taxonomy"
    shutil.copytree(PROJECT_ROOT / "data/taxonomy", folder)
    path = folder / "departments.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    for department in content["departments"]:
        department["mail"] = MAILS.get(department["name"], "")
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path, "plain", password=False) as found:
        yield found


@pytest.fixture
def sending(server: SmtpServer, city_folder: Path, tmp_path: Path) -> Settings:
    return server.settings(tmp_path / "var", taxonomy=city_folder, base_url="https://koe.city.example/")


def fill(engine: Engine, day: date = DAY) -> str:
    with db.writing(engine) as session:
        common = {"kind": Kind.REQUEST, "labelled": False, "received_on": day - timedelta(days=14), "created_at": factories.NOON}
        late = factories.create_voice(session, department=ROADS, theme="道路・交通", due_on=day - timedelta(days=4), **common)
        factories.create_voice(session, department=ROADS, theme="道路・交通", due_on=day, reidentifying=["病気・障害"], **common)
        for _ in range(12):
            factories.create_voice(session, department=NURSERY, theme="子育て・保育", due_on=day, **common)
        return late.receipt_number


def send(engine: Engine, settings: Settings, day: date = DAY) -> digest_mail.Report:
    return digest_mail.send(engine, settings, day=day, actor="test")


def test_each_department_gets_its_own(engine: Engine, sending: Settings, server: SmtpServer) -> None:
    number = fill(engine)
    report = send(engine, sending)
    assert (report.sent, report.empty, report.failed) == (2, 0, [])
    mails = {recipients[0]: mail for _, recipients, mail in server.mails}
    assert set(mails) == set(MAILS.values())
    roads = mails[MAILS[ROADS]]
    assert roads["Subject"] == "【声環】11月24日 道路維持課: 超過 1件・今日が期限 1件"
    assert roads["Auto-Submitted"] == "auto-generated"
    body = roads.get_content().replace("\r\n", "\n")
    assert body.startswith("道路維持課 の声　2026/11/24 火\n\n　超過　1件\n　今日が期限　1件\n　3開庁日以内　0件\n")
    assert f"\n■ 超過（1件）\n・{number}　道路・交通　期限 2026/11/20 金（1開庁日 超過）\n　歩道の段差が大きく" in body
    assert f"\n　https://koe.city.example/desk/{number}\n" in body
    assert "（今日まで）\n　（本文は画面で確かめてください）\n" in body, "what is left may tell the writer"
    assert "https://koe.city.example/desk?department=%E9%81%93" in body
    assert "■ 新しく届いた" not in body
    assert "ほか 2件" in mails[MAILS[NURSERY]].get_content()
    with db.reading(engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "digest.send")).one()
        assert entry.detail == {"day": "2026-11-24", "sent": 2, "failed": 0}


def test_each_person_gets_what_is_theirs_to_see(engine: Engine, sending: Settings, server: SmtpServer) -> None:
    number = fill(engine)
    with db.writing(engine) as session:
        for role, given in (
            (Role.KOCHO, {"email": "kocho@shiomi.example.jp"}),
            (Role.MANAGER, {"email": "manager@shiomi.example.jp"}),
            (Role.DEPARTMENT, {"email": "member@shiomi.example.jp", "department": ROADS}),
            (Role.DEPARTMENT, {"email": MAILS[ROADS].upper(), "department": ROADS}),  # reads the department's mailbox anyway
            (Role.DEPARTMENT, {"email": "nowhere@shiomi.example.jp", "department": ""}),
            (Role.KOCHO, {"email": "gone@shiomi.example.jp", "active": False}),
            (Role.KOCHO, {}),
        ):
            factories.create_user(session, role=role, **given)
    assert send(engine, sending).sent == 5
    bodies = {recipients[0]: mail.get_content() for _, recipients, mail in server.mails}
    assert set(bodies) == {*MAILS.values(), "kocho@shiomi.example.jp", "manager@shiomi.example.jp", "member@shiomi.example.jp"}
    assert bodies["member@shiomi.example.jp"] == bodies[MAILS[ROADS]]
    assert f"{number}　道路・交通　道路維持課　期限" in bodies["kocho@shiomi.example.jp"]
    assert "今日が期限　13件" in bodies["manager@shiomi.example.jp"]
    assert "R08-" not in bodies["manager@shiomi.example.jp"]


def test_nobody_gets_it_twice_and_nobody_on_a_closed_day(engine: Engine, sending: Settings, server: SmtpServer) -> None:
    fill(engine)
    send(engine, sending)
    again = send(engine, sending)
    assert (again.sent, again.before) == (0, 2)
    assert not send(engine, sending, date(2026, 11, 23)).is_open
    assert len(server.mails) == 2
    assert send(engine, sending, date(2026, 11, 25)).sent == 2


def test_with_nothing_to_tell_no_mail_goes_out(engine: Engine, sending: Settings, server: SmtpServer) -> None:
    report = send(engine, sending)
    assert (report.sent, report.empty) == (0, 2)
    assert server.mails == []


def test_an_address_that_is_refused_keeps_nobody_else_from_theirs(engine: Engine, sending: Settings, server: SmtpServer) -> None:
    fill(engine)
    server.refused[MAILS[ROADS]] = "550 no such user"
    report = send(engine, sending)
    assert (report.sent, [key for key, _ in report.failed]) == (1, [f"department:{ROADS}"])
    assert not any(address in why for _, why in report.failed for address in MAILS.values())
    server.refused.clear()
    assert send(engine, sending).sent == 1, "it is tried again"


def test_a_server_that_is_down_stops_it_and_nothing_is_lost(engine: Engine, sending: Settings, server: SmtpServer) -> None:
    fill(engine)
    server.refused["DATA"] = "451 later"
    with pytest.raises(MailServerError):
        send(engine, sending)
    server.refused.clear()
    assert send(engine, sending).sent == 2
    with pytest.raises(SettingsError):
        send(engine, sending.model_copy(update={"mail_url": ""}))


def test_figures_alone(sqlite_engine: Engine, sending: Settings) -> None:
    number = fill(sqlite_engine)
    with db.reading(sqlite_engine) as session:
        found = digest_mail.digest.read(session, deadline_file.load(sending.taxonomy_dir), day=DAY)
    mail = digest_mail.compose(found, sending, figures_only=True)
    assert mail.subject == "【声環】11月24日 潮見市: 超過 1件・今日が期限 13件"
    assert "今日が期限　13件" in mail.body
    assert number not in mail.body
    assert number in digest_mail.compose(found, sending).body


def test_the_command_shows_and_sends(koe: Koe, database: Engine, city_folder: Path, home: Path) -> None:
    number = fill(database, date(2026, 11, 17))
    given = {"KOE_TAXONOMY": str(city_folder), "KOE_MAIL_URL": "file:outbox", "KOE_MAIL_FROM": FROM}
    shown = koe("digest", "--dry-run", "--as-of", "2026-11-17", **given).stdout
    assert "宛先: department:道路維持課\n件名: 【声環】11月17日 道路維持課" in shown
    assert number in shown
    assert "2 通（知らせることのない宛先 0）。送っていません。" in shown
    assert not (home / "outbox").exists()
    assert "2 通を送りました" in koe("digest", "--as-of", "2026-11-17").stdout
    assert "0 通を送りました（送ってあった宛先 2" in koe("digest", "--as-of", "2026-11-17").stdout
    assert len(list((home / "outbox").glob("*.eml"))) == 2
    assert "休庁日なので、送りません" in koe("digest", "--as-of", "2026-11-15").stdout
    assert "サーバーが決まっていません" in refused(koe("digest", "--as-of", "2026-11-17", KOE_MAIL_URL=""))


def test_the_job(database: Engine, sending: Settings, keyring: Keyring, server: SmtpServer) -> None:
    fill(database, today())
    with db.writing(database) as session:
        job = jobs.create(session, kind="digest", title="朝", arguments={}, actor="timer")
    assert Runner(sending, database, keyring, job_kinds.KINDS, lambda: "w", threading.Event()).run(job.id)
    with db.reading(database) as session:
        done = jobs.find(session, job.id)
    is_open = digest_mail.city.load(sending.taxonomy_dir).calendar.is_open(today())
    assert (done.state, done.result["sent"], len(server.mails)) == (JobState.DONE, 2 * is_open, 2 * is_open)


def test_workers_ask_for_it_in_the_morning_of_open_days(sqlite_engine: Engine, sending: Settings) -> None:
    sending.home.mkdir()

    def asked(hour: int, minute: int, day: int, **values: str) -> bool:
        moment = datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=9)
        return "digest" in daily.begin(sqlite_engine, sending.model_copy(update=values), now=moment)

    assert not asked(8, 0, 23), "a holiday"
    assert not asked(7, 29, 24)
    assert not asked(8, 0, 24, digest_time="none")
    assert not asked(8, 0, 24, mail_url="")
    assert not asked(8, 0, 24, digest_time="08:15")
    assert asked(7, 30, 24)
    assert not asked(8, 0, 24), "asked for already"
    assert not asked(13, 30, 25), "no morning any more"
    assert asked(13, 29, 25)
    with db.reading(sqlite_engine) as session:
        assert session.scalars(select(Job.kind).order_by(Job.id)).all().count("digest") == 2


def test_interim_replies_are_told_where_the_city_gives_them(sending: Settings, sqlite_engine: Engine) -> None:
    path = sending.taxonomy_dir / "city.yaml"
    fill(sqlite_engine)
    before = _body(sqlite_engine, sending)
    assert "中間回答" not in before
    path.write_text(path.read_text("utf-8").replace("from: next_day}", "from: next_day, interim: {days: 10}}"), "utf-8")
    deadline_file.load.cache_clear()
    told = _body(sqlite_engine, sending)
    assert "　中間回答の時期　" in told
    assert "中間回答 2026/11/25 水 まで" in told


def _body(engine: Engine, settings: Settings) -> str:
    report = digest_mail.send(engine, settings, day=DAY, actor="test", dry_run=True)
    return next(mail.body for recipient, mail in report.shown if recipient.department == ROADS)
