"""What the JSON API says of answers, and takes."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from core.models import ApprovalState, Delivery, DispatchState, Disposition, DraftKind, DraftState
from loop.answers import LONGEST


class SourceField(BaseModel):
    """What a draft was made from: a past answer, an FAQ entry, a template, or another department's part (its name)."""

    kind: str = Field(max_length=16, pattern="^(answer|faq|template|part)$")
    number: str = Field(min_length=1, max_length=100)


class DraftInput(BaseModel):
    """A draft to be saved. ``version`` is the one that was seen, 0 where there was none; another one by now makes the answer 409."""

    text: str = Field(min_length=1, max_length=LONGEST)
    kind: DraftKind = DraftKind.FINAL
    disposition: Disposition | None = None
    delivery: Delivery | None = None
    review_on: date | None = None
    sources: list[SourceField] = Field(default_factory=list, max_length=20)
    version: int = Field(default=0, ge=0, lt=2**31)


class CheckInput(BaseModel):
    """A text to be looked at; nothing is saved."""

    text: str = Field(min_length=1, max_length=LONGEST)
    kind: DraftKind = DraftKind.FINAL
    review_on: date | None = None


class SubmitInput(BaseModel):
    """What is put forward. ``acknowledged``: the warnings were read and the text stays as it is."""

    version: int = Field(ge=1, lt=2**31)
    acknowledged: bool = False


class FindingAnswer(BaseModel):
    """Something to look at. ``severity``: stop or warn. ``start`` and ``end`` are offsets into the answer, or into the voice."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    severity: str
    start: int
    end: int
    message: str
    hint: str
    where: str = Field(description="answer or voice")


class StepAnswer(BaseModel):
    """One step of a way to approval."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    step: int
    department: str
    position: str
    state: ApprovalState
    decided_by: str
    decided_at: datetime | None
    deputy: str
    comment: str = Field(description="masked")


class RoundAnswer(BaseModel):
    """A draft's way to approval, once."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    version: int
    steps: list[StepAnswer]


class DraftAnswer(BaseModel):
    """The draft that a case is being answered by, with its findings and its way to approval, newest round first."""

    version: int
    state: DraftState
    kind: DraftKind
    text: str
    disposition: Disposition | None
    delivery: Delivery | None
    review_on: date | None
    sources: list[SourceField]
    changed_at: datetime
    findings: list[FindingAnswer]
    rounds: list[RoundAnswer]


class DispatchAnswer(BaseModel):
    """A letter or mail. ``stuck``: nobody knows whether it went."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    receipt_number: str
    delivery: Delivery
    state: DispatchState
    problem: str
    at: datetime | None
    stuck: bool


class SentAnswer(BaseModel):
    """An answer that went out."""

    kind: DraftKind
    text: str
    delivery: Delivery | None
    sent_on: date | None
    dispatches: list[DispatchAnswer]


class AnswerState(BaseModel):
    """A case's draft, if one is in work, and what was sent, the newest first."""

    draft: DraftAnswer | None
    sent: list[SentAnswer]


class WaitingAnswer(BaseModel):
    """An answer that waits for one's own decision."""

    model_config = ConfigDict(from_attributes=True)

    approval_id: int
    receipt_number: str
    title: str
    department: str
    position: str
    kind: DraftKind
    due_on: date | None
    voices: int
    drafter: str
    version: int
    warnings: int


class WaitingsAnswer(BaseModel):
    """What waits, those due first in front; ``total`` counts them all."""

    total: int
    items: list[WaitingAnswer]


class ApprovalAnswer(BaseModel):
    """One step of a way to approval as its approver looks at it: the answer as it was put forward, masked, and the way so far."""

    approval_id: int
    receipt_number: str
    department: str
    position: str
    state: ApprovalState
    kind: DraftKind
    version: int
    text: str
    disposition: Disposition | None
    delivery: Delivery | None
    review_on: date | None
    due_on: date | None
    may_decide: bool = Field(description="whether it waits for the one who asks")
    findings: list[FindingAnswer]
    rounds: list[RoundAnswer]


class CommentInput(BaseModel):
    """What an approver has to say; it is masked before it is kept. Needed to send a draft back."""

    comment: str = Field(default="", max_length=2000)


class DeputyInput(BaseModel):
    """Who decides in place of the position."""

    username: str = Field(min_length=1, max_length=64)


class PostInput(BaseModel):
    """What becomes of letters and mails: posted, again, or by letter."""

    act: str = Field(pattern="^(posted|again|letter)$")
    dispatches: list[int] = Field(min_length=1, max_length=10_000)


class LettersInput(BaseModel):
    """Which letters are to be printed."""

    dispatches: list[int] = Field(min_length=1, max_length=10_000)


class LetterAnswer(BaseModel):
    """A letter with name and address. Opening it is recorded; it is never stored."""

    model_config = ConfigDict(from_attributes=True)

    receipt_number: str
    received_on: date
    postal_code: str
    address: str
    name: str
    text: str
    department: str
    sent_on: date
