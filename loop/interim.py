"""By when an interim reply (中間回答) is due, for the open voices whose case has had none yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.bulk import among
from core.deadline_rules import DeadlineRules
from core.models import Case, Voice
from loop.clock import pauses_of
from loop.deadlines import Deadlines, interim_of

_COLUMNS = (
    Voice.id, Voice.channel, Voice.kind, Voice.urgency, Voice.theme, Voice.department, Voice.received_on, Voice.received_at, Voice.case_id,
)  # fmt: skip


def due_days(session: Session, rules: DeadlineRules, *which: ColumnElement[bool]) -> dict[int, date]:
    """The last day for an interim reply, by the voice's id: of open voices with a running deadline whose case has had none.

    Two statements however many there are, and none in a city whose rules ask for none.
    """
    if not rules.asks_interim:
        return {}
    waiting = (Voice.is_open.is_(True), Voice.due_on.is_not(None), Case.interim_on.is_(None), Case.paused_on.is_(None))
    statement = select(*_COLUMNS).outerjoin(Case, Case.id == Voice.case_id).where(*waiting, *which)
    rows: Sequence[Any] = session.execute(statement).all()
    pauses = pauses_of(session, {row.case_id for row in rows if row.case_id is not None})
    days = ((row.id, interim_of(row, rules, pauses=pauses.get((row.case_id, row.id), ()))) for row in rows)
    return {number: day for number, day in days if day is not None}


def of_voices(session: Session, rules: DeadlineRules, voices: Sequence[int]) -> dict[int, date]:
    """The same for the voices of a page, by their ids."""
    return due_days(session, rules, among(session, Voice.id, list(voices))) if voices and rules.asks_interim else {}


def near(days: dict[int, date], deadlines: Deadlines) -> dict[int, date]:
    """Those of them whose day is past or comes within the days of 期限間近: to come first, then past, the nearest in front."""
    found = [(number, day) for number, day in days.items() if day <= deadlines.soon]
    return dict(sorted(found, key=lambda item: (item[1] < deadlines.today, abs((item[1] - deadlines.today).days), item[0])))
