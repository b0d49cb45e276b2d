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
from loop.handling import Handled, Target, changing, take
from loop.steps import Step

_SAID = ("asked", "asked_at", "due_on", "reply", "replied_at", "returned_at", "return_reason")


def merge(session: Session, targets: Sequence[Target], *, actor: Actor) -> DeskAct:
    """Puts the voices of several cases into one: the one that has come furthest, whose departments and draft it keeps, of several such
    the oldest. Departments of the others join it, with what was asked of them and what they replied.

    Raises:
        InputError: fewer than two cases.
        ConflictError: answers are being drafted to two of them: one would be out of sight.
        ConflictError: the clock stands still for some of them only.
        ConflictError: one of them is answered, closed or in approval.
    """
    items = take(session, targets, actor=actor)
    if len(items) < 2:
        raise InputError("まとめる案件を 2 件以上選んでください。", hint="一覧で選んでから、もう一度押してください。")
    order = list(Status)
    main, *others = sorted(items, key=lambda item: (-order.index(item.case.status), item.case.id))
    if others[0].case.status is Status.DRAFTING:
        raise ConflictError("2 件以上の案件に、回答案があります。", hint="使わないほうを広聴課へ差し戻してから、まとめてください。")
    if len({item.case.paused_on is None for item in items}) > 1:
        raise ConflictError(
            "期限を止めている案件と、動いている案件があります。", hint="どれも再開するか、どれも止めてから、まとめてください。"
        )
    with changing(session, items, Step.MERGE, actor=actor, detail={"into": main.case.id}) as act:
        said = [
            (voice, Facet.DEPARTMENT, main.leading.department)
            for other in others
            for voice in other.voices
            if main.leading and voice.department != main.leading.department
        ]
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
    case = Case(version=0, lead_id=leaving[0].id, status=item.case.status, opened_at=now, changed_at=now)
    session.add(case)
    session.flush()
    apart = Handled(case, [])
    if case.status is Status.DRAFTING:
        case.status = Status.ASSIGNED
    with changing(session, [item, apart], Step.SPLIT, actor=actor, detail={"voices": len(leaving)}) as act:
        for part in item.parts:
            copy = parts.join(session, apart, part.department)
            copy.is_lead, copy.assignee_id = part.is_lead, part.assignee_id
            copy.asked, copy.asked_at, copy.due_on = part.asked, part.asked_at, part.due_on
            copy.passages = [one for one in part.passages if one["voice"] in gone]
            part.passages = [one for one in part.passages if one["voice"] not in gone]
        clock.carry(session, item.case, apart.case, leaving)
        item.voices = [voice for voice in item.voices if voice not in leaving]
        apart.voices = leaving
    return act


def fold_campaign(session: Session, voices: Sequence[int]) -> int | None:
    """Puts the open voices of a campaign (同文・一斉投稿) into one case, so that they are answered at once; gives the case's id.

    The machine's act: nobody's rights are asked. Voices that somebody handles in a case with others stay there. ``None``: nothing to fold.
    """
    held = session.scalars(select(Voice).where(Voice.id.in_(voices)).order_by(Voice.id).with_for_update()).all()
    own = session.scalars(
        select(Case).where(Case.id.in_({voice.case_id for voice in held if voice.case_id})).order_by(Case.id).with_for_update()
    )
    cases = {case.id: case for case in own}
    free = [voice for voice in held if voice.is_open and voice.case_id is None]
    groups: dict[int, list[Voice]] = {}
    for voice in held:
        if voice.case_id is not None and cases[voice.case_id].status in (Status.RECEIVED, Status.TRIAGED, Status.ASSIGNED, Status.DRAFTING):
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
        rest = list(session.scalars(select(Voice).where(Voice.case_id == number).with_for_update()))
    casework.tie(case, [*rest, *free])
    case.version += 1
    case.changed_at = now
    session.add(CaseEvent(case_id=case.id, at=now, kind=Step.FOLD.value, detail={"voices": len(free)}))
    session.flush()
    return case.id


def _furthest(voices: Sequence[Voice]) -> Status:
    return Status.TRIAGED if all(voice.status is Status.TRIAGED for voice in voices) else Status.RECEIVED


def _move_all(source: Handled, to: Handled) -> None:
    for voice in source.voices:
        voice.case_id = to.case.id
    to.voices = [*to.voices, *source.voices]
    source.voices = []
    source.case.merged_into, source.case.status, source.case.closed_on = to.case.id, Status.CLOSED, today()


def _bring(session: Session, part: CasePart, main: Handled) -> None:
    """A part of a case that ends goes on in the other one, with what was asked and said where that one has nothing of it yet."""
    own = main.part_of(part.department)
    if own is None or not (own.is_lead or own.asked_at or own.reply):
        own = parts.join(session, main, part.department)
        for name in _SAID:
            setattr(own, name, getattr(part, name))
    own.passages = [*own.passages, *part.passages]
    own.version += 1
