"""Cases in the JSON API: one case, acts on one or many, and taking an act back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from api.deps import VOICES_READ, VOICES_WRITE, Labeller, Reading, RulesOf, Staff, TaxonomyOf, Writing, header_token
from api.desk.acts import ActName, Wanted, perform
from api.desk.routes import ReceiptNumber
from core.models import CloseReason, Disposition, Facet, Status
from loop import case_queries, handling, interim, queries
from loop.case_queries import PartState
from loop.handling import MOST_AT_ONCE, Target

router = APIRouter(prefix="/api/v1", tags=["cases"])


class PassageField(BaseModel):
    """A stretch of the voice that was asked for: [start, end) in its masked text."""

    model_config = ConfigDict(from_attributes=True)

    start: int
    end: int
    text: str


class PartAnswer(BaseModel):
    """A department's part in a case; the one that leads answers. ``version`` is what a reply may name as ``seen``."""

    model_config = ConfigDict(from_attributes=True)

    department: str
    is_lead: bool
    state: PartState
    assignee: str = Field(description="user name, or empty")
    version: int
    passages: list[PassageField]
    asked: str = Field(description="masked")
    asked_at: datetime | None
    due_on: date | None = Field(description="by when its reply is wanted; the resident's deadline is the voice's")
    reply: str = Field(description="masked")
    replied_at: datetime | None
    returned_at: datetime | None
    return_reason: str = Field(description="masked")


class CaseAnswer(BaseModel):
    """A case. ``version`` is what an act has to name; 0 as long as nobody has begun to handle the voice."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    status: Status
    disposition: Disposition | None
    close_reason: CloseReason | None
    forwarded_to: str
    paused_on: date | None
    interim_on: date | None
    interim_by: date | None = Field(default=None, description="the last day for an interim reply, as long as none was given")
    answered_on: date | None
    closed_on: date | None
    voices: int
    parts: list[PartAnswer]


class TargetInput(BaseModel):
    """A voice whose case is meant, with the version that was seen; without one, whatever it is by now."""

    receipt_number: str = Field(max_length=20, pattern=r"^[0-9A-Za-z-]+$")
    version: int | None = Field(default=None, ge=0)


class ActInput(BaseModel):
    """What to do to which cases; each act says in ``/api/docs`` which of the other fields it wants."""

    act: ActName
    targets: list[TargetInput] = Field(min_length=1, max_length=MOST_AT_ONCE)
    department: str = Field(default="", max_length=64)
    assignee: str = Field(default="", max_length=64, description="user name")
    also: list[str] = Field(default_factory=list, max_length=50, description="departments that get a part (関係課)")
    facet: Facet = Facet.THEME
    value: str = Field(default="", max_length=64)
    reason: str = Field(default="", max_length=32)
    forwarded_to: str = Field(default="", max_length=64)
    voices: list[str] = Field(default_factory=list, max_length=MOST_AT_ONCE, description="receipt numbers, for split")
    on: date | None = Field(default=None, description="for resume: the day on which the answer came; today without one")


class ActAnswer(BaseModel):
    """An act that was done; ``id`` takes it back."""

    id: int
    cases: int


class UndoAnswer(BaseModel):
    """How many cases stand again as before, and how many somebody has changed since."""

    undone: int
    left: int


@router.get("/cases/{receipt_number}", summary="声の案件", dependencies=[Depends(VOICES_READ)])
def case(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading, rules: RulesOf) -> CaseAnswer:
    """The case that a voice is in."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    found = CaseAnswer.model_validate(case_queries.case_view(session, voice))
    return found.model_copy(update={"interim_by": interim.of_voices(session, rules, [voice.id]).get(voice.id)})


@router.post("/acts", summary="1件または複数の案件を進める", dependencies=[Depends(VOICES_WRITE), Depends(header_token)])
def act(given: ActInput, signed_in: Labeller, session: Writing, taxonomy: TaxonomyOf, rules: RulesOf) -> ActAnswer:
    """All of them or none: one that somebody changed first, or that doesn't allow the step, leaves all as they were."""
    wanted = Wanted(
        name=given.act,
        targets=[Target(target.receipt_number, target.version) for target in given.targets],
        **given.model_dump(exclude={"act", "targets"}),
    )
    done = perform(session, wanted, actor=signed_in.actor, taxonomy=taxonomy, rules=rules)
    return ActAnswer(id=done.id, cases=done.cases)


@router.post("/acts/{act_id}/undo", summary="操作を取り消す", dependencies=[Depends(VOICES_WRITE), Depends(header_token)])
def undo(act_id: Annotated[int, Path(gt=0, lt=2**31)], signed_in: Labeller, session: Writing) -> UndoAnswer:
    """Takes back an act of one's own."""
    undone, left = handling.undo(session, act_id, actor=signed_in.actor)
    return UndoAnswer(undone=undone, left=left)
