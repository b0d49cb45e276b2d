"""What is to be expected of the deadlines to come: how many of this week's will pass, and which voices are likely to be late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.bulk import among
from core.deadline_rules import DeadlineRules
from core.models import Status, Voice
from loop import forecast
from loop.actors import Actor, visible_to
from loop.deadlines import Deadlines
from loop.forecast import HORIZON, LIKELY

_STALE = timedelta(days=4)
_SNIPPET = 100
SHOWN = 200


@dataclass(frozen=True, slots=True)
class WeekAhead:
    """How many deadlines of a department (empty: the city) are expected to pass up to the end of a week, as was seen on ``as_of``."""

    department: str
    as_of: date
    until: date
    expected: int
    is_next: bool


@dataclass(frozen=True, slots=True)
class LikelyLate:
    """An open voice that isn't overdue and is likely to be, with its chance (0–1)."""

    id: int
    receipt_number: str
    title: str
    snippet: str
    theme: str
    department: str
    status: Status
    due_on: date
    chance: float


def week_ahead(session: Session, rules: DeadlineRules, *, today: date, department: str = "") -> WeekAhead | None:
    """The rest of this week, or the next one where no open day is left in this; ``None`` without a forecast of these days.

    Read from the forecast of the day: one row. Where the worker hasn't renewed it yet, what was due before today is left out.
    """
    seen = next(iter(forecast.outlooks(session, department=department)), None)
    if seen is None or not today - _STALE < seen.as_of <= today:
        return None
    sunday = today + timedelta(days=6 - today.weekday())
    is_next = not any(rules.calendar.is_open(today + timedelta(days=number)) for number in range((sunday - today).days + 1))
    until = sunday + timedelta(days=7) if is_next else sunday
    from_then = Deadlines(rules.calendar, seen.as_of)
    passed = seen.expected_late[min(from_then.left(today - timedelta(days=1)), HORIZON)] if today > seen.as_of else 0.0
    expected = seen.expected_late[min(from_then.left(until), HORIZON)] - passed
    return WeekAhead(department, seen.as_of, until, round(expected), is_next)


def likely_late(
    session: Session, rules: DeadlineRules, *, today: date, seen_by: Actor | None, department: str = "", limit: int = SHOWN
) -> tuple[int, list[LikelyLate]]:
    """Voices that are due within the forecast's days and likely to be late, the likeliest first: how many, and the first of them."""
    deadlines = Deadlines(rules.calendar, today, soon=HORIZON)
    own = [Voice.department == department] if department else []
    found = forecast.likely_late(session, deadlines, Voice.due_on <= deadlines.soon, *own, *visible_to(seen_by), least=LIKELY)
    chances = dict(found[:limit])
    snippet = func.substr(Voice.text, 1, _SNIPPET).label("snippet")
    columns = (Voice.id, Voice.receipt_number, Voice.title, snippet, Voice.theme, Voice.department, Voice.status, Voice.due_on)
    statement = select(*columns).where(among(session, Voice.id, list(chances)))
    rows: Sequence[Any] = session.execute(statement).all() if chances else []
    shown = {row.id: LikelyLate(**{**row._asdict(), "chance": chances[row.id]}) for row in rows}
    return len(found), [shown[number] for number in chances]
