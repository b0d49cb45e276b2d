"""The morning digest as mails: to whom, in what words, each person once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import quote

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api import words
from core import audit, city, db, deadline_file, mailer
from core.errors import InputError, KoeError
from core.models import Role, User
from core.settings import Settings
from loop import digest
from loop.digest import LINES, Digest, Line, Part, Section
from nlp import taxonomy

_LINE = 60  # characters of a voice
HEADINGS = {
    Part.OVERDUE: "超過",
    Part.TODAY: "今日が期限",
    Part.SOON: "期限間近",
    Part.INTERIM: "中間回答の時期",
    Part.ASKED: "頼まれた部分",
    Part.LIKELY_LATE: "遅れそう",
    Part.NEW: "新しく届いた",
    Part.WAITING: "返事待ち",
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a digest of what. ``key`` names them without their address; ``figures_only``: no voices, as for a manager."""

    key: str
    address: str
    department: str
    figures_only: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A digest in words."""

    subject: str
    body: str


@dataclass(slots=True)
class Report:
    """What became of a morning. ``failed`` names who couldn't be written to, and why, without an address."""

    day: date
    is_open: bool
    sent: int = 0
    before: int = 0
    empty: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    shown: list[tuple[Recipient, Mail]] = field(default_factory=list)


def send(
    engine: Engine, settings: Settings, *, day: date, actor: str, dry_run: bool = False, stop: Callable[[], bool] | None = None
) -> Report:
    """Sends everybody the digest of a day, unless it was sent, holds nothing, or the offices are closed. ``dry_run`` only shows.

    A mail is marked before it is handed in: one that goes astray when the power fails isn't sent, none is sent twice.

    Raises:
        InputError: a file of the city can't be read.
        SettingsError, MailServerError: mails can't be sent; who has theirs keeps it, the others get theirs at the next try.
    """
    rules = deadline_file.load(settings.taxonomy_dir)
    report = Report(day, rules.calendar.is_open(day))
    if not report.is_open:
        return report
    if not dry_run:
        mailer.place_of(settings)
    known: dict[str, Digest] = {}
    with db.reading(engine) as session:
        everybody = recipients(session, settings)
    for recipient in everybody:
        if stop and stop():
            break
        if recipient.department not in known:
            with db.reading(engine) as session:
                known[recipient.department] = digest.read(session, rules, day=day, department=recipient.department)
        found = known[recipient.department]
        if found.is_empty:
            report.empty += 1
            continue
        mail = compose(found, settings, figures_only=recipient.figures_only)
        if dry_run:
            report.shown.append((recipient, mail))
        else:
            _send_once(engine, settings, recipient, mail, report)
    if not dry_run:
        detail = {"day": day.isoformat(), "sent": report.sent, "failed": len(report.failed)}
        with db.writing(engine) as session:
            audit.record(session, actor=actor, action="digest.send", subject=f"day:{day.isoformat()}", detail=detail)
    return report


def recipients(session: Session, settings: Settings) -> list[Recipient]:
    """Departments with a mailbox in departments.yaml, and members of staff with an address; an address gets the same digest once.

    A department's member gets the department's, a manager the city's figures, the others all of the city's.
    """
    found: dict[tuple[str, str, bool], Recipient] = {}
    for department in taxonomy.load(settings.taxonomy_dir).departments:
        if department.mail:
            _add(found, Recipient(f"department:{department.name}", department.mail, department.name))
    staff = select(User).where(User.active.is_(True), User.email != "").order_by(User.id)
    for user in session.scalars(staff):
        is_member = user.role is Role.DEPARTMENT
        if user.department or not is_member:
            scope = user.department if is_member else ""
            _add(found, Recipient(f"user:{user.id}", user.email, scope, figures_only=user.role is Role.MANAGER))
    return list(found.values())


def _add(found: dict[tuple[str, str, bool], Recipient], one: Recipient) -> None:
    found.setdefault((one.address.strip().lower(), one.department, one.figures_only), one)


def compose(found: Digest, settings: Settings, *, figures_only: bool = False) -> Mail:
    """A digest in words. It holds no personal data: masked first lines, receipt numbers, and addresses of pages that ask for a sign-in."""
    name = found.department or city.load(settings.taxonomy_dir).name or "全体"
    urgent = [f"{HEADINGS[part]} {found.count(part):,}件" for part in (Part.OVERDUE, Part.TODAY) if found.count(part)]
    others = f"{HEADINGS[Part.NEW]}声 {found.count(Part.NEW):,}件" if found.count(Part.NEW) else "今日の予定"
    subject = f"【声環】{found.day.month}月{found.day.day}日 {name}: {'・'.join(urgent) or others}"
    # A city whose rules ask for no interim reply doesn't hear of them every morning, nor a department of parts that nobody asks of it.
    figures = [_figure(section, found) for section in found.sections if section.count or section.part not in (Part.INTERIM, Part.ASKED)]
    out = [f"{name} の声　{words.short_date(found.day)}", "", *figures]
    if not figures_only:
        for section in found.sections:
            out += _told(section, found, settings)
    scope = f"?department={quote(found.department)}" if found.department else ""
    out += ["", f"受付一覧　{settings.address}/desk{scope}", "", "このメールは声環が自動で送りました。本文は画面で確かめてください。"]
    return Mail(subject, "\n".join(out) + "\n")


def _figure(section: Section, found: Digest) -> str:
    return f"　{_heading(section.part, found)}　{section.count:,}件"


def _heading(part: Part, found: Digest) -> str:
    return f"{found.soon}開庁日以内" if part is Part.SOON else HEADINGS[part]


def _told(section: Section, found: Digest, settings: Settings) -> Iterator[str]:
    if not section.count:
        return
    yield ""
    yield f"■ {_heading(section.part, found)}（{section.count:,}件）"
    for line in section.lines:
        yield from _voice(line, section.part, found, settings)
    if section.count > LINES:
        yield f"　ほか {section.count - len(section.lines):,}件"


def _voice(line: Line, part: Part, found: Digest, settings: Settings) -> Iterator[str]:
    said = [line.receipt_number, line.theme]
    if not found.department and line.department:
        said.append(line.department)
    if part is Part.WAITING and line.since is not None:
        said.append(f"{words.short_date(line.since)} から返事待ち")
    elif line.asked_by is not None:
        said.append(f"部分の期日 {words.short_date(line.asked_by)}")
    elif line.due_on is not None and line.left is not None:
        said.append(f"期限 {words.short_date(line.due_on)}（{words.due(line.left)}）")
    if line.interim_by is not None:
        said.append(f"中間回答 {words.short_date(line.interim_by)} まで")
    if line.chance is not None:
        said.append(f"遅れる見込み {words.percent(line.chance)}")
    yield "・" + "　".join(said)
    first, _ = words.headline(line.text, _LINE) if line.text else ("（本文は画面で確かめてください）", "")
    yield f"　{first.strip()}"
    yield f"　{settings.address}/desk/{line.receipt_number}"


def _send_once(engine: Engine, settings: Settings, recipient: Recipient, mail: Mail, report: Report) -> None:
    try:
        with db.writing(engine) as session:
            if not digest.claim(session, recipient.key, day=report.day):
                report.before += 1
                return
    except IntegrityError:
        report.before += 1  # another process is at it
        return
    try:
        mailer.send(settings, to=recipient.address, subject=mail.subject, body=mail.body, automatic=True)
    except KoeError as error:
        with db.writing(engine) as session:
            digest.unclaim(session, recipient.key, day=report.day)
        if not isinstance(error, InputError):
            raise  # nobody else's would go either
        report.failed.append((recipient.key, error.message))
    else:
        report.sent += 1
