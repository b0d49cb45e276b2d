"""The morning digest: what a department, or all of the city, has to look at on an open day; and to whom it was sent already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, false, func, select, true
from sqlalchemy.orm import Session

from core.calendar import OpenDays
from core.clock import TOKYO, utc_now
from core.deadline_rules import DeadlineRules
from core.models import Case, CasePart, DigestMark, Voice
from loop import forecast, interim
from loop.deadlines import Deadlines
from loop.filters import owed_by

LINES = 10  # of each section; the rest is a number
_FRESH = timedelta(days=31)  # a past year that is taken in isn't new
_REMEMBERED = timedelta(days=60)


class Part(StrEnum):
    """The sections, in the order in which they are told."""

    OVERDUE = "overdue"
    TODAY = "today"
    SOON = "soon"
    INTERIM = "interim"
    ASKED = "asked"
    LIKELY_LATE = "likely_late"
    NEW = "new"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Line:
    """A voice. ``text`` is masked, and empty where what is left may tell the writer; ``chance`` is that of being late (0–1);
    ``interim_by``: the day by which an interim reply (中間回答) is due; ``asked_by``: that by which the department's part is wanted.
    """

    receipt_number: str
    theme: str
    text: str
    department: str
    received_on: date
    due_on: date | None
    left: int | None
    chance: float | None = None
    since: date | None = None
    """Since when the clock stands still."""
    interim_by: date | None = None
    asked_by: date | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """How many voices there are, and the first of them."""

    part: Part
    count: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """One morning's work. ``department`` empty: the whole city's. ``soon``: within how many open days something is due soon."""

    department: str
    day: date
    soon: int
    sections: tuple[Section, ...]

    @property
    def is_empty(self) -> bool:
        return not any(section.count for section in self.sections)

    def count(self, part: Part) -> int:
        return next(section.count for section in self.sections if section.part is part)


def read(session: Session, rules: DeadlineRules, *, day: date, department: str = "") -> Digest:
    """The digest of a day. A department's holds what it answers for, and the parts that it owes to others soon; the city's everything.

    What is likely to be late is told beyond what is due soon anyway. New is what came in since the last
    open day began and was received lately.
    """
    deadlines = Deadlines(rules.calendar, day, soon=rules.soon)
    own: list[ColumnElement[bool]] = [Voice.is_open == true(), Voice.folded.is_(false())]
    if department:
        own.append(Voice.department == department)
    since = datetime.combine(_open_day_before(rules.calendar, day), datetime.min.time(), TOKYO)
    parts: dict[Part, list[ColumnElement[bool]]] = {
        Part.OVERDUE: [Voice.due_on < day, Case.paused_on.is_(None)],
        Part.TODAY: [Voice.due_on == day, Case.paused_on.is_(None)],
        Part.SOON: [Voice.due_on > day, Voice.due_on <= deadlines.soon, Case.paused_on.is_(None)],
        Part.NEW: [Voice.created_at >= since, Voice.received_on > day - _FRESH],
        Part.WAITING: [Case.paused_on.is_not(None)],
    }
    found = {part: _section(session, part, [*own, *conditions], deadlines) for part, conditions in parts.items()}
    found[Part.INTERIM] = _interim(session, rules, own, deadlines)
    found[Part.ASKED] = _asked(session, department, deadlines) if department else Section(Part.ASKED, 0, ())
    found[Part.LIKELY_LATE] = _likely_late(session, own, deadlines)
    return Digest(department, day, rules.soon, tuple(found[part] for part in Part))


def claim(session: Session, recipient: str, *, day: date) -> bool:
    """Takes it upon oneself to send a recipient the digest of a day; ``False`` when that was done.

    Two who try at the same moment: the second one's transaction ends with an ``IntegrityError``.
    """
    if session.get(DigestMark, (day, recipient)) is not None:
        return False
    session.add(DigestMark(day=day, recipient=recipient, sent_at=utc_now()))
    session.execute(delete(DigestMark).where(DigestMark.day < day - _REMEMBERED))
    session.flush()
    return True


def unclaim(session: Session, recipient: str, *, day: date) -> None:
    """It wasn't sent after all."""
    session.execute(delete(DigestMark).where(DigestMark.day == day, DigestMark.recipient == recipient))


def _open_day_before(calendar: OpenDays, day: date) -> date:
    day -= timedelta(days=1)
    while not calendar.is_open(day):
        day -= timedelta(days=1)
    return day


def _section(session: Session, part: Part, conditions: Sequence[ColumnElement[bool]], deadlines: Deadlines) -> Section:
    count = session.scalar(select(func.count(Voice.id)).outerjoin(Case, Case.id == Voice.case_id).where(*conditions)) or 0
    if not count:
        return Section(part, 0, ())
    # What passed its deadline yesterday can still be helped; what did so last year stands there every morning.
    orders: dict[Part, Any] = {Part.OVERDUE: Voice.due_on.desc(), Part.NEW: Voice.id.desc(), Part.WAITING: Case.paused_on}
    statement = select(Voice, Case.paused_on).outerjoin(Case, Case.id == Voice.case_id).where(*conditions)
    rows = session.execute(statement.order_by(orders.get(part, Voice.due_on), Voice.id).limit(LINES)).all()
    return Section(part, count, tuple(_line(voice, deadlines, since=since) for voice, since in rows))


def _interim(session: Session, rules: DeadlineRules, own: Sequence[ColumnElement[bool]], deadlines: Deadlines) -> Section:
    found = interim.near(interim.due_days(session, rules, *own), deadlines)
    first = dict(islice(found.items(), LINES))
    voices = _by_id(session, first)
    lines = tuple(_line(voices[number], deadlines, interim_by=day) for number, day in first.items())
    return Section(Part.INTERIM, len(found), lines)


def _asked(session: Session, department: str, deadlines: Deadlines) -> Section:
    owed = (Voice.is_open == true(), Voice.folded.is_(false()), owed_by(department), CasePart.due_on <= deadlines.soon)
    joined = select(Voice, CasePart.due_on).join(CasePart, CasePart.case_id == Voice.case_id).where(*owed)
    count = session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    rows = session.execute(joined.order_by(CasePart.due_on, Voice.id).limit(LINES)).all()
    return Section(Part.ASKED, count, tuple(_line(voice, deadlines, asked_by=day) for voice, day in rows))


def _likely_late(session: Session, own: Sequence[ColumnElement[bool]], deadlines: Deadlines) -> Section:
    found = forecast.likely_late(session, deadlines, and_(*own, Voice.due_on > deadlines.soon))
    first = dict(found[:LINES])
    voices = _by_id(session, first)
    lines = tuple(_line(voices[number], deadlines, chance=chance) for number, chance in first.items())
    return Section(Part.LIKELY_LATE, len(found), lines)


def _by_id(session: Session, numbers: Iterable[int]) -> dict[int, Voice]:
    return {voice.id: voice for voice in session.scalars(select(Voice).where(Voice.id.in_(list(numbers))))}


def _line(
    voice: Voice,
    deadlines: Deadlines,
    *,
    chance: float | None = None,
    since: date | None = None,
    interim_by: date | None = None,
    asked_by: date | None = None,
) -> Line:
    return Line(
        receipt_number=voice.receipt_number,
        theme=voice.theme,
        text="" if voice.reidentifying else f"{voice.title}　{voice.text}" if voice.title else voice.text,
        department=voice.department,
        received_on=voice.received_on,
        due_on=voice.due_on,
        left=deadlines.left(voice.due_on) if voice.due_on else None,
        chance=chance,
        since=since,
        interim_by=interim_by,
        asked_by=asked_by,
    )
