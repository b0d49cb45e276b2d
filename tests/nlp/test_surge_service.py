"""Surges from voices in the tables: found, stored, one look a day, with the voices that tell what they are about."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from core import db, facts
from core.calendar import OpenDays
from core.errors import InputError
from core.models import Campaign, CampaignMember, Channel, Surge, SurgeRun, Topic, TopicMembership, Voice, VoiceWording
from nlp.surge import service
from nlp.surge.service import SurgeReport
from tests import factories

LAST = date(2026, 9, 30)
DAYS = 84
OPEN_DAYS = OpenDays()
THEMES = list(factories.THEMES)
BURST = (
    "断水で水が出ません。{}はいつ通りますか。",
    "蛇口から茶色い水が出ます。{}でも飲めますか。",
    "給水車が{}に来ません。年寄りは運べません。",
    "水道の工事のお知らせが{}には届いていません。",
)


@pytest.fixture
def session(engine: Engine) -> Session:
    with Session(engine, expire_on_commit=False) as session:
        yield session


def create(session: Session, rows: list[dict[str, Any]]) -> list[Voice]:
    """Many voices at once, like one of the factory's but for what ``rows`` say."""
    like = factories.create_voice(session, labelled=False, counted=False)
    common = {column.key: getattr(like, column.key) for column in Voice.__table__.columns if column.key != "id"}
    session.delete(like)
    own = [
        {"receipt_number": f"R08-{number}", "content_hash": f"{like.id}-{number}", "theme": row.get("theme", THEMES[0])}
        for number, row in enumerate(rows, start=1000 * like.id)
    ]
    session.execute(insert(Voice), [common | unique | row for unique, row in zip(own, rows, strict=True)])
    voices = list(session.scalars(select(Voice).where(Voice.receipt_number.in_([row["receipt_number"] for row in own])).order_by(Voice.id)))
    facts.add(session, [facts.attributes_of(session, voice) for voice in voices])
    return voices


def at_random(theme: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Some eight calls a week in a theme, up to the day ``LAST``."""
    days = [LAST - timedelta(days=ago) for ago in range(DAYS) for _ in range(rng.poisson(1.15))]
    places = rng.choice(factories.DISTRICTS, size=len(days)).tolist()
    return [
        {"theme": theme, "received_on": day, "channel": Channel.PHONE, "district": district}
        for day, district in zip(days, places, strict=True)
    ]


@pytest.fixture
def topics(session: Session) -> list[Topic]:
    """Three topics of three themes."""
    rng = np.random.default_rng(1)
    made = [factories.create_topic(session, voices=create(session, at_random(theme, rng)), name=f"{theme}のこと") for theme in THEMES[:3]]
    session.commit()
    return made


def burst(session: Session, topic: Topic, **values: object) -> list[Voice]:
    """Twenty-eight more voices of the last week in a topic, in words of four kinds."""
    common = {"theme": THEMES[0], "district": "港地区", "channel": Channel.WEB_FORM} | values
    texts = [BURST[number % 4].format(f"{factories.DISTRICTS[number % 5]}の{number}番地") for number in range(28)]
    days = [LAST - timedelta(days=number // 4) for number in range(28)]
    voices = create(session, [{"text": text, "received_on": day} | common for text, day in zip(texts, days, strict=True)])
    factories.join_topic(session, topic, voices)
    session.commit()
    return voices


def look(session: Session, as_of: date | None = None) -> SurgeReport:
    return service.look(session, OPEN_DAYS, as_of=as_of)


def test_a_quiet_city(session: Session, topics: list[Topic]) -> None:
    report = look(session)
    assert (report.as_of, report.past, report.enough, report.surges) == (LAST, DAYS, True, [])
    assert report.series >= 6


def test_a_surge_of_a_topic_and_of_its_theme(session: Session, topics: list[Topic]) -> None:
    voices = burst(session, topics[0])
    topic, theme = look(session).surges
    assert (topic.rank, topic.facet, topic.value, topic.by_facet) == (1, "topic", str(topics[0].id), "")
    assert (theme.rank, theme.facet, theme.value) == (2, "theme", THEMES[0])
    assert topic.until == LAST
    assert LAST - timedelta(days=8) <= topic.since <= LAST - timedelta(days=5)
    assert topic.observed > topic.upper > topic.expected > 4
    assert {"facet": "district", "value": "港地区"}.items() <= topic.where[0].items()
    assert {place["value"] for place in theme.where if place["facet"] == "topic"} == {str(topics[0].id)}
    assert topic.weeks[-1]["begins_on"] == "2026-09-24"
    assert not topic.is_campaign
    assert topic.campaign_id is None
    chosen = [voice for voice in voices if voice.id in topic.voices]
    assert len(topic.voices) == 3
    assert len(chosen) >= 2
    assert len({voice.text[:4] for voice in chosen}) == len(chosen), "each in words of its own"


def test_as_of_a_day_before_nothing_of_it_is_known(session: Session, topics: list[Topic]) -> None:
    burst(session, topics[0])
    report = look(session, LAST - timedelta(days=8))
    assert (report.as_of, report.surges) == (LAST - timedelta(days=8), [])
    assert look(session, LAST + timedelta(days=400)).as_of == LAST, "beyond the voices there is nothing to look at"


def test_a_surveys_answers_are_nobodys_surge(session: Session, topics: list[Topic]) -> None:
    burst(session, topics[0], channel=Channel.SURVEY)
    assert look(session).surges == []


def as_campaign(session: Session, voices: list[Voice]) -> int:
    campaign = Campaign(created_at=factories.NOON)
    session.add(campaign)
    session.flush()
    session.add_all([CampaignMember(voice_id=voice.id, campaign_id=campaign.id, text_id=voices[0].id) for voice in voices])
    session.add_all([VoiceWording(voice_id=voice.id, key=7, signature=b"") for voice in voices])
    session.commit()
    return campaign.id


def test_near_copies_are_one_voice_and_shown_as_what_they_are(session: Session, topics: list[Topic]) -> None:
    voices = burst(session, topics[0], text=BURST[0])
    number = as_campaign(session, voices)
    surges = look(session).surges
    assert [(surge.facet, surge.is_campaign, surge.campaign_id) for surge in surges] == [("topic", True, number), ("theme", True, number)]
    assert surges[0].observed > 28
    assert len(surges[0].voices) == 1, "they all say the same"
    assert surges[0].voices[0] in {voice.id for voice in voices}


def test_four_near_copies_are_four_voices(session: Session, topics: list[Topic]) -> None:
    voices = burst(session, topics[0])
    for place in range(0, 28, 4):
        as_campaign(session, voices[place : place + 4])
    assert not look(session).surges[0].is_campaign


def test_what_was_grouped_later_is_not_known_earlier(session: Session, topics: list[Topic]) -> None:
    voices = burst(session, topics[0])
    as_campaign(session, voices[:3] + voices[-3:])
    for as_of, more in ((LAST - timedelta(days=3), []), (LAST, [*voices[:3], *voices[-2:]])):
        surge = look(session, as_of).surges[0]
        copies = sum(voice.received_on >= surge.since for voice in more)
        received = select(func.count()).select_from(Voice).join(TopicMembership, TopicMembership.voice_id == Voice.id)
        received = received.where(TopicMembership.topic_id == topics[0].id, Voice.received_on.between(surge.since, as_of))
        assert surge.observed == session.scalar(received) - copies


def test_one_look_a_day_is_kept(engine: Engine, session: Session, topics: list[Topic]) -> None:
    burst(session, topics[0])
    service.update(engine, OPEN_DAYS)
    service.update(engine, OPEN_DAYS, as_of=LAST - timedelta(days=20))
    service.update(engine, OPEN_DAYS)
    with db.reading(engine) as fresh:
        assert sorted(fresh.scalars(select(SurgeRun.as_of))) == [LAST - timedelta(days=20), LAST]
        newest = fresh.scalars(select(SurgeRun).where(SurgeRun.as_of == LAST)).one()
        assert newest.settings["enough"]
        assert fresh.scalar(select(func.count()).select_from(Surge)) == 2
        assert set(fresh.scalars(select(Surge.run_id))) == {newest.id}


def test_too_little_past_is_told_not_guessed(engine: Engine, session: Session) -> None:
    create(session, [{"received_on": LAST - timedelta(days=max(ago, 0))} for ago in range(-40, 30)])
    session.commit()
    report = service.update(engine, OPEN_DAYS)
    assert (report.past, report.enough, report.series, report.surges) == (30, False, 0, [])


def test_without_voices_it_says_what_to_do(session: Session) -> None:
    with pytest.raises(InputError, match="声がありません"):
        look(session)


def test_voices_without_a_topic_count_for_their_theme(session: Session) -> None:
    rng = np.random.default_rng(1)
    rows = [row for theme in THEMES[:3] for row in at_random(theme, rng)]
    create(session, rows + [{"theme": THEMES[1], "received_on": LAST - timedelta(days=number // 6)} for number in range(24)])
    session.commit()
    (surge,) = look(session).surges
    assert (surge.facet, surge.value) == ("theme", THEMES[1])
    assert [place for place in surge.where if place["facet"] == "topic"] == []
