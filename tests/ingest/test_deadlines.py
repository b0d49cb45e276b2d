from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.errors import InputError
from core.settings import Settings
from ingest.deadlines import DeadlineRule, load_deadline_rule


def city(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "city.yaml").write_text(text, "utf-8")
    return Settings(home=tmp_path, taxonomy=tmp_path)


def test_ten_open_days_from_the_next_day_without_a_rule(tmp_path: Path) -> None:
    rule = load_deadline_rule(Settings(home=tmp_path, taxonomy=tmp_path))
    assert rule.due_on(date(2025, 4, 1)) == date(2025, 4, 15)
    assert rule.due_on(date(2025, 12, 25)) == date(2026, 1, 16)  # 12/29–1/3 and 成人の日 are closed


def test_the_city_s_rule_and_closed_days(tmp_path: Path) -> None:
    rule = load_deadline_rule(
        city(
            tmp_path,
            'deadline: {days: 2, count: business_days, from: next_day}\nclosed_days: {city_days: [{date: "06-10"}, {date: 2025-06-11}]}',
        )
    )
    assert rule.due_on(date(2025, 6, 9)) == date(2025, 6, 13)


def test_calendar_days_end_on_an_open_day(tmp_path: Path) -> None:
    rule = load_deadline_rule(city(tmp_path, "answer_deadline: {days: 14, count: calendar_days, from: next_day}"))
    assert rule.due_on(date(2025, 4, 1)) == date(2025, 4, 15)
    assert rule.due_on(date(2025, 4, 5)) == date(2025, 4, 21)  # the 19th is a Saturday


@pytest.mark.parametrize(
    "text",
    ["deadline: [", "- 1", "deadline: {days: 0}", "deadline: {days: x}", "deadline: {count: weeks}",
     "deadline: {from: same_day}", "deadline: 3",
     "closed_days: {city_days: [{date: いつか}]}", "closed_days: {city_days: [{}]}"],
)  # fmt: skip
def test_a_rule_that_can_t_be_used_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"city\.yaml"):
        load_deadline_rule(city(tmp_path, text))


def test_a_rule_checks_its_values() -> None:
    with pytest.raises(ValueError, match="days"):
        DeadlineRule(days=0)
