from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from core import db
from core.calendar import OpenDays
from loop.periods import Period, Preset, named
from loop.topic_course import a_year_before, course
from tests import factories
from tests.web.conftest import queries_of

LAST = date(2026, 9, 30)
WHOLE = Period(LAST - timedelta(days=799), LAST)


@pytest.fixture
def topic(engine: Engine) -> int:
    """A voice every third day in a topic below another, and one on each other day in none; gives the upper topic."""
    with db.writing(engine) as session:
        days = [WHOLE.since + timedelta(days=offset) for offset in range(WHOLE.days)]
        voices = [factories.create_voice(session, received_on=day, labelled=False) for day in days]
        above = factories.create_topic(session, name="道")
        factories.create_topic(session, name="歩道", voices=voices[::3], parent_id=above.id)
        return int(above.id)


def test_steps_are_told_beside_those_of_the_year_before_without_a_look_at_voices(engine: Engine, topic: int) -> None:
    for preset in Preset:
        period = named(preset, first=WHOLE.since, last=LAST)
        with db.reading(engine) as session, queries_of(engine) as statements:
            steps = course(session, topic, period, whole=WHOLE, offices=OpenDays())
        assert statements
        assert not [statement for statement in statements if "voices" in statement.split("FROM")[-1]]
        assert [step.first for step in steps] == period.steps()
        spans = [day for step in steps for day in (step.span.since, step.span.until)]
        assert (spans[0], spans[-1]) == (period.since, period.until)
        for step in steps:
            assert step.count == pytest.approx(step.span.days / 3, abs=1)
            assert (step.before is None) is (step.span_before.since < WHOLE.since)
            if step.before is not None:
                assert step.before == pytest.approx(step.span_before.days / 3, abs=1)
        assert sum(step.count for step in steps) == pytest.approx(period.days / 3, abs=1)


def test_what_goes_on_as_ever_is_what_was_expected(engine: Engine, topic: int) -> None:
    period = named(Preset.YEAR, first=WHOLE.since, last=LAST)
    with db.reading(engine) as session:
        steps = course(session, topic, period, whole=WHOLE, offices=OpenDays())
    for step in steps:
        assert step.expected == pytest.approx(step.span.days / 3, rel=0.2)


def test_nothing_is_expected_of_a_short_past(engine: Engine, topic: int) -> None:
    early = Period(WHOLE.since, WHOLE.since + timedelta(days=40))
    with db.reading(engine) as session:
        steps = course(session, topic, early, whole=WHOLE, offices=OpenDays())
    assert {(step.before, step.expected) for step in steps} == {(None, None)}


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        ("2025-02-01", "2025-02-28", "2024-02-01", "2024-02-29"),
        ("2024-02-01", "2024-02-29", "2023-02-01", "2023-02-28"),
        ("2024-02-29", "2024-02-29", "2023-02-28", "2023-02-28"),
        ("2026-03-05", "2026-03-18", "2025-03-05", "2025-03-18"),
    ],
)
def test_a_month_stays_a_month(since: str, until: str, first: str, last: str) -> None:
    span = Period(date.fromisoformat(since), date.fromisoformat(until))
    assert a_year_before(span) == Period(date.fromisoformat(first), date.fromisoformat(last))
