"""The daily counts that surges are looked for in, read in one place: topics and themes, in districts, by channels, without near-copies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core import facts
from core.models import CampaignMember, Channel, TopicMembership, Voice
from nlp.surge.days import Ints
from nlp.surge.find import Cut, Facet

LEAST_COPIES = 5
"""From so many near-copies on a campaign's voices count as one."""
_LONGEST_PAST = timedelta(days=3 * 366)  # what is older tells nothing of today
_NOT_ASKED = Channel.SURVEY
"""What the city asks for comes when it asks: a survey's answers are nobody's surge."""
_FACETS = {"topic": ("district", "channel"), "theme": ("district", "channel", "topic")}


@dataclass(frozen=True, slots=True)
class Counts:
    """All series from ``first`` to ``last``, and each near-copy's day, attributes and campaign."""

    first: date
    last: date
    facets: list[Facet]
    copies: list[tuple[date, dict[str, str], int]]

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def campaign_of(self, facet: str, value: str, since: date, until: date) -> int | None:
        """The campaign that most of a series' near-copies of some days belong to."""
        found = Counter(campaign for day, has, campaign in self.copies if has[facet] == value and since <= day <= until)
        return found.most_common(1)[0][0] if found else None


def read(session: Session, as_of: date | None = None) -> Counts | None:
    """The series up to a day, or to the newest voice's day where that is earlier; ``None`` where there is no voice up to then."""
    span = facts.span(session)
    if span is None or (as_of is not None and as_of < span[0]):
        return None
    last = min(as_of or span[1], span[1])
    first = max(span[0], last - _LONGEST_PAST)
    copies = [_told(row) for row in session.execute(_copies(first, last))]
    gone = Counter((day, *has.values()) for day, has, _ in copies)
    rows = session.execute(_rows(first, last)).all()
    return Counts(first, last, _facets(rows, gone, first, (last - first).days + 1), copies)


def _attributes() -> list[Any]:
    return [Voice.theme, TopicMembership.topic_id, Voice.district, Voice.channel]


def _rows(first: date, last: date) -> Select[Any]:
    by = [Voice.received_on, *_attributes()]
    found = select(*by, func.count()).outerjoin(TopicMembership, TopicMembership.voice_id == Voice.id)
    return found.where(Voice.received_on.between(first, last), Voice.channel != _NOT_ASKED).group_by(*by)


def _copies(first: date, last: date) -> Select[Any]:
    """Every voice of a campaign that has voices enough up to ``last``, except its first one."""
    place = func.row_number().over(partition_by=CampaignMember.campaign_id, order_by=(Voice.received_on, Voice.id))
    size = func.count().over(partition_by=CampaignMember.campaign_id)
    members = (
        select(Voice.received_on, *_attributes(), CampaignMember.campaign_id, place.label("place"), size.label("size"))
        .join(CampaignMember, CampaignMember.voice_id == Voice.id)
        .outerjoin(TopicMembership, TopicMembership.voice_id == Voice.id)
    )
    all_of_them = members.where(Voice.received_on <= last, Voice.channel != _NOT_ASKED).subquery()
    wanted = select(*list(all_of_them.c)[:-2]).where(
        all_of_them.c.place > 1, all_of_them.c.size >= LEAST_COPIES, all_of_them.c.received_on >= first
    )
    return wanted.order_by(all_of_them.c.received_on, all_of_them.c.campaign_id)


def _told(row: Any) -> tuple[date, dict[str, str], int]:
    return row[0], _values(row), row[-1]


def _values(row: Any) -> dict[str, str]:
    _, theme, topic, district, channel = row[:5]
    return {"theme": theme, "topic": "" if topic is None else str(topic), "district": district, "channel": str(channel)}


def _facets(rows: Sequence[Any], gone: Counter[Any], first: date, days: int) -> list[Facet]:
    places: dict[str, dict[str, int]] = defaultdict(dict)
    columns: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        values = _values(row)
        columns["day"].append((row[0] - first).days)
        columns["voices"].append(row[-1])
        columns["copies"].append(gone[row[0], *values.values()])
        for name, value in values.items():
            columns[name].append(places[name].setdefault(value, len(places[name])))
    arrays = {name: np.array(column, dtype=np.int64) for name, column in columns.items()}
    arrays["own"] = arrays["voices"] - arrays["copies"]
    return [
        Facet(
            name,
            tuple(places[name]),
            _sums(arrays, "own", [name], places, days),
            _sums(arrays, "copies", [name], places, days),
            {by: Cut(tuple(places[by]), _sums(arrays, "own", [name, by], places, days)) for by in cuts},
        )
        for name, cuts in _FACETS.items()
    ]


def _sums(arrays: dict[str, Ints], what: str, by: Sequence[str], places: dict[str, dict[str, int]], days: int) -> Ints:
    shape = (*(len(places[name]) for name in by), days)
    where = np.ravel_multi_index([arrays[name] for name in (*by, "day")], shape)
    sums = np.bincount(where, weights=arrays[what], minlength=int(np.prod(shape)))
    return sums.reshape(shape).astype(np.int32)
