"""Answers in the JSON API: drafts, approvals, and what was sent."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from api.answers.acts import post_again, send_out
from api.answers.approval_routes import ApprovalId
from api.answers.masking import masked
from api.answers.schemas import (
    AnswerState,
    ApprovalAnswer,
    CheckInput,
    CommentInput,
    DeputyInput,
    DispatchAnswer,
    DraftAnswer,
    DraftInput,
    FindingAnswer,
    LetterAnswer,
    LettersInput,
    PostInput,
    RoundAnswer,
    SentAnswer,
    SourceField,
    SubmitInput,
    WaitingAnswer,
    WaitingsAnswer,
)
from api.answers.view import ChecksOf
from api.deps import MAY_LABEL, STAFF, KeyringOf, Labeller, Reading, SettingsOf, Staff, Writing, header_token
from api.desk.routes import ReceiptNumber
from core.models import Draft, DraftKind, Voice
from loop import answers, approval_queries, approvals, chains, queries, sending
from loop.actors import Actor
from loop.answers import Checks
from loop.handling import Target

router = APIRouter(prefix="/api/v1", tags=["answers"])
_OWN = [Depends(MAY_LABEL), Depends(header_token)]  # answers are people's: no key is for them
_DECIDES = [Depends(STAFF), Depends(header_token)]


@router.get("/cases/{receipt_number}/draft", summary="回答案と決裁の経過、送った回答", dependencies=[Depends(STAFF)])
def draft(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading, checks: ChecksOf) -> AnswerState:
    """The draft of a voice's case, and what was sent."""
    return _state(session, receipt_number, signed_in.actor, checks)


@router.post("/cases/{receipt_number}/draft", summary="回答案を保存する", dependencies=_OWN)
def save(receipt_number: ReceiptNumber, given: DraftInput, signed_in: Labeller, session: Writing, checks: ChecksOf) -> AnswerState:
    """Saves a draft; gives it as it then is."""
    answers.save(
        session, Target(receipt_number), actor=signed_in.actor, text=given.text, kind=given.kind, disposition=given.disposition,
        delivery=given.delivery, review_on=given.review_on, version=given.version,
        sources=[source.model_dump() for source in given.sources],
    )  # fmt: skip
    return _state(session, receipt_number, signed_in.actor, checks)


@router.post("/cases/{receipt_number}/draft/check", summary="回答の文を確かめる（保存しない）", dependencies=_OWN)
def check(receipt_number: ReceiptNumber, given: CheckInput, signed_in: Labeller, session: Reading, checks: ChecksOf) -> list[FindingAnswer]:
    """What is to be looked at in a text as an answer to this voice."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    return _findings(session, given.text, voice, checks, review_on=given.review_on, kind=given.kind)


@router.post("/cases/{receipt_number}/draft/submit", summary="決裁へ回す", dependencies=_OWN)
def submit(
    receipt_number: ReceiptNumber, given: SubmitInput, signed_in: Labeller, session: Writing, settings: SettingsOf, checks: ChecksOf
) -> AnswerState:
    """Puts the draft forward."""
    approvals.submit(
        session, Target(receipt_number), actor=signed_in.actor, chains=chains.load(settings.taxonomy_dir),
        checks=checks, version=given.version, acknowledged=given.acknowledged,
    )  # fmt: skip
    return _state(session, receipt_number, signed_in.actor, checks)


@router.post("/cases/{receipt_number}/draft/withdraw", summary="決裁から引き戻す", dependencies=_OWN)
def withdraw(receipt_number: ReceiptNumber, signed_in: Labeller, session: Writing, checks: ChecksOf) -> AnswerState:
    """Takes the draft back."""
    approvals.withdraw(session, Target(receipt_number), actor=signed_in.actor)
    return _state(session, receipt_number, signed_in.actor, checks)


@router.post("/cases/{receipt_number}/draft/send", summary="決裁の済んだ回答を送る", dependencies=_OWN)
def send(receipt_number: ReceiptNumber, signed_in: Labeller, session: Writing, settings: SettingsOf, checks: ChecksOf) -> AnswerState:
    """Sends what was approved; mails leave by a background job."""
    send_out(session, settings, Target(receipt_number), actor=signed_in.actor)
    return _state(session, receipt_number, signed_in.actor, checks)


@router.post("/cases/{receipt_number}/dispatches", summary="手紙を発送済みにする、メールを送りなおす、手紙に変える", dependencies=_OWN)
def post(
    receipt_number: ReceiptNumber, given: PostInput, signed_in: Labeller, session: Writing, settings: SettingsOf, checks: ChecksOf
) -> AnswerState:
    """What a person says of letters and mails."""
    target = Target(receipt_number)
    if given.act == "again":
        post_again(session, settings, target, given.dispatches, actor=signed_in.actor)
    elif given.act == "letter":
        sending.by_letter(session, target, given.dispatches, actor=signed_in.actor)
    else:
        sending.posted(session, target, given.dispatches, actor=signed_in.actor)
    return _state(session, receipt_number, signed_in.actor, checks)


@router.post("/cases/{receipt_number}/letters", summary="宛名を入れた手紙（開いたことを記録する）", dependencies=_OWN)
def letters(
    receipt_number: ReceiptNumber, given: LettersInput, signed_in: Labeller, session: Writing, keyring: KeyringOf, response: Response
) -> list[LetterAnswer]:
    """Letters with name and address."""
    made = sending.letters(session, keyring, Target(receipt_number), given.dispatches, actor=signed_in.actor)
    response.headers["Cache-Control"] = "no-store"
    return [LetterAnswer.model_validate(letter) for letter in made]


@router.get("/approvals", summary="自分の決裁を待つ回答", dependencies=[Depends(STAFF)])
def waiting(signed_in: Staff, session: Reading) -> WaitingsAnswer:
    """What waits for the one who asks."""
    rows = approval_queries.waiting_for(session, signed_in.actor)
    total = approval_queries.count_waiting(session, signed_in.actor)
    return WaitingsAnswer(total=total, items=[WaitingAnswer.model_validate(row) for row in rows])


@router.get("/approvals/{approval_id}", summary="決裁1件と、回された回答、決裁の経過", dependencies=[Depends(STAFF)])
def approval(approval_id: ApprovalId, signed_in: Staff, session: Reading, checks: ChecksOf) -> ApprovalAnswer:
    """One answer as an approver looks at it."""
    step, draft, voice = approval_queries.approval_of(session, approval_id, seen_by=signed_in.actor)
    text = answers.text_of(session, draft.id, step.version)
    return ApprovalAnswer(
        approval_id=step.id,
        receipt_number=voice.receipt_number,
        department=step.department,
        position=step.position,
        state=step.state,
        kind=draft.kind,
        version=step.version,
        text=text,
        disposition=draft.disposition,
        delivery=draft.delivery,
        review_on=draft.review_on,
        due_on=voice.due_on,
        may_decide=step == approval_queries.may_decide(session, signed_in.actor, draft),
        findings=_findings(session, text, voice, checks, review_on=draft.review_on, kind=draft.kind),
        rounds=_rounds(session, draft.id),
    )


@router.post("/approvals/{approval_id}/approve", summary="承認する", dependencies=_DECIDES)
def approve(approval_id: ApprovalId, given: CommentInput, signed_in: Staff, session: Writing, settings: SettingsOf) -> list[RoundAnswer]:
    """Approves a step; gives the draft's rounds."""
    done = approvals.approve(session, approval_id, actor=signed_in.actor, comment=masked(settings, given.comment))
    return _rounds(session, done.id)


@router.post("/approvals/{approval_id}/return", summary="差し戻す", dependencies=_DECIDES)
def return_(approval_id: ApprovalId, given: CommentInput, signed_in: Staff, session: Writing, settings: SettingsOf) -> list[RoundAnswer]:
    """Sends a draft back."""
    done = approvals.return_(session, approval_id, actor=signed_in.actor, comment=masked(settings, given.comment))
    return _rounds(session, done.id)


@router.post("/approvals/{approval_id}/delegate", summary="代決する人を決める", dependencies=_DECIDES)
def delegate(approval_id: ApprovalId, given: DeputyInput, signed_in: Staff, session: Writing) -> list[RoundAnswer]:
    """Names a deputy for a step."""
    done = approvals.delegate(session, approval_id, given.username, actor=signed_in.actor)
    session.flush()
    return _rounds(session, done.draft_id)


def _state(session: Session, receipt_number: str, actor: Actor, checks: Checks) -> AnswerState:
    session.flush()
    voice = queries.get_voice(session, receipt_number, seen_by=actor)
    if voice.case_id is None:
        return AnswerState(draft=None, sent=[])
    found = answers.draft_of(session, voice.case_id)
    return AnswerState(
        draft=_draft(session, found, voice, checks) if found else None,
        sent=[
            SentAnswer(
                kind=item.kind,
                text=item.text,
                delivery=item.delivery,
                sent_on=item.sent_on,
                dispatches=[DispatchAnswer.model_validate(row) for row in sending.dispatches_of(session, item.id)],
            )
            for item in answers.sent_drafts(session, voice.case_id)
        ],
    )


def _draft(session: Session, found: Draft, voice: Voice, checks: Checks) -> DraftAnswer:
    return DraftAnswer(
        version=found.version,
        state=found.state,
        kind=found.kind,
        text=found.text,
        disposition=found.disposition,
        delivery=found.delivery,
        review_on=found.review_on,
        sources=[SourceField.model_validate(source) for source in found.sources],
        changed_at=found.changed_at,
        findings=_findings(session, found.text, voice, checks, review_on=found.review_on, kind=found.kind),
        rounds=_rounds(session, found.id),
    )


def _findings(session: Session, text: str, voice: Voice, checks: Checks, *, review_on: date | None, kind: DraftKind) -> list[FindingAnswer]:
    found = answers.findings(session, text, answers.voices_of(session, voice), review_on=review_on, by=checks, kind=kind)
    return [FindingAnswer.model_validate(finding) for finding in found]


def _rounds(session: Session, draft_id: int) -> list[RoundAnswer]:
    return [RoundAnswer.model_validate(each) for each in approval_queries.rounds(session, draft_id)]
