"""Taking cases in hand: locked, checked against what the person saw, changed, and written down so that it can be taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, delete, or_, select
from sqlalchemy.orm import Session

from core import audit, casework
from core.bulk import among
from core.clock import utc_now
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import Base, Case, CaseEvent, CasePart, CasePause, DeskAct, Facet, Status, User, Voice
from core.types import StrEnumType, UtcDateTime
from loop import labels
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
    before = [] if STEPS[step].final else [_as_it_was(item) for item in items]
    for item, status in zip(items, states, strict=True):
        item.case.status = status
    act = DeskAct(user_id=actor.user_id, at=now, kind=step.value, cases=len(items), before=[])
    yield act
    for item in items:
        item.case.version += 1
        item.case.changed_at, item.case.changed_by = now, actor.user_id
        if item.voices:
            casework.tie(item.case, item.voices)
        told = {**(detail or {}), "text": text} if text else detail or {}
        session.add(CaseEvent(case_id=item.case.id, at=now, user_id=actor.user_id, kind=step.value, detail=told))
    if before:
        act.before = [was | {"version": item.case.version} for was, item in zip(before, items, strict=True)]
        session.add(act)
    session.flush()
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
    _put_back_labels(session, [voice for was in unchanged for voice in was["voices"]], voices, actor=actor, since=act.at)
    going_back = [was["case"] for was in unchanged]
    pauses: dict[int, list[CasePause]] = defaultdict(list)
    for pause in session.scalars(select(CasePause).where(among(session, CasePause.case_id, going_back)).order_by(CasePause.id)):
        pauses[pause.case_id].append(pause)
    asked = _versions_of_parts(session, going_back)
    session.execute(delete(CasePart).where(among(session, CasePart.case_id, going_back)))
    for was in unchanged:
        case = cases[was["case"]]
        _put_back(session, case, was, voices, pauses[case.id])
        for stored in was["parts"]:
            # A version is never given out again: what somebody writes to a request that was taken back isn't taken for another's.
            values = {name: _typed(CasePart, name, stored[name]) for name in _OF_A_PART}
            values["version"] = max(stored["version"], asked.get((case.id, stored["department"]), 0)) + 1
            session.add(CasePart(case_id=case.id, **values))
        if not was["voices"]:  # it was begun by the act: its voices are where they came from
            case.status, case.merged_into = Status.CLOSED, next(other["case"] for other in unchanged if other["voices"])
        case.version += 1
        case.changed_at, case.changed_by = now, actor.user_id
        session.add(CaseEvent(case_id=case.id, at=now, user_id=actor.user_id, kind=Step.UNDO.value, detail={"undone": act.kind}))
    session.flush()
    about = [(f"case:{was['case']}", {"act": act.id, "undone": act.kind}) for was in unchanged]
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
    now = utc_now()
    items = [Handled(Case(version=0, lead_id=voice.id, status=voice.status, opened_at=now, changed_at=now), [voice]) for voice in voices]
    session.add_all(item.case for item in items)
    session.flush()
    for voice, item in zip(voices, items, strict=True):
        voice.case_id = item.case.id
    return items


_KEPT = (
    "status", "disposition", "close_reason", "forwarded_to", "merged_into", "lead_id", "paused_on", "interim_on", "answered_on",
    "closed_on",
)  # fmt: skip
_OF_A_PART = tuple(column.key for column in CasePart.__table__.c if column.key not in ("id", "case_id"))


def _as_it_was(item: Handled) -> dict[str, Any]:
    return {
        "case": item.case.id,
        "fields": {name: _plain(getattr(item.case, name)) for name in _KEPT},
        "voices": [_voice_as_it_was(voice) for voice in item.voices],
        "parts": [{name: _plain(getattr(part, name)) for name in _OF_A_PART} for part in item.parts],
    }


def _voice_as_it_was(voice: Voice) -> dict[str, Any]:
    said = {facet.value: labels.in_force(voice, facet) for facet in Facet}
    return {"id": voice.id, "due_on": _plain(voice.due_on), "labels": said, "confidence": voice.confidence, "related": voice.related}


def _put_back(session: Session, case: Case, was: dict[str, Any], voices: dict[int, Voice], pauses: Sequence[CasePause]) -> None:
    for name in _KEPT:
        setattr(case, name, _typed(Case, name, was["fields"][name]))
    lead = case.lead_id
    for stored in was["voices"]:
        voice = voices[stored["id"]]
        voice.case_id, voice.due_on = case.id, _typed(Voice, "due_on", stored["due_on"])
        voice.related = stored["related"]
        voice.folded = voice.id != lead
        casework.mark(voice, case.status)
    _put_back_pauses(session, case, {stored["id"] for stored in was["voices"]}, pauses)


def _versions_of_parts(session: Session, cases: Sequence[int]) -> dict[tuple[int, str], int]:
    rows = session.execute(select(CasePart.case_id, CasePart.department, CasePart.version).where(among(session, CasePart.case_id, cases)))
    return {(row.case_id, row.department): row.version for row in rows}


def _put_back_pauses(session: Session, case: Case, voices: set[int], own: Sequence[CasePause]) -> None:
    """What the clock was: running as it was, or stopped again as of the last time that it was let go on."""
    ended = own[-1].until if own else None
    for pause in own:
        if voices.isdisjoint(pause.voices) or (case.paused_on is None and pause.until is None):
            session.delete(pause)  # it came with voices that have gone back, or with the stop
        elif case.paused_on is not None and pause.until == ended:
            pause.until = None


def _put_back_labels(
    session: Session, stored: Sequence[dict[str, Any]], voices: dict[int, Voice], *, actor: Actor, since: datetime
) -> None:  # fmt: skip
    changed = [
        (voices[was["id"]], facet, value)
        for was in stored
        for facet in Facet
        if (value := was["labels"][facet.value]) != labels.in_force(voices[was["id"]], facet)
    ]
    labels.take_back(session, [was["id"] for was in stored], since=since)
    labels.put(session, changed, actor=actor, undone=True)
    for was in stored:
        voices[was["id"]].confidence = was["confidence"]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _typed(model: type[Base], name: str, value: Any) -> Any:
    kind = model.__table__.c[name].type
    if value is None:
        return None
    if isinstance(kind, StrEnumType):
        return kind.enum(value)
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
