"""What the JSON API says of topics and of FAQ entries."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from core.models import TopicEventKind, TopicStatus
from nlp.opinions import Side


class Keyword(BaseModel):
    word: str
    weight: float


class TopicItem(BaseModel):
    """A topic. Its id and a name that a person gave stay for life."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    parent_id: int | None
    status: TopicStatus
    is_rest: bool
    size: int
    keywords: list[Keyword]


class TopicsAnswer(BaseModel):
    items: list[TopicItem]


class StepItem(BaseModel):
    """A month (or week) by its first day, and how many voices came in.

    ``year_before``: in the same days a year earlier, empty where there are no data. ``expected``: what its past led one to expect, empty
    where that is too short.
    """

    begins_on: date
    count: int
    year_before: int | None
    expected: float | None


class StanceItem(BaseModel):
    """The sides of ``read`` voices, the newest of the period that were read for what they say: how many are for, against, neither."""

    read: int
    sides: dict[Side, int]


class TopicAnswer(TopicItem):
    """A topic's figures for a period, both days included; each cut adds up to ``count``."""

    since: date
    until: date
    count: int
    previous: int | None
    steps: list[StepItem]
    kinds: dict[str, int]
    departments: dict[str, int]
    districts: dict[str, int]
    channels: dict[str, int]
    opinions: StanceItem


class EventItem(BaseModel):
    """What a run, or a person (``run_id`` is empty), made of a topic: its voices before and after.

    ``kept_share``: of the earlier voices that stayed; ``drift``: how far its middle moved (1 less the cosine); ``others``: the ids of
    topics that it came from, went to or exchanged voices with.
    """

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    kind: TopicEventKind
    run_id: int | None
    before: int
    after: int
    kept_share: float | None
    drift: float | None
    others: list[int]


class HistoryAnswer(BaseModel):
    """A topic's newest events in which something happened, the oldest first; ``more``: there are earlier ones."""

    items: list[EventItem]
    more: bool


class PlaceItem(BaseModel):
    """A district, channel or (of a theme) topic that carries a rise."""

    facet: str
    value: str
    name: str
    observed: int
    expected: float


class WeekItem(BaseModel):
    """Seven days: voices, what was expected, and the most that chance explains."""

    begins_on: date
    observed: int
    expected: float
    upper: int


class SurgeItem(BaseModel):
    """A topic or theme that rose above what its past explains; with ``by_facet``, in one district or by one channel alone.

    ``p`` is the chance of such a rise, ``q`` the share of false reports among those at least as sure. ``factor`` is empty where less than
    one voice was expected. ``voices`` are receipt numbers to begin with. With ``is_campaign``, near-copies explain the rise.
    """

    facet: str
    value: str
    name: str
    by_facet: str
    by_value: str
    since: date
    until: date
    observed: int
    expected: float
    upper: float
    factor: float | None
    p: float
    q: float
    where: list[PlaceItem]
    weeks: list[WeekItem]
    voices: list[str]
    is_campaign: bool
    campaign_id: int | None


class SurgesAnswer(BaseModel):
    """A look at all series at the end of the day ``as_of``; empty where nobody has looked yet, ``enough`` false with too little past."""

    as_of: date | None
    series: int
    enough: bool
    items: list[SurgeItem]


class FaqItem(BaseModel):
    """A question and how often it was looked at. ``previous``: in the period before, empty where that wasn't counted."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    question: str
    theme: str
    department: str
    views: int
    previous: int | None
    change: int | None


class ThemeNeedItem(BaseModel):
    """A theme: its questions, how often they were looked at, and how many voices came in."""

    model_config = ConfigDict(from_attributes=True)

    theme: str
    entries: int
    views: int
    previous: int | None
    change: int | None
    voices: int


class FaqAnswer(BaseModel):
    """A period, both days included (empty: nothing was counted yet); the themes add up to ``views`` and ``voices``."""

    since: date | None
    until: date | None
    views: int
    voices: int
    themes: list[ThemeNeedItem]
    items: list[FaqItem]
