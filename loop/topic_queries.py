"""Topics over a period: how many voices, against the period before, in which steps, of what kind and whose they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import facts, memberships
from core.errors import NotFoundError
from core.models import Topic, TopicMembership, TopicStatus, Voice
from loop.actors import Actor, visible_to
from loop.periods import Period

_TOPIC = "topic"


@dataclass(slots=True)
class TopicLine:
    """A topic's figures for a period.

    Attributes:
        previous: the count of the period before, ``None`` where there is none.
        steps: in an overview alone; ``loop.topic_course`` has those of one topic.
    """

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
    """One topic's figures for a period, cut in four ways; each cut adds up to ``line.count``."""

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
        str(topic.id): TopicLine(topic.id, topic.name, topic.parent_id, topic.is_rest, topic.status is not TopicStatus.ACTIVE)
        for topic in session.execute(select(Topic.id, Topic.name, Topic.parent_id, Topic.is_rest, Topic.status))
    }
    steps: Counter[date] = Counter()
    for step, counts in _steps(session, period).items():
        steps[step] += sum(counts.values())
        for value, count in counts.items():
            if value:
                lines[value].count += count
                lines[value].steps[step] += count
    for (value, kind), count in _cross(session, period, "kind").items():
        if value:
            lines[value].kinds[kind] += count
    for (value, department), count in _cross(session, period, "department").items():
        if value:
            lines[value].departments[department] += count
    if compare:
        before = _totals(session, period.before())
        for value, line in lines.items():
            line.previous = before.get(value, 0)
    waiting = _totals(session, period).get("", 0)
    every_step = {step: steps[step] for step in period.steps()}
    return Overview(period, steps.total(), waiting, every_step, _grouped({line.id: line for line in lines.values()}))


def detail(session: Session, topic_id: int, period: Period, *, compare: bool = True) -> TopicDetail:
    """One topic with all below it.

    Raises:
        NotFoundError: there is no such topic.
    """
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    line = TopicLine(topic.id, topic.name, topic.parent_id, topic.is_rest, topic.status is not TopicStatus.ACTIVE)
    nearest = session.execute(
        select(Topic.id, Topic.name)
        .where((Topic.id == topic.parent_id) | ((Topic.parent_id == topic_id) & (Topic.status == TopicStatus.ACTIVE)))
        .order_by(Topic.size.desc())
    )
    names = dict(nearest.all())
    parent = names.pop(topic.parent_id, "") if topic.parent_id else ""
    leaves = [str(number) for number in session.scalars(memberships.family(topic_id))]
    line.count = sum(_totals(session, period, leaves).values())
    cuts = {by: _cut(session, leaves, period, by) for by in ("kind", "department", "district", "channel")}
    line.kinds, line.departments = cuts["kind"], cuts["department"]
    if compare:
        line.previous = sum(_totals(session, period.before(), leaves).values())
    return TopicDetail(topic, line, parent, list(names.items()), cuts["district"], cuts["channel"])


def examples(session: Session, topic: Topic, *, seen_by: Actor | None, limit: int = 3) -> Sequence[tuple[str, str, date]]:
    """Receipt number, masked text and day of the voices nearest to a topic's middle; the newest ones where none are kept.

    Only such as this person may see.
    """
    ids = [number for number in topic.examples if isinstance(number, int)][:limit]
    statement = select(Voice.receipt_number, Voice.text, Voice.received_on).where(*visible_to(seen_by))
    if ids:
        found = session.execute(statement.where(Voice.id.in_(ids)).order_by(Voice.id)).all()
        if found:
            return found
    newest = [voice for _, voice in memberships.newest(session, topic.id, limit=limit)]
    return session.execute(statement.where(Voice.id.in_(newest)).order_by(Voice.received_on.desc(), Voice.id.desc())).all()


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


def _steps(session: Session, period: Period) -> dict[date, dict[str, int]]:
    """The voices of each topic by step of a chart: its weeks are counted back from the period's end."""
    by: facts.Step = "day" if period.weekly else "month"
    found: dict[date, Counter[str]] = defaultdict(Counter)
    for day, counts in facts.series(session, _TOPIC, since=period.since, until=period.until, by=by).items():
        found[period.step_of(day)].update(counts)
    return {step: dict(counts) for step, counts in found.items()}


def _totals(session: Session, period: Period, values: Collection[str] | None = None) -> dict[str, int]:
    return facts.totals(session, _TOPIC, since=period.since, until=period.until, values=values)


def _cross(session: Session, period: Period, by: str, values: Collection[str] | None = None) -> dict[tuple[str, str], int]:
    return facts.cross(session, _TOPIC, by, since=period.since, until=period.until, values=values)


def _cut(session: Session, leaves: Collection[str], period: Period, by: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, value), count in _cross(session, period, by, leaves).items():
        found[value] += count
    return found


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
