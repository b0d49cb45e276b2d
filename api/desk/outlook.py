"""The outlook on deadlines (期限の見通し): how many are expected to pass, by department, and which voices; a page and JSON."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import STAFF, VOICES_READ, PagesOf, Reading, RulesOf, Staff
from api.fields import Name
from core.clock import today
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


def department_of(actor: Actor, chosen: str) -> str:
    """Whose outlook a person sees: a department's member their own, the others the one they chose, or the city's."""
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
    actor, day = signed_in.actor, today()
    own = department_of(actor, department)
    count, voices = outlook.likely_late(session, rules, today=day, seen_by=actor, department=own)
    context = {
        "department": own,
        "week": outlook.week_ahead(session, rules, today=day, department=own),
        "outlooks": _outlooks(session, actor, own),
        "count": count,
        "voices": voices,
        "deadlines": Deadlines(rules.calendar, day, soon=rules.soon),
    }
    return pages.page(request, "desk/outlook.html", context)


@json.get("/outlook", summary="期限の見通し", dependencies=[Depends(VOICES_READ)])
def outlook_json(signed_in: Staff, session: Reading, rules: RulesOf, department: Annotated[Name, Query()] = "") -> OutlookAnswer:
    """The outlook on deadlines: of one's own department, of one that is named, or of all."""
    actor, day = signed_in.actor, today()
    own = department_of(actor, department)
    count, voices = outlook.likely_late(session, rules, today=day, seen_by=actor, department=own)
    week = outlook.week_ahead(session, rules, today=day, department=own)
    return OutlookAnswer(
        week=WeekAnswer.model_validate(week) if week else None,
        departments=[DepartmentAnswer.model_validate(item) for item in _outlooks(session, actor, own)],
        likely_late=count,
        items=[LikelyLateAnswer.model_validate(item) for item in voices],
    )


def _outlooks(session: Reading, actor: Actor, department: str) -> list[forecast.Outlook]:
    if actor.role is Role.DEPARTMENT and not department:
        return []
    return forecast.outlooks(session, department=department or None)
