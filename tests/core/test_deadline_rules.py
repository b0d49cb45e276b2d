"""Deadlines against a table worked out with a wall calendar (deadline_examples.csv), and what holds for any calendar."""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import OpenDays
from core.clock import TOKYO
from core.deadline_rules import (
    AfterHours,
    Count,
    DeadlineRule,
    DeadlineRules,
    IfClosed,
    Matter,
    Pause,
    SpecialRule,
    Start,
    Term,
    counts_from,
    due_with_pauses,
)

EXAMPLES = list(csv.DictReader((Path(__file__).parent / "deadline_examples.csv").read_text("utf-8").splitlines()))
# 潮見市民の日 is the city's own day, as in its city.yaml.
SHIOMI = OpenDays(closed=[date(year, 6, 10) for year in range(2019, 2031)])
CLOSING = time(17, 15)


def rule_of(row: dict[str, str]) -> DeadlineRule:
    return DeadlineRule(
        term=Term(int(row["日数"]), {"開庁日": Count.BUSINESS_DAYS, "暦日": Count.CALENDAR_DAYS}[row["数え方"]]),
        start={"翌日": Start.NEXT_DAY, "当日": Start.SAME_DAY}[row["起算"]],
        if_closed={"次の開庁日": IfClosed.NEXT_OPEN_DAY, "そのまま": IfClosed.KEEP, "": IfClosed.NEXT_OPEN_DAY}[row["休庁日に当たれば"]],
        after_hours={"次の開庁日": AfterHours.NEXT_OPEN_DAY, "その日": AfterHours.SAME_DAY, "": AfterHours.SAME_DAY}[row["時間外の受付"]],
    )


def pauses_of(row: dict[str, str]) -> list[Pause]:
    spans = [span.split("〜") for span in row["止めていた期間"].split()]
    return [Pause(date.fromisoformat(begin), date.fromisoformat(end) if end else None) for begin, end in spans]


@pytest.mark.parametrize("row", EXAMPLES, ids=[f"{number}" for number, _ in enumerate(EXAMPLES, start=2)])
def test_every_line_of_the_table(row: dict[str, str]) -> None:
    rules = DeadlineRules(SHIOMI, rule_of(row), closing=CLOSING)
    received_on = date.fromisoformat(row["受付日"])
    received_at = datetime.combine(received_on, time.fromisoformat(row["時刻"]), TOKYO) if row["時刻"] else None
    due = rules.due_after(pauses_of(row), received_on, received_at)
    assert due == (date.fromisoformat(row["期限"]) if row["期限"] else None), row["数えた日"]
    if not row["止めていた期間"]:
        assert rules.due_on(received_on, received_at) == due


def test_the_table_is_long_enough_to_stand_for_the_rules() -> None:
    assert len(EXAMPLES) >= 100
    assert len({tuple(row.values())[:8] for row in EXAMPLES}) == len(EXAMPLES), "no line stands there twice"


@pytest.mark.parametrize(
    ("received_on", "interim", "start", "due"),
    [
        ("2026-12-25", Term(5), Start.NEXT_DAY, "2027-01-07"),  # 28 と 1月4 5 6 7
        ("2026-04-24", Term(14, Count.CALENDAR_DAYS), Start.NEXT_DAY, "2026-05-08"),
        ("2026-04-20", Term(14, Count.CALENDAR_DAYS), Start.NEXT_DAY, "2026-05-07"),  # 14日後は5月4日
        ("2026-11-20", Term(3), Start.SAME_DAY, "2026-11-25"),  # 20 24 25
    ],
)
def test_interim_replies(received_on: str, interim: Term, start: Start, due: str) -> None:
    rules = DeadlineRules(SHIOMI, DeadlineRule(Term(30), start, interim=interim))
    assert rules.interim_on(date.fromisoformat(received_on)) == date.fromisoformat(due)
    assert DeadlineRules(SHIOMI).interim_on(date.fromisoformat(received_on)) is None


def test_an_interim_reply_waits_with_the_clock() -> None:
    rule = DeadlineRule(Term(30), interim=Term(5))
    asked = [Pause(date(2026, 4, 6), date(2026, 4, 8))]
    assert due_with_pauses(rule, SHIOMI, date(2026, 4, 1), asked, term=rule.interim) == date(2026, 4, 13)  # 2 3 9 10 13


def test_the_first_rule_that_fits_holds() -> None:
    danger = SpecialRule((("urgency", frozenset(["人命・身体の危険"])),), DeadlineRule(Term(1), Start.SAME_DAY))
    paper = SpecialRule((("channel", frozenset(["手紙", "FAX"])), ("kind", frozenset(["要望"]))), DeadlineRule(Term(3)))
    rules = DeadlineRules(SHIOMI, exceptions=(danger, paper))
    day = date(2026, 4, 1)
    assert rules.due_on(day) == date(2026, 4, 15)
    assert rules.due_on(day, matter=Matter(channel="FAX", kind="要望")) == date(2026, 4, 6)
    assert rules.due_on(day, matter=Matter(channel="FAX", kind="苦情")) == date(2026, 4, 15)
    assert rules.due_on(day, matter=Matter(channel="手紙", kind="要望", urgency="人命・身体の危険")) == day


def test_a_time_of_another_day_says_nothing() -> None:
    rule = DeadlineRule(after_hours=AfterHours.NEXT_OPEN_DAY)
    late = datetime(2026, 4, 2, 9, 30, tzinfo=TOKYO)
    assert counts_from(rule, SHIOMI, date(2026, 4, 1), late, time(8, 0)) == date(2026, 4, 1)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Term(0)
    with pytest.raises(ValueError, match="before"):
        Pause(date(2026, 4, 2), date(2026, 4, 1))
    shut = OpenDays(weekdays=range(7))
    with pytest.raises(ValueError, match="no open day"):
        DeadlineRules(shut).due_on(date(2026, 4, 1))


DAYS = st.dates(date(2019, 1, 1), date(2029, 12, 31))
RULES = st.builds(
    DeadlineRule,
    term=st.builds(Term, st.integers(1, 40), st.sampled_from(Count)),
    start=st.sampled_from(Start),
    if_closed=st.sampled_from(IfClosed),
    after_hours=st.sampled_from(AfterHours),
)


@st.composite
def received_and_pauses(draw: st.DrawFn) -> tuple[date, list[Pause]]:
    received = draw(DAYS)
    spans = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=4))
    return received, [Pause(received + timedelta(days=begin), received + timedelta(days=begin + length)) for begin, length in spans]


def due(rule: DeadlineRule, calendar: OpenDays, received: date, pauses: list[Pause]) -> date:
    found = due_with_pauses(rule, calendar, counts_from(rule, calendar, received, None, None), pauses)
    assert found is not None
    return found


@given(rule=RULES, case=received_and_pauses(), added=st.lists(DAYS, max_size=5), offset=st.integers(0, 60))
def test_one_more_closed_day_never_makes_a_deadline_earlier(
    rule: DeadlineRule, case: tuple[date, list[Pause]], added: list[date], offset: int
) -> None:
    received, pauses = case
    more = OpenDays(closed=[*added, received + timedelta(days=offset)])
    assert due(rule, more, received, pauses) >= due(rule, OpenDays(), received, pauses)


@given(rule=RULES, case=received_and_pauses(), later=st.integers(1, 40))
def test_who_comes_later_is_never_due_earlier(rule: DeadlineRule, case: tuple[date, list[Pause]], later: int) -> None:
    received, pauses = case
    assert due(rule, SHIOMI, received + timedelta(days=later), pauses) >= due(rule, SHIOMI, received, pauses)


@given(rule=RULES, case=received_and_pauses(), more=st.tuples(st.integers(0, 60), st.integers(0, 30)))
def test_one_more_pause_never_makes_a_deadline_earlier(rule: DeadlineRule, case: tuple[date, list[Pause]], more: tuple[int, int]) -> None:
    received, pauses = case
    begin = received + timedelta(days=more[0])
    longer = [*pauses, Pause(begin, begin + timedelta(days=more[1]))]
    assert due(rule, SHIOMI, received, longer) >= due(rule, SHIOMI, received, pauses)


@given(days=st.integers(1, 40), case=received_and_pauses())
def test_as_many_open_days_are_counted_as_the_rule_says(days: int, case: tuple[date, list[Pause]]) -> None:
    received, pauses = case
    rule = DeadlineRule(Term(days))
    last = due(rule, SHIOMI, received, pauses)
    assert SHIOMI.is_open(last)
    assert due(rule, SHIOMI, received, []) == SHIOMI.add(received, days)
    span = [received + timedelta(days=number) for number in range(1, (last - received).days + 1)]
    asked = {day for day in span for pause in pauses if pause.resumed_on and pause.stopped_on <= day <= pause.resumed_on}
    assert sum(SHIOMI.is_open(day) for day in span if day not in asked) == days


@given(rule=RULES, case=received_and_pauses(), stop=st.integers(0, 90))
def test_an_open_pause_takes_the_deadline_away_unless_it_has_passed(rule: DeadlineRule, case: tuple[date, list[Pause]], stop: int) -> None:
    received, pauses = case
    begin = received + timedelta(days=stop)
    before = due(rule, SHIOMI, received, pauses)
    counted_from = counts_from(rule, SHIOMI, received, None, None)
    assert due_with_pauses(rule, SHIOMI, counted_from, [*pauses, Pause(begin)]) == (before if before < begin else None)
