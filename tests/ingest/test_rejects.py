from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core import db
from core.crypto import Keyring, new_key
from core.errors import DecryptionError, InputError, NotFoundError
from core.models import AuditEntry, Batch, Reject
from ingest.rejects import (
    OpenedReject,
    count_by_code,
    discard,
    export_rejects,
    list_rejects,
    open_reject,
    read_back,
    written,
)
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
    assert rows[0] == ["番号", "行", "列", "コード", "理由", "番号", "受付日", "内容"]
    assert rows[1][1:] == ["3", "受付日", "date", rows[1][4], "2", "いつか", "'=1+1 秘密の話"]
    assert rows[3][5:] == ["4", "2025/4/1", "abc\\x810"]
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


def test_opening_one_shows_its_cells_under_the_headings_and_is_logged(engine: Engine, take: Take, broken: Path, keyring: Keyring) -> None:
    batch = take(engine, broken).batch
    with db.writing(engine) as session:
        first = list_rejects(session, batch)[0]
        opened = open_reject(session, first.id, keyring=keyring, actor="suzuki", reason="日付を直す")
        with pytest.raises(InputError, match="理由"):
            open_reject(session, first.id, keyring=keyring, actor="suzuki", reason="")
        with pytest.raises(NotFoundError):
            open_reject(session, 999, keyring=keyring, actor="suzuki", reason="r")
    assert opened == OpenedReject(("番号", "受付日", "内容"), ("2", "いつか", "=1+1 秘密の話"))
    with db.reading(engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "reject.open")).one()
    assert (entry.actor, entry.subject, entry.detail) == (
        "suzuki",
        f"batch:{batch}",
        {"reason": "日付を直す", "reject": first.id, "row": 3},
    )


def test_what_is_discarded_stays_and_counts_as_rejected(engine: Engine, take: Take, broken: Path, keyring: Keyring) -> None:
    batch = take(engine, broken).batch
    with db.writing(engine) as session:
        ids = [reject.id for reject in list_rejects(session, batch)]
        assert discard(session, ids[:2], actor="suzuki", reason="試験の行") == 2
    with db.writing(engine) as session:
        assert discard(session, ids[:2], actor="suzuki", reason="試験の行") == 0
        with pytest.raises(InputError, match="理由"):
            discard(session, ids, actor="suzuki", reason="")
        with pytest.raises(NotFoundError, match="99999"):
            discard(session, [*ids, 99999], actor="suzuki", reason="r")
    with db.writing(engine) as session:
        assert [reject.resolution for reject in list_rejects(session, batch)] == ["discarded", "discarded", ""]
        assert [reject.id for reject in list_rejects(session, batch, open_only=True)] == ids[2:]
        assert count_by_code(session, batch, open_only=True) == {"encoding": 1}
        assert session.get_one(Batch, batch).rejected == 3
        assert export_rejects(session, io.StringIO(), batch, keyring=keyring, actor="suzuki", reason="r") == 1
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "reject.discard")).all()
    assert [entry.detail for entry in entries] == [{"reason": "試験の行", "rows": 2, "lines": [3, 4]}]


cells = st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from("\0\udc81'=+\r\n\\x8a"), max_size=8), max_size=5)


@given(cells)
def test_what_nobody_changed_is_known_again(stored: list[str]) -> None:
    assert read_back([written(cell) for cell in stored], stored) is None
    assert read_back([*(written(cell) for cell in stored), "", ""], stored) is None


@given(cells, st.data())
def test_what_somebody_changed_comes_back_as_typed_and_the_rest_as_it_was(stored: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(stored)))
    typed = [*map(written, stored), ""]
    typed[at] += "直した"
    expected = [*stored, ""]
    expected[at] = expected[at].replace("\r\n", "\n") + "直した"
    damaged = any("\0" in cell or "\udc81" in cell for cell in stored)
    if not damaged or "\\x" not in expected[at]:
        assert read_back(typed, stored) == expected
