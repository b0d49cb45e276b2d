"""Topics over a period: how many voices, against the period before, in which steps, of what kind and whose they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from core import facts
from core.errors import NotFoundError
from core.models import Topic, TopicMembership, TopicStatus, Voice
from loop.filters import in_topic
from loop.periods import Period


@dataclass(slots=True)
class TopicLine:
    """A topic's figures for a period. ``previous`` is the count of the period before, ``None`` where there is none."""

    id: int
    name: str
    parent_id: int | None
    is_rest: bool
    ended: bool
    count: int = 0
    previous: int | None = None
    steps: Counter[date] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    departments: Counter[str] = field(default_factory=Counter)

    @property
    def change(self) -> float | None:
        """Growth against the period before: 0.5 is half as much again; ``None`` where there was nothing to compare with."""
        return (self.count - self.previous) / self.previous if self.previous else None

    def over(self, steps: Iterable[date]) -> list[int]:
        """The counts of these steps, in their order."""
        return [self.steps[step] for step in steps]

    @property
    def main_department(self) -> str:
        named = [(count, name) for name, count in self.departments.items() if name]
        return max(named)[1] if named else ""

    def add(self, other: TopicLine) -> None:
        """Takes the figures of a topic below into its parent's."""
        self.count += other.count
        self.previous = None if self.previous is None or other.previous is None else self.previous + other.previous
        self.steps.update(other.steps)
        self.kinds.update(other.kinds)
        self.departments.update(other.departments)


@dataclass(slots=True)
class TopicGroup:
    """A topic of the first level, its figures with those of all below it, and the lines below."""

    line: TopicLine
    below: list[TopicLine]


@dataclass(frozen=True, slots=True)
class Overview:
    """All topics of a period. ``waiting`` voices are in no topic yet; ``total`` counts every voice, so the parts add up."""

    period: Period
    total: int
    waiting: int
    steps: dict[date, int]
    groups: list[TopicGroup]


@dataclass(frozen=True, slots=True)
class TopicDetail:
    """One topic's figures for a period, cut in five ways; each cut adds up to ``line.count``."""

    topic: Topic
    line: TopicLine
    parent: str
    below: list[tuple[int, str]]
    districts: Counter[str]
    channels: Counter[str]


def span(session: Session) -> Period | None:
    """From the oldest to the newest voice; ``None`` when there is none."""
    days = facts.span(session)
    return Period(*days) if days else None


def overview(session: Session, period: Period, *, compare: bool = True) -> Overview:
    """Every topic's figures. With ``compare`` also those of the period before."""
    lines = {
        topic.id: TopicLine(topic.id, topic.name, topic.parent_id, topic.is_rest, topic.status is TopicStatus.ENDED)
        for topic in session.execute(select(Topic.id, Topic.name, Topic.parent_id, Topic.is_rest, Topic.status))
    }
    steps: Counter[date] = Counter()
    waiting = 0
    # One pass over the period's voices, cut finely; the sums by step, kind and department are made here.
    for topic_id, day, kind, department, count in _counts(session, period, _step(period), Voice.kind, Voice.department):
        step = _as_step(period, day)
        steps[step] += count
        if topic_id is None:
            waiting += count
            continue
        line = lines[topic_id]
        line.count += count
        line.steps[step] += count
        line.kinds[str(kind)] += count
        line.departments[department] += count
    if compare:
        before = {row[0]: row[1] for row in _counts(session, period.before())}
        for line in lines.values():
            line.previous = before.get(line.id, 0)
    every_step = {step: steps[step] for step in period.steps()}
    return Overview(period, steps.total(), waiting, every_step, _grouped(lines))


def detail(session: Session, topic_id: int, period: Period, *, compare: bool = True) -> TopicDetail:
    """One topic with all below it.

    Raises:
        NotFoundError: there is no such topic.
    """
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    line = TopicLine(topic.id, topic.name, topic.parent_id, topic.is_rest, topic.status is TopicStatus.ENDED)
    for day, count in _cut(session, topic_id, period, _step(period)):
        line.count += count
        line.steps[_as_step(period, day)] += count
    line.steps = Counter({step: line.steps[step] for step in period.steps()})
    line.kinds = _counter(_cut(session, topic_id, period, Voice.kind.expression))
    line.departments = _counter(_cut(session, topic_id, period, Voice.department.expression))
    if compare:
        line.previous = sum(count for _, count in _cut(session, topic_id, period.before(), Voice.kind.expression))
    family = session.execute(
        select(Topic.id, Topic.name).where((Topic.id == topic.parent_id) | (Topic.parent_id == topic_id)).order_by(Topic.size.desc())
    )
    names = dict(family.all())
    parent = names.pop(topic.parent_id, "") if topic.parent_id else ""
    return TopicDetail(
        topic,
        line,
        parent,
        list(names.items()),
        _counter(_cut(session, topic_id, period, Voice.district.expression)),
        _counter(_cut(session, topic_id, period, Voice.channel.expression)),
    )


def examples(session: Session, topic: Topic, *, limit: int = 3) -> Sequence[tuple[str, str, date]]:
    """Receipt number, masked text and day of the voices nearest to a topic's middle; the newest ones where none are kept."""
    ids = [number for number in topic.examples if isinstance(number, int)][:limit]
    statement = select(Voice.receipt_number, Voice.text, Voice.received_on)
    if ids:
        found = session.execute(statement.where(Voice.id.in_(ids)).order_by(Voice.id)).all()
        if found:
            return found
    newest = statement.where(in_topic(topic.id)).order_by(Voice.received_on.desc(), Voice.id.desc()).limit(limit)
    return session.execute(newest).all()


def topic_name(session: Session, topic_id: int) -> str:
    """A topic's name; "" when there is no such topic."""
    return session.scalar(select(Topic.name).where(Topic.id == topic_id)) or ""


def topic_of(session: Session, voice_id: int) -> tuple[int, str] | None:
    """The id and name of the topic that a voice belongs to."""
    statement = select(Topic.id, Topic.name).join(TopicMembership, TopicMembership.topic_id == Topic.id)
    return session.execute(statement.where(TopicMembership.voice_id == voice_id)).one_or_none()


def list_topics(session: Session) -> Sequence[Topic]:
    """All topics, the largest first."""
    return session.scalars(select(Topic).order_by(Topic.is_rest, Topic.size.desc(), Topic.id)).all()


def _step(period: Period) -> ColumnElement[Any]:
    # By day for short periods (weeks are counted back from the end), by month else; the text of a date begins alike on both databases.
    return Voice.received_on.expression if period.weekly else func.substr(cast(Voice.received_on, String), 1, 7)


def _as_step(period: Period, value: date | str) -> date:
    return period.step_of(value if isinstance(value, date) else date.fromisoformat(f"{value}-01"))


def _within(period: Period) -> ColumnElement[bool]:
    return Voice.received_on.between(period.since, period.until)


def _counts(session: Session, period: Period, *by: Any) -> Iterable[Any]:
    member = TopicMembership.voice_id == Voice.id
    statement = select(TopicMembership.topic_id, *by, func.count()).select_from(Voice).outerjoin(TopicMembership, member)
    return session.execute(statement.where(_within(period)).group_by(TopicMembership.topic_id, *by))


def _cut(session: Session, topic_id: int, period: Period, by: ColumnElement[Any]) -> Iterable[tuple[Any, int]]:
    return session.execute(select(by, func.count()).where(_within(period), in_topic(topic_id)).group_by(by))


def _counter(pairs: Iterable[tuple[Any, int]]) -> Counter[str]:
    return Counter({str(value): count for value, count in pairs})


def _grouped(lines: dict[int, TopicLine]) -> list[TopicGroup]:
    below: dict[int, list[TopicLine]] = defaultdict(list)
    for line in lines.values():
        if (root := _root(line, lines)) is not line:
            below[root.id].append(line)
    groups = []
    for line in lines.values():
        if _root(line, lines) is line:
            children = sorted((child for child in below[line.id] if child.count or child.previous), key=_largest)
            for child in children:
                line.add(child)
            if line.count or line.previous or not line.ended:
                groups.append(TopicGroup(line, children))
    return sorted(groups, key=lambda group: _largest(group.line))


def _root(line: TopicLine, lines: dict[int, TopicLine]) -> TopicLine:
    seen = {line.id}
    while line.parent_id in lines and line.parent_id not in seen:
        line = lines[line.parent_id]
        seen.add(line.id)
    return line


def _largest(line: TopicLine) -> tuple[bool, int, int]:
    return (line.is_rest, -line.count, line.id)
