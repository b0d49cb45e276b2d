"""Deadlines counted anew: when what the city's rules look at is corrected, or when the rules themselves have changed.

A rule may look at kind, urgency, theme and department, which people correct. As long as a correction leads to the same rule nothing is
touched: a deadline that was counted by an earlier version of the rules stays. Only open voices that have one are counted anew, with the
times for which their clock stood still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session

from core import audit, casework, db
from core.bulk import among
from core.clock import utc_now
from core.deadline_rules import DeadlineRules, Matter
from core.errors import ConflictError, NotFoundError
from core.models import AuditEntry, Case, CaseEvent, DeskAct, Facet, HumanLabel, Status, Voice
from loop import labels, queries
from loop.actors import Actor
from loop.clock import pauses_of
from loop.deadlines import due_of, matter_of
from loop.handling import Handled
from loop.steps import Step
from nlp.taxonomy import Taxonomy

_LOOKED_AT = (Facet.KIND, Facet.URGENCY, Facet.THEME, Facet.DEPARTMENT)
_AT_ONCE = 500
INTERIM = "interim"


@dataclass(frozen=True, slots=True)
class Moved:
    """A voice whose deadline was counted anew. ``because``: the facets that were corrected, or ``INTERIM``; nothing when the rules have
    changed.
    """

    voice: Voice
    before: date
    after: date
    because: tuple[str, ...] = ()


class Differing(NamedTuple):
    """An open voice whose deadline isn't what the rules of today say."""

    id: int
    receipt_number: str
    before: date
    after: date


def follow(session: Session, act: DeskAct, *, actor: Actor, rules: DeadlineRules) -> list[Moved]:
    """After an act on cases, in its transaction: the deadlines of voices that stand under another rule since; their cases' leads follow.

    The act's undo puts them back. The caller's act holds all voices of its cases.
    """
    if not rules.exceptions:
        return []
    then = {voice["id"]: voice["labels"] for case in act.before for voice in case["voices"]}
    found = session.scalars(select(Voice).where(among(session, Voice.id, list(then)), *_counted()).order_by(Voice.id)).all()
    moved = _counted_anew(session, [(voice, _matter_then(voice, then[voice.id])) for voice in found], rules)
    about: dict[int, list[Moved]] = defaultdict(list)
    for one in moved:
        about[one.voice.case_id or 0].append(one)
    _settle(session, moved, user_id=actor.user_id)
    if moved:
        told = [(f"case:{number}", _detail(group)) for number, group in about.items()]
        audit.record_all(session, actor=actor.username, action=Step.RECOUNT.value, about=told)
    return moved


def hold(session: Session, receipt_number: str, *, seen_by: Actor | None) -> Voice:
    """A voice for a correction that may move its deadline: held until the transaction ends, with its case and all voices of that.

    Locked in the order in which acts on cases lock them, so that nobody waits for ever.

    Raises:
        NotFoundError: there is none of that number, or this person may not see it.
        ConflictError: somebody moved it to another case in this moment.
    """
    seen = queries.get_voice(session, receipt_number, seen_by=seen_by)
    case_id = seen.case_id
    mine = Voice.id == seen.id if case_id is None else or_(Voice.id == seen.id, Voice.case_id == case_id)
    session.execute(select(Voice.id).where(mine).order_by(Voice.id).with_for_update()).all()
    session.refresh(seen)
    if seen.case_id != case_id:
        raise ConflictError("ほかの職員が先に変更しました。", hint="画面を開きなおして、いまの内容を確かめてください。")
    if seen_by is not None and not seen_by.may_see(seen):
        raise NotFoundError("この受付番号の声は見つかりません。", hint="番号を確かめるか、一覧から探してください。")
    return seen


def decide(
    session: Session,
    voice: Voice,
    facet: Facet,
    value: str,
    *,
    actor: Actor,
    taxonomy: Taxonomy,
    rules: DeadlineRules,
    seen: int | None = None,
) -> list[HumanLabel]:
    """``labels.decide`` for a voice from ``hold``; its deadline follows, and the change stands in its case's course and in the trail.

    Raises:
        ForbiddenError, InputError, ConflictError: as ``labels.decide`` does.
    """
    then = matter_of(voice)
    made = labels.decide(session, voice, facet, value, actor=actor, taxonomy=taxonomy, seen=seen)
    _after_a_label(session, voice, then, actor=actor, rules=rules)
    return made


def undo(session: Session, voice: Voice, label_ids: Sequence[int], *, actor: Actor, rules: DeadlineRules) -> list[HumanLabel]:
    """``labels.undo`` for a voice from ``hold``: a deadline that the decisions moved is again what it was.

    Raises:
        ForbiddenError, ConflictError: as ``labels.undo`` does.
    """
    then = matter_of(voice)
    made = labels.undo(session, voice, label_ids, actor=actor)
    _after_a_label(session, voice, then, actor=actor, rules=rules)
    return made


def after_interim(session: Session, item: Handled, *, actor: Actor, rules: DeadlineRules) -> list[Moved]:
    """After an interim reply, inside its act: the case's open voices get the days that their rules give from that reply on."""
    running = [(voice, (INTERIM,)) for voice in item.voices if voice.due_on is not None and rules.rule_for(matter_of(voice)).after_interim]
    session.flush()
    moved = _set(session, running, rules) if running else []
    if moved:
        _settle(session, moved, user_id=actor.user_id)
        told = [(f"case:{item.case.id}", _detail(moved))]
        audit.record_all(session, actor=actor.username, action=Step.RECOUNT.value, about=told)
    return moved


def differing(session: Session, rules: DeadlineRules) -> list[Differing]:
    """The open voices whose deadline isn't what the rules of today say, by their ids. A clock that stands still is left alone."""
    columns = (
        Voice.id, Voice.receipt_number, Voice.channel, Voice.kind, Voice.urgency, Voice.theme, Voice.department, Voice.received_on,
        Voice.received_at, Voice.due_on, Voice.case_id, Case.interim_on,
    )  # fmt: skip
    statement = select(*columns).outerjoin(Case, Case.id == Voice.case_id).where(*_counted()).order_by(Voice.id)
    rows: Sequence[Any] = session.execute(statement).all()
    pauses = pauses_of(session)
    counted = ((row, due_of(row, rules, pauses=pauses.get((row.case_id, row.id), ()), replied_on=row.interim_on)) for row in rows)
    return [Differing(row.id, row.receipt_number, row.due_on, due) for row, due in counted if due is not None and due != row.due_on]


def running(session: Session) -> int:
    """How many open voices have a running deadline."""
    return session.scalar(select(func.count()).select_from(Voice).where(*_counted())) or 0


def bring_up_to_date(engine: Engine, wanted: Sequence[int], rules: DeadlineRules, *, actor: str) -> int:
    """Counts the deadlines of these voices by the rules of today, some hundreds in a transaction; gives how many have moved.

    Earlier acts on their cases can't be taken back afterwards: they would bring the old days back.
    """
    moved = 0
    for begin in range(0, len(wanted), _AT_ONCE):
        with db.writing(engine) as session:
            moved += len(_some_up_to_date(session, wanted[begin : begin + _AT_ONCE], rules, actor=actor))
    return moved


def _some_up_to_date(session: Session, wanted: Sequence[int], rules: DeadlineRules, *, actor: str) -> list[Moved]:
    cases = select(Voice.case_id).where(among(session, Voice.id, list(wanted)), Voice.case_id.is_not(None)).distinct()
    own = or_(among(session, Voice.id, list(wanted)), among(session, Voice.case_id, list(session.scalars(cases))))
    held = session.scalars(select(Voice).where(own).order_by(Voice.id).with_for_update()).all()
    chosen = set(wanted)
    moved = _set(session, [(voice, ()) for voice in held if voice.id in chosen and voice.is_open], rules)
    _settle(session, moved, user_id=None, changes_cases=True)
    if moved:
        told = [(f"voice:{one.voice.id}", _detail([one])) for one in moved]
        audit.record_all(session, actor=actor, action=Step.RECOUNT.value, about=told)
    return moved


def _counted() -> tuple[Any, ...]:
    return Voice.is_open.is_(True), Voice.due_on.is_not(None)


def _matter_then(voice: Voice, said: dict[str, str]) -> Matter:
    return Matter(voice.channel, **{facet.value: said[facet.value] for facet in _LOOKED_AT})


def _counted_anew(session: Session, voices: Iterable[tuple[Voice, Matter]], rules: DeadlineRules) -> list[Moved]:
    """Sets the deadlines of those that stand under another rule than they did."""
    both = [(voice, then, matter_of(voice)) for voice, then in voices]
    others = [(voice, _changed(then, now)) for voice, then, now in both if rules.rule_for(then) != rules.rule_for(now)]
    return _set(session, others, rules)


def _set(session: Session, voices: Sequence[tuple[Voice, tuple[str, ...]]], rules: DeadlineRules) -> list[Moved]:
    """Sets the deadlines of those that have one and are due on another day now; each comes with what that is because of."""
    if not voices:
        return []
    cases = sorted({voice.case_id for voice, _ in voices if voice.case_id is not None})
    replied = select(Case.id, Case.interim_on).where(among(session, Case.id, cases), Case.interim_on.is_not(None))
    pauses, replies = pauses_of(session, cases), dict(session.execute(replied).all()) if cases else {}
    moved = []
    for voice, because in voices:
        before = voice.due_on
        after = due_of(voice, rules, pauses=pauses.get((voice.case_id, voice.id), ()), replied_on=replies.get(voice.case_id or 0))
        if before is not None and after is not None and after != before:
            voice.due_on = after
            moved.append(Moved(voice, before, after, because))
    return moved


def _changed(then: Matter, now: Matter) -> tuple[str, ...]:
    return tuple(facet.value for facet in _LOOKED_AT if getattr(then, facet.value) != getattr(now, facet.value))


def _after_a_label(session: Session, voice: Voice, then: Matter, *, actor: Actor, rules: DeadlineRules) -> None:
    _change_case(session, voice, actor=actor)
    before, now = voice.due_on, matter_of(voice)
    if before is None or not voice.is_open or rules.rule_for(then) == rules.rule_for(now):
        return
    if (earlier := _stood_before(session, voice)) is not None:
        voice.due_on = earlier
        moved = [Moved(voice, before, earlier, _changed(then, now))]
    else:
        moved = _counted_anew(session, [(voice, then)], rules)
    if not moved:
        return
    _settle(session, moved, user_id=actor.user_id)
    detail = _detail(moved) | {"stood": _named(then)}
    audit.record(session, actor=actor.username, action=Step.RECOUNT.value, subject=f"voice:{voice.id}", detail=detail)


def _change_case(session: Session, voice: Voice, *, actor: Actor) -> None:
    """A decision on a voice is a change of its case: nobody takes an earlier act back over it. With the last one a new case is triaged."""
    if voice.case_id is None:
        return
    case = session.scalars(select(Case).where(Case.id == voice.case_id).with_for_update()).one()
    case.version += 1
    case.changed_at, case.changed_by = utc_now(), actor.user_id
    if case.status is Status.RECEIVED:
        members = session.scalars(select(Voice).where(Voice.case_id == case.id).order_by(Voice.id)).all()
        if not labels.undecided(session, members):
            case.status = Status.TRIAGED
            casework.tie(case, members)
    session.flush()


def _stood_before(session: Session, voice: Voice) -> date | None:
    """What the deadline was before it was last moved, when the labels are again what they were then: by whichever rules it was counted."""
    own = select(AuditEntry.detail).where(AuditEntry.subject == f"voice:{voice.id}", AuditEntry.action == Step.RECOUNT.value)
    last = session.scalar(own.order_by(AuditEntry.id.desc()).limit(1))
    if last is None or voice.due_on is None or last["to"] != voice.due_on.isoformat() or last.get("stood") != _named(matter_of(voice)):
        return None
    return date.fromisoformat(last["from"])


def _named(matter: Matter) -> list[str]:
    return [str(getattr(matter, facet.value)) for facet in _LOOKED_AT]


def _settle(session: Session, moved: Sequence[Moved], *, user_id: int | None, changes_cases: bool = False) -> None:
    """Whom the nearest deadline puts in front of each case, and its course. ``changes_cases``: this is a change of its own to them."""
    about: dict[int, list[Moved]] = defaultdict(list)
    for one in moved:
        if one.voice.case_id is not None:
            about[one.voice.case_id].append(one)
    if not about:
        return
    members: dict[int, list[Voice]] = defaultdict(list)
    for voice in session.scalars(select(Voice).where(among(session, Voice.case_id, sorted(about))).order_by(Voice.id)):
        members[voice.case_id or 0].append(voice)
    now = utc_now()
    for case in session.scalars(select(Case).where(among(session, Case.id, sorted(about))).order_by(Case.id).with_for_update()):
        casework.tie(case, members[case.id])
        if changes_cases:
            case.version += 1
            case.changed_at, case.changed_by = now, user_id
        session.add(CaseEvent(case_id=case.id, at=now, user_id=user_id, kind=Step.RECOUNT.value, detail=_detail(about[case.id])))
    session.flush()


def _detail(moved: Sequence[Moved]) -> dict[str, Any]:
    """Of one voice's deadline from which day to which; of several, the nearest one's."""
    first = min(moved, key=lambda one: (one.after, one.voice.id))
    because = [why for why in (*_LOOKED_AT, INTERIM) if any(why in one.because for one in moved)]
    return {"from": first.before.isoformat(), "to": first.after.isoformat(), "voices": len(moved), "because": because}
