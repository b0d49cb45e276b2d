"""FAQ logs become entries with counts, not voices; every count read is imported, a duplicate or a reject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from core import audit, db
from core.clock import today
from core.crypto import Keyring
from core.errors import InputError
from core.models import AuditEntry, Batch, BatchContent, BatchStatus, FaqCount, FaqEntry, Reject, Voice
from core.settings import PROJECT_ROOT, Settings
from ingest.check import check_file
from ingest.chunks import Annotate, Mask
from ingest.faq import open_faq_log
from ingest.faq_columns import find_faq_columns
from ingest.faq_import import CHUNK_COUNTS, check_faq, import_faq
from ingest.faq_periods import Span
from ingest.faq_queries import list_faq
from ingest.faq_storage import in_force
from ingest.look import Choices, look
from ingest.mapping_files import saved_folder
from ingest.options import FileOptions
from ingest.sources import open_source
from nlp.annotation import Annotation
from tests.ingest.conftest import LIST_HEADINGS, Take, Write, list_row

SAMPLE = PROJECT_ROOT / "data/sample/faq_log.csv"
HEADINGS = ["番号", "質問", "参照回数", "対象月"]
WASTE, CARD = "粗大ごみの申込み方法を教えてください。", "住民票の写しはどこで取れますか。"
LOG = [HEADINGS, ["F-1", WASTE, "300", "2026-04"], ["F-1", WASTE, "280", "2026-05"], ["F-2", CARD, "1,200", "2026-05"]]
WIDE = [["質問", "4月", "5月", "6月", "合計"], [WASTE, "300", "280", "", "580"], [CARD, "0", "120", "90回", "210"]]


def held(engine: Engine) -> dict[tuple[str, str], int]:
    """The counts in force by number and month."""
    with db.reading(engine) as session:
        numbers = dict(session.execute(select(FaqEntry.id, FaqEntry.number)).all())
        return {(numbers[entry], f"{since:%Y-%m}"): views for entry, since, _, views in session.execute(in_force())}


def entry(engine: Engine, number: str) -> FaqEntry:
    with db.reading(engine) as session:
        return session.scalars(select(FaqEntry).where(FaqEntry.number == number)).one()


def sums(report: Any) -> tuple[int, int, int, int]:
    assert report.read == report.imported + report.duplicates + report.rejected
    return report.read, report.imported, report.duplicates, report.rejected


def test_a_log_becomes_entries_with_counts_and_no_voices(engine: Engine, take: Take, write: Write) -> None:
    report = take(engine, write(LOG))
    assert sums(report) == (3, 3, 0, 0)
    assert held(engine) == {("F-1", "2026-04"): 300, ("F-1", "2026-05"): 280, ("F-2", "2026-05"): 1200}
    assert (entry(engine, "F-1").theme, entry(engine, "F-1").department) == ("ごみ・環境", "ごみ減量課")
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Voice)) == 0
        batch = session.scalars(select(Batch)).one()
        assert (batch.content, batch.status, batch.started_by) == (BatchContent.FAQ, BatchStatus.DONE, "cli")
        assert [act.action for act in session.scalars(select(AuditEntry))] == ["import.finish"]
        assert audit.verify(session).broken_at is None
    assert sums(take(engine, write(LOG, "again.csv"))) == (3, 0, 3, 0)


def test_every_month_of_the_sample_is_a_count(sqlite_engine: Engine, take: Take) -> None:
    assert sums(take(sqlite_engine, SAMPLE)) == (720, 720, 0, 0)
    assert entry(sqlite_engine, "F-001").answer.startswith("市役所の1階か支所で取れます。")


def test_a_column_for_each_month_and_an_empty_cell_is_no_count(engine: Engine, take: Take, write: Write) -> None:
    report = take(engine, write(WIDE), period="令和8年度")
    assert sums(report) == (5, 5, 0, 0)
    assert sorted(month for _, month in held(engine)) == ["2026-04", "2026-04", "2026-05", "2026-05", "2026-06"]
    assert any("2026-04 から 2026-06" in line for line in report.guessed)


def test_the_newest_count_of_a_period_holds_and_an_undone_one_gives_way(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write(LOG))
    corrected = [HEADINGS, ["F-1", WASTE, "310", "2026-04"], ["F-1", WASTE, "280", "2026-05"]]
    report = take(engine, write(corrected, "corrected.csv"))
    assert sums(report) == (2, 1, 1, 0)
    assert held(engine)["F-1", "2026-04"] == 310
    with db.writing(engine) as session:
        session.execute(delete(FaqCount).where(FaqCount.batch_id == report.batch))
    assert held(engine)["F-1", "2026-04"] == 300


def test_personal_data_in_question_and_answer_is_masked(engine: Engine, take: Take, write: Write) -> None:
    rows = [
        ["番号", "質問", "回答", "参照回数"],
        ["1", "山田太郎と申します。証明書はどこですか。", "090-0000-1234 に電話してください。", "5"],
    ]
    take(engine, write(rows, "faq_202604.csv"))
    found = entry(engine, "1")
    assert "山田" not in found.question
    assert found.answer == "〔電話〕 に電話してください。"


def test_the_source_s_words_hold_where_they_are_words_of_the_city(engine: Engine, take: Take, write: Write) -> None:
    rows = [["番号", "質問", "分野", "所管課", "参照回数"], ["1", CARD, "税・保険・年金", "支所", "5"], ["2", CARD, "くらし", "", "5"]]
    take(engine, write(rows), period="2026-04")
    assert (entry(engine, "1").theme, entry(engine, "1").department) == ("税・保険・年金", "支所")
    assert (entry(engine, "2").theme, entry(engine, "2").department) == ("住民票・戸籍・マイナンバー", "市民課")


def test_a_question_without_a_number_is_known_again_by_its_words(engine: Engine, take: Take, write: Write) -> None:
    rows = [["質問", "参照回数"], [WASTE, "5"]]
    take(engine, write(rows), period="2026-04")
    assert sums(take(engine, write([["質問", "参照回数"], ["粗大ごみの申込み方法を教えてください。 ", "7"]]), period="2026-05")) == (
        1,
        1,
        0,
        0,
    )
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(FaqEntry)) == 1


def test_an_entry_has_the_words_of_its_newest_period(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write([HEADINGS, ["F-1", "粗大ごみの出し方", "1", "2026-05"]]))
    take(engine, write([HEADINGS, ["F-1", WASTE, "2", "2026-06"]]))
    assert entry(engine, "F-1").question == WASTE
    take(engine, write([HEADINGS, ["F-1", "昔の質問", "3", "2026-04"]]))
    assert entry(engine, "F-1").question == WASTE


def test_rows_that_are_no_counts_are_rejected_with_a_reason(engine: Engine, take: Take, write: Write, keyring: Keyring) -> None:
    future = f"{today() + timedelta(days=40):%Y-%m}"
    bad = [
        ["F-1", "", "5", "2026-05"], ["F-2", CARD, "たくさん", "2026-05"], ["F-2", CARD, "-3", "2026-05"], ["F-2", CARD, "1.5", "2026-05"],
        ["F-2", CARD, "", "2026-05"], ["F-2", CARD, "5", "いつか"], ["F-2", CARD, "5", ""], ["F-2", CARD, "5", future],
        ["", "合計", "99", ""], ["F" * 101, CARD, "5", "2026-05"], ["F-2", CARD, "99999999999", "2026-05"],
        ["F-1", WASTE, "301", "2026-04"],
    ]  # fmt: skip
    report = take(engine, write([*LOG, *bad]))
    assert sums(report) == (15, 3, 0, 12)
    with db.reading(engine) as session:
        rejects = session.scalars(select(Reject).order_by(Reject.row)).all()
        assert [reject.code for reject in rejects] == [
            "empty", "count", "count", "count", "count", "period", "period", "period", "total", "too_long", "count", "count",
        ]  # fmt: skip
        assert keyring.open(rejects[0].sealed_row, place=rejects[0].place) == '["F-1", "", "5", "2026-05"]'


NOT_FAQ: dict[str, list[list[str]]] = {
    "voices": [LIST_HEADINGS, list_row("1", "歩道の段差")],
    "a list with a day of receipt": [["番号", "受付日", "質問", "ご意見", "件数"], ["1", "2026/4/1", "街灯", "街灯", "3"]],
    "a list with people": [["番号", "質問", "内容", "氏名", "回数"], ["1", "街灯", "街灯", "広聴花子", "3"]],
    "counts in words": [["質問", "内容", "件数"], ["街灯", "街灯", "多い"], ["歩道", "歩道", "少ない"]],
}


@pytest.mark.parametrize("name", NOT_FAQ)
def test_what_is_no_log_stays_what_it_was(write: Write, settings: Settings, name: str) -> None:
    assert open_faq_log(open_source(write(NOT_FAQ[name])), settings=settings) is None
    assert look(write(NOT_FAQ[name]), Choices(received_on=date(2026, 4, 1)), settings=settings).voices == len(NOT_FAQ[name]) - 1


def test_a_saved_mapping_that_claims_the_headings_decides(write: Write, settings: Settings) -> None:
    folder = saved_folder(settings)
    folder.mkdir(parents=True)
    path = write(LOG)
    heads = f"headings: [{', '.join(HEADINGS)}]\n"
    (folder / "koe.yaml").write_text(f"{heads}columns: {{text: 質問, external_id: 番号}}\n", "utf-8")
    assert open_faq_log(open_source(path), settings=settings) is None
    (folder / "koe.yaml").write_text(f"{heads}faq: {{question: 質問, number: 番号, period: 対象月, views: 参照回数}}\n", "utf-8")
    assert open_faq_log(open_source(path), settings=settings)


def test_how_the_columns_are_read_is_known_without_a_period(write: Write, settings: Settings) -> None:
    source = open_source(write(WIDE))
    bare = find_faq_columns(source, settings=settings)
    assert bare
    assert (bare.keys(5), bare.months) == (("question", "views", "views", "views", ""), {})
    known = find_faq_columns(source, settings=settings, year=2026)
    assert known
    assert known.words(5) == ("質問", "参照回数（2026-04）", "参照回数（2026-05）", "参照回数（2026-06）", "")
    assert (known.counted, known.bare) == (bare.counted, ())


@pytest.mark.parametrize(
    ("heading", "cell"),
    [("年月", "2026-04-01 00:00:00"), ("期間", "2026年4月"), ("対象年月", "202604"), ("集計期間", "2026/4/1～2026/4/30"), ("月", "4")],
)
def test_the_column_of_the_period(write: Write, settings: Settings, heading: str, cell: str) -> None:
    path = write([["質問", "閲覧数", heading], [WASTE, "5", cell]])
    log = open_faq_log(open_source(path), FileOptions(period="2026年度"), settings=settings)
    assert log
    ((count,),) = log.rows(settings=settings)
    assert count.span == Span(date(2026, 4, 1), date(2026, 4, 30))


def test_a_period_that_nothing_tells_is_asked_for(sqlite_engine: Engine, take: Take, write: Write) -> None:
    for rows in ([["質問", "参照回数"], [WASTE, "5"]], WIDE):
        with pytest.raises(InputError, match=r"期間|何年度") as error:
            take(sqlite_engine, write(rows))
        assert "--period" in error.value.hint
    with pytest.raises(InputError, match="いつか"):
        take(sqlite_engine, write(WIDE), period="いつか")
    assert sums(take(sqlite_engine, write([["質問", "参照回数"], [WASTE, "5"]], "FAQ令和8年4月.csv"))) == (1, 1, 0, 0)


def test_a_mapping_file_names_the_columns(engine: Engine, take: Take, write: Write, tmp_path: Path) -> None:
    path = tmp_path / "machi-faq.yaml"
    path.write_text("faq: {number: コード, question: 見出し語, views: のべ}\n", "utf-8")
    rows = [["コード", "見出し語", "のべ", "備考"], ["7", WASTE, "12", ""]]
    assert sums(take(engine, write(rows), mapping=str(path), period="2026-04")) == (1, 1, 0, 0)
    with pytest.raises(InputError, match="参照回数"):
        take(engine, write([["コード", "見出し語"], ["7", WASTE]]), mapping=str(path), period="2026-04")
    path.write_text("faq: {number: コード}\n", "utf-8")
    with pytest.raises(InputError, match="faq"):
        take(engine, write(rows), mapping=str(path))


class PowerCutError(RuntimeError):
    pass


def test_an_interrupted_log_goes_on_from_its_checkpoint(
    engine: Engine, write: Write, settings: Settings, keyring: Keyring, annotate: Annotate, mask: Mask
) -> None:
    rows = [HEADINGS, *([f"F-{number}", f"{number}番の窓口はどこですか。", str(number), "2026-04"] for number in range(25))]
    log = open_faq_log(open_source(write(rows)), settings=settings)
    assert log
    calls = 0

    def annotate_once(texts: Sequence[str]) -> list[Annotation]:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise PowerCutError
        return annotate(texts)

    options: dict[str, Any] = {"settings": settings, "keyring": keyring, "mask": mask, "chunk_counts": 10}
    with pytest.raises(PowerCutError):
        import_faq(engine, log, annotate=annotate_once, **options)
    assert len(held(engine)) == 10
    taken = import_faq(engine, log, annotate=annotate, **options)
    assert (taken.resumed, taken.sums.read, taken.sums.imported, taken.sums.duplicates) == (True, 25, 25, 0)
    assert held(engine) == {(f"F-{number}", "2026-04"): number for number in range(25)}


def test_a_rehearsal_tells_what_an_import_then_does(engine: Engine, take: Take, write: Write, settings: Settings) -> None:
    take(engine, write(LOG))
    path = write([*LOG, ["F-1", WASTE, "301", "2026-04"], ["F-3", "駐輪場はどこですか。", "8", "2026-05"], ["", "", "8", "2026-05"]])
    log = open_faq_log(open_source(path), settings=settings)
    assert log
    expected, rejects, _ = check_faq(engine, log, settings=settings)
    assert (expected.imported, expected.duplicates, expected.rejected) == (1, 3, 2)
    assert [reject.code for reject in rejects] == ["empty", "count"]
    assert len(held(engine)) == 3
    dry = check_file(engine, path, settings=settings)
    assert (dry.imported, dry.duplicates, dry.rejected, dry.codes) == (1, 3, 2, {"empty": 1, "count": 1})
    report = take(engine, path)
    assert (report.imported, report.duplicates, report.rejected) == (1, 3, 2)


def test_a_log_is_stopped_and_goes_on(
    engine: Engine, write: Write, settings: Settings, keyring: Keyring, annotate: Annotate, mask: Mask
) -> None:  # fmt: skip
    log = open_faq_log(open_source(write(LOG)), settings=settings)
    assert log
    told: list[tuple[int, int]] = []
    options: dict[str, Any] = {"settings": settings, "keyring": keyring, "annotate": annotate, "mask": mask, "chunk_counts": 1}
    stopped = import_faq(engine, log, stop=lambda: True, told=lambda _, sums, line: told.append((sums.read, line)), **options)
    assert (stopped.cancelled, stopped.sums.read, told) == (True, 1, [(0, 0), (1, 2)])
    with db.reading(engine) as session:
        assert session.scalars(select(Batch.status)).one() == BatchStatus.CANCELLED
    taken = import_faq(engine, log, **options)
    assert (taken.batch, taken.resumed, taken.cancelled, taken.sums.read) == (stopped.batch, True, False, 3)


def test_a_rehearsal_tells_how_far_it_is_and_is_stopped(sqlite_engine: Engine, write: Write, settings: Settings) -> None:
    rows = [[f"F-{number}", f"{number}番の窓口はどこですか。", "5", "2026-04"] for number in range(CHUNK_COUNTS + 1)]
    path = write([HEADINGS, *rows])
    told: list[tuple[int, int]] = []
    report = check_file(sqlite_engine, path, settings=settings, progress=lambda state: told.append((state.done, state.imported)))
    assert [imported for _, imported in told] == [0, CHUNK_COUNTS, CHUNK_COUNTS + 1, CHUNK_COUNTS + 1]
    assert [line for line, _ in told[:3]] == [0, CHUNK_COUNTS + 1, CHUNK_COUNTS + 2]
    assert (report.read, report.cancelled) == (CHUNK_COUNTS + 1, False)
    stopped = check_file(sqlite_engine, path, settings=settings, stop=lambda: True)
    assert (stopped.read, stopped.cancelled) == (CHUNK_COUNTS, True)


def test_a_person_sees_the_first_counts_and_what_was_understood(sqlite_engine: Engine, write: Write, settings: Settings) -> None:
    path = write([*LOG, ["F-9", "", "5", "2026-05"]])
    seen = look(path, Choices(), settings=settings)
    assert (seen.counts, seen.rejects, seen.headings) == (3, 1, tuple(HEADINGS))
    assert any("質問ごとの回数" in line for line in check_file(sqlite_engine, path, settings=settings).guessed)


def test_figures_are_compared_with_the_period_before_and_add_up(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write(LOG))
    with db.reading(engine) as session:
        found = list_faq(session)
        assert found.span == Span(date(2026, 5, 1), date(2026, 5, 31))
        assert [(line.number, line.views, line.previous, line.change) for line in found.entries] == [
            ("F-2", 1200, None, None),
            ("F-1", 280, 300, -20),
        ]
        assert {line.theme: (line.views, line.previous) for line in found.themes} == {
            "住民票・戸籍・マイナンバー": (1200, None),
            "ごみ・環境": (280, 300),
        }
        assert sum(line.views for line in found.themes) == found.views == 1480
        both = list_faq(session, since=date(2026, 4, 1), until=date(2026, 5, 31))
        assert both.views == 1780
        with pytest.raises(InputError, match="期間"):
            list_faq(session, since=date(2026, 5, 1), until=date(2026, 4, 1))


def test_a_period_that_was_counted_in_part_is_not_compared_with(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write([*LOG, ["F-1", WASTE, "290", "2026-06"], ["F-1", WASTE, "310", "2026-03"]]))
    with db.reading(engine) as session:
        both = list_faq(session, since=date(2026, 5, 1), until=date(2026, 6, 30))
        assert [(line.number, line.previous) for line in both.entries] == [("F-2", None), ("F-1", 610)]
        three = list_faq(session, since=date(2026, 4, 1), until=date(2026, 6, 30))
        assert {line.previous for line in [*three.entries, *three.themes]} == {None}


def test_a_year_and_its_months_are_not_counted_twice(engine: Engine, take: Take, write: Write) -> None:
    take(engine, write(LOG))
    take(engine, write([HEADINGS, ["F-1", WASTE, "2000", "2026年度"]]))
    with db.reading(engine) as session:
        found = list_faq(session, since=date(2026, 4, 1), until=date(2027, 3, 31))
        assert {line.number: line.views for line in found.entries} == {"F-1": 2000, "F-2": 1200}
        assert list_faq(session, since=date(2026, 4, 1), until=date(2026, 5, 31)).views == 1780


def test_no_counts_no_figures(engine: Engine) -> None:
    with db.reading(engine) as session:
        assert list_faq(session).entries == []


CELL = st.one_of(
    st.text(max_size=8), st.integers(-5, 5).map(str), st.sampled_from(["合計", "2026-04", "4月", WASTE, "1,000", "=1+1", "\0"])
)


@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=5), min_size=1, max_size=12))
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_cells_hold_the_sums_agree(sqlite_engine: Engine, take: Take, write: Write, rows: list[list[str]]) -> None:
    try:
        report = take(sqlite_engine, write([HEADINGS, ["F-1", WASTE, "5", "2026-04"], ["F-2", CARD, "5", "2026-04"], *rows]))
    except InputError:
        return
    sums(report)
