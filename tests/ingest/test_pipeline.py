from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from core import audit, db, facts
from core.crypto import Keyring
from core.errors import ConflictError, InputError, ModelError
from core.models import (
    Answer,
    AuditEntry,
    Batch,
    BatchStatus,
    Channel,
    Facet,
    MachineReading,
    ReceiptCounter,
    Reject,
    Secret,
    Status,
    Voice,
)  # fmt: skip
from core.settings import Settings
from ingest.chunks import Annotate, Mask
from ingest.receipts import is_receipt_number
from nlp.annotation import Annotation
from tests.ingest.conftest import LIST_HEADINGS, SURVEY_HEADINGS, Take, Write, list_row, table_bytes

TEXT = "歩道の段差が危ないので直してください。山田太郎と申します。電話は090-0000-1234です。"


def many(count: int) -> list[list[str]]:
    return [LIST_HEADINGS, *(list_row(str(number), f"{number}番の街灯が切れています。") for number in range(1, count + 1))]


def voices(engine: Engine) -> Sequence[Voice]:
    with db.reading(engine) as session:
        return session.scalars(select(Voice).order_by(Voice.id)).all()


def count(engine: Engine, model: type[Any]) -> int:
    with db.reading(engine) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_voice_is_saved_masked_labelled_and_sealed(engine: Engine, take: Take, write: Write, keyring: Keyring) -> None:
    row = list_row(
        "A-1",
        TEXT,
        件名="山田太郎より",
        回答="山田太郎様、直します。",
        回答日="R7.4.9",
        氏名="山田太郎",
        電話番号="090-0000-1234",
        年代="40代",
        公開="可",
    )
    report = take(engine, write([LIST_HEADINGS, row]))
    assert {**report.as_dict(), "seconds": 0} == {"batch": 1, "read": 1, "imported": 1, "duplicates": 0, "rejected": 0, "seconds": 0}

    (voice,) = voices(engine)
    assert is_receipt_number(voice.receipt_number)
    assert (voice.external_id, voice.row, voice.channel, voice.received_on) == ("A-1", 2, Channel.PHONE, date(2025, 4, 1))
    assert (voice.status, voice.due_on, voice.publishable, voice.attributes) == (Status.ANSWERED, date(2025, 4, 15), True, {"age": "40代"})
    assert "〔氏名〕" in voice.text
    assert "歩道の段差" in voice.text
    assert voice.pii_count >= 3
    assert voice.theme == "道路・交通"
    with db.reading(engine) as session:
        answer = session.scalars(select(Answer)).one()
        secrets = {secret.field: secret for secret in session.scalars(select(Secret))}
        labels = session.scalars(select(MachineReading)).one().labels()
        entry = session.scalars(select(AuditEntry)).one()
    for masked in (voice.title, voice.text, answer.text):
        assert "山田" not in masked
        assert "0000" not in masked
    assert (answer.answered_on, answer.published_on, answer.department) == (date(2025, 4, 9), date(2025, 4, 9), voice.department)

    assert json.loads(keyring.open(secrets["original"].sealed, place=secrets["original"].place))["text"] == TEXT
    assert json.loads(keyring.open(secrets["contact"].sealed, place=secrets["contact"].place)) == {
        "name": "山田太郎",
        "phone": "090-0000-1234",
    }
    assert all(voice.content_hash in secret.place and b"0000-1234" not in secret.sealed for secret in secrets.values())

    assert set(labels) == set(Facet)
    assert labels[Facet.THEME].value == voice.theme
    assert labels[Facet.THEME].confidence == voice.confidence
    for evidence in labels[Facet.THEME].evidence:
        assert voice.text[evidence["start"] : evidence["end"]] == evidence["text"]
    assert (entry.action, entry.subject) == ("import.finish", "batch:1")
    assert entry.detail == {"read": 1, "imported": 1, "duplicates": 0, "rejected": 0}


def test_the_city_s_department_wins_and_the_machine_s_word_stays(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write([LIST_HEADINGS, list_row("1", "ごみの収集日を教えてください。", 所管課="特命課")]))
    assert voices(engine)[0].department == "特命課"
    with db.reading(engine) as session:
        assert session.scalars(select(MachineReading)).one().labels()[Facet.DEPARTMENT].value != "特命課"


def test_an_answer_is_public_only_when_the_resident_agreed(engine: Engine, take: Take, write: Write) -> None:
    rows = [list_row(str(n), f"{n}番の声", 回答="答え", 公開=public) for n, public in enumerate(["可", "不可", ""])]
    take(engine, write([LIST_HEADINGS, *rows, list_row("9", "答えのない声", 公開="可")]))
    with db.reading(engine) as session:
        assert session.scalars(select(Answer.published_on).order_by(Answer.voice_id)).all() == [date(2025, 4, 1), None, None]
        assert session.scalar(select(Voice.status).where(Voice.external_id == "9")) == Status.RECEIVED


def test_the_same_file_again_adds_nothing_whatever_it_is_called(engine: Engine, take: Take, write: Write) -> None:
    first = take(engine, write(many(30)))
    again = take(engine, write(many(30), "another_name_202501.csv"))
    other_encoding = take(engine, write(many(30), encoding="cp932"))
    assert (first.imported, first.duplicates) == (30, 0)
    assert [(report.imported, report.duplicates, report.nothing_taken) for report in (again, other_encoding)] == [(0, 30, False)] * 2
    assert again.batch != first.batch
    assert count(engine, Voice) == 30


def test_doubles_in_a_file_count_once_and_every_row_is_accounted_for(engine: Engine, take: Take, write: Write) -> None:
    content = table_bytes(
        [*many(3), list_row("1", "1番の街灯が切れています。"), list_row("4", ""), list_row("5", "日付なし", 受付日="いつか")]
    )
    report = take(engine, write(content + b"x,ragged\r\n" + b'7,"open\r\n'))
    assert (report.read, report.imported, report.duplicates, report.rejected) == (8, 3, 1, 4)
    assert [note.row for note in report.rejects_sample] == [6, 7, 8, 9]
    with db.reading(engine) as session:
        batch = session.scalars(select(Batch)).one()
        assert session.scalars(select(Reject.code).order_by(Reject.row)).all() == ["empty", "date", "ragged", "quote"]
    assert (batch.status, batch.rows_read, batch.imported, batch.duplicates, batch.rejected) == (BatchStatus.DONE, 8, 3, 1, 4)
    assert (batch.checkpoint, batch.encoding, batch.mapping, batch.source_name) == (8, "utf-8", "auto", "voices.csv")


def test_receipt_numbers_run_through_fiscal_years(engine: Engine, take: Take, write: Write) -> None:
    days = ["2025/3/31", "2025/4/1", "2025/4/2"]
    take(engine, write([LIST_HEADINGS, *(list_row(str(n), f"{n}番の声", 受付日=day) for n, day in enumerate(days))]))
    take(engine, write([LIST_HEADINGS, list_row("9", "あとの声", 受付日="2025/5/1")], "more.csv"))
    assert [voice.receipt_number[:10] for voice in voices(engine)] == ["R06-000001", "R07-000001", "R07-000002", "R07-000003"]
    with db.reading(engine) as session:
        assert session.execute(select(ReceiptCounter.fiscal_year, ReceiptCounter.last).order_by(ReceiptCounter.fiscal_year)).all() == [
            (2024, 1),
            (2025, 3),
        ]


def test_the_daily_counts_come_with_the_voices(engine: Engine, take: Take, write: Write, annotate: Annotate) -> None:
    days = [f"2025/4/{day}" for day in (1, 1, 2, 2, 2, 3)]
    path = write([LIST_HEADINGS, *(list_row(str(n), f"{n}番の街灯が切れています。", 受付日=day) for n, day in enumerate(days))])
    with pytest.raises(PowerCutError):
        take(engine, path, chunk_voices=2, annotate=fail_after(1, annotate))
    with db.reading(engine) as session:
        assert facts.series(session, "channel") == {date(2025, 4, 1): {"電話": 2}}
    take(engine, path, chunk_voices=2)
    take(engine, path, chunk_voices=2)
    with db.reading(engine) as session:
        assert facts.series(session, "") == {date(2025, 4, day): {"": number} for day, number in ((1, 2), (2, 3), (3, 1))}
        assert facts.differences(session) == []


def test_a_wide_survey_gives_voices_with_question_and_choice_and_no_deadline(engine: Engine, take: Take, write: Write) -> None:
    same = ["港地区", "はい", "特になし", "いいえ", "", "40代", "女性", "", ""]
    rows = [
        SURVEY_HEADINGS,
        same,
        same,
        ["本町地区", "はい", "海が近い", "いいえ", "坂が多い", "", "", "", ""],
        ["x"],
        ["", "", "", "", "", "60代", "", "", ""],
    ]
    for mapping in ("auto", "survey-wide"):
        report = take(engine, write(rows, f"kanko_202601_{mapping}.csv"), mapping=mapping)
        assert (report.read, report.rejected) == (5, 1)
        assert any("ファイル名から" in line for line in report.guessed)
    assert (report.imported, report.duplicates) == (0, 4)
    found = voices(engine)
    assert [(voice.external_id[-5:], voice.text) for voice in found] == [
        ("1-Q02", "特になし"), ("2-Q02", "特になし"), ("3-Q02", "海が近い"), ("3-Q03", "坂が多い"),
    ]  # fmt: skip
    assert found[3].context == {"question": SURVEY_HEADINGS[3], "choice": "いいえ"}
    assert {(voice.channel, voice.received_on, voice.due_on) for voice in found} == {(Channel.SURVEY, date(2026, 1, 1), None)}


def test_names_written_into_a_choice_or_an_attribute_are_masked(engine: Engine, take: Take, write: Write, tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text("survey: {reason: ^わけ, question: ^問}\nattributes: {連絡: メモ}\n", "utf-8")
    contact = "電話は090-0000-1234です"
    take(engine, write([["問1", "わけ", "メモ"], [f"その他（{contact}）", "歩道が狭い", contact]]), mapping=str(mapping))
    (voice,) = voices(engine)
    assert "〔電話〕" in voice.context["choice"]
    assert "〔電話〕" in voice.attributes["連絡"]


class PowerCutError(RuntimeError):
    pass


def fail_after(calls: int, annotate: Annotate) -> Annotate:
    """An annotator that the power is cut from."""
    done = 0

    def annotate_until(texts: Sequence[str]) -> list[Annotation]:
        nonlocal done
        done += 1
        if done > calls:
            raise PowerCutError
        return annotate(texts)

    return annotate_until


def test_an_interrupted_import_goes_on_from_its_checkpoint(engine: Engine, take: Take, write: Write, annotate: Annotate) -> None:
    same = ["港地区", "はい", "特になし", "いいえ", "同じく", "", "", "", ""]
    path = write([SURVEY_HEADINGS, *[same] * 23])
    with pytest.raises(PowerCutError):
        take(engine, path, chunk_voices=10, annotate=fail_after(2, annotate))
    with db.reading(engine) as session:
        batch = session.scalars(select(Batch)).one()
    assert (batch.status, batch.checkpoint, batch.imported) == (BatchStatus.RUNNING, 10, 20)

    seen: list[tuple[int, int]] = []
    report = take(engine, path, chunk_voices=10, progress=lambda told: seen.append((told.done, told.total)))
    assert (report.batch, report.resumed, report.read, report.imported) == (batch.id, True, 46, 46)
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    again = take(engine, path)
    assert (again.imported, again.duplicates) == (0, 46)


def test_another_mapping_doesn_t_go_on_with_the_old_batch(engine: Engine, take: Take, write: Write, annotate: Annotate) -> None:
    path = write(many(25))
    with pytest.raises(PowerCutError):
        take(engine, path, chunk_voices=10, annotate=fail_after(1, annotate))
    report = take(engine, path, mapping="shimin-no-koe")
    assert (report.resumed, report.imported, report.duplicates) == (False, 15, 10)
    with db.reading(engine) as session:
        assert session.scalars(select(Batch.status).order_by(Batch.id)).all() == [BatchStatus.FAILED, BatchStatus.DONE]


def test_two_imports_of_one_file_at_a_time_don_t_mix(engine: Engine, take: Take, write: Write, annotate: Annotate) -> None:
    path = write(many(25))

    def annotate_while_another_overtakes(texts: Sequence[str]) -> list[Annotation]:
        if count(engine, Voice) == 0:
            take(engine, path, chunk_voices=10)
        return annotate(texts)

    with pytest.raises(ConflictError, match="ほかで進んでいます"):
        take(engine, path, chunk_voices=10, annotate=annotate_while_another_overtakes)
    assert count(engine, Voice) == 25


def test_two_files_with_the_same_voices_at_a_time_bring_each_in_once(
    engine: Engine, take: Take, write: Write, annotate: Annotate, mask: Mask
) -> None:
    paths = [write([*many(60), list_row(f"only-{name}", f"{name}だけの声")], f"{name}.csv") for name in "abc"]
    alone = Lock()

    def annotate_alone(texts: Sequence[str]) -> list[Annotation]:
        with alone:  # one tokenizer serves one thread at a time
            return annotate(texts)

    def mask_alone(texts: Sequence[str]) -> Sequence[tuple[str, Any]]:
        with alone:
            return mask(texts)

    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda path: take(engine, path, chunk_voices=10, annotate=annotate_alone, mask=mask_alone), paths))
    assert sum(report.imported for report in reports) == count(engine, Voice) == 63
    assert sum(report.duplicates for report in reports) == 120
    assert len({voice.receipt_number for voice in voices(engine)}) == 63
    with db.reading(engine) as session:
        assert facts.differences(session) == []


def test_processes_give_the_same_as_one_process(sqlite_engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    parallel = settings.model_copy(update={"engine": "loky", "workers": 2})
    report = take(sqlite_engine, write(many(35)), settings=parallel, chunk_voices=10)
    assert (report.read, report.imported) == (35, 35)
    assert [voice.external_id for voice in voices(sqlite_engine)] == [str(number) for number in range(1, 36)]


def test_a_model_that_loses_texts_is_an_error(sqlite_engine: Engine, take: Take, write: Write) -> None:
    with pytest.raises(ModelError, match="数が本文の数と合いません"):
        take(sqlite_engine, write(many(2)), annotate=lambda _: [])
    assert count(sqlite_engine, Voice) == 0


def test_nothing_taken_is_said(sqlite_engine: Engine, take: Take, write: Write) -> None:
    report = take(sqlite_engine, write([LIST_HEADINGS, list_row("1", ""), list_row("2", "あ", 受付日="x")]))
    assert report.nothing_taken
    assert (report.read, report.rejected) == (2, 2)


def test_a_file_that_can_t_be_used_leaves_no_batch(sqlite_engine: Engine, take: Take, write: Write) -> None:
    for content, options in ((b"", {}), (b"a,b\n1,2\n", {}), ("内容\nあ\n".encode(), {"mapping": "none"})):
        with pytest.raises(InputError):
            take(sqlite_engine, write(content), **options)
    assert count(sqlite_engine, Batch) == 0


def test_options_of_the_command(sqlite_engine: Engine, take: Take, write: Write) -> None:
    options = {"channel": Channel.LETTER, "received_on": date(2025, 1, 6), "source_name": "元の名前.csv", "actor": "suzuki"}
    take(sqlite_engine, write([["内容"], ["あ"]]), **options)
    (voice,) = voices(sqlite_engine)
    assert (voice.channel, voice.received_on, voice.external_id) == (Channel.LETTER, date(2025, 1, 6), "元の名前-1")
    with db.reading(sqlite_engine) as session:
        assert session.scalar(select(AuditEntry.actor)) == "suzuki"
        assert audit.verify(session).broken_at is None


slack = hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
cell = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["", "特になし", "令和7年4月1日", '"', "\n", "2025/4/1", "a,b"])
header = ",".join(LIST_HEADINGS).encode()


@slack
@given(rows=st.lists(st.lists(cell, min_size=11, max_size=14), min_size=1, max_size=12))
def test_whatever_the_cells_hold_the_sums_agree(sqlite_engine: Engine, take: Take, write: Write, rows: list[list[str]]) -> None:
    check_sums(sqlite_engine, take, write(table_bytes([LIST_HEADINGS, *rows])))


@slack
@given(content=st.binary(min_size=1, max_size=300))
def test_whatever_the_bytes_are_the_sums_agree(sqlite_engine: Engine, take: Take, write: Write, content: bytes) -> None:
    check_sums(sqlite_engine, take, write("受付日,内容\n2025/4/1,".encode() + content))


def check_sums(engine: Engine, take: Take, path: Path) -> None:
    before = count(engine, Voice), count(engine, Reject)
    try:
        report = take(engine, path)
    except InputError:
        return
    assert report.read == report.imported + report.duplicates + report.rejected
    assert (count(engine, Voice) - before[0], count(engine, Reject) - before[1]) == (report.imported, report.rejected)
    again = take(engine, path)
    assert (again.imported, again.rejected, again.read) == (0, report.rejected, report.read)
    with db.reading(engine) as session:
        assert facts.differences(session) == []
