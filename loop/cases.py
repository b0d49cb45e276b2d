"""What people do with cases: assign, confirm, hand back, close, reopen, relabel. Each act takes one case or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import today
from core.errors import ConflictError, InputError
from core.models import CloseReason, DeskAct, Disposition, Facet, Role, Status, User
from loop import labels, parts
from loop.actors import Actor
from loop.handling import Target, changing, take
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
        ForbiddenError: a department would take another one's voice, or asks others in a case that it doesn't answer.
        ConflictError: a case's state doesn't allow it.
    """
    parts.require_known(taxonomy, [department, *also])
    person = _member(session, assignee, department) if assignee else None
    items = take(session, targets, actor=actor)
    labels.require_handing_over(actor, [voice for item in items for voice in item.voices if voice.department != department])
    if also:
        for item in items:
            parts.require_leading(item, actor)
    detail = {"department": department, "to_person": person is not None, "also": list(also)}
    with changing(session, items, Step.ASSIGN, actor=actor, detail=detail) as act:
        for name in (department, *also):
            parts.join_all(session, [(item, name) for item in items])
        for item in items:
            parts.lead_by(session, item, department, person=person)
            for other in also:
                parts.ask(session, item, other)
        said = [(voice, Facet.DEPARTMENT, department) for item in items for voice in item.voices if voice.department != department]
        labels.put(session, said, actor=actor)
        for item in items:
            parts.concern(item)
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
        own = [(item, item.lead.department or actor.department) for item in items]
        begun = [(item, name) for item, name in own if item.leading is None and item.part_of(actor.department) is None]
        if not all(name for _, name in begun):
            raise ConflictError("この案件の所管課が決まっていません。", hint="先に所管課を決めてください。")
        parts.join_all(session, begun)
        for item, name in begun:
            parts.lead_by(session, item, name)
        for item, name in own:
            part = item.part_of(actor.department) or item.leading or parts.lead_by(session, item, name)
            part.assignee_id = actor.user_id
            parts.concern(item)
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


def relabel(session: Session, targets: Sequence[Target], facet: Facet, value: str, *, actor: Actor, taxonomy: Taxonomy) -> DeskAct:
    """Sets one label on all voices of some cases.

    Raises:
        InputError: the value isn't one of the taxonomy's, or a 中分類 isn't of the theme of all of them.
        ForbiddenError: a department would take another department's voice.
    """
    items = take(session, targets, actor=actor)
    voices = [voice for item in items for voice in item.voices]
    if facet is Facet.DEPARTMENT:
        labels.require_handing_over(actor, voices)
    if any(value not in labels.choices(taxonomy, facet, theme=voice.theme) for voice in voices):
        raise InputError(f"「{value[:64]}」は選べません。", hint="一覧にあるものから選んでください。")
    with changing(session, items, Step.RELABEL, actor=actor, detail={"facet": facet.value, "value": value}) as act:
        labels.put(session, [(voice, facet, value) for voice in voices], actor=actor)
    return act


def _member(session: Session, username: str, department: str) -> User:
    person = session.scalar(select(User).where(User.username == username, User.active.is_(True)))
    if person is None or person.role is Role.MANAGER or (person.role is Role.DEPARTMENT and person.department != department):
        raise InputError("この担当者には割り当てられません。", hint=f"{department}の職員から選んでください。")
    return person


def _one_of(value: str, choices: Any) -> None:
    if value not in choices:
        raise InputError("理由が選ばれていません。", hint="理由を一覧から選んでください。")
