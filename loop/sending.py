"""What happens to an approved answer: it becomes the answer of every voice of its case, and a letter or mail to each is noted down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bulk import among
from core.clock import today, utc_now
from core.crypto import Keyring
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, ForbiddenError, InputError
from core.models import Answer, Approval, ApprovalState, Delivery, Dispatch, DispatchState, Draft, DraftKind, DraftState, Voice
from loop import answers, originals, recount
from loop.actors import Actor
from loop.handling import Handled, Target, changing, noted, take
from loop.steps import Step

DISPATCHES = {
    DispatchState.WAITING: "これから",
    DispatchState.SENDING: "送信中",
    DispatchState.SENT: "発送済み",
    DispatchState.FAILED: "送れなかった",
}
STUCK_AFTER = timedelta(minutes=5)
"""A mail that was handed to the server so long ago without a word from it: nobody knows whether it went (longer than any timeout)."""


@dataclass(frozen=True, slots=True)
class DispatchShown:
    """One letter or mail. ``stuck``: it may have gone or not, a person has to say."""

    id: int
    receipt_number: str
    delivery: Delivery
    state: DispatchState
    problem: str
    at: datetime | None
    stuck: bool

    @property
    def may_be_sent_again(self) -> bool:
        """Whether it is sure, or a person may say so, that it has not gone."""
        return self.stuck or self.state is DispatchState.FAILED


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to print. Name and address stand here and on the paper, and nowhere else."""

    receipt_number: str
    received_on: date
    postal_code: str
    address: str
    name: str
    text: str
    department: str
    sent_on: date


def send(session: Session, target: Target, *, actor: Actor, rules: DeadlineRules) -> Draft:
    """Sends what was approved, in the caller's transaction: the answer stands at every voice of the case, or the interim reply's day,
    from which on there is more time where the city's rules say so.

    No mail leaves here. For each voice a ``Dispatch`` waits, which ``loop.mailing`` takes up after the commit, or a person who prints.
    An answer that was public is not any more: its new text has not been looked at for that.

    Raises:
        ConflictError: the draft isn't approved as it stands.
    """
    (item,) = take(session, [target], actor=actor)
    draft = answers.draft_of(session, item.case.id, lock=True)
    if draft is None or draft.delivery is None or not is_approved(session, draft):
        raise ConflictError("決裁が済んでいないので、送れません。", hint="決裁の経過を確かめてください。")
    is_final = draft.kind is DraftKind.FINAL
    detail = {"draft": draft.id, "version": draft.version, "voices": len(item.voices), "delivery": draft.delivery.value}
    with changing(session, [item], Step.ANSWER if is_final else Step.INTERIM, actor=actor, detail=detail):
        day = today()
        draft.state, draft.sent_on = DraftState.SENT, day
        if is_final:
            item.case.disposition, item.case.answered_on = draft.disposition, day
            _answer(session, item, draft, day)
        else:
            item.case.interim_on = day
            recount.after_interim(session, item, actor=actor, rules=rules)
        session.add_all(_dispatches(item, draft.id, draft.delivery))
    return draft


def is_approved(session: Session, draft: Draft) -> bool:
    """Whether the last round approved the draft as it stands: every step that wasn't skipped, at least one, all of this version."""
    if draft.state is not DraftState.APPROVED:
        return False
    rows = session.scalars(select(Approval).where(Approval.draft_id == draft.id).order_by(Approval.round.desc())).all()
    last = [row for row in rows if row.round == rows[0].round]
    decided = [row for row in last if row.state is not ApprovalState.SKIPPED]
    return bool(decided) and all(row.state is ApprovalState.APPROVED and row.version == draft.version for row in decided)


def dispatches_of(session: Session, draft_id: int) -> list[DispatchShown]:
    """What was sent to whom, by receipt number."""
    statement = select(Dispatch, Voice.receipt_number).join(Voice, Voice.id == Dispatch.voice_id).where(Dispatch.draft_id == draft_id)
    return [_shown(row, number) for row, number in session.execute(statement.order_by(Voice.receipt_number))]


def send_again(session: Session, target: Target, ids: Sequence[int], *, actor: Actor) -> tuple[int, list[int]]:
    """Lets mails that didn't go wait again, those of which nobody knows among them: the person says so.

    Gives how many, and the drafts that they are of.

    Raises:
        InputError: none of them is one that may be sent again.
    """
    item, rows = _own(session, target, ids, actor=actor)
    again = [row for row in rows if row.delivery is Delivery.MAIL and _shown(row, "").may_be_sent_again]
    _some(again)
    for row in again:
        row.state, row.problem, row.at = DispatchState.WAITING, "", None
    noted(session, item, Step.POST, actor=actor, detail={"act": "again", "count": len(again)})
    return len(again), sorted({row.draft_id for row in again})


def by_letter(session: Session, target: Target, ids: Sequence[int], *, actor: Actor) -> int:
    """Turns mails that can't go into letters. Gives how many.

    Raises:
        InputError: none of them is one that may be sent in another way.
    """
    item, rows = _own(session, target, ids, actor=actor)
    turned = [row for row in rows if row.delivery is Delivery.MAIL and _shown(row, "").may_be_sent_again]
    _some(turned)
    for row in turned:
        row.delivery, row.state, row.problem, row.at = Delivery.LETTER, DispatchState.WAITING, "", None
    noted(session, item, Step.POST, actor=actor, detail={"act": "letter", "count": len(turned)})
    return len(turned)


def posted(session: Session, target: Target, ids: Sequence[int], *, actor: Actor) -> int:
    """Notes down that letters were posted, or that a mail of which nobody knew did go. Gives how many.

    Raises:
        InputError: none of them waits for that.
    """
    item, rows = _own(session, target, ids, actor=actor)
    gone = [row for row in rows if (row.delivery is Delivery.LETTER and row.state is DispatchState.WAITING) or _shown(row, "").stuck]
    _some(gone)
    for row in gone:
        row.state, row.problem, row.at = DispatchState.SENT, "", utc_now()
    noted(session, item, Step.POST, actor=actor, detail={"act": "posted", "count": len(gone)})
    return len(gone)


def letters(session: Session, keyring: Keyring, target: Target, ids: Sequence[int], *, actor: Actor) -> list[Letter]:
    """Letters with name and address, to be printed. Each contact that is opened for it is a line in the audit trail.

    Raises:
        ForbiddenError: this person may not read the contact.
        InputError: none of them is a letter.
    """
    item, rows = _own(session, target, ids, actor=actor)
    wanted = {row.voice_id: row.draft_id for row in rows if row.delivery is Delivery.LETTER}
    chosen = [voice for voice in item.voices if voice.id in wanted]
    _some(chosen)
    if not all(actor.may_read_original(voice) for voice in chosen):
        raise ForbiddenError("宛先を読む権限がありません。", hint="広聴課か、この声の所管課の職員に依頼してください。")
    drafts = {draft.id: draft for draft in session.scalars(select(Draft).where(Draft.id.in_(set(wanted.values()))))}
    department = answers.leading_department(item)
    made = []
    for voice in chosen:
        contact = originals.open_contact(session, keyring, voice, who=actor.username)
        named = [contact.get(field, "") for field in ("postal_code", "address", "name")]
        postal_code, address, name = named if any(named) else ("", contact.get("contact", ""), "")
        draft = drafts[wanted[voice.id]]
        made.append(
            Letter(
                receipt_number=voice.receipt_number,
                received_on=voice.received_on,
                postal_code=postal_code,
                address=address,
                name=name,
                text=draft.text,
                department=department,
                sent_on=draft.sent_on or today(),
            )
        )
    return made


def _answer(session: Session, item: Handled, draft: Draft, day: date) -> None:
    numbers = [voice.id for voice in item.voices]
    known = {row.voice_id: row for row in session.scalars(select(Answer).where(among(session, Answer.voice_id, numbers)))}
    department = answers.leading_department(item)
    for number in numbers:
        row = known.get(number)
        if row is None:
            row = Answer(voice_id=number)
            session.add(row)
        row.text, row.department, row.answered_on, row.published_on = draft.text, department, day, None


def _dispatches(item: Handled, draft_id: int, delivery: Delivery) -> list[Dispatch]:
    is_none = delivery is Delivery.NONE
    state, at = (DispatchState.SENT, utc_now()) if is_none else (DispatchState.WAITING, None)
    return [Dispatch(draft_id=draft_id, voice_id=voice.id, delivery=delivery, state=state, at=at) for voice in item.voices]


def _own(session: Session, target: Target, ids: Sequence[int], *, actor: Actor) -> tuple[Handled, list[Dispatch]]:
    (item,) = take(session, [target], actor=actor)
    of_case = select(Dispatch).join(Draft, Draft.id == Dispatch.draft_id).where(Draft.case_id == item.case.id)
    rows = session.scalars(of_case.where(Dispatch.id.in_(ids)).order_by(Dispatch.id).with_for_update(of=Dispatch))
    return item, list(rows)


def _some(found: Sequence[object]) -> None:
    if not found:
        raise InputError("選んだ中に、当てはまるものがありません。", hint="画面を開きなおして、選びなおしてください。")


def _shown(row: Dispatch, number: str) -> DispatchShown:
    stuck = row.state is DispatchState.SENDING and row.at is not None and row.at < utc_now() - STUCK_AFTER
    return DispatchShown(row.id, number, row.delivery, row.state, row.problem, row.at, stuck)
