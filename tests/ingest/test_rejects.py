from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core import db
from core.crypto import Keyring, new_key
from core.errors import DecryptionError, InputError, NotFoundError
from core.models import AuditEntry, Reject
from ingest.rejects import count_by_code, export_rejects, list_rejects
from tests.ingest.conftest import Take, Write, table_bytes


@pytest.fixture
def broken(write: Write) -> Path:
    good = table_bytes([["番号", "受付日", "内容"], ["1", "2025/4/1", "道路の補修をお願いします"]], encoding="cp932")
    bad = table_bytes([["2", "いつか", "=1+1 秘密の話"], ["3", "2025/4/1", ""]], encoding="cp932")
    return write(good + bad + b"4,2025/4/1,abc\x81\x30\r\n")


def test_rejects_are_listed_without_their_content(engine: Engine, take: Take, broken: Path) -> None:
    batch = take(engine, broken).batch
    with db.reading(engine) as session:
        rejects = list_rejects(session, batch)
        assert count_by_code(session, batch) == {"date": 1, "empty": 1, "encoding": 1}
        page = list_rejects(session, batch, limit=1, after_id=rejects[0].id)
        sealed = session.scalars(select(Reject.sealed_row)).all()
    assert [(reject.row, reject.column, reject.code) for reject in rejects] == [
        (3, "受付日", "date"),
        (4, "内容", "empty"),
        (5, "内容", "encoding"),
    ]
    assert [reject.row for reject in page] == [4]
    assert not any("秘密" in reject.reason for reject in rejects)
    assert not any("秘密".encode() in row for row in sealed)


def test_an_export_has_the_content_and_is_logged(engine: Engine, take: Take, broken: Path, keyring: Keyring) -> None:
    batch = take(engine, broken).batch
    file = io.StringIO(newline="")
    with db.writing(engine) as session:
        assert export_rejects(session, file, batch, keyring=keyring, actor="suzuki", reason="直して取り込みなおす") == 3
    rows = list(csv.reader(io.StringIO(file.getvalue(), newline="")))
    assert rows[0][:4] == ["行", "列", "コード", "理由"]
    assert rows[1][4:] == ["2", "いつか", "'=1+1 秘密の話"]
    assert rows[3][4:] == ["4", "2025/4/1", "abc\\x810"]
    with db.reading(engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "reject.export")).one()
    assert (entry.actor, entry.subject, entry.detail) == ("suzuki", f"batch:{batch}", {"reason": "直して取り込みなおす", "rows": 3})


def test_an_export_needs_a_reason_a_batch_and_the_key(sqlite_engine: Engine, take: Take, broken: Path, keyring: Keyring) -> None:
    batch = take(sqlite_engine, broken).batch
    file = io.StringIO()
    with db.reading(sqlite_engine) as session:
        with pytest.raises(InputError, match="理由"):
            export_rejects(session, file, batch, keyring=keyring, actor="a", reason=" ")
        with pytest.raises(NotFoundError):
            export_rejects(session, file, 99, keyring=keyring, actor="a", reason="r")
        with pytest.raises(DecryptionError):
            export_rejects(session, file, batch, keyring=Keyring({"other": new_key()}, current="other"), actor="a", reason="r")
