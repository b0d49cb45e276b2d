"""What a city writes under answer_deadline, and what it is told when that can't be used."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path

import pytest

from core import closed_days, deadline_file
from core.clock import TOKYO
from core.deadline_rules import AfterHours, Count, DeadlineRule, DeadlineRules, IfClosed, Matter, Start, Term
from core.errors import InputError
from core.settings import PROJECT_ROOT

RICH = """
opening_hours:
  counter: {from: "08:30", to: "17:15"}
answer_deadline:
  days: 10
  count: business_days
  from: next_day
  after_hours: next_open_day
  interim: {days: 14, count: calendar_days}
  soon: 2
  rules:
    - {name: 人命の危険, urgency: 人命・身体の危険, days: 1, from: same_day, after_hours: same_day, interim: none}
    - {name: 手紙とFAX, channel: [手紙, FAX], days: 14, count: calendar_days, if_closed: keep}
    - {name: 道路の苦情, theme: 道路・交通, kind: 苦情, department: 道路維持課, days: 5, interim: {days: 3}}
"""


def read(folder: Path, text: str) -> DeadlineRules:
    (folder / "city.yaml").write_text(text, "utf-8")
    return deadline_file.load(folder)


def test_ten_open_days_from_the_next_day_without_a_file(tmp_path: Path) -> None:
    rules = deadline_file.load(tmp_path)
    assert (rules.usual, rules.exceptions, rules.closing, rules.soon) == (DeadlineRule(), (), None, 3)
    assert rules.due_on(date(2025, 12, 25)) == date(2026, 1, 16)


@pytest.mark.parametrize("key", ["deadline", "answer_deadline"])
def test_a_plain_rule_is_read_as_it_always_was(tmp_path: Path, key: str) -> None:
    rules = read(tmp_path, f'{key}: {{days: 2, count: business_days, from: next_day}}\nclosed_days: {{city_days: [{{date: "06-10"}}]}}')
    assert rules.usual == DeadlineRule(Term(2))
    assert rules.due_on(date(2025, 6, 9)) == date(2025, 6, 12)  # 11 12


def test_the_sample_citys_rule() -> None:
    rules = deadline_file.load(PROJECT_ROOT / "data/taxonomy")
    assert (rules.usual, rules.exceptions, rules.soon) == (DeadlineRule(), (), 3)
    assert not rules.calendar.is_open(date(2026, 6, 10))


def test_everything_that_can_be_written(tmp_path: Path) -> None:
    rules = read(tmp_path, RICH)
    calendar_days = Term(14, Count.CALENDAR_DAYS)
    moved = AfterHours.NEXT_OPEN_DAY
    assert rules.usual == DeadlineRule(Term(10), after_hours=moved, interim=calendar_days)
    assert (rules.closing, rules.soon) == (time(17, 15), 2)
    danger, paper, roads = (item.rule for item in rules.exceptions)
    assert danger == DeadlineRule(Term(1), Start.SAME_DAY, name="人命の危険")
    assert paper == DeadlineRule(calendar_days, Start.NEXT_DAY, IfClosed.KEEP, moved, calendar_days, name="手紙とFAX")
    assert roads == DeadlineRule(Term(5), after_hours=moved, interim=Term(3), name="道路の苦情")
    night = datetime(2026, 4, 1, 20, 0, tzinfo=TOKYO)
    both = Matter(theme="道路・交通", kind="苦情", department="道路維持課")
    assert rules.due_on(date(2026, 4, 1), night, matter=both) == date(2026, 4, 9)  # as of the 2nd: 3 6 7 8 9
    assert rules.interim_on(date(2026, 4, 1), night, matter=both) == date(2026, 4, 7)
    assert rules.due_on(date(2026, 4, 1), night, matter=Matter(urgency="人命・身体の危険", channel="手紙")) == date(2026, 4, 1)
    assert rules.interim_on(date(2026, 4, 1), night, matter=Matter(urgency="人命・身体の危険")) is None


def test_more_time_after_an_interim_reply(tmp_path: Path) -> None:
    rules = read(
        tmp_path,
        "answer_deadline: {days: 14, count: calendar_days, interim: {days: 14}, after_interim: {days: 10, count: business_days},"
        " rules: [{kind: 苦情, after_interim: none}]}",
    )
    assert rules.usual.after_interim == Term(10)
    assert rules.rule_for(Matter(kind="苦情")) == DeadlineRule(Term(14, Count.CALENDAR_DAYS), interim=Term(14, Count.CALENDAR_DAYS))
    assert rules.due_after((), date(2026, 4, 1), replied_on=date(2026, 4, 13)) == date(2026, 4, 27)


def test_an_hour_without_quotes_is_an_hour(tmp_path: Path) -> None:
    """YAML takes 17:15 for a number in sixties."""
    rules = read(tmp_path, "opening_hours: {counter: {to: 17:15}}\nanswer_deadline: {after_hours: next_open_day}")
    assert rules.closing == time(17, 15)


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("deadline: [", "YAML", "字下げ"),
        ("- 1", "YAML", "字下げ"),
        ("deadline: 3", "1 行目、「deadline」が読めません", "days: 10"),
        ("deadline: {days: 0}", "「deadline」の「days」の「0」", "from: same_day"),
        ("\n\nanswer_deadline:\n  days: 十", "4 行目、「answer_deadline」の「days」の「十」", "整数"),
        ("deadline: {days: true}", "「days」の「True」", "整数"),
        ("deadline: {days: 367}", "「days」の「367」", "366"),
        ("deadline: {count: weeks}", "「count」の「weeks」", "calendar_days"),
        ("deadline: {from: today}", "「from」の「today」", "same_day"),
        ("deadline: {count: [1]}", "「count」の", "calendar_days"),
        ("deadline: {if_closed: before}", "「if_closed」", "next_open_day、keep"),
        ("deadline: {holidays: 1}", "「holidays」は、知らない項目", "if_closed"),
        ("deadline: {soon: -1}", "「soon」の「-1」", "整数"),
        ("deadline: {interim: 14}", "「interim」が読めません", "interim: none"),
        ("deadline: {interim: {count: business_days}}", "「interim」に days がありません", "interim: none"),
        ("deadline: {interim: {days: 3, from: same_day}}", "「interim」の「from」は、知らない項目", "days count"),
        ("deadline: {after_interim: {count: business_days}}", "「after_interim」に days がありません", "after_interim: none"),
        ("deadline: {rules: {urgency: 通常}}", "「rules」が読めません", "「-」"),
        ("deadline: {rules: [3]}", "「rules」の 1 番目が読めません", "channel"),
        ("deadline: {rules: [{days: 3}]}", "「rules」の 1 番目に、どの声に使うか", "urgency"),
        ("deadline: {rules: [{urgency: 通常, soon: 3}]}", "「soon」は、知らない項目", "interim"),
        ("deadline:\n rules:\n - {kind: 要望}\n - {channel: [FAX, X]}", "4 行目、「deadline」の「rules」の 2 番目の「channel」", "手紙"),
        ("deadline: {rules: [{kind: 文句}]}", "「kind」の「文句」", "苦情"),
        ("deadline: {rules: [{urgency: 3}]}", "「urgency」の「3」", "通常"),
        ("deadline: {rules: [{theme: []}]}", "「theme」が空", "1つ以上"),
        ("deadline: {rules: [{theme: 3}]}", "「theme」の「3」", "文字"),
        ("deadline: {after_hours: next_open_day}", "「opening_hours」の「counter」の「to」が読めません", "17:15"),
        ("opening_hours: {counter: {to: 夕方}}\ndeadline: {after_hours: next_open_day}", "「to」が読めません", "17:15"),
        ("opening_hours: {counter: {to: 1500}}\ndeadline: {after_hours: next_open_day}", "「to」が読めません", "17:15"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_its_place(tmp_path: Path, text: str, where: str, hint: str) -> None:
    with pytest.raises(InputError, match=r"city\.yaml") as caught:
        read(tmp_path, text)
    assert where in caught.value.message
    assert hint in caught.value.hint


def test_names_of_the_citys_own_files_are_checked(tmp_path: Path) -> None:
    (tmp_path / "themes.yaml").write_text("themes: [{name: 港湾・漁業}, {name: 道路}]", "utf-8")
    (tmp_path / "departments.yaml").write_text("departments: [{name: 港湾課}]", "utf-8")
    known = read(tmp_path, "deadline: {rules: [{theme: 港湾・漁業, department: [港湾課], days: 3}]}")
    assert known.rule_for(Matter(theme="港湾・漁業", department="港湾課")).term == Term(3)
    deadline_file.load.cache_clear()
    with pytest.raises(InputError, match="「港湾」は使えません") as caught:
        read(tmp_path, "deadline: {rules: [{theme: 港湾, days: 3}]}")
    assert "港湾・漁業、道路" in caught.value.hint


@pytest.mark.parametrize("content", [b"\xff", b"themes: [", b"themes: 3", b"themes: [{}]"])
def test_another_file_that_cannot_be_read_is_left_to_who_reads_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "themes.yaml").write_bytes(content)
    assert read(tmp_path, "deadline: {rules: [{theme: 港湾, days: 3}]}").rule_for(Matter(theme="港湾")).term == Term(3)


GUIDE = (PROJECT_ROOT / "docs/guide/deadlines.md").read_text("utf-8")


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_the_guides_examples_can_be_read(tmp_path: Path, example: str) -> None:
    assert read(tmp_path, example).due_on(date(2026, 4, 1)) == date(2026, 4, 15)


@pytest.mark.parametrize("key", [*deadline_file.KEYS, *deadline_file.PARTS, "soon", "rules", *closed_days.KEYS, "opened_days"])
def test_the_guide_explains_every_key(key: str) -> None:
    assert f"| `{key}` |" in GUIDE
