"""What stands in a morning digest, and that nobody gets it twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core import db
from core.calendar import OpenDays
from core.deadline_rules import DeadlineRule, DeadlineRules, Term
from core.models import Case, CasePart, DigestMark, Kind, Status, Voice
from loop import digest, forecast
from loop.digest import LINES, Digest, Part
from loop.pace import LEAST
from tests import factories

CALENDAR = OpenDays()
RULES = DeadlineRules(CALENDAR)
DAY = date(2026, 11, 24)  # a Tuesday; Monday the 23rd is 勤労感謝の日
ROADS, NURSERY = "道路維持課", "保育課"


def voice(engine: Engine, **values: object) -> str:
    common = {"department": ROADS, "kind": Kind.REQUEST, "labelled": False, "received_on": date(2026, 11, 10)}
    with db.writing(engine) as session:
        return factories.create_voice(session, **{**common, **values}).receipt_number


def read(engine: Engine, department: str = "", **given: Any) -> Digest:
    with db.reading(engine) as session:
        return digest.read(session, given.pop("rules", RULES), **{"day": DAY, "department": department, **given})


def told(found: Digest) -> dict[Part, list[str]]:
    assert all(section.count == len(section.lines) for section in found.sections)
    return {section.part: [line.receipt_number for line in section.lines] for section in found.sections if section.count}


def pause(engine: Engine, number: str, since: date) -> None:
    with db.writing(engine) as session:
        found = session.scalars(select(Voice).where(Voice.receipt_number == number)).one()
        case = Case(
            lead_id=found.id, status=found.status, opened_at=factories.NOON, changed_at=factories.NOON, paused_on=since
        )  # fmt: skip
        session.add(case)
        session.flush()
        found.case_id = case.id


def asked(engine: Engine, number: str, due_on: date | None, **values: Any) -> str:
    """Asks the nursery's department for a part of a voice."""
    with db.writing(engine) as session:
        found = session.scalars(select(Voice).where(Voice.receipt_number == number)).one()
        case = factories.create_case(session, found)
        common = {"case_id": case.id, "department": NURSERY, "asked_at": factories.NOON, "added_at": factories.NOON, "due_on": due_on}
        session.add(CasePart(**{**common, **values}))
    return number


def test_what_others_ask_of_a_department_and_want_soon_is_told_to_it_alone(engine: Engine) -> None:
    far = date(2027, 1, 12)
    later = asked(engine, voice(engine, due_on=far), date(2026, 11, 27))
    passed = asked(engine, voice(engine, due_on=far), date(2026, 11, 20))
    asked(engine, voice(engine, due_on=far), date(2026, 11, 30))  # the fourth open day
    asked(engine, voice(engine, due_on=far), None)
    asked(engine, voice(engine, due_on=far), DAY, replied_at=factories.NOON)
    asked(engine, voice(engine, due_on=far), DAY, asked_at=None)
    asked(engine, voice(engine, due_on=far, status=Status.ANSWERED), DAY)
    found = read(engine, NURSERY)
    assert told(found) == {Part.ASKED: [passed, later]}
    (section,) = (section for section in found.sections if section.count)
    assert [line.asked_by for line in section.lines] == [date(2026, 11, 20), date(2026, 11, 27)]
    assert told(read(engine, ROADS)) == {}
    assert told(read(engine)) == {}


def test_each_voice_stands_where_it_belongs(engine: Engine) -> None:
    oldest = voice(engine, due_on=date(2026, 11, 18))
    late = voice(engine, due_on=date(2026, 11, 20))
    today = voice(engine, due_on=DAY)
    soon = voice(engine, due_on=date(2026, 11, 27))
    voice(engine, due_on=date(2026, 11, 30))  # the fourth open day
    voice(engine, due_on=date(2026, 11, 20), status=Status.ANSWERED)
    voice(engine, due_on=date(2026, 11, 20), folded=True)
    asked = voice(engine, due_on=date(2026, 11, 19))
    pause(engine, asked, date(2026, 11, 12))
    # Since Friday morning, the last open day; in the night before it wasn't.
    fresh = voice(engine, due_on=None, created_at=datetime(2026, 11, 19, 15, 0, tzinfo=UTC))
    voice(engine, due_on=None, created_at=datetime(2026, 11, 19, 14, 59, tzinfo=UTC))
    voice(engine, due_on=None, created_at=datetime(2026, 11, 23, tzinfo=UTC), received_on=date(2025, 11, 23))
    other = voice(engine, due_on=DAY, department=NURSERY)

    expected = {Part.OVERDUE: [late, oldest], Part.TODAY: [today], Part.SOON: [soon], Part.NEW: [fresh], Part.WAITING: [asked]}
    found = read(engine, ROADS)
    assert told(found) == expected
    assert [line.left for line in found.sections[0].lines] == [-1, -3]
    assert next(section for section in found.sections if section.part is Part.WAITING).lines[0].since == date(2026, 11, 12)
    assert told(read(engine)) == {**expected, Part.TODAY: [today, other]}
    assert told(read(engine, NURSERY)) == {Part.TODAY: [other]}
    assert read(engine, "ない課").is_empty


def test_interim_replies_that_are_due_are_told_until_one_was_given(engine: Engine) -> None:
    rules = DeadlineRules(CALENDAR, DeadlineRule(interim=Term(12)))
    far = date(2027, 1, 29)
    common = {"due_on": far, "department": ROADS}
    voice(engine, received_on=date(2026, 11, 12), **common)  # 1 December, the fifth open day from now
    soon = voice(engine, received_on=date(2026, 11, 10), **common)  # the 27th
    past = voice(engine, received_on=date(2026, 11, 2), **common)  # the 19th
    replied = voice(engine, received_on=date(2026, 11, 10), **common)
    pause(engine, voice(engine, received_on=date(2026, 11, 2), **common), date(2026, 11, 12))
    pause(engine, replied, date(2026, 11, 12))
    with db.writing(engine) as session:
        case = session.scalars(select(Case).order_by(Case.id.desc()).limit(1)).one()
        case.paused_on, case.interim_on = None, date(2026, 11, 20)
    found = next(section for section in read(engine, rules=rules).sections if section.part is Part.INTERIM)
    assert [(line.receipt_number, line.interim_by) for line in found.lines] == [(soon, date(2026, 11, 27)), (past, date(2026, 11, 19))]
    assert read(engine).count(Part.INTERIM) == 0


def test_only_the_first_lines_are_told_and_all_are_counted(engine: Engine) -> None:
    for _ in range(LINES + 2):
        voice(engine, due_on=DAY)
    section = next(section for section in read(engine).sections if section.part is Part.TODAY)
    assert (section.count, len(section.lines)) == (LINES + 2, LINES)


def test_what_may_tell_the_writer_is_left_out(engine: Engine) -> None:
    voice(engine, due_on=DAY, reidentifying=["病気・障害"])
    voice(engine, due_on=DAY, title="歩道の段差")
    hidden, shown = (line.text for line in read(engine).sections[1].lines)
    assert hidden == ""
    assert shown.startswith("歩道の段差　")


def test_likely_late_is_told_beyond_what_is_soon_anyway(engine: Engine) -> None:
    for number in range(LEAST):
        received = DAY - timedelta(days=40 + number)
        past = voice(engine, received_on=received, due_on=CALENDAR.add(received, 10), status=Status.ANSWERED)
        with db.writing(engine) as session:
            found = session.scalars(select(Voice).where(Voice.receipt_number == past)).one()
            factories.create_answer(session, found, answered_on=CALENDAR.add(received, 15))
    soon = voice(engine, received_on=date(2026, 11, 12), due_on=date(2026, 11, 27))
    later = voice(engine, received_on=date(2026, 11, 20), due_on=CALENDAR.add(date(2026, 11, 20), 10))
    forecast.update(engine, CALENDAR, today=DAY)
    found = read(engine, ROADS)
    assert told(found) == {Part.SOON: [soon], Part.LIKELY_LATE: [later]}
    assert next(line for section in found.sections for line in section.lines if line.chance).chance == pytest.approx(0.95, abs=0.05)


def test_a_recipient_is_claimed_once_a_day(engine: Engine) -> None:
    def claim(recipient: str, day: date) -> bool:
        with db.writing(engine) as session:
            return digest.claim(session, recipient, day=day)

    assert claim("user:1", DAY)
    assert not claim("user:1", DAY)
    assert claim("user:2", DAY)
    assert claim("user:1", DAY + timedelta(days=1))
    with db.writing(engine) as session:
        digest.unclaim(session, "user:1", day=DAY)
    assert claim("user:1", DAY)
    assert claim("user:1", DAY + timedelta(days=90))
    with db.reading(engine) as session:
        assert session.scalars(select(DigestMark.day)).all() == [DAY + timedelta(days=90)]
