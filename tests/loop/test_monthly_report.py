"""A month's report: which months are compared, what is counted, which rises and changes belong to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.models import Kind, Status, TopicEventKind
from loop import monthly_report
from loop.monthly_report import MonthCount, disjoint, months_of, newest
from loop.periods import Period
from tests import factories

WHOLE = Period(date(2025, 9, 1), date(2026, 10, 14))


def fill(session: Session) -> None:
    """Voices on the first day of the data and of three months, and on a day late in one of them."""
    for day, count in (
        (date(2025, 9, 1), 4), (date(2025, 9, 30), 1), (date(2025, 10, 3), 2), (date(2025, 10, 20), 5), (date(2026, 8, 1), 3),
        (date(2026, 9, 2), 6), (date(2026, 9, 29), 7), (date(2026, 10, 14), 8),
    ):  # fmt: skip
        for _ in range(count):
            factories.create_voice(session, received_on=day, theme="道路・交通", kind=Kind.REQUEST, labelled=False)


@pytest.mark.parametrize(
    ("month", "period", "before", "last_year", "counts"),
    [
        # A month that is over: whole months beside it.
        (date(2026, 9, 1), (1, 30), (date(2026, 8, 1), date(2026, 8, 31)), (date(2025, 9, 1), date(2025, 9, 30)), (13, 3, 5)),
        # One that isn't: as many days of the others.
        (date(2026, 10, 1), (1, 14), (date(2026, 9, 1), date(2026, 9, 14)), (date(2025, 10, 1), date(2025, 10, 14)), (8, 6, 2)),
        # The first: nothing to compare with. A month before and one after the data: nothing at all.
        (date(2025, 9, 1), (1, 30), None, None, (5, None, None)),
        (date(2025, 8, 1), (1, 31), None, None, (0, None, None)),
        (date(2026, 11, 1), (1, 30), (date(2026, 10, 1), date(2026, 10, 31)), (date(2025, 11, 1), date(2025, 11, 30)), (0, 8, 0)),
    ],
)
def test_which_days_are_counted(engine: Engine, month: date, period: tuple, before: tuple, last_year: tuple, counts: tuple) -> None:
    with Session(engine) as session:
        fill(session)
        found = monthly_report.report(session, month, whole=WHOLE, today=date(2026, 10, 15), seen_by=None)
    assert (found.period.since.day, found.period.until.day) == period
    assert found.before == (Period(*before) if before else None)
    assert found.last_year == (Period(*last_year) if last_year else None)
    assert (found.total.count, found.total.before, found.total.last_year) == counts
    assert found.running is (month == date(2026, 10, 1))
    for lines in found.cuts.values():
        assert sum(line.count for line in lines) == counts[0]
        assert sum(line.before or 0 for line in lines) == (counts[1] or 0)


def test_months_beside_the_year_before(engine: Engine) -> None:
    with Session(engine) as session:
        fill(session)
        found = monthly_report.report(session, date(2026, 10, 1), whole=WHOLE, today=date(2026, 10, 15), seen_by=None).months
    assert [month.month for month in found[:2]] == [date(2025, 10, 1), date(2025, 11, 1)]
    assert found[0] == MonthCount(date(2025, 10, 1), 7, None)
    assert found[1] == MonthCount(date(2025, 11, 1), 0, None)
    assert found[-2:] == [MonthCount(date(2026, 9, 1), 13, 5), MonthCount(date(2026, 10, 1), 8, 7)]
    assert len(found) == monthly_report.SHOWN_MONTHS


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (Period(date(2026, 8, 5), date(2026, 10, 14)), date(2026, 9, 1)),
        (Period(date(2026, 8, 5), date(2026, 10, 31)), date(2026, 10, 1)),
        (Period(date(2026, 10, 5), date(2026, 10, 14)), date(2026, 10, 1)),
        (Period(date(2025, 12, 5), date(2026, 1, 1)), date(2025, 12, 1)),
    ],
)
def test_the_newest_month_is_the_last_that_is_over(whole: Period, expected: date) -> None:
    assert newest(whole) == expected
    assert months_of(whole)[0] == whole.until.replace(day=1)
    assert months_of(whole)[-1] == whole.since.replace(day=1)


def test_only_more_than_chance_is_told(engine: Engine) -> None:
    with Session(engine) as session:
        for day, theme, count in (
            (date(2026, 8, 3), "道路・交通", 5), (date(2026, 9, 3), "道路・交通", 60),
            (date(2026, 8, 3), "公園・緑地", 20), (date(2026, 9, 3), "公園・緑地", 22),
        ):  # fmt: skip
            for _ in range(count):
                factories.create_voice(session, received_on=day, theme=theme, labelled=False)
        whole = Period(date(2026, 8, 1), date(2026, 9, 30))
        lines = monthly_report.report(session, date(2026, 9, 1), whole=whole, today=date(2026, 10, 1), seen_by=None).cuts["theme"]
    assert [(line.value, line.count, line.before, line.told) for line in lines] == [
        ("道路・交通", 60, 5, True),
        ("公園・緑地", 22, 20, False),
    ]


def test_a_rise_is_told_once_as_its_last_look_of_the_month_told_it(engine: Engine) -> None:
    with Session(engine) as session:
        topic = factories.create_topic(session, name="歩道の段差")
        rise = {"value": str(topic.id)}
        factories.create_look(session, {**rise, "observed": 99}, as_of=date(2026, 8, 31))
        factories.create_look(session, {**rise, "observed": 19}, as_of=date(2026, 9, 10))
        factories.create_look(session, {"value": "道路・交通", "facet": "theme"}, {**rise, "observed": 30}, as_of=date(2026, 9, 11))
        factories.create_look(session, as_of=date(2026, 9, 30))
        factories.create_look(session, {**rise, "observed": 40}, as_of=date(2026, 10, 1))
        reports = [
            monthly_report.report(session, date(2026, month, 1), whole=WHOLE, today=date(2026, 10, 15), seen_by=None) for month in (7, 9)
        ]
    assert (reports[0].looked, reports[0].rises) == (False, [])
    assert reports[1].looked
    assert [(line.name, line.surge.observed) for line in reports[1].rises] == [("道路・交通", 19), ("歩道の段差", 30)]


def test_what_became_of_topics_in_the_month_in_japan(engine: Engine) -> None:
    first = datetime(2026, 8, 31, 15, tzinfo=UTC)  # 0:00 of the 1st in Japan
    with Session(engine) as session:
        topics = [factories.create_topic(session, name=name) for name in ("歩道の段差", "街灯の球切れ", "遊具の傷み", "収集の時刻")]
        event = factories.create_topic_event
        event(session, topics[0], TopicEventKind.BORN, after=12, at=first)
        event(session, topics[1], TopicEventKind.BORN, after=30, at=first - timedelta(seconds=1))
        event(session, topics[1], TopicEventKind.SPLIT, before=50, after=40, others=[topics[2].id], at=first, actor="hanako")
        event(session, topics[2], TopicEventKind.SPLIT, after=10, others=[topics[1].id], at=first, actor="hanako")
        event(session, topics[3], TopicEventKind.MERGED, before=7, others=[topics[0].id], at=first)
        event(session, topics[0], TopicEventKind.MERGED, before=12, after=19, others=[topics[3].id], at=first)
        event(session, topics[1], TopicEventKind.KEPT, before=40, after=40, at=first)
        event(session, topics[1], TopicEventKind.ENDED, before=3, at=first + timedelta(days=30))
        found = monthly_report.report(session, date(2026, 9, 1), whole=WHOLE, today=date(2026, 10, 15), seen_by=None).events
    told = [(kind, event.name, event.voices, event.others, event.by_hand) for kind, events in found.items() for event in events]
    assert told == [
        (TopicEventKind.BORN, "歩道の段差", 12, (), False),
        (TopicEventKind.SPLIT, "遊具の傷み", 10, ("街灯の球切れ",), True),
        (TopicEventKind.MERGED, "収集の時刻", 7, ("歩道の段差",), False),
    ]


def test_how_all_voices_stand(engine: Engine) -> None:
    with Session(engine) as session:
        day = date(2026, 9, 1)
        for status, due in ((Status.RECEIVED, day), (Status.DRAFTING, date(2026, 10, 15)), (Status.ASSIGNED, None), (Status.CLOSED, day)):
            factories.create_voice(session, received_on=day, due_on=due, status=status)
        factories.create_voice(session, received_on=day, answered=True)
        found = monthly_report.report(session, day, whole=WHOLE, today=date(2026, 10, 15), seen_by=None).backlog
    assert (found.done, found.open, found.overdue) == (2, 3, 1)


def test_the_largest_topics_and_the_others_are_all_voices_in_topics(engine: Engine) -> None:
    with Session(engine) as session:
        for size in (3, 2, 1):
            voices = [factories.create_voice(session, received_on=date(2026, 9, 2)) for _ in range(size)]
            factories.create_topic(session, name=f"話題 {size}", voices=voices)
        rest = factories.create_topic(session, voices=[factories.create_voice(session, received_on=date(2026, 9, 2))], is_rest=True)
        factories.create_voice(session, received_on=date(2026, 9, 2))
        found = monthly_report.report(session, date(2026, 9, 1), whole=WHOLE, today=date(2026, 10, 15), seen_by=None)
    assert found.rest == {str(rest.id)}
    top, others = disjoint(found.cuts["topic"], rest=found.rest, most=2)
    assert [line.count for line in top] == [3, 2]
    assert [line.count for line in others] == [1]
