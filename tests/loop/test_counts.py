"""Pages that read daily counts show what counting the voices one by one gives."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core import db
from core.models import Answer, Channel, Facet, Kind, Role, Urgency, Voice
from core.settings import Settings
from loop import labels, publication, queries, topic_queries
from loop.actors import Actor
from loop.filters import Scope, Tab, VoiceFilter
from loop.periods import Period
from nlp import taxonomy
from tests import factories

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
        user = factories.create_user(session, role=Role.KOCHO)
        actor = Actor(user.id, user.username, user.display_name, user.role, user.department)
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
    scope = Scope(filter=VoiceFilter(**asked), tab=Tab.OPEN, department="道路維持課", due_by=UNTIL)
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
