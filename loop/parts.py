"""Departments' parts in a case (部分案件): who answers, who is asked for which passages of a letter, and what they have to say.

A letter with several topics stays one voice in one case and gets one answer (docs/adr/0042-parts-of-one-case.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.clock import today, utc_now
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, ForbiddenError, InputError
from core.models import CasePart, DeskAct, User, Voice
from loop.actors import Actor
from loop.deadlines import reply_day
from loop.handling import Handled, Target, changing, take
from loop.steps import Step
from nlp.taxonomy import Taxonomy

LONGEST_REPLY = 10_000
LONGEST_REQUEST = 1_000


def lead_by(session: Session, item: Handled, department: str, *, person: User | None = None) -> CasePart:
    """Lets a department answer, and a person in it; the one that did so before keeps its part and is asked for nothing."""
    for part in item.parts:
        part.is_lead = False
    part = join(session, item, department)
    part.is_lead, part.asked_at, part.due_on = True, None, None
    if person is not None:
        part.assignee_id = person.id
    return part


def join(session: Session, item: Handled, department: str) -> CasePart:
    """The department's part, given to it when it has none."""
    join_all(session, [(item, department)])
    return next(part for part in item.parts if part.department == department)


def join_all(session: Session, wanted: Iterable[tuple[Handled, str]]) -> None:
    """Gives departments a part in cases that they have none in, all at once."""
    without = {(item.case.id, department): item for item, department in wanted if item.part_of(department) is None}
    if not without:
        return
    now = utc_now()
    # Beyond what an earlier part of it had come to: what is written to an old request isn't taken for the answer to a new one.
    rows = [
        {"case_id": number, "department": name, "is_lead": False, "added_at": now, "passages": [], "version": item.case.version + 1}
        for (number, name), item in without.items()
    ]
    for part in session.scalars(insert(CasePart).returning(CasePart), rows):
        without[part.case_id, part.department].parts.append(part)


def ask(session: Session, item: Handled, department: str) -> CasePart:
    """The department's part, of which a reply is wanted from now on unless it is the one that answers."""
    part = join(session, item, department)
    if not part.is_lead and part.asked_at is None:
        part.asked_at = utc_now()
    return part


def concern(item: Handled) -> None:
    """Every department with a part is concerned by every voice: that is what lets its members see them."""
    for voice in item.voices:
        others = [part.department for part in item.parts if part.department != voice.department]
        voice.related = [*voice.related, *(name for name in others if name not in voice.related)]


def may_divide(actor: Actor, department: str) -> bool:
    """Whether this person says who answers which part: somebody of the department that answers, 広聴課 or an administrator."""
    return actor.may_operate or (actor.may_label and bool(department) and actor.department == department)


def involve(session: Session, target: Target, department: str, *, actor: Actor, taxonomy: Taxonomy) -> DeskAct:
    """Gives another department a part in a case (関係課).

    Raises:
        InputError: no such department, or it has a part already.
        ForbiddenError: this person doesn't say who answers what in this case.
    """
    require_known(taxonomy, [department])
    (item,) = take(session, [target], actor=actor)
    require_leading(item, actor)
    if item.part_of(department):
        raise InputError(f"{department}は、すでに入っています。", hint="ほかの課を選んでください。")
    with changing(session, [item], Step.INVOLVE, actor=actor, detail={"department": department}) as act:
        _begin(session, item)
        ask(session, item, department)
        concern(item)
    return act


def let_go(session: Session, target: Target, department: str, *, actor: Actor) -> DeskAct:
    """Takes a department's part out of a case; the one that answers stays. A department itself may say that it has nothing to do with it.

    Raises:
        InputError: it has no part, or it is the one that answers.
        ForbiddenError: it is another department's, and this person doesn't say who answers what in this case.
    """
    (item,) = take(session, [target], actor=actor)
    part = item.part_of(department)
    if part is None or part.is_lead:
        raise InputError("この課は外せません。", hint="回答する課を変えるときは、担当を決めなおしてください。")
    if actor.department != department:
        require_leading(item, actor)
    with changing(session, [item], Step.RELEASE, actor=actor, detail={"department": department}) as act:
        item.parts.remove(part)
        session.delete(part)
        for voice in item.voices:
            voice.related = [name for name in voice.related if name != department]
    return act


def divide(
    session: Session,
    target: Target,
    department: str,
    numbers: Sequence[int],
    *,
    actor: Actor,
    taxonomy: Taxonomy,
    rules: DeadlineRules,
    asked: str = "",
    due_on: date | None = None,
) -> DeskAct:
    """Says which sentences of a letter a department answers, what it is asked and by when; asked again, it replaces what was said.

    ``numbers`` are those of the sentences (``nlp.segments.sentences``) of the target's own text, from 1; ``asked`` is masked by the
    caller. ``due_on`` ``None`` means the city's usual number of open days before the case's deadline. Of the department that answers only
    the passages are kept: it asks itself nothing.

    Raises:
        InputError: no such department or sentence, neither a sentence nor a request, or a day that is past.
        ForbiddenError: this person doesn't say who answers what in this case.
        ConflictError: somebody changed the case first, or its state doesn't allow it.
    """
    require_known(taxonomy, [department])
    if not numbers and not asked.strip():
        raise InputError("依頼する内容がありません。", hint="声の文を選ぶか、何を答えてほしいかを書いてください。")
    if len(asked) > LONGEST_REQUEST:
        raise InputError(f"依頼の内容を {LONGEST_REQUEST:,} 字以内で書いてください。", hint="くわしいことはメモに書けます。")
    (item,) = take(session, [target], actor=actor)
    require_leading(item, actor)
    voice = next(voice for voice in item.voices if voice.receipt_number == target.receipt_number)
    passages = passages_of(voice, numbers)
    known = item.part_of(department)
    if due_on is not None and due_on < today() and (known is None or known.due_on != due_on):
        raise InputError("回答の期日が過ぎています。", hint="今日か、今日より後の日にしてください。")
    detail = {"department": department, "sentences": len(set(numbers)), "due_on": due_on.isoformat() if due_on else ""}
    with changing(session, [item], Step.DIVIDE, actor=actor, detail=detail, text=asked) as act:
        _begin(session, item)
        part = ask(session, item, department)
        part.passages = [*(one for one in part.passages if one["voice"] != voice.id), *passages]
        part.version += 1
        if not part.is_lead:
            # A new request is owed a reply, also where one to the old request has come; what was written stays to be mended.
            part.asked, part.asked_at = asked, utc_now()
            part.replied_at, part.returned_at, part.return_reason = None, None, ""
            part.due_on = due_on or (reply_day(rules, item.lead.due_on, today=today()) if item.lead.due_on else None)
            detail["due_on"] = part.due_on.isoformat() if part.due_on else ""
        concern(item)
    return act


def reply(session: Session, target: Target, text: str, *, actor: Actor, seen: int | None = None) -> DeskAct:
    """What one's own department has to say, for the one that answers. ``text`` is masked by the caller.

    ``seen`` is the part's version that the person had before their eyes. The case's own isn't asked for: a reply that was written while
    the case went on elsewhere still holds.

    Raises:
        InputError: the text is empty or too long.
        ConflictError: the request or the reply has changed since, or one's department has no part in the case, or is the one that answers.
    """
    if not text.strip() or len(text) > LONGEST_REPLY:
        raise InputError(f"回答の内容を {LONGEST_REPLY:,} 字以内で書いてください。", hint="空のままでは保存できません。")
    (item,) = take(session, [target], actor=actor)
    part = item.part_of(actor.department)
    if part is None:
        raise ConflictError("あなたの課は、この案件の関係課ではありません。", hint="回答する課か広聴課に、加えるよう頼んでください。")
    if part.is_lead:
        raise ConflictError("あなたの課は、この案件に回答する課です。", hint="回答案に、そのまま書いてください。")
    if seen is not None and seen != part.version:
        raise ConflictError("依頼か回答を、ほかの職員が先に変更しました。", hint="いまの内容を確かめて、もう一度保存してください。")
    with changing(session, [item], Step.REPLY, actor=actor, detail={"department": part.department}, text=text) as act:
        part.reply, part.replied_at, part.returned_at, part.return_reason = text, utc_now(), None, ""
        part.version += 1
        part.assignee_id = part.assignee_id or actor.user_id
    return act


def return_part(session: Session, target: Target, department: str, reason: str, *, actor: Actor) -> DeskAct:
    """Sends a department's reply back to it with a reason, which is masked by the caller; what it wrote stays for it to mend.

    Raises:
        ForbiddenError: this person doesn't say who answers what in this case.
        InputError: there is no reason, or it is too long.
        ConflictError: there is no reply to send back, or the case's state doesn't allow it.
    """
    if not reason.strip() or len(reason) > LONGEST_REQUEST:
        raise InputError(
            f"差し戻す理由を {LONGEST_REQUEST:,} 字以内で書いてください。", hint="どこをどう直すかが分かるように書いてください。"
        )
    (item,) = take(session, [target], actor=actor)
    require_leading(item, actor)
    part = item.part_of(department)
    if part is None or part.is_lead or part.replied_at is None:
        raise ConflictError("差し戻す回答がありません。", hint="画面を開きなおして、いまの内容を確かめてください。")
    with changing(session, [item], Step.RETURN_PART, actor=actor, detail={"department": department}, text=reason) as act:
        part.replied_at, part.returned_at, part.return_reason = None, utc_now(), reason
        part.asked_at = part.asked_at or part.returned_at
        part.version += 1
    return act


def passages_of(voice: Voice, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """The stretches of a voice's text that sentences of these numbers (from 1) make; neighbours are one.

    Raises:
        InputError: there is no such sentence.
    """
    from nlp.segments import sentences

    places = sentences(voice.text)
    found: list[dict[str, Any]] = []
    for number in sorted(set(numbers)):
        if not 0 < number <= len(places):
            raise InputError(f"この声に {number} 番目の文はありません。", hint="画面を開きなおして、選びなおしてください。")
        start, end = places[number - 1]
        if found and found[-1]["end"] == start:
            found[-1]["end"] = end
        else:
            found.append({"voice": voice.id, "start": start, "end": end})
    return found


def require_known(taxonomy: Taxonomy, departments: Iterable[str]) -> None:
    """Raises ``InputError`` for a department that isn't in the city's list."""
    known = {entry.name for entry in taxonomy.departments}
    for name in departments:
        if name not in known:
            raise InputError(f"所管課「{name[:64]}」はありません。", hint="一覧にある課を選んでください。")


def _begin(session: Session, item: Handled) -> None:
    """Before another department joins, the one that answers has its part."""
    if item.leading is None and item.lead.department:
        lead_by(session, item, item.lead.department)


def require_leading(item: Handled, actor: Actor) -> None:
    """Raises ``ForbiddenError`` for somebody who doesn't say who answers what in a case."""
    if not may_divide(actor, item.leading.department if item.leading else item.lead.department):
        raise ForbiddenError("どの課が答えるかを決められるのは、回答する課と広聴課です。", hint="回答する課か広聴課に頼んでください。")
