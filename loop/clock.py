"""The clock of a case: stopped while somebody else has to answer first, and started again with the open days that were left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bulk import among
from core.clock import today
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, InputError
from core.models import Case, CasePause, DeskAct, Voice
from loop.actors import Actor
from loop.deadlines import due_of
from loop.handling import Handled, Target, changing, take
from loop.steps import Step

PAUSE_REASONS = {"resident": "本人に確認している", "other_office": "ほかの機関に照会している", "on_site": "現地の調査を待っている"}


def stop(session: Session, target: Target, reason: str, *, actor: Actor) -> DeskAct:
    """Stops the clock today: the case's voices have no deadline until it goes on.

    Raises:
        InputError: the reason isn't one of ``PAUSE_REASONS``.
        ConflictError: it stands still already, or none of the voices has a deadline.
    """
    if reason not in PAUSE_REASONS:
        raise InputError("理由が選ばれていません。", hint="理由を一覧から選んでください。")
    (item,) = take(session, [target], actor=actor)
    if item.case.paused_on is not None:
        raise ConflictError("期限は、すでに止まっています。", hint="画面を開きなおしてください。")
    running = [voice for voice in item.voices if voice.due_on is not None]
    if not running:
        raise ConflictError("この案件には、回答期限がありません。", hint="期限のある声だけを止められます。")
    with changing(session, [item], Step.PAUSE, actor=actor, detail={"reason": reason}) as act:
        item.case.paused_on = today()
        session.add(CasePause(case_id=item.case.id, since=today(), reason=reason, voices=[voice.id for voice in running]))
        for voice in running:
            voice.due_on = None
    return act


def go_on(session: Session, target: Target, *, actor: Actor, rules: DeadlineRules, on: date | None = None) -> DeskAct:
    """Starts the clock again as of ``on``, the day on which the answer came (today): the next day is counted.

    Raises:
        ConflictError: it isn't stopped.
        InputError: the day is before the stop or in the future.
    """
    (item,) = take(session, [target], actor=actor)
    since, day = item.case.paused_on, on or today()
    if since is None:
        raise ConflictError("期限は、止まっていません。", hint="画面を開きなおしてください。")
    if not since <= day <= today():
        raise InputError("再開する日が読めません。", hint=f"{since.isoformat()} から今日までの日を入れてください。")
    with changing(session, [item], Step.RESUME, actor=actor, detail={"on": day.isoformat()}) as act:
        item.case.paused_on = None
        for pause in _open(session, item):
            pause.until = day
        session.flush()
        _count_anew(session, item, rules)
    return act


def pauses_of(session: Session, cases: Collection[int] | None = None) -> dict[tuple[int | None, int], list[CasePause]]:
    """The times for which voices' clocks stood still, by case and voice, in one statement: of some cases' voices, or of all.

    A voice's own are those of the case that it is in: what stands in one that it has left is kept for the way back.
    """
    statement = select(CasePause).order_by(CasePause.id)
    if cases is not None:
        if not cases:
            return {}
        statement = statement.where(among(session, CasePause.case_id, sorted(cases)))
    found: dict[tuple[int | None, int], list[CasePause]] = defaultdict(list)
    for pause in session.scalars(statement):
        for voice in pause.voices:
            found[pause.case_id, voice].append(pause)
    return dict(found)


def carry(session: Session, source: Case, to: Case, voices: Collection[Voice]) -> None:
    """Gives a case the pauses of voices that come from another one: the days for which their clocks stood still go with them.

    What stood there stays, for the way back; a day is taken out of the count once, however many pauses it is in.
    """
    going = {voice.id for voice in voices}
    for pause in session.scalars(select(CasePause).where(CasePause.case_id == source.id).order_by(CasePause.id)).all():
        if theirs := [number for number in pause.voices if number in going]:
            session.add(CasePause(case_id=to.id, since=pause.since, until=pause.until, reason=pause.reason, voices=theirs))
            if pause.until is None:
                to.paused_on = max(to.paused_on or pause.since, pause.since)


def _open(session: Session, item: Handled) -> list[CasePause]:
    return list(session.scalars(select(CasePause).where(CasePause.case_id == item.case.id, CasePause.until.is_(None))))


def _count_anew(session: Session, item: Handled, rules: DeadlineRules) -> None:
    pauses = pauses_of(session, [item.case.id])
    for voice in item.voices:
        if own := pauses.get((item.case.id, voice.id)):
            voice.due_on = due_of(voice, rules, pauses=own, replied_on=item.case.interim_on)
