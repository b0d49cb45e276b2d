"""The forecast over the tables, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event, func, select

from core import db
from core.calendar import OpenDays
from core.models import Case, Kind, Pace, Status, Voice
from loop import forecast
from loop.backtest import of_the_database
from loop.deadlines import Deadlines
from loop.pace import LEAST
from tests import factories

TODAY = date(2026, 10, 15)  # a Thursday
CALENDAR = OpenDays()
ROADS, NURSERY = "道路維持課", "保育課"


@pytest.fixture
def history(engine: Engine) -> Engine:
    """Roads answer most on the 4th open day, one in five on the 12th; the nursery department on the 2nd."""
    with db.writing(engine) as session:
        for number in range(LEAST):
            received = TODAY - timedelta(days=60 + number)
            for department, days in ((ROADS, 12 if number % 5 == 0 else 4), (NURSERY, 2)):
                voice = factories.create_voice(
                    session, received_on=received, department=department, kind=Kind.REQUEST, status=Status.ANSWERED,
                    labelled=False, due_on=CALENDAR.add(received, 10),
                )  # fmt: skip
                factories.create_answer(session, voice, answered_on=CALENDAR.add(received, days))
    return engine


def waiting(engine: Engine, **values: object) -> int:
    with db.writing(engine) as session:
        return factories.create_voice(session, labelled=False, **{"kind": Kind.REQUEST, "department": ROADS, **values}).id


def test_what_waits_longest_is_likeliest_to_be_late(history: Engine) -> None:
    fresh = waiting(history, received_on=TODAY, due_on=CALENDAR.add(TODAY, 10))
    old = waiting(history, received_on=date(2026, 10, 5), due_on=CALENDAR.add(date(2026, 10, 5), 10))  # the 7th open day today
    gone = waiting(history, received_on=date(2026, 9, 1), due_on=date(2026, 9, 15))
    undated = waiting(history, received_on=TODAY, due_on=None)
    quick = waiting(history, received_on=TODAY, due_on=CALENDAR.add(TODAY, 10), department=NURSERY)
    assert forecast.update(history, CALENDAR, today=TODAY) == 2 * LEAST
    deadlines = Deadlines(CALENDAR, TODAY)
    with db.reading(history) as session:
        voices = session.scalars(select(Voice).where(Voice.id.in_((fresh, old, gone, undated, quick)))).all()
        found = forecast.chances(session, voices, deadlines)
        assert set(found) == {fresh, old, gone, quick}
        assert found[gone] == 1.0
        assert found[quick] < found[fresh] < 0.5 < found[old] < 1.0
        assert [number for number, _ in forecast.likely_late(session, deadlines, Voice.department == ROADS)] == [old]
        assert forecast.likely_late(session, deadlines, Voice.department == NURSERY) == []

        city, *departments = forecast.outlooks(session)
        assert (city.department, city.open, city.overdue, city.as_of) == ("", 4, 1, TODAY)
        assert [item.department for item in departments] == [ROADS, NURSERY]
        roads = departments[0]
        # The old one is due in three open days, the fresh one in ten.
        assert roads.expected_late[2] == 0.0
        assert roads.expected_late[3] == pytest.approx(found[old], abs=0.01)
        assert roads.expected_late[10] == roads.expected_in_all == pytest.approx(found[old] + found[fresh], abs=0.01)
        assert forecast.outlooks(session, department=ROADS) == [roads]
        assert len(of_the_database(session)) == 2 * LEAST + 4


def test_a_day_later_it_is_made_anew(history: Engine) -> None:
    forecast.update(history, CALENDAR, today=TODAY)
    waiting(history, received_on=TODAY, due_on=CALENDAR.add(TODAY, 10))
    forecast.update(history, CALENDAR, today=TODAY + timedelta(days=1))
    with db.reading(history) as session:
        assert [item.open for item in forecast.outlooks(session)] == [1, 1]
        assert session.scalars(select(Pace.as_of).distinct()).all() == [TODAY + timedelta(days=1)]


def test_closing_ends_a_wait_and_what_is_folded_counts_once(history: Engine) -> None:
    with db.writing(history) as session:
        common = {"received_on": date(2026, 9, 1), "department": NURSERY, "labelled": False, "kind": Kind.QUESTION}
        voices = [factories.create_voice(session, status=Status.CLOSED, **common) for _ in range(2)]
        case = Case(
            lead_id=voices[0].id, status=Status.CLOSED, opened_at=factories.NOON, changed_at=factories.NOON, closed_on=date(2026, 9, 3)
        )  # fmt: skip
        session.add(case)
        session.flush()
        for number, voice in enumerate(voices):
            voice.case_id, voice.folded = case.id, number > 0
    forecast.update(history, CALENDAR, today=TODAY)
    with db.reading(history) as session:
        pace = session.get_one(Pace, (NURSERY, Kind.QUESTION.value))
        assert (pace.ended, pace.waiting) == (1, 0)
        assert pace.still_open[1] > pace.still_open[2]


def test_without_a_past_nothing_is_forecast(engine: Engine) -> None:
    waiting(engine, received_on=TODAY, due_on=TODAY)
    assert forecast.update(engine, CALENDAR, today=TODAY) == 0
    with db.reading(engine) as session:
        assert forecast.outlooks(session) == []
        assert forecast.chances(session, session.scalars(select(Voice)).all(), Deadlines(CALENDAR, TODAY)) == {}
        assert forecast.chances(session, [], Deadlines(CALENDAR, TODAY)) == {}


def test_a_page_reads_few_rows_in_one_statement(history: Engine) -> None:
    for _ in range(3):
        waiting(history, received_on=TODAY, due_on=CALENDAR.add(TODAY, 10))
    forecast.update(history, CALENDAR, today=TODAY)
    said: list[str] = []
    with db.reading(history) as session:
        voices = session.scalars(select(Voice).where(Voice.is_open)).all()
        event.listen(history, "before_cursor_execute", lambda *given: said.append(given[2]))
        forecast.chances(session, voices, Deadlines(CALENDAR, TODAY))
        forecast.outlooks(session)
        assert len(said) == 2
        assert not any("voices" in statement for statement in said)
        assert session.scalar(select(func.count()).select_from(Pace)) == 5
