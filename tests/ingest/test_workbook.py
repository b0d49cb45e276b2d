from __future__ import annotations

import functools
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine, select

from core import db
from core.errors import InputError
from core.models import Batch, Reject, Voice
from core.settings import PROJECT_ROOT, Settings
from ingest.incoming import RejectedRow, Row
from ingest.look import Choices, look
from ingest.sources import open_source
from ingest.workbook import Book
from tests.ingest.conftest import Take, Write

SAMPLE = PROJECT_ROOT / "data/sample"
HEADINGS = ["受付番号", "受付日", "ご意見"]
RECORD = ["A-1", date(2025, 4, 1), "街灯が切れています。"]
slack = hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
several_times = hypothesis_settings(slack, max_examples=150)

Sheets = dict[str, Sequence[Sequence[Any]]]


def book_bytes(sheets: Sheets, change: Callable[[openpyxl.Workbook], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if change:
        change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one part's bytes changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return file.getvalue()


def as_excel_saves(content: bytes) -> bytes:
    """Texts in a list of their own, in pieces and with readings, as Excel writes them and openpyxl doesn't."""
    texts: list[bytes] = []

    def take(match: re.Match[bytes]) -> bytes:
        texts.append(match[2])
        return b'%s t="s"><v>%d</v></c>' % (match[1], len(texts) - 1)

    content = changed(
        content, "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'(<c r="\w+") t="inlineStr"><is><t>([^<]*)</t></is></c>', take, xml)
    )
    pieces = (b"<si><r><t>%s</t></r><r><t></t></r><rPh sb='0' eb='1'><t>\xe3\x83\xa8\xe3\x83\x9f</t></rPh></si>" % text for text in texts)
    table = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>' % b"".join(pieces)
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
    content = changed(content, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", override))
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as package:
        package.writestr("xl/sharedStrings.xml", table)
    return file.getvalue()


def read(path: Path, settings: Settings, *, needed: int = 1) -> list[Row | RejectedRow]:
    source = open_source(path)
    assert isinstance(source, Book)
    return list(source.rows(needed=needed, settings=settings))


def test_a_workbook_is_known_by_its_bytes_and_not_by_its_name(write: Write, settings: Settings) -> None:
    path = write(book_bytes({"声": [HEADINGS, RECORD]}), name="voices.csv")
    source = open_source(path)
    assert (source.name, source.encoding, source.headings, source.lines) == ("voices.csv", "xlsx", tuple(HEADINGS), 2)
    assert len(source.sha256) == 64
    assert read(path, settings) == [Row(2, ("A-1", "2025-04-01", "街灯が切れています。"))]


@pytest.mark.parametrize(
    ("value", "format_", "text"),
    [
        ("二行\nあります", None, "二行\nあります"),
        ("復帰_x000D_\n改行", None, "復帰\r\n改行"),
        (None, None, ""),
        (True, None, "TRUE"),
        (12, None, "12"),
        (12, "00000", "00012"),
        (12.0, None, "12"),
        (0.1 + 0.2, None, "0.3"),
        (45961, None, "45961"),
        (45961, "yyyy/m/d", "2025-10-31"),
        (45961, '[$-411]ggge"年"m"月"d"日"', "2025-10-31"),
        (45961 + 845 / 1440, "yyyy/m/d h:mm", "2025-10-31 14:05"),
        (datetime(2026, 10, 31, 14, 5, 9, 999_700), None, "2026-10-31 14:05:10"),  # noqa: DTZ001
        (date(2026, 10, 31), None, "2026-10-31"),
        (time(9, 15), None, "09:15"),
        (time(23, 59, 59, 800_000), None, "23:59:59"),
        (timedelta(hours=30, minutes=5), None, "30:05"),
        (-5, "yyyy/m/d", "1899-12-25"),
        (1e9, "yyyy/m/d", "#VALUE!"),
    ],
)
def test_each_kind_of_cell_becomes_text(write: Write, settings: Settings, value: object, format_: str | None, text: str) -> None:
    def put(book: openpyxl.Workbook) -> None:
        cell = book["声"].cell(2, 2, value)
        if format_:
            cell.number_format = format_

    (row,) = read(write(book_bytes({"声": [HEADINGS, ["A-1", None, "声"]]}, put)), settings)
    assert row.cells == ("A-1", text, "声")


def test_a_text_has_its_pieces_and_not_its_reading(write: Write, settings: Settings) -> None:
    content = as_excel_saves(book_bytes({"声": [HEADINGS, RECORD]}))
    assert b't="s"' in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    path = write(content)
    assert open_source(path).headings == tuple(HEADINGS)
    assert [row.cells for row in read(path, settings)] == [("A-1", "2025-04-01", "街灯が切れています。")]


def test_formulas_give_the_saved_value_and_errors_their_sign(write: Write, settings: Settings) -> None:
    content = book_bytes({"声": [HEADINGS, ["A-1", "=1+1", "=X"], ["A-2", "=1+1", "声"]]})
    sheet = "xl/worksheets/sheet1.xml"

    def calculate(xml: bytes) -> bytes:
        xml = re.sub(rb'<c r="B2"[^>]*><f>1\+1</f><v ?/?>(</v>)?</c>', b'<c r="B2"><f>1+1</f><v>2</v></c>', xml)
        return re.sub(rb'<c r="C2"[^>]*><f>X</f><v ?/?>(</v>)?</c>', b'<c r="C2" t="e"><f>X</f><v>#REF!</v></c>', xml)

    first, second = read(write(changed(content, sheet, calculate)), settings)
    assert first.cells == ("A-1", "2", "#REF!")
    assert second.cells == ("A-2", "", "声"), "never calculated: there is nothing to read"


def test_dates_with_and_without_a_date_format_come_to_the_same_day(write: Write, settings: Settings) -> None:
    path = write(book_bytes({"声": [HEADINGS, RECORD, ["A-2", 45748, "声"], ["A-3", "R7.4.1", "声"]]}))
    seen = look(path, Choices(), settings=settings)
    assert (seen.voices, seen.rejects) == (3, 0)


def test_a_list_grouped_by_merged_cells_has_their_value_in_each_row(write: Write, settings: Settings) -> None:
    headings = ["受付番号", "受付日", "地区", "ご意見", "備考"]
    rows = [["A-1", date(2025, 4, 1), "港地区", "街灯が切れている。", "急ぐ"], ["A-2", None, None, "公園が暗い。", None],
            ["A-3", date(2025, 4, 2), None, "道が狭い。", None], ["A-4", None, "本町地区", None, None], [],
            ["", "", "", "続き", ""]]  # fmt: skip

    def merge(book: openpyxl.Workbook) -> None:
        for cells in ("B2:B3", "C2:C4", "D4:D5", "E2:E5", "A5:A7", "C5:C7"):
            book["声"].merge_cells(cells)

    found = read(write(book_bytes({"声": [headings, *rows]}, merge)), settings)
    assert [row.cells for row in found] == [
        ("A-1", "2025-04-01", "港地区", "街灯が切れている。", "急ぐ"),
        ("A-2", "2025-04-01", "港地区", "公園が暗い。", ""),
        ("A-3", "2025-04-02", "港地区", "道が狭い。", ""),
        ("A-4", "", "本町地区", "", ""),
        ("", "", "", "続き", ""),  # the number goes down to it: a part of the record above
    ]


def test_a_cell_merged_over_empty_rows_makes_no_records(write: Write, settings: Settings) -> None:
    content = book_bytes({"声": [HEADINGS, RECORD]}, lambda book: book["声"].merge_cells("B2:B500"))
    assert [row.number for row in read(write(content), settings)] == [2]


def test_a_macintoshs_days_begin_in_1904(write: Write, settings: Settings) -> None:
    def begin_in_1904(book: openpyxl.Workbook) -> None:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        book["声"]["B2"] = date(2025, 4, 1)

    found = read(write(book_bytes({"声": [HEADINGS, RECORD, [45748, 45748 - 1462, "公園が暗い。"]]}, begin_in_1904)), settings)
    assert [row.cells[:2] for row in found] == [("A-1", "2025-04-01"), ("45748", "45748")]


def merge_title(book: openpyxl.Workbook) -> None:
    sheet: Worksheet = book["声"]
    sheet.insert_rows(1, 4)
    sheet["A1"] = "市民の声"
    sheet.merge_cells("A1:C1")
    sheet["A3"], sheet["B3"] = "作成", "広聴係"


@pytest.mark.parametrize("headings", [HEADINGS, ["甲", "乙", "丙"]], ids=["known words", "unknown words"])
def test_titles_above_the_headings_are_passed_over(write: Write, settings: Settings, headings: list[str]) -> None:
    path = write(book_bytes({"声": [headings, RECORD, [], RECORD]}, merge_title))
    assert open_source(path).headings == tuple(headings)
    assert [row.number for row in read(path, settings)] == [6, 8]


def test_a_single_column_has_its_heading_below_the_title(write: Write, settings: Settings) -> None:
    path = write(book_bytes({"声": [["ある年の声のまとめ"], ["ご意見"], ["声その一"], ["声その二"]]}))
    assert open_source(path).headings == ("ご意見",)
    assert [row.cells for row in read(path, settings)] == [("声その一",), ("声その二",)]


def test_a_record_with_words_of_headings_is_not_taken_for_them(write: Write, settings: Settings) -> None:
    path = write(book_bytes({"声": [["甲", "乙", "丙"], ["1", "電話", "要望"]]}))
    assert open_source(path).headings == ("甲", "乙", "丙")


def test_sheets_with_the_same_headings_are_read_one_after_the_other(write: Write, settings: Settings) -> None:
    second = [["題名"], ["受付番号", "受付日", "御意見 "], ["B-1", "", "声"]]
    path = write(book_bytes({"四月": [HEADINGS, RECORD], "空": [], "五月": [HEADINGS, RECORD], "六月": second}))
    rows = read(path, settings)
    assert [(row.number, getattr(row, "sheet", "")) for row in rows if isinstance(row, Row)] == [(2, "四月"), (2, "五月")]
    assert [row.code for row in rows if isinstance(row, RejectedRow)] == ["sheet"], "ご and 御 differ: nothing is guessed"


def test_two_sheets_of_one_name_are_two_sheets(write: Write, settings: Settings) -> None:
    content = book_bytes({"甲": [HEADINGS, RECORD], "乙": [HEADINGS, ["B-1", "", "声"]]})
    path = write(changed(content, "xl/workbook.xml", lambda xml: xml.replace("乙".encode(), "甲".encode())))
    assert [row.cells[0] for row in read(path, settings)] == ["A-1", "B-1"]


def test_progress_never_goes_back(engine: Engine, take: Take, write: Write) -> None:
    rows = [["", "2025-04-01", f"声その{number}"] for number in range(6)]
    path = write(book_bytes({"四月": [HEADINGS, *rows[:4]], "五月": [HEADINGS, *rows[4:]]}))
    told: list[tuple[int, int]] = []
    take(engine, path, progress=lambda now: told.append((now.done, now.total)), chunk_voices=2)
    assert told == sorted(told)
    assert told[-1] == (8, 8)


def test_rows_of_sheets_with_other_headings_or_none_are_rejected_and_named(write: Write, settings: Settings) -> None:
    sheets: Sheets = {
        "表紙": [["声のまとめ"], ["広聴係"]],
        "声": [HEADINGS, RECORD, ["A-2", "いつか", "声"]],
        "続き": [["A-3", "2025-04-01", "声"], ["A-4", "2025-04-01", "声"]],
        "課": [["題名"], ["所管課", "内容"], ["道路課", "道"]],
    }
    path = write(book_bytes(sheets))
    seen = look(path, Choices(), settings=settings)
    assert (seen.headings, seen.voices) == (tuple(HEADINGS), 1)
    assert [(row.reject.row, row.reject.reason[:8]) for row in seen.rows if row.reject] == [
        *((row, "シート「表紙」に") for row in (1, 2)),
        (3, "シート「声」: "),
        *((row, "シート「続き」に") for row in (1, 2)),
        (3, "シート「課」には"),
    ]
    assert {row.code for row in read(path, settings) if isinstance(row, RejectedRow)} == {"sheet"}


def test_a_cell_s_limits_are_those_of_a_csv(write: Write, settings: Settings) -> None:
    short = settings.model_copy(update={"max_cell_chars": 20})
    rows = [["1", "2025-04-01", "長" * 21], ["2", "2025-04-01", "a_x0000_b"], ["3", "2025-04-01", "声", "余り"], ["4"], ["5", "", "声"]]
    *bad, fourth, fifth = read(write(book_bytes({"声": [HEADINGS, *rows]})), short, needed=3)
    assert [(row.row, row.code, row.column) for row in bad if isinstance(row, RejectedRow)] == [
        (2, "too_long", "ご意見"),
        (3, "nul", "ご意見"),
        (4, "ragged", ""),
    ]
    assert (fourth.cells, fifth.cells) == (("4", "", ""), ("5", "", "声"))


def test_a_wrong_dimension_hides_no_rows(write: Write, settings: Settings) -> None:
    content = book_bytes({"声": [HEADINGS, RECORD, RECORD]})
    path = write(changed(content, "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', xml)))
    assert [row.cells[2] for row in read(path, settings)] == [RECORD[2], RECORD[2]]


def test_macros_are_not_looked_at(write: Write, settings: Settings) -> None:
    content = changed(book_bytes({"声": [HEADINGS, RECORD]}), "xl/theme/theme1.xml", lambda xml: xml)
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as package:
        package.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0<!DOCTYPE x>" + bytes(600))
    assert len(read(write(file.getvalue(), name="voices.xlsm"), settings)) == 1


BOMB = b"".join(
    (
        b'<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY a0 "lol">',
        *(b'<!ENTITY a%d "%s">' % (n + 1, b"&a%d;" % n * 10) for n in range(9)),
        b']><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>',
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>&a9;</t></is></c></row></sheetData></worksheet>',
    )
)


def sheet_of(rows: bytes) -> Callable[[bytes], bytes]:
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return lambda _: start + rows + b"</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("xl/worksheets/sheet1.xml", lambda _: BOMB, "DOCTYPE"),
        ("xl/sharedStrings.xml", lambda _: BOMB, "DOCTYPE"),
        ("xl/styles.xml", lambda _: BOMB.decode().encode("utf-16"), "DOCTYPE"),
        ("xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (51 << 20), "大きくなりすぎる"),
        ("xl/worksheets/sheet1.xml", sheet_of(b"<row>" + b"<c/>" * 3_000_000 + b"</row>"), "大きくなりすぎる|壊れて"),
        ("xl/worksheets/sheet1.xml", sheet_of(b"<row>" + b"<c>" + b"<v/>" * 300_000 + b"</c></row>"), "大きくなりすぎる"),
        ("xl/worksheets/sheet1.xml", sheet_of(b'<row><c r="XFD1"/></row>' * 7000), "大きくなりすぎる"),
        ("xl/worksheets/sheet1.xml", sheet_of(b"<row><c><v>" + b"1" * (17 << 20) + b"</v></c></row>"), "大きくなりすぎる"),
        ("xl/worksheets/sheet1.xml", sheet_of(b'<row r="999999999999"/>'), "壊れて"),
        ("xl/worksheets/sheet1.xml", sheet_of(b'<row r="2"/><row r="1"/>'), "壊れて"),
        ("xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2], "壊れて"),
        ("xl/styles.xml", lambda _: b"<x>" + b"<y/>" * 400_000 + b"</x>", "大きくなりすぎる"),
        ("xl/workbook.xml", lambda xml: re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", xml), "見つかりません|壊れて"),
        ("[Content_Types].xml", lambda _: b"", "壊れて"),
    ],
)
def test_what_would_harm_or_is_damaged_is_refused(
    write: Write, part: str, change: Callable[[bytes], bytes], message: str
) -> None:  # fmt: skip
    with pytest.raises(InputError, match=message) as caught:
        open_source(write(changed(as_excel_saves(book_bytes({"声": [HEADINGS, RECORD]})), part, change)))
    assert caught.value.hint


def test_so_many_bytes_in_all_are_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.workbook_check._MOST_BYTES", 1000)
    with pytest.raises(InputError, match="大きくなりすぎる"):
        open_source(write(book_bytes({"声": [HEADINGS, RECORD]})))


@pytest.mark.parametrize(
    ("rows", "message"),
    [([], "見つかりません"), ([["題名"]], "見出し行だけ"), ([HEADINGS], "見出し行だけ"), ([["題名"], HEADINGS, [" "]], "見出し行だけ")],
    ids=["nothing", "title", "headings", "title and headings"],
)
def test_without_records_there_is_advice(write: Write, rows: list[list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_source(write(book_bytes({"声": rows})))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "古い形式の Excel"),
        (book_bytes({"声": [HEADINGS, RECORD]})[:3000], "壊れて"),
    ],
    ids=["xls or with a password", "cut off"],
)
def test_other_files_of_excel_are_refused(write: Write, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_source(write(content))
    assert caught.value.hint


def test_a_zip_without_a_workbook_is_told_as_before(write: Write) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("a.csv", "番号,内容\n1,声\n")
    with pytest.raises(InputError, match="CSV ではありません"):
        open_source(write(file.getvalue()))


@pytest.mark.parametrize(("flag", "method", "message"), [(1, 8, "パスワード"), (0, 14, "方式")])
def test_encrypted_and_oddly_packed_parts_are_refused(write: Write, flag: int, method: int, message: str) -> None:
    content = bytearray(book_bytes({"声": [HEADINGS, RECORD]}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 8], content[at + 10] = flag, method
    with pytest.raises(InputError, match=message):
        open_source(write(bytes(content)))


cell = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(st.sampled_from("あア亜ab12 \n,\"'<&>=_x"), max_size=8)


@several_times
@given(rows=st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=8))
def test_as_many_rows_come_out_as_are_filled(write: Write, settings: Settings, rows: list[list[Any]]) -> None:
    given_rows = [["" if isinstance(value, str) and value.startswith("=") else value for value in row] for row in rows]
    filled = [at for at, row in enumerate(given_rows, start=2) if any(value is not None and str(value).strip() for value in row)]
    path = write(book_bytes({"声": [HEADINGS, *given_rows]}))
    if not filled:
        with pytest.raises(InputError, match="見出し行だけ"):
            open_source(path)
        return
    taken = read(path, settings)
    assert [row.number if isinstance(row, Row) else row.row for row in taken] == filled
    for row in taken:
        wanted = given_rows[(row.number if isinstance(row, Row) else row.row) - 2]
        shown = [str(value).upper() if isinstance(value, bool) else "" if value is None else str(value) for value in wanted]
        assert [text.replace("\r\n", "\n") for text in row.cells] == shown


@functools.cache
def small_book() -> bytes:
    return as_excel_saves(book_bytes({"声": [["題名"], HEADINGS, RECORD, ["A-2", 45748, True]], "次": [HEADINGS, RECORD]}))


@functools.cache
def stored_book() -> bytes:
    """Not compressed, so that damage reaches the XML; without the sums that would tell of it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(small_book())) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue()


damage = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(b"\0\xff09aAz<>/\"' &;=PK\x01")), min_size=1, max_size=4)


@several_times
@given(damage=damage, cut=st.none() | st.floats(0.01, 1), stored=st.booleans(), sums=st.booleans())
def test_damaged_bytes_give_rows_or_an_input_error(
    write: Write, settings: Settings, damage: list[tuple[float, int]], cut: float | None, *, stored: bool, sums: bool
) -> None:  # fmt: skip
    content = bytearray(stored_book() if stored else small_book())
    for place, byte in damage:
        content[int(place * len(content))] = byte
    path = write(bytes(content[: int(len(content) * cut)] if cut else content))
    try:
        with pytest.MonkeyPatch.context() as patch:
            if not sums:
                patch.setattr(zipfile.ZipExtFile, "_update_crc", lambda *_: None)
            rows = list(open_source(path).rows(needed=1, settings=settings))
    except InputError:
        return
    assert rows
    assert all(isinstance(row, Row | RejectedRow) for row in rows)


def test_the_sample_s_counter_log_is_taken_in_as_its_truth_says(engine: Engine, take: Take) -> None:
    path = SAMPLE / "counter_log.xlsx"
    lines = map(json.loads, (SAMPLE / "truth.jsonl").read_text("utf-8").splitlines())
    truth = [line for line in lines if line["file"] == path.name]
    report = take(engine, path)
    assert (report.read, report.imported, report.duplicates, report.rejected) == (300, 300, 0, 0)
    with db.reading(engine) as session:
        voices = session.execute(select(Voice.external_id, Voice.row, Voice.department, Voice.received_on).order_by(Voice.id)).all()
        assert session.scalar(select(Batch.encoding)) == "xlsx"
    assert [(voice.external_id, voice.row, voice.department) for voice in voices] == [
        (line["external_id"], line["row"], line["department"]) for line in truth
    ]
    first, second = ([voice.received_on for voice in voices if voice.external_id.startswith(sheet)] for sheet in ("M1", "M2"))
    assert [*first, *second] == sorted([*first, *second])
    assert date(2024, 11, 1) <= first[0] <= first[-1] <= date(2025, 10, 31)
    assert date(2025, 11, 1) <= second[0] <= second[-1] <= date(2026, 10, 31)
    again = take(engine, path)
    assert (again.read, again.imported, again.duplicates) == (300, 0, 300)


def test_an_import_keeps_the_rows_of_another_sheet(engine: Engine, take: Take, write: Write) -> None:
    report = take(engine, write(book_bytes({"声": [HEADINGS, RECORD], "集計": [["課", "件数"], ["道路課", 3]]})))
    assert (report.encoding, report.read, report.imported, report.rejected) == ("Excel ブック", 3, 1, 2)
    with db.reading(engine) as session:
        rejects = session.scalars(select(Reject).order_by(Reject.id)).all()
    assert [(reject.row, reject.code) for reject in rejects] == [(1, "sheet"), (2, "sheet")]
    assert all("集計" in reject.reason for reject in rejects)
