"""The parts of a letter in the JSON API: its sentences, who answers which, a proposal, and the acts."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.deps import (
    MAY_LABEL,
    VOICES_READ,
    VOICES_WRITE,
    EngineOf,
    Labeller,
    Reading,
    RulesOf,
    SettingsOf,
    Staff,
    TaxonomyOf,
    header_token,
)
from api.desk import part_acts
from api.desk.act_endpoints import ActAnswer, PartAnswer
from api.desk.routes import ReceiptNumber
from loop import case_queries, part_queries, queries
from loop.handling import Target
from loop.parts import LONGEST_REPLY, LONGEST_REQUEST

router = APIRouter(prefix="/api/v1/cases/{receipt_number}", tags=["cases"])
WRITES = [Depends(VOICES_WRITE), Depends(header_token)]


class SentenceAnswer(BaseModel):
    """A sentence of the voice: [start, end) in its masked text, and the departments that answer it."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    start: int
    end: int
    text: str
    departments: list[str]


class ProposalAnswer(BaseModel):
    """Sentences that the machine would give to a department, and the themes that say so."""

    model_config = ConfigDict(from_attributes=True)

    department: str
    numbers: list[int]
    themes: list[str]


class PartsAnswer(BaseModel):
    """A letter and its parts. ``version`` is the case's, which an act may name."""

    version: int
    sentences: list[SentenceAnswer]
    parts: list[PartAnswer]
    proposals: list[ProposalAnswer] = Field(description="empty where the letter has one topic")


class RequestInput(BaseModel):
    """What a department is asked: sentences of the voice by number, words, and a day; without a day the city's usual one."""

    department: str = Field(max_length=64)
    numbers: list[int] = Field(default_factory=list, max_length=1000)
    asked: str = Field(default="", max_length=LONGEST_REQUEST, description="masked before it is kept")
    due_on: date | None = None
    version: int | None = Field(default=None, ge=0, lt=2**31)


class ReplyInput(BaseModel):
    """What one's own department has to say. ``seen``: the version of its part that was seen; another one by now makes the answer 409."""

    text: str = Field(max_length=LONGEST_REPLY, description="masked before it is kept")
    seen: int | None = Field(default=None, ge=0, lt=2**31)


class ReturnInput(BaseModel):
    """Why a department's reply is sent back to it."""

    department: str = Field(max_length=64)
    reason: str = Field(max_length=LONGEST_REQUEST, description="masked before it is kept")
    version: int | None = Field(default=None, ge=0, lt=2**31)


@router.get("/parts", summary="声の文と、どの課がどこに答えるか", dependencies=[Depends(VOICES_READ)])
def parts(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading, settings: SettingsOf) -> PartsAnswer:
    """The sentences of a voice, the parts of its case, and how the machine would divide it."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    case = case_queries.case_view(session, voice)
    sentences = part_queries.sentences_of(voice, case.marks)
    return PartsAnswer(
        version=case.version,
        sentences=[SentenceAnswer.model_validate(one) for one in sentences],
        parts=[PartAnswer.model_validate(one) for one in case.parts],
        proposals=[ProposalAnswer.model_validate(one) for one in part_queries.proposals(voice, sentences, least=settings.low_confidence)],
    )


@router.post("/parts", summary="課に部分の回答を頼む", dependencies=WRITES)
def divide(
    receipt_number: ReceiptNumber,
    given: RequestInput,
    signed_in: Labeller,
    engine: EngineOf,
    settings: SettingsOf,
    taxonomy: TaxonomyOf,
    rules: RulesOf,
) -> ActAnswer:
    """Asks a department for its part of the letter."""
    wanted = part_acts.Request(given.department, given.numbers, given.asked, given.due_on)
    target = Target(receipt_number, given.version)
    act = part_acts.divide(engine, settings, target, wanted, actor=signed_in.actor, taxonomy=taxonomy, rules=rules)
    return ActAnswer(id=act, cases=1)


@router.post("/parts/reply", summary="自分の課の部分に答える", dependencies=[Depends(MAY_LABEL), Depends(header_token)])
def reply(receipt_number: ReceiptNumber, given: ReplyInput, signed_in: Labeller, engine: EngineOf, settings: SettingsOf) -> ActAnswer:
    """What one's own department has to say."""
    act = part_acts.reply(engine, settings, Target(receipt_number), given.text, actor=signed_in.actor, seen=given.seen)
    return ActAnswer(id=act, cases=1)


@router.post("/parts/return", summary="課の回答を差し戻す", dependencies=WRITES)
def return_(receipt_number: ReceiptNumber, given: ReturnInput, signed_in: Labeller, engine: EngineOf, settings: SettingsOf) -> ActAnswer:
    """Sends a department's reply back to it."""
    target = Target(receipt_number, given.version)
    act = part_acts.return_part(engine, settings, target, given.department, given.reason, actor=signed_in.actor)
    return ActAnswer(id=act, cases=1)
