"""Voices put into one case, taken out of it, and near-copies folded into one: who has a part goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import casework
from core.clock import today, utc_now
from core.errors import ConflictError, InputError
from core.models import Case, CaseEvent, CasePart, DeskAct, Facet, Status, Voice
from loop import clock, labels, parts
from loop.actors import Actor
from loop.handling import Handled, Target, changing, lock, take
from loop.steps import Step

_SAID = ("asked", "asked_at", "due_on", "reply", "replied_at", "returned_at", "return_reason")


def merge(session: Session, targets: Sequence[Target], *, actor: Actor) -> DeskAct:
    """Puts the voices of several cases into one: the one that has come furthest, whose departments and draft it keeps, of several such
    the oldest. Departments of the others join it, with what was asked of them and what they replied.

    Raises:
        InputError: fewer than two cases.
        ForbiddenError: a department would take another one's voice.
        ConflictError: answers are being drafted to two of them: one would be out of sight.
        ConflictError: the clock stands still for some of them only, or only some had an interim reply.
        ConflictError: one of them is answered, closed or in approval.
    """
    items = take(session, targets, actor=actor)
    if len(items) < 2:
        raise InputError("まとめる案件を 2 件以上選んでください。", hint="一覧で選んでから、もう一度押してください。")
    order = list(Status)
    main, *others = sorted(items, key=lambda item: (-order.index(item.case.status), item.case.id))
    if others[0].case.status is Status.DRAFTING:
        raise ConflictError("2 件以上の案件に、回答案があります。", hint="使わないほうを広聴課へ差し戻してから、まとめてください。")
    clocks = {item.case.paused_on is None for item in items if item.case.paused_on or any(voice.due_on for voice in item.voices)}
    if len(clocks) > 1:
        raise ConflictError(
            "期限を止めている案件と、動いている案件があります。", hint="どれも再開するか、どれも止めてから、まとめてください。"
        )
    if len({item.case.interim_on is None for item in items}) > 1:
        raise ConflictError(
            "中間回答を送った案件と、送っていない案件があります。", hint="送っていない案件にも中間回答を送るか、別々に回答してください。"
        )
    said = [
        (voice, Facet.DEPARTMENT, main.leading.department)
        for other in others
        for voice in other.voices
        if main.leading and voice.department != main.leading.department
    ]
    labels.require_handing_over(actor, [voice for voice, _, _ in said])
    with changing(session, items, Step.MERGE, actor=actor, detail={"into": main.case.id}) as act:
        labels.put(session, said, actor=actor)
        for other in others:
            for part in other.parts:
                _bring(session, part, main)
            clock.carry(session, other.case, main.case, other.voices)
            _move_all(other, main)
        parts.concern(main)
    return act


def split(session: Session, target: Target, receipt_numbers: Sequence[str], *, actor: Actor) -> DeskAct:
    """Takes voices out of a case into one of their own, with the same departments.

    Raises:
        InputError: none is chosen, all are, or one isn't of the case.
    """
    (item,) = take(session, [target], actor=actor)
    leaving = [voice for voice in item.voices if voice.receipt_number in set(receipt_numbers)]
    if not leaving or len(leaving) == len(item.voices) or len(leaving) < len(set(receipt_numbers)):
        raise InputError("分ける声を、案件の声の一部から選んでください。", hint="すべての声を分けることはできません。")
    now, gone = utc_now(), {voice.id for voice in leaving}
    told = item.case.interim_on
    case = Case(version=0, lead_id=leaving[0].id, status=item.case.status, opened_at=now, changed_at=now, interim_on=told)
    session.add(case)
    session.flush()
    apart = Handled(case, [])
    if case.status is Status.DRAFTING:
        case.status = Status.ASSIGNED
    with changing(session, [item, apart], Step.SPLIT, actor=actor, detail={"voices": len(leaving)}) as act:
        for part in item.parts:
            copy = parts.join(session, apart, part.department)
            copy.is_lead, copy.assignee_id = part.is_lead, part.assignee_id
            _divide(part, copy, gone)
        clock.carry(session, item.case, apart.case, leaving)
        item.voices = [voice for voice in item.voices if voice not in leaving]
        apart.voices = leaving
    return act


def fold_campaign(session: Session, voices: Sequence[int]) -> int | None:
    """Puts the open voices of a campaign (同文・一斉投稿) into one case, so that they are answered at once; gives the case's id.

    The machine's act: nobody's rights are asked. Voices that somebody handles in a case with others stay there. ``None``: nothing to fold.
    """
    theirs = session.scalars(select(Voice.case_id).where(Voice.id.in_(voices), Voice.case_id.is_not(None)).distinct()).all()
    held, cases = lock(session, voices, [number for number in theirs if number is not None])
    members = [voice for voice in held if voice.id in set(voices)]
    free = [voice for voice in members if voice.is_open and voice.case_id is None]
    groups: dict[int, list[Voice]] = {}
    for voice in members:
        if voice.case_id in cases and _takes_in(cases[voice.case_id]):
            groups.setdefault(voice.case_id, []).append(voice)
    number = max(groups, key=lambda case_id: (len(groups[case_id]), -case_id), default=None)
    together = groups.get(number, []) if number is not None else []
    if not free or len(free) + len(together) < 2:
        return None
    now = utc_now()
    if number is None:
        case = Case(version=0, lead_id=free[0].id, status=_furthest(free), opened_at=now, changed_at=now)
        session.add(case)
        session.flush()
        rest: list[Voice] = []
    else:
        case = cases[number]
        rest = [voice for voice in held if voice.case_id == number]
    casework.tie(case, [*rest, *free])
    case.version += 1
    case.changed_at = now
    session.add(CaseEvent(case_id=case.id, at=now, kind=Step.FOLD.value, detail={"voices": len(free)}))
    session.flush()
    return case.id


def _takes_in(case: Case) -> bool:
    """Whether new copies may join: it is being worked on, and its clock runs as theirs do."""
    return case.status in (Status.RECEIVED, Status.TRIAGED, Status.ASSIGNED, Status.DRAFTING) and case.paused_on is None


def _furthest(voices: Sequence[Voice]) -> Status:
    return Status.TRIAGED if all(voice.status is Status.TRIAGED for voice in voices) else Status.RECEIVED


def _move_all(source: Handled, to: Handled) -> None:
    for voice in source.voices:
        voice.case_id = to.case.id
    to.voices = [*to.voices, *source.voices]
    source.voices = []
    source.case.merged_into, source.case.status, source.case.closed_on = to.case.id, Status.CLOSED, today()


def _divide(part: CasePart, copy: CasePart, gone: set[int]) -> None:
    """What a department was asked and said goes with the voices that it is about; with both where it is about no passage in particular."""
    leaving = [one for one in part.passages if one["voice"] in gone]
    staying = [one for one in part.passages if one["voice"] not in gone]
    if leaving or not part.passages:
        for name in _SAID:
            setattr(copy, name, getattr(part, name))
    if leaving and not staying and not part.is_lead:
        part.asked, part.asked_at, part.due_on = "", None, None
        part.reply, part.replied_at, part.returned_at, part.return_reason = "", None, None, ""
    copy.passages, part.passages = leaving, staying
    copy.version, part.version = max(copy.version, part.version) + 1, part.version + 1


def _bring(session: Session, part: CasePart, main: Handled) -> None:
    """A part of a case that ends goes on in the other one. Where both were asked something, both are wanted and nothing said is lost."""
    own = main.part_of(part.department)
    if own is None or not (own.is_lead or own.asked_at or own.reply):
        own = parts.join(session, main, part.department)
        for name in _SAID:
            setattr(own, name, getattr(part, name))
    elif not own.is_lead:
        both = [one for one in (own, part) if one.asked_at is not None]
        owing = [one for one in both if one.replied_at is None]
        own.asked, own.reply, own.return_reason = (
            "\n\n".join(dict.fromkeys(text for text in texts if text))
            for texts in ((own.asked, part.asked), (own.reply, part.reply), (own.return_reason, part.return_reason))
        )
        own.asked_at = min((one.asked_at for one in both if one.asked_at), default=None)
        own.due_on = min((one.due_on for one in owing or both if one.due_on), default=None)
        own.replied_at = None if owing else max((one.replied_at for one in (own, part) if one.replied_at), default=None)
        own.returned_at = max((one.returned_at for one in owing if one.returned_at), default=None)
    own.passages = [*own.passages, *part.passages]
    own.version = max(own.version, part.version) + 1
