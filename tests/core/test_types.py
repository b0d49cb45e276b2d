from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, insert, select, text
from sqlalchemy.exc import StatementError

from core import db
from core.clock import TOKYO
from core.models import Voice
from core.models.enums import Kind
from core.types import BytesType, JsonType, StrEnumType, UtcDateTime
from tests.factories import NOON, create_voice

THINGS = Table(
    "things",
    MetaData(),
    Column("at", UtcDateTime),
    Column("kind", StrEnumType(Kind)),
    Column("detail", JsonType),
    Column("body", BytesType),
)


@pytest.fixture
def things(engine: Engine) -> Engine:
    THINGS.create(engine)
    return engine


def test_a_row_comes_back_as_it_went(things: Engine) -> None:
    moment = datetime(2026, 4, 1, 0, 30, 15, 123456, tzinfo=TOKYO)
    detail = {"語": ["歩道", None, 0.5], "空": {}}
    with things.begin() as connection:
        connection.execute(insert(THINGS).values(at=moment, kind=Kind.REQUEST, detail=detail, body=b"\x00\xff"))
        row = connection.execute(select(THINGS)).one()
    assert row == (moment, Kind.REQUEST, detail, b"\x00\xff")
    assert row.at.tzinfo is UTC
    assert isinstance(row.kind, Kind)


def test_nothing_stays_nothing(things: Engine) -> None:
    with things.begin() as connection:
        connection.execute(insert(THINGS).values(at=None, kind=None))
        row = connection.execute(select(THINGS)).one()
    assert (row.at, row.kind) == (None, None)


def test_moments_compare_by_the_instant_whatever_their_zone(things: Engine) -> None:
    with things.begin() as connection:
        connection.execute(insert(THINGS).values(at=datetime(2026, 4, 1, 8, 59, tzinfo=TOKYO)))
        later = select(THINGS.c.at).where(THINGS.c.at >= datetime(2026, 4, 1, tzinfo=UTC))
        assert connection.execute(later).all() == []


def test_a_naive_moment_is_refused(things: Engine) -> None:
    with things.connect() as connection, pytest.raises(StatementError, match="naive datetime"):
        connection.execute(insert(THINGS).values(at=datetime(2026, 4, 1)))  # noqa: DTZ001


def test_a_plain_value_of_the_enum_is_taken(things: Engine) -> None:
    with things.begin() as connection:
        connection.execute(insert(THINGS).values(kind="苦情"))
        assert connection.scalar(select(THINGS.c.kind)) is Kind.COMPLAINT


def test_an_unknown_value_is_refused_on_the_way_in_and_out(things: Engine) -> None:
    with things.connect() as connection, pytest.raises(StatementError, match="陳情"):
        connection.execute(insert(THINGS).values(kind="陳情"))
    with things.begin() as connection:
        connection.execute(text("INSERT INTO things (kind) VALUES ('陳情')"))
    with things.connect() as connection, pytest.raises(ValueError, match="陳情"):
        connection.scalar(select(THINGS.c.kind))


def test_a_voice_of_the_models_comes_back_aware(engine: Engine) -> None:
    with db.writing(engine) as session:
        number = create_voice(session).id
    with db.reading(engine) as session:
        voice = session.get_one(Voice, number)
        assert voice.created_at == NOON
        assert voice.created_at.tzinfo is UTC
