"""Surges in their tables: looked for as they stood at the end of a day, stored with the voices to begin with; one look a day is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core import db
from core.calendar import OpenDays
from core.clock import utc_now
from core.errors import InputError
from core.models import CampaignMember, Channel, Surge, SurgeRun, TopicMembership, Voice, VoiceWording
from nlp.surge.counts import Counts, read
from nlp.surge.days import kinds_of
from nlp.surge.discoveries import LEVEL
from nlp.surge.expected import GUARD, LEAST_PAST, WINDOWS, enough_past
from nlp.surge.find import Look, Rise, find
from nlp.surge.typical import typical

NEEDED = LEAST_PAST + GUARD
"""Days of voices up to the last one, without which nothing can be said."""
_CANDIDATES = 300
_VOICES = 3


@dataclass(frozen=True, slots=True)
class SurgeReport:
    """A look: the day that it is of, how many series were looked at, the surges in their order, not yet stored.

    ``past`` tells how many days there are up to it; with too few (``enough`` is false) no series was looked at.
    """

    as_of: date
    past: int
    enough: bool
    series: int
    surges: list[Surge]


def look(session: Session, calendar: OpenDays, *, as_of: date | None = None) -> SurgeReport:
    """The surges at the end of a day, the newest voice's where none is given or it is later.

    Raises:
        InputError: there are no voices up to that day.
    """
    counts = read(session, as_of)
    if counts is None:
        raise InputError("急増を調べる声がありません。", hint="koe import で声を取り込むか、--as-of の日付を確かめてください。")
    days = counts.days
    enough = enough_past(len(days))
    found = find(counts.facets, kinds_of(days, calendar), counts.last) if enough else Look(0, ())
    surges = [_row(session, counts, rise, rank) for rank, rise in enumerate(found.rises, start=1)]
    return SurgeReport(counts.last, len(days), enough, found.series, surges)


def save(session: Session, report: SurgeReport) -> SurgeRun:
    """Stores a look in place of an earlier one of the same day."""
    session.execute(delete(SurgeRun).where(SurgeRun.as_of == report.as_of).execution_options(synchronize_session=False))
    settings = {"level": LEVEL, "windows": list(WINDOWS), "past": report.past, "enough": report.enough, "needed": NEEDED}
    run = SurgeRun(as_of=report.as_of, series=report.series, settings=settings, created_at=utc_now())
    session.add(run)
    session.flush()
    for surge in report.surges:
        surge.run_id = run.id
    session.add_all(report.surges)
    session.flush()
    return run


def update(engine: Engine, calendar: OpenDays, *, as_of: date | None = None) -> SurgeReport:
    """Looks and stores what was found."""
    with db.reading(engine) as session:
        report = look(session, calendar, as_of=as_of)
    with db.writing(engine) as session:
        save(session, report)
    return report


def _row(session: Session, counts: Counts, rise: Rise, rank: int) -> Surge:
    campaign = counts.campaign_of(rise.facet, rise.value, rise.since, rise.until) if rise.is_campaign else None
    return Surge(
        rank=rank, facet=rise.facet, value=rise.value, by_facet=rise.by_facet, by_value=rise.by_value,
        since=rise.since, until=rise.until, observed=rise.observed, expected=rise.expected, upper=float(rise.upper), p=rise.p, q=rise.q,
        where=[asdict(place) for place in rise.where],
        weeks=[asdict(week) | {"begins_on": week.begins_on.isoformat()} for week in rise.weeks],
        voices=_voices(session, rise, campaign), is_campaign=rise.is_campaign, campaign_id=campaign,
    )  # fmt: skip


def _voices(session: Session, rise: Rise, campaign: int | None) -> list[int]:
    """Three voices of the rise in different wordings; of a campaign's, its own."""
    wording = select(VoiceWording.key).where(VoiceWording.voice_id == Voice.id).scalar_subquery()
    wanted = select(Voice.id, Voice.text, wording).where(*_conditions(rise))
    if campaign is not None:
        wanted = wanted.join(CampaignMember, CampaignMember.voice_id == Voice.id).where(CampaignMember.campaign_id == campaign)
    rows = session.execute(wanted.order_by(Voice.received_on.desc(), Voice.id.desc()).limit(_CANDIDATES)).all()
    distinct = list({key if key is not None else -voice: (voice, text) for voice, text, key in reversed(rows)}.values())
    chosen = typical([text for _, text in distinct], count=_VOICES)
    return [distinct[place][0] for place in chosen]


def _conditions(rise: Rise) -> Sequence[Any]:
    found: list[Any] = [Voice.received_on.between(rise.since, rise.until), Voice.channel != Channel.SURVEY]
    columns: dict[str, Any] = {"theme": Voice.theme, "district": Voice.district, "channel": Voice.channel}
    if rise.facet == "topic":
        members = select(TopicMembership.voice_id).where(TopicMembership.topic_id == int(rise.value))
        found.append(Voice.id.in_(members))
    else:
        found.append(columns[rise.facet] == rise.value)
    if rise.by_facet:
        found.append(columns[rise.by_facet] == rise.by_value)
    return found
