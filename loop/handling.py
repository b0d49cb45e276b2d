"""Taking cases in hand: locked, checked against what the person saw, changed, and written down so that it can be taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from core import audit, casework
from core.bulk import among, insert_rows
from core.clock import utc_now
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import Case, CaseEvent, CasePart, DeskAct, Status, User, Voice
from loop import past_states
from loop.actors import Actor
from loop.steps import STEPS, Step, next_status

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Target:
    """A voice whose case is meant, and the case's version that the person had before their eyes (0: there was no case yet).

    ``version`` ``None`` doesn't ask, as when nothing of the case was shown.
    """

    receipt_number: str
    version: int | None = None


@dataclass(slots=True)
class Handled:
    """A case that is locked for this transaction, with its voices and the departments' parts."""

    case: Case
    voices: list[Voice]
    parts: list[CasePart] = field(default_factory=list)

    @property
    def lead(self) -> Voice:
        """The voice that stands for the case."""
        return next(voice for voice in self.voices if voice.id == self.case.lead_id)

    @property
    def leading(self) -> CasePart | None:
        """The part of the department that answers."""
        return next((part for part in self.parts if part.is_lead), None)

    def part_of(self, department: str) -> CasePart | None:
        """A department's part."""
        return next((part for part in self.parts if part.department == department), None)


def take(session: Session, targets: Sequence[Target], *, actor: Actor, deciding: bool = False) -> list[Handled]:
    """Locks the cases of some voices, beginning one for each voice that has none, in the order of their leads.

    All voices of all the cases are locked in one order first: two people who act on the same cases wait for each other, and
    neither for ever. Locks on what else a case has are under its own.

    ``deciding``: as an approver, whose right stands in the chain of approvals and is looked at by the caller: a 部長 who handles no
    cases, or somebody of another department.

    Raises:
        InputError: none is given, or more than ``MOST_AT_ONCE``.
        NotFoundError: a voice isn't there, or not for this person.
        ForbiddenError: this person changes nothing.
        ConflictError: somebody changed one of them first.
    """
    if not actor.may_label and not deciding:
        raise ForbiddenError("案件を扱う権限がありません。", hint="広聴課か所管課の職員に依頼してください。")
    wanted = {target.receipt_number: target for target in targets}
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise InputError(f"一度に扱えるのは、1 件から {MOST_AT_ONCE} 件までです。", hint="一覧で選びなおしてください。")
    found = session.execute(select(Voice.id, Voice.case_id).where(among(session, Voice.receipt_number, list(wanted)))).all()
    if len(found) != len(wanted):
        raise NotFoundError("選んだ声の一部が見つかりません。", hint="画面を開きなおして、選びなおしてください。")
    before = {case_id for _, case_id in found if case_id is not None}
    held, cases = lock(session, [number for number, _ in found], sorted(before))
    if {voice.case_id for voice in held if voice.case_id is not None} != before:
        raise _overtaken()
    parts: dict[int, list[CasePart]] = defaultdict(list)
    owned = select(CasePart).where(among(session, CasePart.case_id, sorted(before))).order_by(CasePart.id)
    for part in session.scalars(owned.execution_options(populate_existing=True)):
        parts[part.case_id].append(part)
    handled = {number: Handled(case, [voice for voice in held if voice.case_id == number], parts[number]) for number, case in cases.items()}
    begun = {item.lead.id: item for item in _begin(session, [voice for voice in held if voice.case_id is None])}
    chosen: dict[int, Handled] = {}
    for voice in sorted((voice for voice in held if voice.receipt_number in wanted), key=lambda voice: voice.id):
        target = wanted[voice.receipt_number]
        item = begun.get(voice.id) or handled[voice.case_id or 0]
        seen = item.case.version
        if target.version is not None and target.version != seen and item.case.id not in chosen:
            raise _overtaken()
        if not deciding and not may_handle(actor, item):
            raise NotFoundError("選んだ声の一部が見つかりません。", hint="画面を開きなおして、選びなおしてください。")
        chosen[item.case.id] = item
    return list(chosen.values())


def may_handle(actor: Actor, item: Handled) -> bool:
    """Whether a case is this person's to see and act on: when one of its voices is. A department with a part is concerned by them all."""
    return any(actor.may_see(voice) for voice in item.voices)


@contextmanager
def changing(
    session: Session, items: Sequence[Handled], step: Step, *, actor: Actor, detail: dict[str, Any] | None = None, text: str = ""
) -> Iterator[DeskAct]:
    """Everything that an act on cases leaves behind: their states by the table of steps, versions, timeline, trail, and how to undo it.

    The block does what the step is about. Afterwards each case's state is put on its voices. Of a ``final`` step nothing is kept to undo.
    ``text``: what was written with it, masked; the timeline tells it, the trail doesn't.

    Raises:
        ConflictError: the step can't be taken from a case's state; nothing is changed.
    """
    now = utc_now()
    states = [next_status(step, item.case.status) for item in items]
    before = [] if STEPS[step].final else [past_states.as_it_was(item.case, item.voices, item.parts) for item in items]
    for item, status in zip(items, states, strict=True):
        item.case.status = status
    act = DeskAct(user_id=actor.user_id, at=now, kind=step.value, cases=len(items), before=[])
    yield act
    for item in items:
        item.case.version += 1
        item.case.changed_at, item.case.changed_by = now, actor.user_id
        if item.voices:
            casework.tie(item.case, item.voices)
    if before:
        act.before = [was | {"version": item.case.version} for was, item in zip(before, items, strict=True)]
        session.add(act)
    session.flush()
    told = {**(detail or {}), "text": text} if text else detail or {}
    _tell(session, [item.case.id for item in items], at=now, user_id=actor.user_id, kind=step.value, detail=told)
    about = [(f"case:{item.case.id}", detail or {}) for item in items]
    audit.record_all(session, actor=actor.username, action=step.value, about=about)


def noted(session: Session, item: Handled, step: Step, *, actor: Actor, detail: dict[str, Any] | None = None) -> CaseEvent:
    """What an act leaves behind that adds to a case and decides nothing, such as a note: timeline and trail, and others' unread mark.

    The version stays: what somebody else has before their eyes still holds, and earlier acts can still be taken back. There is nothing to
    undo here.

    Raises:
        ConflictError: the step can't be taken from the case's state.
    """
    if next_status(step, item.case.status) is not item.case.status:
        raise AssertionError(f"{step} changes the case: ``changing`` is its door")
    now = utc_now()
    item.case.changed_at, item.case.changed_by = now, actor.user_id
    event = CaseEvent(case_id=item.case.id, at=now, user_id=actor.user_id, kind=step.value, detail=detail or {})
    session.add(event)
    session.flush()
    audit.record(session, actor=actor.username, action=step.value, subject=f"case:{item.case.id}", detail=detail or {})
    return event


def undo(session: Session, act_id: int, *, actor: Actor) -> tuple[int, int]:
    """Takes back an act of one's own department, 広聴課 and administrators anybody's; gives how many cases stand again as before, and
    how many somebody has changed since.

    Raises:
        NotFoundError: it isn't there, or somebody else's.
        ConflictError: it was taken back already, or there is nothing left to take back.
    """
    act = session.scalar(select(DeskAct).where(DeskAct.id == act_id).with_for_update())
    if act is None or not _may_take_back(session, act, actor):
        raise NotFoundError("取り消す操作が見つかりません。", hint="ほかの課の人の操作は、広聴課が取り消せます。")
    if act.undone_at is not None:
        raise ConflictError("この操作は、すでに取り消されています。", hint="画面を開きなおしてください。")
    numbers = sorted(was["case"] for was in act.before)
    members = {voice["id"] for was in act.before for voice in was["voices"]}
    held, cases = lock(session, sorted(members), numbers)
    voices = {voice.id: voice for voice in held}
    # Voices that were moved from one case to another go back together or not at all.
    moved = Step(act.kind) in (Step.MERGE, Step.SPLIT)
    unchanged = [was for was in act.before if was["case"] in cases and cases[was["case"]].version == was["version"]]
    if not all(any(actor.may_see(voices[voice["id"]]) for voice in was["voices"]) for was in unchanged if was["voices"]):
        raise NotFoundError("取り消す操作が見つかりません。", hint="いまはほかの課が回答する案件です。広聴課が取り消せます。")
    if not unchanged or (moved and len(unchanged) < len(act.before)):
        hint = "あとから別の変更がありました。経過を確かめてください。決裁の途中なら、回答の画面で引き戻せます。"
        raise ConflictError("この操作は、もう取り消せません。", hint=hint)
    now = utc_now()
    act.undone_at = now
    past_states.put_back(session, unchanged, cases, voices, actor=actor, since=act.at)
    for was in unchanged:
        case = cases[was["case"]]
        if not was["voices"]:  # it was begun by the act: its voices are where they came from
            case.status, case.merged_into = Status.CLOSED, next(other["case"] for other in unchanged if other["voices"])
        case.version += 1
        case.changed_at, case.changed_by = now, actor.user_id
    session.flush()
    numbers = [was["case"] for was in unchanged]
    _tell(session, numbers, at=now, user_id=actor.user_id, kind=Step.UNDO.value, detail={"undone": act.kind})
    about = [(f"case:{number}", {"act": act.id, "undone": act.kind}) for number in numbers]
    audit.record_all(session, actor=actor.username, action=Step.UNDO.value, about=about)
    return len(unchanged), len(act.before) - len(unchanged)


def _overtaken() -> ConflictError:
    # Made anew each time: an error that is kept gathers the tracebacks of all who raised it, and what they had in hand.
    return ConflictError("ほかの職員が先に変更しました。", hint="画面を開きなおして、いまの内容を確かめてください。")


def _may_take_back(session: Session, act: DeskAct, actor: Actor) -> bool:
    if act.user_id == actor.user_id or actor.may_operate:
        return True
    return bool(actor.department) and session.get_one(User, act.user_id).department == actor.department


def lock(session: Session, voices: Sequence[int], cases: Sequence[int]) -> tuple[list[Voice], dict[int, Case]]:
    """Locks voices together with all voices of these cases, by their ids, and then the cases: everybody's order."""
    mine = or_(among(session, Voice.id, voices), among(session, Voice.case_id, cases))
    held = select(Voice).where(mine).order_by(Voice.id).with_for_update().execution_options(populate_existing=True)
    found = list(session.scalars(held))
    own = select(Case).where(among(session, Case.id, cases)).order_by(Case.id).with_for_update().execution_options(populate_existing=True)
    return found, {case.id: case for case in session.scalars(own)}


def _begin(session: Session, voices: Sequence[Voice]) -> list[Handled]:
    if not voices:
        return []
    now = utc_now()
    rows = [{"version": 0, "lead_id": voice.id, "status": voice.status, "opened_at": now, "changed_at": now} for voice in voices]
    # Found again by their leads: rows come back in any order, and in the order given SQLAlchemy asks SQLite for them one by one.
    begun = {case.lead_id: case for case in session.scalars(insert(Case).returning(Case), rows)}
    for voice in voices:
        voice.case_id = begun[voice.id].id
    return [Handled(begun[voice.id], [voice]) for voice in voices]


def _tell(session: Session, cases: Sequence[int], **event: Any) -> None:
    """Writes the same line into the timelines of cases."""
    insert_rows(session, CaseEvent.__table__, [{"case_id": number, **event} for number in cases])
