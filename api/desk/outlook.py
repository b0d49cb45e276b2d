"""The outlook on deadlines (期限の見通し): how many are expected to pass, by department, and which voices; a page and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.deps import STAFF, VOICES_READ, PagesOf, Reading, RulesOf, Staff
from api.fields import Name
from core.clock import today
from core.deadline_rules import DeadlineRules
from core.models import Role, Status
from loop import forecast, outlook
from loop.actors import Actor
from loop.deadlines import Deadlines

pages = APIRouter(include_in_schema=False)
json = APIRouter(prefix="/api/v1", tags=["voices"])


class WeekAnswer(BaseModel):
    """How many deadlines are expected to pass up to ``until``, as was seen on ``as_of``."""

    model_config = ConfigDict(from_attributes=True)

    as_of: date
    until: date
    expected: int


class DepartmentAnswer(BaseModel):
    """A department's open voices with a deadline; ``department`` empty: the city's."""

    model_config = ConfigDict(from_attributes=True)

    department: str
    as_of: date
    open: int
    overdue: int
    expected_late: list[float] = Field(description="of those due within 0, 1, 2 … open days, how many are expected to be late")
    expected_in_all: float


class LikelyLateAnswer(BaseModel):
    """A voice that isn't overdue and is likely to be; the text isn't told here."""

    model_config = ConfigDict(from_attributes=True)

    receipt_number: str
    theme: str
    department: str
    status: Status
    due_on: date
    chance: float = Field(description="0 to 1")


class OutlookAnswer(BaseModel):
    """What is to be expected; ``likely_late`` counts all such voices, ``items`` are the likeliest of them."""

    week: WeekAnswer | None
    departments: list[DepartmentAnswer]
    likely_late: int
    items: list[LikelyLateAnswer]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a person may know of the deadlines to come: of their own department alone, or of the one they chose, or of the city.

    ``is_there``: whether there is any forecast.
    """

    department: str
    week: outlook.WeekAhead | None
    departments: list[forecast.Outlook]
    is_there: bool


def week_for(session: Session, rules: DeadlineRules, *, actor: Actor, chosen: str) -> outlook.WeekAhead | None:
    """The week ahead of a department's member's own department, and for the others of the one that they chose, or of the city."""
    if actor.role is Role.DEPARTMENT and not actor.department:
        return None
    return outlook.week_ahead(session, rules, today=today(), department=_department(actor, chosen))


def foreseen(session: Session, rules: DeadlineRules, *, actor: Actor, chosen: str) -> Foreseen:
    """All figures."""
    department = _department(actor, chosen)
    city = forecast.outlooks(session, department="")
    if actor.role is Role.DEPARTMENT and not department:
        return Foreseen("", None, [], is_there=bool(city))
    found = forecast.outlooks(session, department=department or None)
    return Foreseen(department, week_for(session, rules, actor=actor, chosen=chosen), found, is_there=bool(city))


def _department(actor: Actor, chosen: str) -> str:
    return actor.department if actor.role is Role.DEPARTMENT else chosen


@pages.get("/desk/outlook", dependencies=[Depends(STAFF)])
def outlook_page(
    request: Request,
    signed_in: Staff,
    session: Reading,
    rules: RulesOf,
    pages: PagesOf,
    department: Annotated[Name, Query()] = "",
) -> Response:
    """The outlook in figures, and the voices that are likely to be late."""
    found = foreseen(session, rules, actor=signed_in.actor, chosen=department)
    count, voices = outlook.likely_late(session, rules, today=today(), seen_by=signed_in.actor, department=found.department)
    deadlines = Deadlines(rules.calendar, today(), soon=rules.soon)
    context = {"found": found, "count": count, "voices": voices, "deadlines": deadlines, "horizon": forecast.HORIZON}
    return pages.page(request, "desk/outlook.html", context)


@json.get("/outlook", summary="期限の見通し", dependencies=[Depends(VOICES_READ)])
def outlook_json(signed_in: Staff, session: Reading, rules: RulesOf, department: Annotated[Name, Query()] = "") -> OutlookAnswer:
    """The outlook on deadlines: of one's own department, of one that is named, or of all."""
    found = foreseen(session, rules, actor=signed_in.actor, chosen=department)
    count, voices = outlook.likely_late(session, rules, today=today(), seen_by=signed_in.actor, department=found.department)
    return OutlookAnswer(
        week=WeekAnswer.model_validate(found.week) if found.week else None,
        departments=[DepartmentAnswer.model_validate(item) for item in found.departments],
        likely_late=count,
        items=[LikelyLateAnswer.model_validate(item) for item in voices],
    )
