"""What is expected of the week's deadlines and which voices are likely to be late, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, insert

from core import db
from core.calendar import OpenDays
from core.deadline_rules import DeadlineRules
from core.models import Forecast, Kind, Role, Status
from loop import forecast, outlook
from loop.pace import LEAST
from tests import factories
from tests.loop.people import somebody

RULES = DeadlineRules(OpenDays())
ROADS, NURSERY = "道路維持課", "保育課"
TUESDAY = date(2026, 11, 24)  # Monday the 23rd is 勤労感謝の日


def foresee(engine: Engine, as_of: date, *, department: str = ROADS) -> None:
    """One more deadline is expected to pass on each open day."""
    late = [float(number + 1) for number in range(forecast.HORIZON + 1)]
    with db.writing(engine) as session:
        session.execute(
            insert(Forecast).values(
                department=department, as_of=as_of, open=20, overdue=0, expected_late=late, expected_in_all=late[-1]
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("today", "as_of", "expected", "until", "is_next"),
    [
        (TUESDAY, TUESDAY, 4, date(2026, 11, 29), False),  # 24 25 26 27
        (date(2026, 11, 27), date(2026, 11, 27), 1, date(2026, 11, 29), False),  # Friday: today's alone
        (date(2026, 11, 28), date(2026, 11, 28), 6, date(2026, 12, 6), True),  # Saturday: today's none, and Monday to Friday
        (date(2026, 11, 23), date(2026, 11, 23), 5, date(2026, 11, 29), False),  # a holiday, with open days to come
        (date(2026, 11, 26), date(2026, 11, 25), 2, date(2026, 11, 29), False),  # yesterday's, without what was due then
    ],
)
def test_the_rest_of_the_week(engine: Engine, today: date, as_of: date, expected: int, until: date, *, is_next: bool) -> None:
    foresee(engine, as_of)
    with db.reading(engine) as session:
        found = outlook.week_ahead(session, RULES, today=today, department=ROADS)
        assert found is not None
        assert (found.expected, found.until, found.is_next) == (expected, until, is_next)
        assert outlook.week_ahead(session, RULES, today=today, department=NURSERY) is None


@pytest.mark.parametrize("age", [-1, 4])
def test_a_forecast_of_other_days_is_not_told(engine: Engine, age: int) -> None:
    foresee(engine, TUESDAY - timedelta(days=age))
    with db.reading(engine) as session:
        assert outlook.week_ahead(session, RULES, today=TUESDAY, department=ROADS) is None


def test_who_is_likely_to_be_late(engine: Engine) -> None:
    with db.writing(engine) as session:
        for department, days in ((ROADS, 12), (NURSERY, 3)):
            for number in range(LEAST * 3):
                received = TUESDAY - timedelta(days=40 + number)
                voice = factories.create_voice(
                    session, department=department, kind=Kind.REQUEST, received_on=received, due_on=RULES.due_on(received),
                    status=Status.ANSWERED, labelled=False,
                )  # fmt: skip
                factories.create_answer(session, voice, answered_on=RULES.calendar.add(received, days))
        common = {"kind": Kind.REQUEST, "labelled": False, "received_on": date(2026, 11, 16)}
        slow = factories.create_voice(session, **common, department=ROADS, due_on=date(2026, 11, 30))
        for department, due, more in (
            (NURSERY, date(2026, 12, 8), {"received_on": TUESDAY}),
            (ROADS, date(2027, 3, 1), {}),
            (ROADS, date(2026, 11, 30), {"status": Status.ANSWERED}),
            (ROADS, date(2026, 11, 20), {}),
        ):
            factories.create_voice(session, **{**common, "department": department, "due_on": due, **more})
        clerk = somebody(session, Role.DEPARTMENT, department=ROADS)
        other = somebody(session, Role.DEPARTMENT, department=NURSERY)
    forecast.update(engine, RULES.calendar, today=TUESDAY)
    with db.reading(engine) as session:
        for who, department, count in ((None, "", 1), (None, NURSERY, 0), (clerk, ROADS, 1), (clerk, "", 1), (other, "", 0)):
            found, told = outlook.likely_late(session, RULES, today=TUESDAY, seen_by=who, department=department)
            assert (found, [item.receipt_number for item in told]) == (count, [slow.receipt_number] * count)
        (item,) = outlook.likely_late(session, RULES, today=TUESDAY, seen_by=None)[1]
        assert item.chance > 0.9
        assert outlook.likely_late(session, RULES, today=TUESDAY, seen_by=None, limit=0) == (1, [])
