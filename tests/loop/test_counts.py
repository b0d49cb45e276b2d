"""Pages that read daily counts show what counting the voices one by one gives."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import db, facts
from core.calendar import OpenDays
from core.models import Answer, Channel, Facet, Kind, Topic, TopicMembership, TopicStatus, Urgency, Voice
from core.settings import Settings
from loop import labels, publication, queries, topic_queries
from loop.filters import Scope, Tab, VoiceFilter, in_topic
from loop.periods import Period
from loop.topic_course import course
from nlp import taxonomy, topic_moves
from tests import factories
from tests.loop.people import somebody

SINCE, UNTIL = date(2026, 3, 1), date(2026, 5, 31)
FILTERS: list[dict[str, Any]] = [
    {},
    {"theme": "道路・交通"},
    {"since": SINCE},
    {"kind": Kind.REQUEST, "since": SINCE, "until": UNTIL},
    {"urgency": Urgency.NORMAL, "channel": Channel.PHONE},
    {"department": "道路維持課", "district": "港地区", "until": UNTIL},
    {"theme": "道路・交通", "kind": Kind.REQUEST, "channel": Channel.PHONE},
    {"theme": "道路・交通", "words": ("歩道",)},
    {"topic": 0},
]


def direct(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count()).select_from(Voice).where(*conditions)) or 0


@pytest.fixture
def filled(engine: Engine, settings: Settings) -> Engine:
    """Voices over the turn of a 年度, a third of them relabelled."""
    rng = random.Random(7)  # noqa: S311
    city = taxonomy.load(settings.taxonomy_dir)
    with db.writing(engine) as session:
        actor = somebody(session)
        for number in range(45):
            day = date(2026, 2, 1) + timedelta(days=rng.randrange(150))
            answer = {"answered": number % 4 == 0, "published": number % 8 == 0}
            voice = factories.create_voice(session, received_on=day, district=rng.choice(("", "港地区", "本町地区")), **answer)
            if number % 3 == 0:
                labels.decide(session, voice, Facet.THEME, rng.choice(city.theme_names), actor=actor, taxonomy=city)
                labels.decide(session, voice, Facet.DEPARTMENT, rng.choice(("", "道路維持課")), actor=actor, taxonomy=city)
    return engine


@pytest.mark.parametrize("asked", FILTERS, ids=lambda asked: "-".join(asked) or "nothing")
def test_the_desk_s_tabs(filled: Engine, asked: dict[str, Any]) -> None:
    scope = Scope(filter=VoiceFilter(**asked), tab=Tab.OPEN, department="道路維持課", due_by=UNTIL, seen_by=None)
    with db.reading(filled) as session:
        assert queries.count_tabs(session, scope) == {tab: direct(session, *scope.through(tab).conditions()) for tab in Tab}


def test_the_public_home_s_figures(filled: Engine) -> None:
    with db.reading(filled) as session:
        in_year = Voice.received_on.between(date(2026, 4, 1), date(2027, 3, 31))
        given = publication.figures(session)
        for number, conditions in (
            (given.received, ()),
            (given.answered, (Answer.answered_on.is_not(None),)),
            (given.published, (Answer.published_on.is_not(None),)),
        ):
            statement = select(func.count()).select_from(Voice).outerjoin(Answer, Answer.voice_id == Voice.id)
            assert number == session.scalar(statement.where(in_year, *conditions)) > 0
        assert given.year == 2026


PERIODS = [
    Period(date(2026, 3, 1), date(2026, 5, 31)),
    Period(date(2026, 2, 20), date(2026, 6, 25)),
    Period(date(2026, 4, 10), date(2026, 4, 20)),
    Period(date(2026, 2, 1), date(2026, 6, 30)),
]


@pytest.fixture
def grouped(filled: Engine) -> Engine:
    """The voices in topics of three levels, in その他の声, in one that was joined to another, and in none."""
    with db.writing(filled) as session:
        voices = list(session.scalars(select(Voice).order_by(Voice.id)))
        top = factories.create_topic(session, name="道路")
        middle = factories.create_topic(session, name="歩道", parent_id=top.id)
        factories.create_topic(session, name="段差", voices=voices[0:30:2], parent_id=middle.id)
        factories.create_topic(session, name="街灯", voices=voices[1:30:2], parent_id=top.id)
        factories.create_topic(session, name="その他の声", voices=voices[30:38], is_rest=True)
        factories.create_topic(session, name="古い話題", status=TopicStatus.MERGED, merged_into=middle.id, parent_id=top.id)
    return filled


def scanned(session: Session, period: Period, *conditions: Any) -> list[Any]:
    """The voices of a period with the topic that each is in, one by one."""
    columns = (TopicMembership.topic_id, Voice.received_on, Voice.kind, Voice.department, Voice.district, Voice.channel)
    rows = select(*columns).select_from(Voice).outerjoin(TopicMembership, TopicMembership.voice_id == Voice.id)
    return list(session.execute(rows.where(Voice.received_on.between(period.since, period.until), *conditions)))


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_the_overview_of_topics(grouped: Engine, period: Period) -> None:
    with db.reading(grouped) as session:
        found = topic_queries.overview(session, period)
        rows, before = scanned(session, period), scanned(session, period.before())
        parent_of = dict(session.execute(select(Topic.id, Topic.parent_id)).all())
    assert (found.total, found.waiting) == (len(rows), sum(row.topic_id is None for row in rows))
    assert found.steps == {step: sum(period.step_of(row.received_on) == step for row in rows) for step in period.steps()}
    assert [group.line.name for group in found.groups] == ["道路", "その他の声"]
    for line in [line for group in found.groups for line in (group.line, *group.below)]:
        below = {number for number in parent_of if line.id in {number, parent_of[number], parent_of.get(parent_of[number] or 0)}}
        if line.parent_id:  # figures of those below stand with the first level alone
            below = {line.id}
        own = [row for row in rows if row.topic_id in below]
        assert line.count == len(own)
        assert line.previous == sum(row.topic_id in below for row in before)
        assert +line.steps == Counter(period.step_of(row.received_on) for row in own)
        assert line.kinds == Counter(row.kind.value for row in own)
        assert line.departments == Counter(row.department for row in own)


@pytest.mark.parametrize("period", PERIODS, ids=str)
def test_a_topic_s_figures(grouped: Engine, period: Period) -> None:
    with db.reading(grouped) as session:
        for topic in list(session.scalars(select(Topic))):
            found = topic_queries.detail(session, topic.id, period)
            rows, before = (
                scanned(session, span, Voice.id.in_(select(Voice.id).where(in_topic(topic.id)))) for span in (period, period.before())
            )
            steps = course(session, topic.id, period, whole=PERIODS[-1], offices=OpenDays())
            line = found.line
            assert (line.count, line.previous) == (len(rows), len(before))
            in_step = {step: sum(period.step_of(row.received_on) == step for row in rows) for step in period.steps()}
            assert {step.first: step.count for step in steps} == in_step
            assert line.kinds == Counter(row.kind.value for row in rows)
            assert line.departments == Counter(row.department for row in rows)
            assert found.districts == Counter(row.district for row in rows)
            assert found.channels == Counter(row.channel.value for row in rows)
            assert "古い話題" not in [name for _, name in found.below]


def test_labels_and_topics_that_change_at_the_same_time(grouped: Engine, settings: Settings) -> None:
    city = taxonomy.load(settings.taxonomy_dir)
    with db.reading(grouped) as session:
        numbers = session.scalars(select(Voice.receipt_number).order_by(Voice.id)).all()
        leaves = session.scalars(select(Topic.id).where(Topic.name.in_(["段差", "街灯", "その他の声"])).order_by(Topic.id)).all()
    with db.writing(grouped) as session:
        actor = somebody(session)

    def act(turn: int) -> None:
        rng = random.Random(turn)  # noqa: S311
        for _ in range(6):
            with db.writing(grouped) as session:
                if turn % 4 == 0:
                    voices = session.scalars(select(Voice.id).order_by(Voice.id)).all()
                    topic_moves.move(session, rng.sample(voices, 20), rng.choice(leaves), actor=actor.username)
                elif turn % 4 == 1:
                    facts.recount_topics(session)
                else:
                    voice = queries.get_voice(session, rng.choice(numbers), seen_by=None, lock=True)
                    labels.decide(session, voice, Facet.THEME, rng.choice(city.theme_names), actor=actor, taxonomy=city)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(8)))
    with db.reading(grouped) as session:
        assert facts.differences(session) == []
        sizes = dict(session.execute(select(TopicMembership.topic_id, func.count()).group_by(TopicMembership.topic_id)).all())
        assert {topic.id: topic.size for topic in session.scalars(select(Topic)) if topic.id in leaves} == {
            topic: sizes.get(topic, 0) for topic in leaves
        }


def test_the_figures_of_a_city_without_answers(engine: Engine) -> None:
    with db.writing(engine) as session:
        factories.create_voice(session, received_on=date(2026, 3, 31))
        factories.create_voice(session, received_on=date(2026, 4, 1))
        given = publication.figures(session)
    assert (given.year, given.received, given.answered, given.published) == (2026, 1, 0, 0)


def test_the_span_and_the_districts(filled: Engine) -> None:
    with db.reading(filled) as session:
        first, last = session.execute(select(func.min(Voice.received_on), func.max(Voice.received_on))).one()
        assert topic_queries.span(session) == Period(first, last)
        assert (
            queries.districts(session)
            == session.scalars(select(Voice.district).where(Voice.district != "").distinct().order_by(Voice.district)).all()
        )


def test_nothing_yet(engine: Engine) -> None:
    with db.reading(engine) as session:
        assert topic_queries.span(session) is None
        assert queries.districts(session) == []
        assert publication.figures(session).received == 0
