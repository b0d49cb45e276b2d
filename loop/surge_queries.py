"""Surges as pages, the JSON API and the feed show them: the stored look with names and voices, and rises followed from look to look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.memberships import family
from core.models import Surge, SurgeRun, Topic, Voice
from loop.actors import Actor, visible_to

_QUIET = timedelta(days=14)  # a series that is reported again after so long is another surge
_REMEMBERED = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Example:
    """A voice to begin with, masked."""

    receipt_number: str
    text: str
    received_on: date


@dataclass(frozen=True, slots=True)
class SurgeLine:
    """A surge with what it is called; ``where`` as stored, with names for topics' ids."""

    surge: Surge
    name: str
    where: list[dict[str, Any]]
    examples: list[Example]
    is_explained: bool
    """A theme that rose because a topic did that is reported itself, or because of the same campaign."""

    @property
    def factor(self) -> float | None:
        """How many times what was expected; ``None`` where hardly anything was, and the factor would say nothing."""
        return self.surge.observed / self.surge.expected if self.surge.expected >= 1 else None

    def filters(self) -> dict[str, Any]:
        """What the desk is asked for to see the voices behind it."""
        found: dict[str, Any] = {self.surge.facet: self.surge.value, "since": self.surge.since, "until": self.surge.until}
        return found | ({self.surge.by_facet: self.surge.by_value} if self.surge.by_facet else {})


@dataclass(frozen=True, slots=True)
class SurgeLook:
    """A stored look at the end of a day. ``enough`` is false where ``past`` days were too few to say anything."""

    as_of: date
    created_at: datetime
    series: int
    enough: bool
    past: int
    lines: list[SurgeLine]


@dataclass(frozen=True, slots=True)
class Episode:
    """A surge from the look that first told it to the one that last did, whose figures it has."""

    key: str
    first: date
    published: datetime
    updated: datetime
    line: SurgeLine


def latest(session: Session, *, seen_by: Actor | None, as_of: date | None = None) -> SurgeLook | None:
    """The newest look, or the newest one of no later day than ``as_of``; ``None`` where there is none.

    The sums are everybody's; the voices to begin with are such as this person may see.
    """
    wanted = select(SurgeRun).order_by(SurgeRun.as_of.desc(), SurgeRun.id.desc()).limit(1)
    run = session.scalar(wanted if as_of is None else wanted.where(SurgeRun.as_of <= as_of))
    if run is None:
        return None
    surges = session.scalars(select(Surge).where(Surge.run_id == run.id).order_by(Surge.rank)).all()
    lines = named(session, surges, seen_by=seen_by)
    return SurgeLook(run.as_of, run.created_at, run.series, bool(run.settings["enough"]), int(run.settings["past"]), lines)


def of_topic(session: Session, topic_id: int) -> list[Surge]:
    """What the newest look tells of a topic and those below it, the one to look at first first."""
    run_id = session.scalar(select(SurgeRun.id).order_by(SurgeRun.as_of.desc(), SurgeRun.id.desc()).limit(1))
    if run_id is None:
        return []
    values = [str(number) for number in session.scalars(family(topic_id))]
    risen = select(Surge).where(Surge.run_id == run_id, Surge.facet == "topic", Surge.value.in_(values))
    return list(session.scalars(risen.order_by(Surge.rank)))


def named(session: Session, surges: Sequence[Surge], *, seen_by: Actor | None) -> list[SurgeLine]:
    """Surges, stored or not, with their names and the voices that this person may see, in their order."""
    names = _names(session, surges)
    examples = _examples(session, surges, seen_by)
    topics = [surge for surge in surges if surge.facet == "topic"]
    told = {(surge.run_id, surge.value) for surge in topics if not surge.is_campaign}
    sent = {(surge.run_id, surge.campaign_id) for surge in topics if surge.is_campaign}
    return [
        SurgeLine(
            surge,
            names.get(surge.value, "") if surge.facet == "topic" else surge.value,
            [place | {"name": names.get(place["value"], "") if place["facet"] == "topic" else place["value"]} for place in surge.where],
            [examples[voice] for voice in surge.voices if voice in examples],
            (surge.facet == "theme" and surge.is_campaign and (surge.run_id, surge.campaign_id) in sent)
            or any(place["facet"] == "topic" and (surge.run_id, place["value"]) in told for place in surge.where),
        )
        for surge in surges
    ]


def episodes(session: Session, *, seen_by: Actor | None, limit: int = 50) -> list[Episode]:
    """The surges of the last months, the one that was told last first; the same rise in one look after another is one of them."""
    newest = session.scalar(select(SurgeRun.as_of).order_by(SurgeRun.as_of.desc()).limit(1))
    if newest is None:
        return []
    looks = select(Surge, SurgeRun.as_of, SurgeRun.created_at).join(SurgeRun, SurgeRun.id == Surge.run_id)
    rows = session.execute(looks.where(SurgeRun.as_of >= newest - _REMEMBERED).order_by(SurgeRun.as_of, Surge.rank))
    found: dict[tuple[Any, ...], list[tuple[Surge, date, datetime]]] = {}
    ended = []
    for surge, as_of, created_at in rows:
        key = (surge.facet, surge.value, surge.by_facet, surge.by_value, surge.is_campaign)
        if key in found and as_of - found[key][-1][1] > _QUIET:
            ended.append(found.pop(key))
        found.setdefault(key, []).append((surge, as_of, created_at))
    told = sorted([*ended, *found.values()], key=lambda looks: (looks[-1][1], -looks[-1][0].rank), reverse=True)[:limit]
    lines = named(session, [looks[-1][0] for looks in told], seen_by=seen_by)
    return [_episode(looks, line) for looks, line in zip(told, lines, strict=True)]


def _episode(looks: Sequence[tuple[Surge, date, datetime]], line: SurgeLine) -> Episode:
    surge, first, published = looks[0]
    kind = "campaign" if surge.is_campaign else "surge"
    key = "/".join([first.isoformat(), kind, surge.facet, surge.value, surge.by_facet, surge.by_value])
    return Episode(key, first, published, looks[-1][2], line)


def _names(session: Session, surges: Sequence[Surge]) -> Mapping[str, str]:
    wanted = {surge.value for surge in surges if surge.facet == "topic"}
    wanted |= {str(place["value"]) for surge in surges for place in surge.where if place["facet"] == "topic"}
    ids = _numbers(wanted)
    return {str(number): name for number, name in session.execute(select(Topic.id, Topic.name).where(Topic.id.in_(ids)))} if ids else {}


def _examples(session: Session, surges: Sequence[Surge], seen_by: Actor | None) -> Mapping[int, Example]:
    ids = {voice for surge in surges for voice in surge.voices}
    if not ids:
        return {}
    columns = (Voice.id, Voice.receipt_number, Voice.text, Voice.received_on)
    rows = session.execute(select(*columns).where(Voice.id.in_(ids), *visible_to(seen_by)))
    return {row.id: Example(row.receipt_number, row.text, row.received_on) for row in rows}


def _numbers(values: Iterable[str]) -> list[int]:
    return sorted(int(value) for value in values if value.isdigit())
