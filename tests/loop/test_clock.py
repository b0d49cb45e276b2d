"""The clock of a case, by the sample city's rule: ten open days from the next day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock as time
from core import db, deadline_file
from core.deadline_rules import DeadlineRules
from core.errors import ConflictError, InputError
from core.models import Case, CasePause, Voice
from core.settings import Settings
from loop import clock, handling, merging
from loop.actors import Actor
from loop.handling import Target
from tests import factories
from tests.loop.people import somebody


@pytest.fixture
def rules(settings: Settings) -> DeadlineRules:
    return deadline_file.load(settings.taxonomy_dir)


TurnTo = Callable[[date], None]


@pytest.fixture
def turn_to(monkeypatch: pytest.MonkeyPatch) -> TurnTo:
    """Lets days pass between two acts."""
    return lambda day: monkeypatch.setattr(clock, "today", lambda: day)


def started(session: Session, rules: DeadlineRules, *, received_on: date) -> tuple[Actor, Voice, Target]:
    voice = factories.create_voice(session, received_on=received_on, due_on=rules.due_on(received_on))
    return somebody(session), voice, Target(voice.receipt_number)


def test_the_days_that_were_left_are_left_when_it_goes_on(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        who, voice, target = started(session, rules, received_on=date(2026, 11, 2))
        assert voice.due_on == date(2026, 11, 17)  # 3 November is a holiday
        turn_to(date(2026, 11, 9))
        clock.stop(session, target, "resident", actor=who)
        assert (voice.due_on, session.scalar(select(Case.paused_on))) == (None, date(2026, 11, 9))
        turn_to(date(2026, 11, 25))
        clock.go_on(session, target, actor=who, rules=rules, on=date(2026, 11, 24))
        # 4, 5 and 6 November were counted: seven days from the 25th.
        assert voice.due_on == date(2026, 12, 3)
        assert session.scalar(select(Case.paused_on)) is None


def test_both_acts_can_be_taken_back(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        who, voice, target = started(session, rules, received_on=date(2026, 11, 2))
        due = voice.due_on
        turn_to(date(2026, 11, 9))
        stopped = clock.stop(session, target, "resident", actor=who)
        gone_on = clock.go_on(session, target, actor=who, rules=rules)
        handling.undo(session, gone_on.id, actor=who)
        session.flush()
        assert (voice.due_on, session.scalars(select(CasePause.until)).all()) == (None, [None])
    with db.writing(engine) as session:
        again = clock.go_on(session, target, actor=who, rules=rules)
        handling.undo(session, again.id, actor=who)
    with db.writing(engine) as session, pytest.raises(ConflictError):
        handling.undo(session, stopped.id, actor=who)  # the case has been changed since
    with db.reading(engine) as session:
        assert session.get_one(Voice, voice.id).due_on is None
        assert due is not None


def test_a_stop_that_is_taken_back_leaves_nothing(engine: Engine, rules: DeadlineRules) -> None:
    with db.writing(engine) as session:
        who, voice, target = started(session, rules, received_on=time.today())
        due = voice.due_on
        handling.undo(session, clock.stop(session, target, "on_site", actor=who).id, actor=who)
        session.flush()
        assert (session.get_one(Voice, voice.id).due_on, session.scalars(select(CasePause.id)).all()) == (due, [])


def test_a_voice_without_a_deadline_gets_none(engine: Engine, rules: DeadlineRules) -> None:
    with db.writing(engine) as session:
        who, voice, target = started(session, rules, received_on=time.today())
        survey = factories.create_voice(session, due_on=None)
        merging.merge(session, [target, Target(survey.receipt_number)], actor=who)
        clock.stop(session, target, "resident", actor=who)
        clock.go_on(session, target, actor=who, rules=rules)
        assert voice.due_on is not None
        assert survey.due_on is None


def test_what_makes_no_sense_is_refused(engine: Engine, rules: DeadlineRules) -> None:
    with db.writing(engine) as session:
        who, _, target = started(session, rules, received_on=time.today())
        with pytest.raises(ConflictError, match="止まっていません"):
            clock.go_on(session, target, actor=who, rules=rules)
        with pytest.raises(InputError, match="理由"):
            clock.stop(session, target, "lunch", actor=who)
        clock.stop(session, target, "resident", actor=who)
        with pytest.raises(ConflictError, match="すでに止まって"):
            clock.stop(session, target, "resident", actor=who)
        with pytest.raises(InputError, match="再開する日"):
            clock.go_on(session, target, actor=who, rules=rules, on=time.today() + timedelta(days=1))
        survey = factories.create_voice(session, due_on=None)
        with pytest.raises(ConflictError, match="回答期限がありません"):
            clock.stop(session, Target(survey.receipt_number), "resident", actor=who)


def test_the_days_of_a_pause_go_with_the_voices(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        who, asked, target = started(session, rules, received_on=date(2026, 11, 2))
        other = factories.create_voice(session, received_on=date(2026, 11, 2), due_on=date(2026, 11, 17))
        turn_to(date(2026, 11, 5))
        clock.stop(session, target, "resident", actor=who)
        turn_to(date(2026, 11, 9))
        clock.go_on(session, target, actor=who, rules=rules)
        merged = merging.merge(session, [Target(other.receipt_number), target], actor=who)
        session.flush()
        clock.stop(session, target, "on_site", actor=who)
        turn_to(date(2026, 11, 11))
        clock.go_on(session, target, actor=who, rules=rules)
        # 4 November was counted of the one, 4, 5 and 6 of the other; the 9th to the 11th stand out for both.
        assert (asked.due_on, other.due_on) == (date(2026, 11, 25), date(2026, 11, 20))
        merging.split(session, target, [other.receipt_number], actor=who)
        session.flush()
        assert {pause.case_id for pause in session.scalars(select(CasePause)) if other.id in pause.voices} >= {other.case_id}
        clock.stop(session, Target(other.receipt_number), "resident", actor=who)
        turn_to(date(2026, 11, 12))
        clock.go_on(session, Target(other.receipt_number), actor=who, rules=rules)
        assert (asked.due_on, other.due_on) == (date(2026, 11, 25), date(2026, 11, 24))
        assert merged.undone_at is None


def test_a_stopped_clock_stays_stopped_through_a_split_and_its_undo(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        who, first, target = started(session, rules, received_on=date(2026, 11, 2))
        second = factories.create_voice(session, received_on=date(2026, 11, 2), due_on=date(2026, 11, 17))
        merging.merge(session, [target, Target(second.receipt_number)], actor=who)
        turn_to(date(2026, 11, 5))
        clock.stop(session, target, "resident", actor=who)
        split = merging.split(session, target, [second.receipt_number], actor=who)
        session.flush()
        assert session.get_one(Case, second.case_id).paused_on == date(2026, 11, 5)
        handling.undo(session, split.id, actor=who)
        turn_to(date(2026, 11, 9))
        done = clock.go_on(session, target, actor=who, rules=rules)
        assert (first.due_on, second.due_on) == (date(2026, 11, 20), date(2026, 11, 20))
        handling.undo(session, done.id, actor=who)
        assert (first.due_on, second.due_on) == (None, None)
        open_ones = select(CasePause).where(CasePause.until.is_(None))
        assert [sorted(pause.voices) for pause in session.scalars(open_ones)] == [sorted([first.id, second.id])]


def test_stopped_cases_are_put_together_with_stopped_ones_only(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        who, first, target = started(session, rules, received_on=date(2026, 11, 2))
        second = factories.create_voice(session, received_on=date(2026, 11, 2), due_on=date(2026, 11, 17))
        both = [target, Target(second.receipt_number)]
        turn_to(date(2026, 11, 5))
        clock.stop(session, target, "resident", actor=who)
        with pytest.raises(ConflictError, match="期限を止めている案件"):
            merging.merge(session, both, actor=who)
        turn_to(date(2026, 11, 6))
        clock.stop(session, both[1], "resident", actor=who)
        merged = merging.merge(session, both, actor=who)
        session.flush()
        assert session.get_one(Case, first.case_id).paused_on == date(2026, 11, 6)
        turn_to(date(2026, 11, 9))
        done = clock.go_on(session, target, actor=who, rules=rules)
        assert (first.due_on, second.due_on) == (date(2026, 11, 20), date(2026, 11, 19))
        handling.undo(session, done.id, actor=who)
        with pytest.raises(ConflictError):
            handling.undo(session, merged.id, actor=who)
        assert (first.due_on, second.due_on) == (None, None)


def test_what_has_no_deadline_joins_a_stopped_case(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        survey = factories.create_voice(session, due_on=None)
        who, voice, target = started(session, rules, received_on=date(2026, 11, 2))
        turn_to(date(2026, 11, 5))
        clock.stop(session, target, "resident", actor=who)
        merging.merge(session, [Target(survey.receipt_number), target], actor=who)
        session.flush()
        turn_to(date(2026, 11, 9))
        clock.go_on(session, Target(survey.receipt_number), actor=who, rules=rules)
        assert (voice.due_on, survey.due_on) == (date(2026, 11, 20), None)


def test_a_merge_that_is_taken_back_takes_its_pauses_back(engine: Engine, rules: DeadlineRules, turn_to: TurnTo) -> None:
    with db.writing(engine) as session:
        who, first, target = started(session, rules, received_on=date(2026, 11, 2))
        second = factories.create_voice(session, received_on=date(2026, 11, 2), due_on=date(2026, 11, 17))
        both = [target, Target(second.receipt_number)]
        turn_to(date(2026, 11, 5))
        for each in both:
            clock.stop(session, each, "resident", actor=who)
        handling.undo(session, merging.merge(session, both, actor=who).id, actor=who)
        session.flush()
        assert session.scalars(select(CasePause.voices).order_by(CasePause.id)).all() == [[first.id], [second.id]]
        turn_to(date(2026, 11, 9))
        clock.go_on(session, target, actor=who, rules=rules)
        assert (first.due_on, second.due_on) == (date(2026, 11, 20), None)
