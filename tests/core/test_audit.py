from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from core import audit, audit_trail, db
from core.audit_trail import AuditFilter
from core.clock import to_tokyo


def test_a_chain_that_nobody_touched_holds(engine: Engine) -> None:
    with db.writing(engine) as session:
        for number in range(3):
            audit.record(session, actor="test", action="voice.read", subject=f"voice:{number}", detail={"reason": "照会"})
    with db.reading(engine) as session:
        assert audit.verify(session) == audit.Verdict(checked=3, broken_at=None)


REPLACING = (
    "INSERT OR REPLACE INTO audit_entries (id, at, actor, action, subject, detail, previous, digest) "
    "SELECT id, at, 'x', action, subject, detail, previous, {} FROM audit_entries"
)


@pytest.mark.parametrize(
    ("kinds", "statement"),
    [
        ("sqlite postgresql", "UPDATE audit_entries SET actor = 'x'"),
        ("sqlite postgresql", "UPDATE audit_entries SET detail = detail WHERE id = 1"),
        ("sqlite postgresql", "DELETE FROM audit_entries"),
        ("postgresql", "TRUNCATE audit_entries"),
        ("sqlite", REPLACING.format("'another'")),
        ("sqlite", REPLACING.replace("SELECT id", "SELECT id + 10").format("digest")),
    ],
)
def test_the_database_itself_refuses_changes(engine: Engine, kinds: str, statement: str) -> None:
    if engine.dialect.name not in kinds:
        return
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


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit_entries WHERE id = 2", "UPDATE audit_entries SET detail = '{\"n\": 9}' WHERE id = 2"]
)
def test_a_row_taken_out_or_rewritten_behind_the_triggers_is_found(engine: Engine, statement: str) -> None:
    with db.writing(engine) as session:
        for number in range(4):
            audit.record(session, actor="test", action="a", subject=str(number), detail={"n": number})
    with engine.begin() as connection:
        for kind in ("UPDATE", "DELETE"):
            trigger = f"audit_entries_no_{kind}" if engine.dialect.name == "sqlite" else "audit_entries_append_only ON audit_entries"
            connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        connection.execute(text(statement))
    with db.reading(engine) as session:
        verdict = audit.verify(session)
    assert (verdict.checked, verdict.broken_at) == (1, 3 if statement.startswith("DELETE") else 2)


def test_the_trail_is_read_page_by_page_under_a_filter(engine: Engine) -> None:
    with db.writing(engine) as session:
        for number in range(6):
            audit.record(session, actor="hanako" if number % 2 else "ichiro", action=f"a{number % 3}", subject=f"voice:{number}")
        audit.record(session, actor="hanako", action="a1", subject="voices")
    with db.reading(engine) as session:
        first = audit_trail.listing(session, AuditFilter(actor="hanako"), limit=2)
        rest = audit_trail.listing(session, AuditFilter(actor="hanako"), before=first[-1].id, limit=5)
        assert [entry.subject for entry in (*first, *rest)] == ["voices", "voice:5", "voice:3", "voice:1"]
        day = to_tokyo(first[0].at).date()
        for wanted, number in (
            (AuditFilter(action="a1"), 3),
            (AuditFilter(subject="voice"), 6),
            (AuditFilter(subject="voice:4"), 1),
            (AuditFilter(since=day, until=day), 7),
            (AuditFilter(since=day + timedelta(days=1)), 0),
            (AuditFilter(until=day - timedelta(days=1)), 0),
            (AuditFilter(until=date.max), 7),
        ):
            assert len(audit_trail.listing(session, wanted)) == number, wanted


def test_how_the_last_check_ended_is_in_the_trail(engine: Engine) -> None:
    with db.writing(engine) as session:
        assert audit_trail.last_verification(session) is None
        audit_trail.record_verdict(session, audit.verify(session), actor="cli")
        audit_trail.record_verdict(session, audit.verify(session), actor="cli")
        last = audit_trail.last_verification(session)
        assert last is not None
        assert last.detail == {"checked": 1, "broken_at": None}
        assert audit.verify(session).broken_at is None
