"""What people do with cases: assign, involve, hand back, close, reopen, merge, split. Each act takes one case or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import casework
from core.clock import today, utc_now
from core.errors import ConflictError, ForbiddenError, InputError
from core.models import Case, CaseEvent, CasePart, CloseReason, DeskAct, Disposition, Facet, Role, Status, User, Voice
from loop import labels
from loop.actors import Actor
from loop.handling import Handled, Target, changing, take
from loop.steps import Step
from nlp.taxonomy import Taxonomy

CLOSE_REASONS = {
    CloseReason.NOTED: "供覧（回答を要しない）",
    CloseReason.ANONYMOUS: "匿名",
    CloseReason.UNCLEAR: "趣旨不明",
    CloseReason.ABUSIVE: "誹謗中傷",
    CloseReason.COMMERCIAL: "営利",
    CloseReason.IN_DISPUTE: "係争中",
    CloseReason.REPEATED: "同一内容の繰り返し",
    CloseReason.OUTSIDE: "所管外",
    CloseReason.FORWARDED: "移送",
}
_DISPOSITIONS = {CloseReason.FORWARDED: Disposition.FORWARDED, CloseReason.NOTED: Disposition.NOTED}
BACK_REASONS = {"not_ours": "当課の所管ではない", "several": "複数課の調整が要る", "unclear": "内容の確認が要る"}
REOPEN_REASONS = {"asked_again": "再度の問合せがあった", "not_solved": "解決していないと連絡があった", "mistake": "誤って完了にした"}
_LONGEST_OFFICE = 64
_LONGEST_REPLY = 10_000


def assign(
    session: Session,
    targets: Sequence[Target],
    department: str,
    *,
    actor: Actor,
    taxonomy: Taxonomy,
    assignee: str = "",
    also: Sequence[str] = (),
) -> DeskAct:
    """Gives cases to the department that answers, to a person in it, and names others that have a part in them.

    The department becomes the label of every voice: a correction that training learns from. ``assignee`` is a user name.

    Raises:
        InputError: no such department or person, or the person is in another department.
        ConflictError: a case's state doesn't allow it.
    """
    known = {entry.name for entry in taxonomy.departments}
    for name in (department, *also):
        if name not in known:
            raise InputError(f"所管課「{name[:64]}」はありません。", hint="一覧にある課を選んでください。")
    person = _member(session, assignee, department) if assignee else None
    items = take(session, targets, actor=actor)
    detail = {"department": department, "to_person": person is not None, "also": list(also)}
    with changing(session, items, Step.ASSIGN, actor=actor, detail=detail) as act:
        for item in items:
            _lead_by(session, item, department, person=person)
            for other in also:
                _involve(session, item, other)
        said = [(voice, Facet.DEPARTMENT, department) for item in items for voice in item.voices if voice.department != department]
        labels.put(session, said, actor=actor)
        for item in items:
            _concern(item)
    return act


def accept(session: Session, targets: Sequence[Target], *, actor: Actor) -> DeskAct:
    """Confirms every label of some cases' voices that nobody has decided yet."""
    items = take(session, targets, actor=actor)
    with changing(session, items, Step.CONFIRM, actor=actor) as act:
        labels.put(session, labels.undecided(session, [voice for item in items for voice in item.voices]), actor=actor)
        for item in items:
            if item.case.status is Status.RECEIVED:
                item.case.status = Status.TRIAGED
    return act


def take_over(session: Session, targets: Sequence[Target], *, actor: Actor) -> DeskAct:
    """Puts cases into one's own hands: as the person of the department that answers, or of one's own part.

    Raises:
        ConflictError: a case has no department yet, and this person is in none either.
    """
    items = take(session, targets, actor=actor)
    with changing(session, items, Step.ASSIGN, actor=actor, detail={"taken_over": True}) as act:
        for item in items:
            part = item.part_of(actor.department) or item.leading
            if part is None:
                own = item.lead.department or actor.department
                if not own:
                    raise ConflictError("この案件の所管課が決まっていません。", hint="先に所管課を決めてください。")
                part = _lead_by(session, item, own)
            part.assignee_id = actor.user_id
            _concern(item)
    return act


def involve(session: Session, target: Target, department: str, *, actor: Actor, taxonomy: Taxonomy) -> DeskAct:
    """Gives another department a part in a case (関係課).

    Raises:
        InputError: no such department, or it has a part already.
    """
    if department not in {entry.name for entry in taxonomy.departments}:
        raise InputError(f"所管課「{department[:64]}」はありません。", hint="一覧にある課を選んでください。")
    (item,) = take(session, [target], actor=actor)
    if item.part_of(department):
        raise InputError(f"{department}は、すでに入っています。", hint="ほかの課を選んでください。")
    with changing(session, [item], Step.INVOLVE, actor=actor, detail={"department": department}) as act:
        if item.leading is None and item.lead.department:
            _lead_by(session, item, item.lead.department)
        _involve(session, item, department)
        _concern(item)
    return act


def let_go(session: Session, target: Target, department: str, *, actor: Actor) -> DeskAct:
    """Takes a department's part out of a case; the one that answers stays.

    Raises:
        InputError: it has no part, or it is the one that answers.
    """
    (item,) = take(session, [target], actor=actor)
    part = item.part_of(department)
    if part is None or part.is_lead:
        raise InputError("この課は外せません。", hint="回答する課を変えるときは、担当を決めなおしてください。")
    with changing(session, [item], Step.RELEASE, actor=actor, detail={"department": department}) as act:
        item.parts.remove(part)
        session.delete(part)
        for voice in item.voices:
            voice.related = [name for name in voice.related if name != department]
    return act


def reply(session: Session, target: Target, text: str, *, actor: Actor) -> DeskAct:
    """What one's own department has to say, for the one that answers. ``text`` is masked by the caller.

    Raises:
        ForbiddenError: one's department has no part in the case.
        InputError: the text is empty or too long.
    """
    if not text.strip() or len(text) > _LONGEST_REPLY:
        raise InputError(f"回答の内容を {_LONGEST_REPLY:,} 字以内で書いてください。", hint="空のままでは保存できません。")
    (item,) = take(session, [target], actor=actor)
    part = item.part_of(actor.department)
    if part is None:
        raise ForbiddenError("あなたの課は、この案件の関係課ではありません。", hint="広聴課に、関係課として加えるよう頼んでください。")
    with changing(session, [item], Step.REPLY, actor=actor, detail={"department": part.department}) as act:
        part.reply, part.replied_at = text, utc_now()
    return act


def hand_back(session: Session, targets: Sequence[Target], reason: str, *, actor: Actor) -> DeskAct:
    """Gives cases back to 広聴課, which looks for another department.

    Raises:
        InputError: the reason isn't one of ``BACK_REASONS``.
    """
    _one_of(reason, BACK_REASONS)
    items = take(session, targets, actor=actor)
    with changing(session, items, Step.HAND_BACK, actor=actor, detail={"reason": reason}) as act:
        for item in items:
            for part in item.parts:
                part.assignee_id = None
    return act


def close(session: Session, targets: Sequence[Target], reason: str, *, actor: Actor, forwarded_to: str = "") -> DeskAct:
    """Closes cases without an answer, for a reason that is counted. ``forwarded_to``: the office outside the city, at 移送.

    Raises:
        InputError: the reason isn't one of ``CLOSE_REASONS``, or it is 移送 and the office is missing.
        ConflictError: a case's state doesn't allow it.
    """
    _one_of(reason, CLOSE_REASONS)
    chosen, office = CloseReason(reason), " ".join(forwarded_to.split())
    if chosen is CloseReason.FORWARDED and not 0 < len(office) <= _LONGEST_OFFICE:
        raise InputError(f"移送先を {_LONGEST_OFFICE} 字以内で書いてください。", hint="例: 県土木事務所")
    items = take(session, targets, actor=actor)
    with changing(session, items, Step.CLOSE, actor=actor, detail={"reason": reason}) as act:
        for item in items:
            case = item.case
            case.close_reason, case.disposition, case.closed_on = chosen, _DISPOSITIONS.get(chosen), today()
            case.forwarded_to = office if chosen is CloseReason.FORWARDED else ""
    return act


def finish(session: Session, targets: Sequence[Target], *, actor: Actor) -> DeskAct:
    """Puts answered cases away."""
    items = take(session, targets, actor=actor)
    with changing(session, items, Step.FINISH, actor=actor) as act:
        for item in items:
            item.case.closed_on = today()
    return act


def reopen(session: Session, targets: Sequence[Target], reason: str, *, actor: Actor) -> DeskAct:
    """Opens cases again that were answered or closed; they go back to the department that had them.

    Raises:
        InputError: the reason isn't one of ``REOPEN_REASONS``.
        ConflictError: a case is open, or was merged into another.
    """
    _one_of(reason, REOPEN_REASONS)
    items = take(session, targets, actor=actor)
    with changing(session, items, Step.REOPEN, actor=actor, detail={"reason": reason}) as act:
        for item in items:
            case = item.case
            case.close_reason = case.disposition = case.closed_on = case.answered_on = None
            case.forwarded_to = ""
            if item.leading:
                case.status = Status.ASSIGNED
    return act


def merge(session: Session, targets: Sequence[Target], *, actor: Actor) -> DeskAct:
    """Puts the voices of several cases into one: the one that has come furthest, whose departments and draft it keeps, of several such
    the oldest. Departments of the others join it.

    Raises:
        InputError: fewer than two cases.
        ConflictError: answers are being drafted to two of them: one would be out of sight.
        ConflictError: one of them is answered, closed or in approval.
    """
    items = take(session, targets, actor=actor)
    if len(items) < 2:
        raise InputError("まとめる案件を 2 件以上選んでください。", hint="一覧で選んでから、もう一度押してください。")
    order = list(Status)
    main, *others = sorted(items, key=lambda item: (-order.index(item.case.status), item.case.id))
    if others[0].case.status is Status.DRAFTING:
        raise ConflictError("2 件以上の案件に、回答案があります。", hint="使わないほうを広聴課へ差し戻してから、まとめてください。")
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
                if main.part_of(part.department) is None:
                    _involve(session, main, part.department)
            _move_all(other, main)
        _concern(main)
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
    now = utc_now()
    case = Case(version=0, lead_id=leaving[0].id, status=item.case.status, opened_at=now, changed_at=now)
    session.add(case)
    session.flush()
    apart = Handled(case, [])
    if case.status is Status.DRAFTING:
        case.status = Status.ASSIGNED
    with changing(session, [item, apart], Step.SPLIT, actor=actor, detail={"voices": len(leaving)}) as act:
        for part in item.parts:
            copy = CasePart(case_id=case.id, department=part.department, is_lead=part.is_lead, assignee_id=part.assignee_id, added_at=now)
            session.add(copy)
            apart.parts.append(copy)
        item.voices = [voice for voice in item.voices if voice not in leaving]
        apart.voices = leaving
    return act


def relabel(session: Session, targets: Sequence[Target], facet: Facet, value: str, *, actor: Actor, taxonomy: Taxonomy) -> DeskAct:
    """Sets one label on all voices of some cases.

    Raises:
        InputError: the value isn't one of the taxonomy's, or a 中分類 isn't of the theme of all of them.
        ForbiddenError: a department would take another department's voice.
    """
    items = take(session, targets, actor=actor)
    voices = [voice for item in items for voice in item.voices]
    if facet is Facet.DEPARTMENT and not all(actor.may_hand_over(voice) for voice in voices):
        raise ForbiddenError("ほかの課の声を自分の課に移すことはできません。", hint="移してほしいときは広聴課に頼んでください。")
    if any(value not in labels.choices(taxonomy, facet, theme=voice.theme) for voice in voices):
        raise InputError(f"「{value[:64]}」は選べません。", hint="一覧にあるものから選んでください。")
    with changing(session, items, Step.RELABEL, actor=actor, detail={"facet": facet.value, "value": value}) as act:
        labels.put(session, [(voice, facet, value) for voice in voices], actor=actor)
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


def _lead_by(session: Session, item: Handled, department: str, *, person: User | None = None) -> CasePart:
    for part in item.parts:
        part.is_lead = False
    part = item.part_of(department) or _involve(session, item, department)
    part.is_lead = True
    if person is not None:
        part.assignee_id = person.id
    return part


def _involve(session: Session, item: Handled, department: str) -> CasePart:
    if (known := item.part_of(department)) is not None:
        return known
    part = CasePart(case_id=item.case.id, department=department, is_lead=False, added_at=utc_now())
    session.add(part)
    item.parts.append(part)
    return part


def _concern(item: Handled) -> None:
    """Every department with a part is concerned by every voice: that is what lets its members see them."""
    for voice in item.voices:
        others = [part.department for part in item.parts if part.department != voice.department]
        voice.related = [*voice.related, *(name for name in others if name not in voice.related)]


def _member(session: Session, username: str, department: str) -> User:
    person = session.scalar(select(User).where(User.username == username, User.active.is_(True)))
    if person is None or person.role is Role.MANAGER or (person.role is Role.DEPARTMENT and person.department != department):
        raise InputError("この担当者には割り当てられません。", hint=f"{department}の職員から選んでください。")
    return person


def _one_of(value: str, choices: Any) -> None:
    if value not in choices:
        raise InputError("理由が選ばれていません。", hint="理由を一覧から選んでください。")
