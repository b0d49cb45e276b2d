from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update

from core import db
from core.models import (
    Batch,
    BatchContent,
    DailyCount,
    FaqCount,
    FaqEntry,
    MachineReading,
    MonthlyCount,
    ReceiptCounter,
    Reject,
    SearchTerm,
    Secret,
    Voice,
)
from core.settings import Settings
from ingest.batches import list_batches
from ingest.reconcile import FileLine, reconcile, reconcile_file
from ingest.rejects import discard, list_rejects
from ingest.retry import Tools, retry_reject
from tests import factories
from tests.ingest.conftest import LIST_HEADINGS, SURVEY_HEADINGS, Take, Write, list_row, table_bytes

SAME = ["港地区", "はい", "特になし", "いいえ", "同じく", "", "", "", ""]
BLANK = ["", "", "", "", "", "60代", "", "", ""]
BAD = list_row("bad", "公園の遊具がさびています。", 受付日="いつか")
LIST = [LIST_HEADINGS, *(list_row(str(number % 7), f"{number % 7}番の声") for number in range(10)), BAD, list_row("x", "")]


def found(line: FileLine) -> tuple[int, int, int, int, int]:
    assert line.records == line.in_voices + line.in_rejects + line.blank + line.missing
    return line.records, line.in_voices, line.in_rejects, line.blank, line.missing


def test_everything_is_accounted_for_whatever_was_done(
    engine: Engine, take: Take, write: Write, settings: Settings, tools: Tools
) -> None:  # fmt: skip
    assert reconcile(engine).agrees
    first = take(engine, write(LIST, "list.csv")).batch
    survey = write([SURVEY_HEADINGS, SAME, BLANK, SAME, ["x"], BLANK], "survey_202601.csv")
    take(engine, survey)
    take(engine, write(LIST, "list.csv", encoding="cp932"))
    take(engine, write(LIST[:-3], "part.csv"), chunk_voices=3, stop=lambda: True)
    with db.writing(engine) as session:
        bad, empty = list_rejects(session, first)
        discard(session, [empty.id], actor="suzuki", reason="空")
    assert retry_reject(engine, bad.id, list_row("bad", "公園の遊具がさびています。"), tools=tools, actor="suzuki").resolution == "imported"

    result = reconcile(engine)
    assert result.agrees, [line.wrong for line in result.batches if line.wrong] + [line for line in result.sums if not line.agrees]
    line = result.batches[0]
    assert (line.read, line.imported, line.duplicates, line.rejected) == (12, 8, 3, 1)
    assert (line.voices, line.open, line.discarded, line.mended) == (8, 0, 1, 1)
    assert found(reconcile_file(engine, survey, settings=settings)) == (5, 2, 1, 2, 0)
    assert found(reconcile_file(engine, write(LIST, "list.csv"), settings=settings)) == (12, 10, 2, 0, 0)
    assert result.as_dict()["agrees"] is True
    with db.reading(engine) as session:
        assert [batch.source_name for batch in list_batches(session)] == ["part.csv", "list.csv", "survey_202601.csv", "list.csv"]
        assert [batch.id for batch in list_batches(session, limit=1, before_id=3)] == [2]


def test_a_record_without_a_trace_is_found(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    path = write(LIST)
    assert found(reconcile_file(engine, path, settings=settings)) == (12, 0, 0, 0, 12)
    take(engine, path, chunk_voices=4, stop=lambda: True)
    part = reconcile_file(engine, path, settings=settings)
    assert found(part) == (12, 7, 0, 0, 5)  # the fifth to the seventh record aren't there, nor the rejects
    assert part.lines == (6, 7, 8, 12, 13)
    take(engine, path)
    with db.writing(engine) as session:
        session.execute(delete(Voice).where(Voice.external_id == "2"))
    assert reconcile_file(engine, path, settings=settings).lines == (4, 11)
    assert not reconcile(engine).agrees


def test_rows_of_the_same_number_in_several_sheets_are_told_apart(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    from tests.ingest.test_workbook import book_bytes

    sheets = {"四月": [LIST_HEADINGS, BAD, LIST[1]], "五月": [LIST_HEADINGS, BAD, LIST[2]]}
    path = write(book_bytes(sheets), "a.xlsx")
    take(engine, path)
    assert found(reconcile_file(engine, path, settings=settings)) == (4, 2, 2, 0, 0)
    with db.writing(engine) as session:
        session.execute(delete(Reject).where(Reject.id == select(Reject.id).limit(1).scalar_subquery()))
    assert found(reconcile_file(engine, path, settings=settings)) == (4, 2, 1, 0, 1)


def test_a_file_in_another_encoding_than_guessed_is_read_as_it_was(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    path = write(table_bytes([["no", "ご意見"], ["1", "ｱｲｳ"]], encoding="cp932"))
    take(engine, path, encoding="cp932")
    assert found(reconcile_file(engine, path, settings=settings)) == (1, 1, 0, 0, 0)


def _forget_terms(connection: Connection) -> None:
    one = {"sqlite": "DELETE FROM voice_search WHERE rowid = 1", "postgresql": "DELETE FROM voice_search WHERE voice_id = 1"}
    connection.execute(text(one[connection.dialect.name]))


DAMAGES: dict[str, tuple[Callable[[Connection], Any], str]] = {
    "a voice": (lambda c: c.execute(delete(Voice).where(Voice.id == 1)), "取り込んだ声"),
    "an original": (lambda c: c.execute(delete(Secret).where(Secret.voice_id == 1)), "暗号化した原文"),
    "labels": (lambda c: c.execute(delete(MachineReading).where(MachineReading.voice_id == 1)), "機械の分類"),
    "an index entry": (_forget_terms, "索引にない声"),
    "an index count": (lambda c: c.execute(update(SearchTerm).where(SearchTerm.term == "").values(documents=1)), "索引が数えている声"),
    "a daily count": (lambda c: c.execute(delete(DailyCount).where(DailyCount.facet == "theme")), "日ごとの件数のちがい"),
    "the day's total": (lambda c: c.execute(update(DailyCount).where(DailyCount.facet == "").values(voices=1)), "日ごとの件数の和"),
    "a monthly count": (lambda c: c.execute(delete(MonthlyCount).where(MonthlyCount.by_facet == "topic")), "月ごとの件数のちがい"),
    "the month's total": (lambda c: c.execute(update(MonthlyCount).where(MonthlyCount.facet == "").values(voices=1)), "月ごとの件数の和"),
    "a receipt counter": (lambda c: c.execute(update(ReceiptCounter).values(last=3)), "控えより先の受付番号"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_lost_is_told(engine: Engine, take: Take, write: Write, damage: str) -> None:
    take(engine, write(LIST))
    do, name = DAMAGES[damage]
    with engine.execution_options(writes=True).begin() as connection:
        do(connection)
    result = reconcile(engine)
    assert not result.agrees
    assert any(line.name.startswith(name) for line in result.sums if not line.agrees)


def test_a_reject_that_is_lost_is_told_with_its_batch(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write(LIST))
    batch = take(engine, write([LIST_HEADINGS, BAD], "other.csv")).batch
    with db.writing(engine) as session:
        session.execute(delete(Reject).where(Reject.batch_id == batch))
    wrong = {line.batch: line.wrong for line in reconcile(engine).batches}
    assert wrong == {1: "", batch: "取込不可 1 に対して、表には 0"}
    with db.writing(engine) as session:
        session.execute(update(Batch).where(Batch.id == 1).values(imported=Batch.imported + 1, rows_read=Batch.rows_read + 1))
    assert {line.batch: line.wrong for line in reconcile(engine).batches}[1] == "取込 8 に対して、表には 7"


def test_a_faq_s_counts_are_compared_with_its_batch(engine: Engine) -> None:
    with db.writing(engine) as session:
        batch = factories.create_batch(session, content=BatchContent.FAQ, imported=2, rows_read=2)
        entry = FaqEntry(number="1", question="問い", created_at=factories.NOON)
        session.add(entry)
        session.flush()
        session.add(FaqCount(entry_id=entry.id, batch_id=batch.id, since=date(2026, 4, 1), until=date(2026, 4, 30), views=3))
    (line,) = reconcile(engine).batches
    assert (line.voices, line.wrong) == (1, "取込 2 に対して、表には 1")
