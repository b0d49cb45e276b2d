from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from core import db
from core.errors import InputError
from core.models import AuditEntry, Batch, BatchStatus, Channel, Reject, Voice
from core.settings import Settings
from ingest.check import check_file
from ingest.look import Choices, look
from ingest.mapping import ColumnMapping, resolve_mapping
from ingest.options import FileOptions
from ingest.pipeline import ImportProgress
from tests.ingest.conftest import LIST_HEADINGS, SURVEY_HEADINGS, Take, Write, list_row, table_bytes

SAME = ["港地区", "はい", "特になし", "いいえ", "同じく", "", "", "", ""]


def figures(report: Any) -> tuple[int, ...]:
    return report.read, report.imported, report.duplicates, report.rejected, report.blank


def rows_written(engine: Engine) -> list[int]:
    with db.reading(engine) as session:
        return [session.scalar(select(func.count()).select_from(model)) or 0 for model in (Batch, Voice, Reject, AuditEntry)]


def messy_list() -> bytes:
    rows = [list_row(str(number % 17), f"{number % 5}番の街灯が切れています。") for number in range(60)]
    rows += [list_row("a", ""), list_row("b", "日付なし", 受付日="いつか"), list_row("c" * 101, "番号が長い")]
    return table_bytes([LIST_HEADINGS, *rows], encoding="cp932") + b'x,ragged\r\n7,"open\r\n8,2025/4/1,abc\x81\x30\r\n'


def messy_survey() -> bytes:
    blank = ["", "", "", "", "", "60代", "", "", ""]
    return table_bytes([SURVEY_HEADINGS, *[SAME] * 8, blank, ["x"], ["本町地区", "はい", "海", "いいえ", "", "", "", "", ""], blank])


@pytest.mark.parametrize("content", [messy_list(), messy_survey()], ids=["list", "survey"])
@pytest.mark.parametrize("size", [7, 2000])
def test_a_rehearsal_tells_what_the_import_then_does(
    engine: Engine, take: Take, write: Write, settings: Settings, content: bytes, size: int
) -> None:
    take(engine, write([LIST_HEADINGS, list_row("3", "3番の街灯が切れています。"), list_row("99", "ほかの声")], "earlier.csv"))
    path = write(content, "messy_202601.csv")
    before = rows_written(engine)
    rehearsed = check_file(engine, path, settings=settings, chunk_voices=size)
    assert rows_written(engine) == before
    taken = take(engine, path, chunk_voices=size)
    assert figures(rehearsed) == figures(taken)
    assert (rehearsed.encoding, rehearsed.mapping, rehearsed.guessed) == (taken.encoding, taken.mapping, taken.guessed)
    with db.reading(engine) as session:
        codes = dict(session.execute(select(Reject.code, func.count()).where(Reject.batch_id == taken.batch).group_by(Reject.code)).all())
    assert rehearsed.codes == codes
    assert rehearsed.rejects_sample[: len(taken.rejects_sample)] == taken.rejects_sample
    assert figures(check_file(engine, path, settings=settings))[1] == 0


cell = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["", "特になし", "令和7年4月1日", '"', "2025/4/1", "電話"])


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(cell, min_size=11, max_size=14), min_size=1, max_size=10), twice=st.integers(0, 10))
def test_whatever_the_cells_hold_the_rehearsal_is_right(
    sqlite_engine: Engine, take: Take, write: Write, settings: Settings, rows: list[list[str]], twice: int
) -> None:
    path = write(table_bytes([LIST_HEADINGS, *rows, *rows[:twice]]))
    try:
        rehearsed = check_file(sqlite_engine, path, settings=settings, chunk_voices=3)
    except InputError:
        with pytest.raises(InputError):
            take(sqlite_engine, path)
        return
    assert figures(rehearsed) == figures(take(sqlite_engine, path, chunk_voices=3))


def test_an_import_that_was_begun_counts_with_what_it_did(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    path = write(messy_survey(), "messy_202601.csv")
    stopped = take(engine, path, chunk_voices=6, stop=lambda: True)
    assert stopped.cancelled
    rehearsed = check_file(engine, path, settings=settings)
    assert rehearsed.resumed
    assert figures(rehearsed) == figures(take(engine, path)) == (18, 17, 0, 1, 2)
    assert rehearsed.codes == {"ragged": 1}


def test_a_rehearsal_can_be_watched_and_stopped(sqlite_engine: Engine, write: Write, settings: Settings) -> None:
    path = write(messy_list())
    told: list[ImportProgress] = []
    whole = check_file(sqlite_engine, path, settings=settings, chunk_voices=10, progress=told.append)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert (told[-1].done, told[-1].read, told[0].read) == (told[-1].total, whole.read, 0)
    part = check_file(sqlite_engine, path, settings=settings, chunk_voices=10, stop=lambda: True)
    assert (part.cancelled, part.read) == (True, told[1].read)


def test_an_import_stops_after_the_chunk_and_goes_on_later(engine: Engine, take: Take, write: Write) -> None:
    path = write(messy_survey(), "messy_202601.csv")
    told: list[ImportProgress] = []
    stopped = take(engine, path, chunk_voices=6, stop=lambda: len(told) > 2, progress=told.append, actor="suzuki")
    assert (stopped.cancelled, stopped.read) == (True, told[-1].read)
    with db.reading(engine) as session:
        batch = session.scalars(select(Batch)).one()
        assert (batch.status, batch.started_by, batch.rows_read) == (BatchStatus.CANCELLED, "suzuki", stopped.read)
        assert batch.finished_at is not None
        assert session.scalar(select(AuditEntry.action)) == "import.cancel"
    told.clear()
    done = take(engine, path, chunk_voices=6, progress=told.append)
    assert (done.batch, done.resumed, done.cancelled) == (stopped.batch, True, False)
    assert told[0].read == stopped.read
    assert figures(done) == (18, 17, 0, 1, 2)
    with db.reading(engine) as session:
        batch = session.scalars(select(Batch)).one()
        assert (batch.status, batch.checkpoint, batch.blank) == (BatchStatus.DONE, 12, 2)


def test_one_that_goes_on_on_another_day_keeps_the_first_day(engine: Engine, take: Take, write: Write) -> None:
    path = write([["ご意見"], *([f"{number}番の街灯が切れています。"] for number in range(6))])
    take(engine, path, chunk_voices=3, stop=lambda: True)
    with db.writing(engine) as session:
        batch = session.scalars(select(Batch)).one()
        batch.plan = {**batch.plan, "fallback": {**batch.plan["fallback"], "day": "2025-01-06"}}
    assert take(engine, path).resumed
    with db.reading(engine) as session:
        days = session.scalars(select(Voice.received_on).order_by(Voice.id)).all()
    assert days[3:] == [date(2025, 1, 6)] * 3


def test_another_way_to_read_the_file_is_another_import(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    path = write([LIST_HEADINGS, *(list_row(str(number), f"{number}番の声", 受付媒体="") for number in range(6))])
    take(engine, path, chunk_voices=3, stop=lambda: True)
    for options in ({"channel": Channel.LETTER}, {"received_on": date(2025, 1, 6)}):
        other = take(engine, path, chunk_voices=3, stop=lambda: True, **options)
        assert not other.resumed
    columns = resolve_mapping("auto", LIST_HEADINGS, settings=settings)
    assert take(engine, path, mapping=columns).resumed
    with db.reading(engine) as session:
        found = session.scalars(select(Batch.status).order_by(Batch.id)).all()
    assert found == [BatchStatus.DONE, BatchStatus.CANCELLED, BatchStatus.CANCELLED]


def test_a_mapping_corrected_by_hand_is_used(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    headings = ["番号", "メモ", "ご意見"]
    path = write([headings, ["1", "歩道の段差が大きい。", "なし"]])
    guess = resolve_mapping("auto", headings, settings=settings)
    corrected = ColumnMapping.from_dict({**guess.as_dict(), "fields": {"external_id": 0, "text": 1}, "name": "直した対応"})
    rehearsed = check_file(engine, path, settings=settings, options=FileOptions(corrected))
    taken = take(engine, path, mapping=corrected)
    assert "「メモ」→ 本文" in rehearsed.guessed
    assert rehearsed.mapping == taken.mapping == "直した対応"
    with db.reading(engine) as session:
        assert session.scalar(select(Voice.text)) == "歩道の段差が大きい。"


@pytest.mark.parametrize(
    "change",
    [
        {"headings": ["番号", "ご意見"]}, {"fields": {"external_id": 0}}, {"fields": {"text": 9}}, {"fields": {"本文": 1}},
        {"fields": {"text": "x"}}, {"same_rows": "two"}, {"defaults": None}, {"reasons": [{}]}, {"values": {"text": 1}},
    ],
)  # fmt: skip
def test_a_mapping_that_doesn_t_fit_is_refused(sqlite_engine: Engine, write: Write, settings: Settings, change: dict[str, Any]) -> None:
    headings = ["番号", "メモ", "ご意見"]
    path = write([headings, ["1", "a", "歩道の段差が大きい。"]])
    guess = resolve_mapping("auto", headings, settings=settings)
    with pytest.raises(InputError) as refused:
        check_file(sqlite_engine, path, settings=settings, options=FileOptions(ColumnMapping.from_dict({**guess.as_dict(), **change})))
    assert refused.value.hint


@pytest.mark.parametrize(
    ("rows", "mapping"),
    [
        ([LIST_HEADINGS, list_row("1", "声")], "auto"),
        ([SURVEY_HEADINGS, SAME], "auto"),
        ([SURVEY_HEADINGS, SAME], "survey-wide"),
    ],
)
def test_a_mapping_comes_back_from_json_as_it_was(write: Write, settings: Settings, rows: Sequence[Sequence[str]], mapping: str) -> None:
    columns = look(write(rows), Choices(mapping=mapping), settings=settings).mapping
    assert columns
    again = ColumnMapping.from_dict(columns.as_dict())
    assert again.as_dict() == columns.as_dict()
    assert {**_public(again), "notes": ()} == {**_public(columns), "notes": ()}


def _public(columns: Any) -> dict[str, Any]:
    return {name: getattr(columns, name) for name in type(columns).__dataclass_fields__}


@pytest.mark.parametrize(
    ("written", "given", "taken"), [("euc_jp", "euc_jp", "euc_jp"), ("utf-8-sig", "utf-8", "utf-8-sig"), ("cp932", "cp932", "cp932")]
)
def test_an_encoding_holds_against_the_guess(write: Write, settings: Settings, written: str, given: str, taken: str) -> None:
    path = write([["番号", "ご意見"], ["1", "歩道の段差が大きい。"]], encoding=written)
    shown = look(path, Choices(encoding=given), settings=settings)
    assert (shown.encoding, shown.headings, shown.rows[0].cells[1]) == (taken, ("番号", "ご意見"), "歩道の段差が大きい。")


def test_a_wrong_encoding_shows_what_it_makes_of_the_file(write: Write, settings: Settings) -> None:
    path = write([["no", "text"], ["1", "歩道の段差"]], encoding="cp932")
    shown = look(path, Choices(encoding="utf-8"), settings=settings)
    assert (shown.encoding, [reject.column for row in shown.rows for reject in row.rejects]) == ("utf-8", ["text"])
    unknown = look(path, Choices(encoding="iso2022_jp"), settings=settings)
    assert (unknown.encoding, unknown.rows[0].cells) == ("cp932", ("1", "歩道の段差"))
    assert "iso2022_jp" in str(unknown.problem)
