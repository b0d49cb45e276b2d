"""Who sees what, and what is new to whom. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import db
from core.clock import utc_now
from core.models import Case, Look, Role, Voice
from loop import cases, looks
from loop.actors import Actor
from tests import factories
from tests.loop.people import somebody, target
from tests.web.conftest import queries_of

MINUTE = timedelta(minutes=1)


def fresh(session: Session, **values: object) -> Voice:
    return factories.create_voice(session, created_at=utc_now() - MINUTE, **values)


def wind_back(session: Session, who: Actor, voice: Voice, by: timedelta) -> None:
    look = session.get_one(Look, (who.user_id, voice.id))
    look.seen_at -= by
    if look.here_at is not None:
        look.here_at -= by
    session.flush()


def test_others_are_told_who_is_there_until_they_are_gone(engine: Engine) -> None:
    with db.writing(engine) as session:
        me, first, second = (somebody(session, display_name=name) for name in ("潮見 花子", "港 一郎", "山手 次郎"))
        voice, other = fresh(session), fresh(session)
        for who in (me, first):
            looks.see(session, voice.id, actor=who)
        wind_back(session, first, voice, timedelta(seconds=50))
        looks.beat(session, voice.id, actor=second)
        looks.see(session, other.id, actor=second)
        assert looks.beside(session, voice.id, actor=me) == ["山手 次郎", "港 一郎"]
        wind_back(session, first, voice, timedelta(seconds=45))
        assert looks.beside(session, voice.id, actor=me) == ["山手 次郎"]
        looks.beat(session, voice.id, actor=first)
        assert looks.beside(session, voice.id, actor=second) == ["港 一郎", "潮見 花子"]


def test_what_nobody_opened_is_unread_and_what_somebody_else_changed_again(engine: Engine) -> None:
    with db.writing(engine) as session:
        me, other = somebody(session), somebody(session)
        voices = [fresh(session) for _ in range(4)]
        numbers = [voice.id for voice in voices]
        old = factories.create_voice(session, created_at=utc_now() - looks.KEPT_FOR - MINUTE)
        assert looks.unread(session, [*numbers, old.id], actor=me) == set(numbers)
        for voice in voices[:3]:
            looks.see(session, voice.id, actor=me)
        assert looks.unread(session, numbers, actor=me) == {numbers[3]}
        cases.close(session, [target(voices[0])], "noted", actor=other)
        cases.close(session, [target(voices[1])], "noted", actor=me)
        assert looks.unread(session, numbers, actor=me) == {numbers[0], numbers[3]}
        assert looks.unread(session, numbers[:3], actor=other) == set(numbers[:3])
        looks.beat(session, numbers[0], actor=me)
        assert numbers[0] in looks.unread(session, numbers, actor=me), "the open page shows what was before"
        looks.see(session, numbers[0], actor=me)
        assert looks.unread(session, numbers, actor=me) == {numbers[3]}
        assert looks.unread(session, [], actor=me) == set()


def test_voices_that_the_machine_adds_make_a_case_unread(engine: Engine) -> None:
    with db.writing(engine) as session:
        me = somebody(session)
        voices = [fresh(session, theme="公園・緑地") for _ in range(3)]
        cases.take_over(session, [target(voices[0])], actor=me)
        for voice in voices:
            looks.see(session, voice.id, actor=me)
        case_id = voices[0].case_id
        assert case_id is not None
        case = session.get_one(Case, case_id)
        case.changed_by, case.changed_at = None, utc_now()
        session.flush()
        assert looks.unread(session, [voice.id for voice in voices], actor=me) == {voices[0].id}


def test_a_look_is_written_once_a_minute_but_at_once_when_there_is_news(engine: Engine) -> None:
    with db.writing(engine) as session:
        me, other, voice = somebody(session), somebody(session), fresh(session)
        assert looks.due(session, voice, actor=me)
        looks.see(session, voice.id, actor=me)
        assert not looks.due(session, voice, actor=me)
        assert not looks.due(session, voice, actor=me, opening=False)
        cases.close(session, [target(voice)], "noted", actor=other)
        session.refresh(voice)
        assert looks.due(session, voice, actor=me)
        assert not looks.due(session, voice, actor=me, opening=False)
        looks.see(session, voice.id, actor=me)
        assert not looks.due(session, voice, actor=me)
        wind_back(session, me, voice, MINUTE)
        assert looks.due(session, voice, actor=me)
        assert looks.due(session, voice, actor=me, opening=False)


def test_each_takes_one_statement(engine: Engine) -> None:
    with db.writing(engine) as session:
        me, voices = somebody(session, Role.DEPARTMENT), [fresh(session) for _ in range(60)]
        session.flush()
        for act in (
            lambda: looks.due(session, voices[0], actor=me),
            lambda: looks.see(session, voices[0].id, actor=me),
            lambda: looks.beat(session, voices[0].id, actor=me),
            lambda: looks.beside(session, voices[0].id, actor=me),
            lambda: looks.unread(session, [voice.id for voice in voices], actor=me),
        ):
            with queries_of(engine) as sent:
                act()
            assert len(sent) == 1


@pytest.mark.parametrize(("days", "left"), [(89, 1), (91, 0)])
def test_looks_of_long_ago_are_forgotten(engine: Engine, days: int, left: int) -> None:
    with db.writing(engine) as session:
        me, voice = somebody(session), fresh(session)
        looks.see(session, voice.id, actor=me)
        wind_back(session, me, voice, timedelta(days=days))
        assert looks.sweep(session) == 1 - left
        assert session.scalar(select(func.count()).select_from(Look)) == left
