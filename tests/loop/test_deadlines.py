from __future__ import annotations

from datetime import date

import pytest
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


@pytest.mark.parametrize(
    ("received_on", "pauses", "due", "interim"),
    [
        # Fourteen days from the next day, interim reply after ten (calendar days, on to the next open one).
        ("2026-04-01", [], "2026-04-15", "2026-04-13"),
        ("2025-12-22", [], "2026-01-05", "2026-01-05"),
        ("2026-04-01", [("2026-04-06", "2026-04-08")], "2026-04-20", "2026-04-14"),
        ("2026-04-24", [("2026-05-01", "2026-05-07")], "2026-05-15", "2026-05-11"),
        ("2026-04-01", [("2026-04-14", "2026-04-16")], "2026-04-20", "2026-04-13"),  # asked when the interim day had passed
        ("2026-04-01", [("2026-04-06", None)], None, None),
    ],
)
def test_an_interim_reply_waits_with_the_answer(
    sqlite_engine: Engine, received_on: str, pauses: list[tuple[str, str | None]], due: str | None, interim: str | None
) -> None:
    rules = DeadlineRules(
        OpenDays(), DeadlineRule(Term(14, Count.CALENDAR_DAYS), interim=Term(10, Count.CALENDAR_DAYS))
    )  # fmt: skip
    with db.writing(sqlite_engine) as session:
        voice = factories.create_voice(session, received_on=date.fromisoformat(received_on))
    stops = [
        CasePause(case_id=1, since=date.fromisoformat(since), until=until and date.fromisoformat(until), reason="asked")
        for since, until in pauses
    ]  # fmt: skip
    counted = due_of(voice, rules, pauses=stops), interim_of(voice, rules, pauses=stops)
    assert [day and day.isoformat() for day in counted] == [due, interim]


@pytest.mark.parametrize(
    ("replied_on", "start", "pauses", "due"),
    [
        (None, Start.NEXT_DAY, [], "2026-04-15"),
        ("2026-04-13", Start.NEXT_DAY, [], "2026-04-27"),  # 14 15 16 17 20 21 22 23 24 27
        ("2026-04-13", Start.SAME_DAY, [], "2026-04-24"),
        ("2026-04-27", Start.NEXT_DAY, [], "2026-05-15"),  # 28 30 1 7 8 11 12 13 14 15: 29 April and 3–6 May are closed
        ("2026-04-13", Start.NEXT_DAY, [("2026-04-20", "2026-04-22")], "2026-05-01"),  # 14 15 16 17, then 23 24 27 28 30 1
        ("2026-04-13", Start.NEXT_DAY, [("2026-04-20", None)], None),
        (
            "2026-04-02",
            Start.NEXT_DAY,
            [("2026-04-03", "2026-04-30")],
            "2026-05-19",
        ),  # all ten from 1 May on; of the first term nine were left, to the 18th
    ],
)
def test_after_an_interim_reply_days_are_counted_from_it(
    sqlite_engine: Engine, replied_on: str | None, start: Start, pauses: list[tuple[str, str | None]], due: str | None
) -> None:
    rules = DeadlineRules(OpenDays(), DeadlineRule(Term(10), start, interim=Term(8), after_interim=Term(10)))
    with db.writing(sqlite_engine) as session:
        voice = factories.create_voice(session, received_on=date(2026, 4, 1))
    stops = [
        CasePause(case_id=1, since=date.fromisoformat(since), until=until and date.fromisoformat(until), reason="asked")
        for since, until in pauses
    ]  # fmt: skip
    replied = date.fromisoformat(replied_on) if replied_on else None
    counted = due_of(voice, rules, pauses=stops, replied_on=replied)
    assert (counted and counted.isoformat()) == due


def test_what_is_soon_is_the_citys_to_say() -> None:
    friday = date(2026, 4, 3)
    assert Deadlines(OpenDays(), friday).soon == date(2026, 4, 8)
    assert Deadlines(OpenDays(), friday, soon=1).soon == date(2026, 4, 6)
