"""What of the open voices will be late, from each department's past pace. Learnt once a day, read in a few rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, Engine, delete, false, func, insert, select, tuple_
from sqlalchemy.orm import Session

from core import db
from core.calendar import OpenDays
from core.clock import today as todays_date
from core.models import Answer, Case, Forecast, Kind, Pace, Voice
from loop.deadlines import Deadlines
from loop.pace import CITY, Curve, Key, Wait, chance_late, curve_for, learn

LIKELY = 0.5
"""From this chance on a voice is called likely to be late. The chances hold what they say (``loop.backtest``): of those named, more than
half come late, and of a hundred said 60 % about sixty do."""
HORIZON = 10  # open days ahead for which the number of late ones is told
_PAST = timedelta(days=365)
_AT_ONCE = 5_000


class Waiting(Protocol):
    """What a forecast looks at in an open voice; a row of the desk's list is such."""

    @property
    def id(self) -> int: ...
    @property
    def department(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def received_on(self) -> date: ...
    @property
    def due_on(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """A department's open voices with a deadline (``department`` empty: the city's), as of a day.

    ``expected_late[n]``: of those due within ``n`` open days, today's with ``n`` = 0, how many are expected to be late; without those
    that are ``overdue`` already. ``expected_in_all``: of all that aren't.
    """

    department: str
    as_of: date
    open: int
    overdue: int
    expected_late: tuple[float, ...]
    expected_in_all: float


def update(engine: Engine, calendar: OpenDays, *, today: date | None = None) -> int:
    """Learns the paces of the last year and looks at all open voices; gives how many voices were learnt from. In place of the day before.

    A voice counts from its receipt to the day on which it was answered or closed; the ones that wait as yet count as having waited so
    long. Voices without a deadline (surveys, a clock that stands still) and those that came in with an undated answer say nothing.
    A case counts as one.
    """
    day = today or todays_date()
    deadlines = Deadlines(calendar, day)
    with db.reading(engine) as session:
        curves = learn(_past(session, deadlines))
        seen = _looked_at(session, curves, deadlines) if curves else []
    paces = [
        {"department": key[0], "kind": key[1], "as_of": day, "ended": curve.ended, "waiting": curve.waiting,
         "still_open": [round(share, 5) for share in curve.still_open]}
        for key, curve in curves.items()
    ]  # fmt: skip
    with db.writing(engine) as session:
        session.execute(delete(Pace))
        session.execute(delete(Forecast))
        if paces:
            session.execute(insert(Pace), paces)
        if seen:
            session.execute(insert(Forecast), seen)
    return curves[CITY].ended if curves else 0


def outlooks(session: Session, *, department: str | None = None) -> list[Outlook]:
    """The forecast of the day: the city's first, then those departments' that expect the most late ones; or one department's alone."""
    rows = session.scalars(select(Forecast) if department is None else select(Forecast).where(Forecast.department == department))
    found = [
        Outlook(row.department, row.as_of, row.open, row.overdue, tuple(row.expected_late), row.expected_in_all) for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda item: (item.department != "", -item.expected_in_all, item.department))


def chances(session: Session, voices: Sequence[Waiting], deadlines: Deadlines) -> dict[int, float]:
    """How likely each open voice is to be late (0–1), by its id; 1 for one that is. None without a deadline or a past."""
    due = [voice for voice in voices if voice.due_on is not None]
    to_come = [voice for voice in due if voice.due_on is not None and voice.due_on >= deadlines.today]
    wanted = {(voice.department, kind) for voice in to_come for kind in (voice.kind.value, "")} | {CITY}
    columns = (Pace.department, Pace.kind, Pace.still_open, Pace.ended, Pace.waiting)
    rows = session.execute(select(*columns).where(tuple_(Pace.department, Pace.kind).in_(sorted(wanted)))) if to_come else ()
    curves = {(department, kind): Curve(tuple(still_open), ended, waiting) for department, kind, still_open, ended, waiting in rows}
    return {voice.id: chance for voice in due if (chance := _chance(curves, voice, deadlines)) is not None}


def likely_late(session: Session, deadlines: Deadlines, *which: ColumnElement[bool], least: float = LIKELY) -> list[tuple[int, float]]:
    """Ids of those open voices that aren't overdue and are likely to be, the likeliest first, each with its chance (at least ``least``)."""
    statement = select(Voice.id, Voice.department, Voice.kind, Voice.received_on, Voice.due_on).where(
        Voice.is_open, Voice.folded.is_(false()), Voice.due_on >= deadlines.today, *which
    )
    rows: Sequence[Waiting] = session.execute(statement).all()
    found = [(number, chance) for number, chance in chances(session, rows, deadlines).items() if chance >= least]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def _chance(curves: dict[Key, Curve], voice: Waiting, deadlines: Deadlines) -> float | None:
    if voice.due_on is None:
        return None
    if voice.due_on < deadlines.today:
        return 1.0
    curve = curve_for(curves, voice.department, voice.kind.value)
    if curve is None:
        return None
    due = deadlines.span(voice.received_on, voice.due_on)
    return chance_late(curve.still_open, waited=deadlines.waiting_day(voice.received_on), due=due)


def _past(session: Session, deadlines: Deadlines) -> Iterator[Wait]:
    ended_on = func.coalesce(Answer.answered_on, Case.answered_on, Case.closed_on)
    columns = (Voice.department, Voice.kind, Voice.received_on, Voice.is_open, ended_on)
    statement = (
        select(*columns, func.count())
        .outerjoin(Answer, Answer.voice_id == Voice.id)
        .outerjoin(Case, Case.id == Voice.case_id)
        .where(Voice.received_on > deadlines.today - _PAST, Voice.received_on <= deadlines.today)
        .where(Voice.due_on.is_not(None), Voice.folded.is_(false()))
        .group_by(*columns)
    )
    for department, kind, received_on, is_open, end, voices in session.execute(statement.execution_options(yield_per=_AT_ONCE)):
        if is_open:
            yield Wait(department, kind.value, deadlines.waiting_day(received_on), ended=False, voices=voices)
        elif end is not None and end <= deadlines.today:
            yield Wait(department, kind.value, deadlines.span(received_on, end), ended=True, voices=voices)


def _looked_at(session: Session, curves: dict[Key, Curve], deadlines: Deadlines) -> list[dict[str, object]]:
    columns = (Voice.department, Voice.kind, Voice.received_on, Voice.due_on)
    statement = select(func.min(Voice.id).label("id"), *columns, func.count()).where(Voice.is_open, Voice.folded.is_(false()))
    rows = session.execute(statement.where(Voice.due_on.is_not(None)).group_by(*columns).execution_options(yield_per=_AT_ONCE))
    sums: dict[str, _Sums] = defaultdict(_Sums)
    for row in rows:
        chance = _chance(curves, row, deadlines)
        if chance is not None:
            for department in {"", row.department}:
                sums[department].add(chance, row.due_on, deadlines, voices=row[-1])
    return [{"department": department, "as_of": deadlines.today, **found.as_dict()} for department, found in sums.items()]


class _Sums:
    def __init__(self) -> None:
        self.open = self.overdue = 0
        self.expected_late = [0.0] * (HORIZON + 1)
        self.expected_in_all = 0.0

    def add(self, chance: float, due_on: date, deadlines: Deadlines, *, voices: int) -> None:
        self.open += voices
        if due_on < deadlines.today:
            self.overdue += voices
            return
        self.expected_in_all += chance * voices
        for days in range(deadlines.left(due_on), HORIZON + 1):
            self.expected_late[days] += chance * voices

    def as_dict(self) -> dict[str, object]:
        rounded = [round(number, 2) for number in self.expected_late]
        return {"open": self.open, "overdue": self.overdue, "expected_late": rounded, "expected_in_all": round(self.expected_in_all, 2)}
