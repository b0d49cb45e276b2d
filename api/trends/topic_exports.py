"""The files of the topics' pages: all topics of a period, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from api.exports import PERCENT, Export, Sheet, Value
from api.trends.cross import period_conditions
from api.trends.view import TrendsView
from api.words import STATUS
from core.models import Kind
from loop.queries import VoiceRow
from loop.topic_course import Step
from loop.topic_queries import Overview, TopicDetail, TopicLine
from nlp.opinions.service import TopicOpinions

VOICES = 1_000  # of a topic, the newest
_TOPIC_COLUMNS = ("番号", "話題", "上の話題", "件数", "割合", "前の期間", "増減", "主な所管課")


def overview(view: TrendsView, found: Overview) -> Export:
    """All topics: a topic's figures hold those of the topics below it."""
    steps = [view.step_name(step) for step in found.steps]
    columns = (*_TOPIC_COLUMNS, *(kind.value for kind in Kind), *steps)
    rows: list[list[Value]] = []
    for group in found.groups:
        for line in (group.line, *group.below):
            above = group.line.name if line is not group.line else ""
            rows.append([line.id, line.name, above, *_figures(line, found.total), *_parts(line, found)])
    blank: list[Value] = [None] * (len(columns) - 4)
    if found.waiting:
        rows.append([None, "まだ話題に入っていない声", "", found.waiting, found.waiting / found.total, *blank[:-1]])
    rows.append([None, "合計", "", found.total, 1.0, *blank[: len(blank) - 1 - len(steps)], *found.steps.values()])
    unit = "週" if view.period.weekly else "月"
    whole = Sheet("うごき", (unit, "始まり", "すべての声"), [[view.step_name(step), step, count] for step, count in found.steps.items()])
    conditions: list[tuple[str, Value]] = [*period_conditions(view), ("件数", found.total)]
    return Export("trends.topics", "話題", conditions, [Sheet("話題", columns, rows, {"割合": PERCENT, "増減": PERCENT}), whole])


def topic(
    view: TrendsView,
    found: TopicDetail,
    cuts: Sequence[dict[str, Any]],
    opinions: TopicOpinions,
    voices: Sequence[VoiceRow],
    course: Sequence[Step],
) -> Export:
    """One topic: its figures in one long table, its newest voices, and its course beside the year before and what was expected."""
    line = found.line
    unit = "週" if view.period.weekly else "月"
    steps: list[list[Value]] = [[unit, view.step_name(step.first), step.count, _share(step.count, line.count)] for step in course]
    parts: list[list[Value]] = [
        [cut["name"], name or "（なし）", count, _share(count, line.count)] for cut in cuts for name, count in cut["rows"]
    ]
    said: list[list[Value]] = [
        ["主題 → 評価", f"{pair.topic} → {pair.predicate}", pair.count, _share(pair.count, opinions.read)] for pair in opinions.pairs
    ]
    sides: list[list[Value]] = [
        ["賛否", side.value, count, _share(count, opinions.read)] for side, count in opinions.stances.items() if opinions.read
    ]
    figures = Sheet("内訳", ("区分", "項目", "件数", "割合"), [*steps, *parts, *said, *sides], {"割合": PERCENT})
    columns = ("受付番号", "受付日", "分野", "種別", "所管課", "地区", "受付媒体", "対応状況", "本文のはじめ")
    rows: list[list[Value]] = [
        [
            voice.receipt_number, voice.received_on, voice.theme, voice.kind.value, voice.department, voice.district,
            voice.channel.value, STATUS[voice.status], voice.title or voice.snippet,
        ]
        for voice in voices
    ]  # fmt: skip
    conditions: list[tuple[str, Value]] = [
        ("話題", found.topic.name),
        ("話題の番号", found.topic.id),
        *period_conditions(view),
        ("件数", line.count),
        ("前の期間の件数", line.previous),
        ("読み取った声", opinions.read),
        ("声の表（新しい順、最大）", VOICES),
    ]
    past: list[list[Value]] = [
        [view.step_name(step.first), step.span.since, step.count, step.before, step.expected and round(step.expected, 1)] for step in course
    ]
    sheets = [figures, Sheet("声", columns, rows), Sheet("うごき", (unit, "始まり", "件数", "前年", "予想"), past)]
    return Export("trends.topic", f"話題_{found.topic.name}"[:60], conditions, sheets)


def _figures(line: TopicLine, total: int) -> list[Value]:
    return [line.count, _share(line.count, total), line.previous, line.change, line.main_department]


def _parts(line: TopicLine, found: Overview) -> list[Value]:
    steps: list[date] = list(found.steps)
    return [*(line.kinds[kind.value] for kind in Kind), *line.over(steps)]


def _share(count: int, total: int) -> float | None:
    return count / total if total else None
