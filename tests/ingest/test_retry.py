from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, select

from core import audit, db
from core.crypto import Keyring
from core.errors import ConflictError, InputError, NotFoundError
from core.models import AuditEntry, Batch, BatchStatus, Reject, Voice
from ingest.rejects import LEADING_COLUMNS, discard, export_rejects, list_rejects
from ingest.retry import Outcome, Tools, retry_file, retry_reject
from nlp.annotation import Annotation
from tests.ingest.conftest import LIST_HEADINGS, SURVEY_HEADINGS, Take, Write, list_row, table_bytes

Export = Callable[[Engine, int], list[list[str]]]

BAD_DATE = list_row("A-2", "公園の遊具がさびています。", 受付日="いつか")
NO_TEXT = list_row("A-3", "")
FILE = [LIST_HEADINGS, list_row("A-1", "歩道の段差が大きい。"), BAD_DATE, NO_TEXT]


@pytest.fixture
def export(keyring: Keyring) -> Export:
    def _export(engine: Engine, batch: int) -> list[list[str]]:
        file = io.StringIO(newline="")
        with db.writing(engine) as session:
            export_rejects(session, file, batch, keyring=keyring, actor="suzuki", reason="直す")
        return list(csv.reader(io.StringIO(file.getvalue(), newline="")))

    return _export


def open_ids(engine: Engine, batch: int) -> list[int]:
    with db.reading(engine) as session:
        return [reject.id for reject in list_rejects(session, batch, open_only=True)]


def sums(engine: Engine, batch: int) -> tuple[int, int, int, int]:
    with db.reading(engine) as session:
        found = session.get_one(Batch, batch)
        return found.rows_read, found.imported, found.duplicates, found.rejected


def texts(engine: Engine) -> list[str]:
    with db.reading(engine) as session:
        return list(session.scalars(select(Voice.text).order_by(Voice.id)))


def mended(row: Sequence[str], **cells: str) -> list[str]:
    return [cells.get(heading, cell) for heading, cell in zip(LIST_HEADINGS, row, strict=True)]


def test_a_mended_row_is_taken_in_with_the_batch_s_sums(engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    batch = take(engine, write(FILE)).batch
    first, second = open_ids(engine, batch)
    outcome = retry_reject(engine, first, mended(BAD_DATE, 受付日="令和7年4月2日"), tools=tools, actor="suzuki")
    assert (outcome.resolution, outcome.imported, outcome.row) == ("imported", 1, 3)
    assert sums(engine, batch) == (3, 2, 0, 1)
    assert open_ids(engine, batch) == [second]
    with db.reading(engine) as session:
        voice = session.scalars(select(Voice).where(Voice.external_id == "A-2")).one()
        assert (voice.batch_id, voice.row, voice.received_on.isoformat(), voice.due_on is not None) == (batch, 3, "2025-04-02", True)
        reject = session.get_one(Reject, first)
        assert (reject.resolution, reject.resolved_at is not None) == ("imported", True)
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "reject.retry")).one()
        assert (entry.actor, entry.detail) == ("suzuki", {"reject": first, "row": 3, "imported": 1, "duplicates": 0})
        assert audit.verify(session).broken_at is None
    with pytest.raises(ConflictError, match="片付いて"):
        retry_reject(engine, first, BAD_DATE, tools=tools, actor="suzuki")


def test_one_that_is_still_bad_stays_open_as_it_was_with_the_new_reason(engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    batch = take(engine, write(FILE)).batch
    first, _ = open_ids(engine, batch)
    outcome = retry_reject(engine, first, mended(BAD_DATE, 受付日="2025/4/2", ご意見=""), tools=tools, actor="suzuki")
    assert (outcome.resolution, outcome.code, outcome.column) == ("", "empty", "ご意見")
    too_wide = retry_reject(engine, first, [*BAD_DATE, "余分"], tools=tools, actor="suzuki")
    assert too_wide.code == "ragged"
    assert sums(engine, batch) == (3, 1, 0, 2)
    with db.reading(engine) as session:
        assert session.get_one(Reject, first).code == "ragged"
        assert list_rejects(session, batch)[0].resolution == ""
    # The content as it was given is there: nothing but the date has to be mended.
    assert retry_reject(engine, first, mended(BAD_DATE, 受付日="2025/4/2"), tools=tools, actor="suzuki").resolution == "imported"


def test_a_voice_that_is_there_already_is_a_duplicate(engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    take(engine, write([LIST_HEADINGS, mended(BAD_DATE, 受付日="2025/4/2")], "other.csv"))
    batch = take(engine, write(FILE)).batch
    first, _ = open_ids(engine, batch)
    outcome = retry_reject(engine, first, mended(BAD_DATE, 受付日="2025/4/2"), tools=tools, actor="suzuki")
    assert (outcome.resolution, outcome.duplicates) == ("duplicate", 1)
    assert sums(engine, batch) == (3, 1, 1, 1)
    assert len(texts(engine)) == 2


SAME = ["港地区", "はい", "海が近い", "いいえ", "坂が多い", "", "", "", ""]


def test_two_people_who_answered_alike_stay_two(engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    broken = [*SAME, "余分"]
    batch = take(engine, write([SURVEY_HEADINGS, SAME, broken, broken])).batch
    assert sums(engine, batch) == (4, 2, 0, 2)
    for reject in open_ids(engine, batch):
        assert retry_reject(engine, reject, SAME, tools=tools, actor="suzuki").imported == 2
    assert sums(engine, batch) == (6, 6, 0, 0)
    assert sorted(texts(engine)) == ["坂が多い"] * 3 + ["海が近い"] * 3
    # The file as it should have been brings nothing new.
    again = take(engine, write([SURVEY_HEADINGS, SAME, SAME, SAME], "mended.csv"))
    assert (again.imported, again.duplicates) == (0, 6)


def test_two_twins_that_are_mended_at_a_time_stay_two(engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    batch = take(engine, write([SURVEY_HEADINGS, SAME, [*SAME, "余分"], [*SAME, "余分"]])).batch
    first, second = open_ids(engine, batch)
    others: list[Outcome] = []

    def annotate_while_another_comes_in(given: Sequence[str]) -> list[Annotation]:
        if not others:
            others.append(retry_reject(engine, second, SAME, tools=tools, actor="sato"))
        return tools.annotate(given)

    own = replace(tools, annotate=annotate_while_another_comes_in)
    outcome = retry_reject(engine, first, SAME, tools=own, actor="suzuki")
    assert [found.imported for found in (outcome, *others)] == [2, 2]
    assert sums(engine, batch) == (6, 6, 0, 0)


def test_one_that_somebody_else_settles_meanwhile_changes_nothing(engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    batch = take(engine, write(FILE)).batch
    first, _ = open_ids(engine, batch)

    def annotate_while_it_is_discarded(given: Sequence[str]) -> list[Annotation]:
        with db.writing(engine) as session:
            discard(session, [first], actor="sato", reason="いらない")
        return tools.annotate(given)

    own = replace(tools, annotate=annotate_while_it_is_discarded)
    with pytest.raises(ConflictError, match="片付いて"):
        retry_reject(engine, first, mended(BAD_DATE, 受付日="2025/4/2"), tools=own, actor="suzuki")
    assert sums(engine, batch) == (3, 1, 0, 2)
    assert len(texts(engine)) == 1


def test_a_row_whose_file_came_in_mended_is_a_duplicate_though_it_has_a_twin(
    engine: Engine, take: Take, write: Write, tools: Tools
) -> None:  # fmt: skip
    batch = take(engine, write([SURVEY_HEADINGS, SAME, [*SAME, "余分"]])).batch
    take(engine, write([SURVEY_HEADINGS, SAME, SAME], "mended.csv"))
    (reject,) = open_ids(engine, batch)
    assert retry_reject(engine, reject, SAME, tools=tools, actor="suzuki").resolution == "duplicate"
    assert len(texts(engine)) == 4


def test_a_survey_row_without_any_text_stays_open(sqlite_engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    batch = take(sqlite_engine, write([SURVEY_HEADINGS, SAME, [*SAME, "余分"]])).batch
    (reject,) = open_ids(sqlite_engine, batch)
    blank = ["港地区", "はい", "", "いいえ", "", "", "", "", ""]
    assert retry_reject(sqlite_engine, reject, blank, tools=tools, actor="suzuki").code == "empty"
    assert open_ids(sqlite_engine, batch) == [reject]


def test_a_mended_file_is_taken_in(engine: Engine, take: Take, write: Write, tools: Tools, export: Export) -> None:
    bad = table_bytes([list_row("A-9", "=1+1 の式")], encoding="cp932").replace("式".encode("cp932"), b"\x81\x30")
    batch = take(engine, write(table_bytes([*FILE, list_row("A-4", "ごみの日", 受付日="x")], encoding="cp932") + bad)).batch
    rows = export(engine, batch)
    assert [row[3] for row in rows[1:]] == ["date", "empty", "date", "encoding"]
    day, text = len(LEADING_COLUMNS) + 1, len(LEADING_COLUMNS) + 4
    rows[1][day] = "2025/4/2"
    rows[2][text] = "ベンチを増やしてほしい。"
    rows[3][day] = "わからない"
    path = write(rows, "mended.csv", encoding="cp932")
    report = retry_file(engine, batch, path, tools=tools, actor="suzuki")
    assert report.as_dict() == {
        "batch": batch, "imported": 2, "duplicates": 0, "rejected": 1, "unchanged": 1, "settled": 0, "unknown": [],
    }  # fmt: skip
    assert [(outcome.row, outcome.code) for outcome in report.sample] == [(5, "date")]
    assert sums(engine, batch) == (5, 3, 0, 2)

    again = retry_file(engine, batch, path, tools=tools, actor="suzuki")
    assert (again.settled, again.imported, again.rejected, again.unchanged) == (2, 0, 1, 1)
    rows[4][text - 1] = "件名だけ直した"
    still_damaged = retry_file(engine, batch, write(rows, "mended.csv"), tools=tools, actor="suzuki")
    assert [outcome.code for outcome in still_damaged.sample] == ["date", "encoding"]
    rows[4][text] = "'=1+1 の式"
    assert retry_file(engine, batch, write(rows, "mended.csv"), tools=tools, actor="suzuki").imported == 1
    assert "=1+1 の式" in texts(engine)


def test_a_mended_workbook_is_taken_in(
    sqlite_engine: Engine, take: Take, write: Write, tools: Tools, export: Export, tmp_path: Path
) -> None:
    batch = take(sqlite_engine, write(FILE)).batch
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in export(sqlite_engine, batch):
        sheet.append([int(cell) if cell.isdigit() else cell for cell in row])
    sheet.cell(2, len(LEADING_COLUMNS) + 2).value = "2025/4/2"
    book.save(tmp_path / "mended.xlsx")
    report = retry_file(sqlite_engine, batch, tmp_path / "mended.xlsx", tools=tools, actor="suzuki")
    assert (report.imported, report.unchanged) == (1, 1)


def test_what_isn_t_a_reject_of_the_batch_is_told(sqlite_engine: Engine, take: Take, write: Write, tools: Tools, export: Export) -> None:
    other = take(sqlite_engine, write([*FILE, NO_TEXT[:1] * 20], "other.csv")).batch
    batch = take(sqlite_engine, write(FILE)).batch
    rows = export(sqlite_engine, other)
    rows += [["", *rows[1][1:]], ["9" * 8, *rows[1][1:]], ["いち"]]
    report = retry_file(sqlite_engine, batch, write(rows, "mended.csv"), tools=tools, actor="suzuki")
    assert report.unknown == [2, 3, 4, 5, 6, 7]
    with pytest.raises(InputError, match="書き出したファイルではありません"):
        retry_file(sqlite_engine, batch, write(FILE), tools=tools, actor="suzuki")


def test_what_can_t_be_retried_says_why(sqlite_engine: Engine, take: Take, write: Write, tools: Tools) -> None:
    batch = take(sqlite_engine, write(FILE)).batch
    first, second = open_ids(sqlite_engine, batch)
    with pytest.raises(NotFoundError):
        retry_reject(sqlite_engine, 999, BAD_DATE, tools=tools, actor="suzuki")
    with db.writing(sqlite_engine) as session:
        discard(session, [first], actor="suzuki", reason="いらない")
    with pytest.raises(ConflictError, match="片付いて"):
        retry_reject(sqlite_engine, first, BAD_DATE, tools=tools, actor="suzuki")
    with db.writing(sqlite_engine) as session:
        session.get_one(Batch, batch).plan = {}
    with pytest.raises(InputError, match="読み方の記録"):
        retry_reject(sqlite_engine, second, NO_TEXT, tools=tools, actor="suzuki")
    with db.writing(sqlite_engine) as session:
        session.get_one(Batch, batch).status = BatchStatus.UNDONE
    with pytest.raises(ConflictError, match="取り消されて"):
        retry_reject(sqlite_engine, second, NO_TEXT, tools=tools, actor="suzuki")
