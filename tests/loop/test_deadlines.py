from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from core import db
from core.calendar import OpenDays
from core.deadline_rules import Count, DeadlineRule, DeadlineRules, SpecialRule, Start, Term
from core.models import CasePause, Channel, Urgency
from loop.deadlines import Deadlines, due_of, interim_of
from tests import factories

DANGER = SpecialRule((("urgency", frozenset([Urgency.LIFE])),), DeadlineRule(Term(1), Start.SAME_DAY))
PAPER = SpecialRule((("channel", frozenset([Channel.LETTER.value])),), DeadlineRule(Term(14, Count.CALENDAR_DAYS), interim=Term(5)))
RULES = DeadlineRules(OpenDays(), exceptions=(DANGER, PAPER))


def test_a_voice_is_due_by_what_it_is_now(sqlite_engine: Engine) -> None:
    with db.writing(sqlite_engine) as session:
        voice = factories.create_voice(session, received_on=date(2026, 4, 4), channel=Channel.EMAIL, urgency=Urgency.NORMAL)
    assert (due_of(voice, RULES), interim_of(voice, RULES)) == (date(2026, 4, 17), None)
    voice.channel = Channel.LETTER
    assert (due_of(voice, RULES), interim_of(voice, RULES)) == (date(2026, 4, 20), date(2026, 4, 10))
    voice.urgency = Urgency.LIFE
    assert due_of(voice, RULES) == date(2026, 4, 6)


def test_a_cases_pauses_move_its_voices_deadlines(sqlite_engine: Engine) -> None:
    with db.writing(sqlite_engine) as session:
        voice = factories.create_voice(session, received_on=date(2026, 4, 1), channel=Channel.EMAIL, urgency=Urgency.NORMAL)
    ended = CasePause(case_id=1, since=date(2026, 4, 6), until=date(2026, 4, 8), reason="asked")
    lasting = CasePause(case_id=1, since=date(2026, 4, 13), until=None, reason="asked")
    assert due_of(voice, RULES, pauses=[ended]) == date(2026, 4, 20)
    assert due_of(voice, RULES, pauses=[ended, lasting]) is None


def test_what_is_soon_is_the_citys_to_say() -> None:
    friday = date(2026, 4, 3)
    assert Deadlines(OpenDays(), friday).soon == date(2026, 4, 8)
    assert Deadlines(OpenDays(), friday, soon=1).soon == date(2026, 4, 6)
