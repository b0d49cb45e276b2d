"""Rows that go in by the thousand are the rows that SQLAlchemy would have written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from core import db
from core.bulk import among, insert_rows
from core.models import Channel, Kind, Urgency, Voice
from tests import factories

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def voice(number: int, batch: int) -> dict[str, Any]:
    return {
        "receipt_number": f"R08-{number:06d}-0", "external_id": str(number), "batch_id": batch, "row": number,
        "content_hash": f"{number:064d}",
        "channel": Channel.PHONE, "received_on": date(2026, 11, 1), "received_at": NOW, "text": "歩道😀\n段差", "theme": "道路・交通",
        "context": {"question": "問", "choice": None}, "kind": Kind.REQUEST, "urgency": Urgency.NORMAL, "confidence": 0.5,
        "segments": [{"start": 0}], "due_on": None, "created_at": NOW,
    }  # fmt: skip


def stored(engine: Engine) -> list[dict[str, Any]]:
    left_out = {"id", "receipt_number", "external_id", "row", "content_hash"}
    columns = [column for column in Voice.__table__.columns if column.key not in left_out]
    with db.reading(engine) as session:
        return [dict(row) for row in session.execute(select(*columns).order_by(Voice.id)).mappings()]


def test_rows_are_as_sqlalchemy_writes_them_with_the_defaults(engine: Engine) -> None:
    with db.writing(engine) as session:
        batch = factories.create_batch(session).id
        session.execute(insert(Voice), [voice(1, batch)])
        insert_rows(session, Voice.__table__, [voice(2, batch), voice(3, batch)])
    theirs, *ours = stored(engine)
    assert ours == [theirs, theirs]
    assert ours[0]["title"] == ""
    assert ours[0]["related"] == []
    assert ours[0]["received_at"] == NOW


def test_no_rows(engine: Engine) -> None:
    with db.writing(engine) as session:
        insert_rows(session, Voice.__table__, [])
    assert stored(engine) == []


def test_what_a_type_refuses_is_refused(engine: Engine) -> None:
    with db.writing(engine) as session:
        batch = factories.create_batch(session).id
        with pytest.raises(ValueError, match="naive"):
            insert_rows(session, Voice.__table__, [voice(1, batch) | {"created_at": NOW.replace(tzinfo=None)}])
        with pytest.raises(ValueError, match="電報"):
            insert_rows(session, Voice.__table__, [voice(1, batch) | {"channel": "電報"}])


def test_a_row_that_is_there_already_is_told_and_nothing_is_kept(engine: Engine) -> None:
    with db.writing(engine) as session:
        batch = factories.create_batch(session).id
    with pytest.raises(IntegrityError), db.writing(engine) as session:
        insert_rows(session, Voice.__table__, [voice(1, batch), voice(1, batch)])
    assert stored(engine) == []


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_among_any_number_of_values(engine: Engine, count: int) -> None:
    with db.writing(engine) as session:
        batch = factories.create_batch(session).id
        insert_rows(session, Voice.__table__, [voice(number, batch) for number in range(1, 4)])
        wanted = [f"{number:064d}" for number in range(2, 2 + count)]
        found = session.scalars(select(Voice.external_id).where(among(session, Voice.content_hash, wanted)).order_by(Voice.id)).all()
    assert found == ["2", "3"][:count]
