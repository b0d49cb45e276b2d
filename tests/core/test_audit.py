from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core import audit, db


def test_a_chain_that_nobody_touched_holds(engine: Engine) -> None:
    with db.writing(engine) as session:
        for number in range(3):
            audit.record(session, actor="test", action="voice.read", subject=f"voice:{number}", detail={"reason": "照会"})
    with db.reading(engine) as session:
        assert audit.verify(session) == audit.Verdict(checked=3, broken_at=None)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"])
def test_the_database_itself_refuses_changes(engine: Engine, statement: str) -> None:
    with db.writing(engine) as session:
        audit.record(session, actor="test", action="a", subject="b")
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))


def test_a_row_changed_behind_the_triggers_is_found(engine: Engine) -> None:
    with db.writing(engine) as session:
        for number in range(3):
            audit.record(session, actor="test", action="a", subject=str(number))
    sqlite = engine.dialect.name == "sqlite"
    trigger = "audit_entries_no_UPDATE" if sqlite else "audit_entries_append_only ON audit_entries"
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE audit_entries SET subject = '9' WHERE id = 2"))
    with db.reading(engine) as session:
        assert audit.verify(session) == audit.Verdict(checked=1, broken_at=2)
