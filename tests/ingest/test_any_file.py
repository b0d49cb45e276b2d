"""Whatever a file holds: it is taken in or refused in Japanese, never with a traceback, and every record of it is accounted for."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence

import openpyxl
import pytest
from hypothesis import HealthCheck, currently_in_test_context, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from sqlalchemy import Engine, select, text

from core import db
from core.errors import KoeError
from core.models import Batch, Reject, Voice
from core.settings import PROJECT_ROOT
from ingest.chunks import Annotate
from ingest.reports import ImportReport
from nlp.annotate import Masker
from nlp.annotation import Annotation, Label
from nlp.similar import terms
from tests.ingest import broken_files as files
from tests.ingest.conftest import Take, Write, table_bytes
from tests.ingest.mails import HEAD, MBOX_LINE, mail

# 1 in an ordinary run; `pytest --hypothesis-profile=long` looks at a hundred times as many files.
SCALE = hypothesis_settings().max_examples / 100
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")
MASKER = Masker(PROJECT_ROOT / "data/taxonomy")


def examples(count: int) -> hypothesis_settings:
    slack = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return hypothesis_settings(max_examples=int(count * SCALE), suppress_health_check=slack)


def annotate_lightly(texts: Sequence[str]) -> list[Annotation]:
    """Masks as ever, and labels all alike: reading a file doesn't depend on what its voices are about."""
    label = Label("その他", 1.0)
    return [
        Annotation(masked, pii, label, label, Label("要望", 1.0), Label("通常", 1.0), label, (), (), (), terms(masked), "light")
        for masked, pii in MASKER(texts)
    ]


Check = Callable[..., ImportReport | None]


@pytest.fixture
def check(take: Take, write: Write, sqlite_engine: Engine) -> Check:
    """Takes a file in twice, into an empty database, and looks at what came of it."""

    def _check(content: bytes, name: str, **options: object) -> ImportReport | None:
        given = {"annotate": annotate_lightly, "mask": MASKER} | options
        empty(sqlite_engine)
        path = write(content, name)
        report = taken_or_refused(lambda: take(sqlite_engine, path, **given))
        if isinstance(report, KoeError):
            assert JAPANESE.search(report.message)
            assert JAPANESE.search(report.hint)
            note("refused")
            return None
        note("taken in" if report.imported else "all rejected" if report.rejected else "blank")
        accounted(sqlite_engine, report)
        again = take(sqlite_engine, path, **given)
        assert (again.read, again.imported, again.rejected) == (report.read, 0, report.rejected)
        return report

    return _check


def taken_or_refused(take_in: Callable[[], ImportReport]) -> ImportReport | KoeError:
    try:
        return take_in()
    except KoeError as error:
        return error


def note(outcome: str) -> None:
    """For ``--hypothesis-show-statistics``: a generator of files that are all refused tries nothing."""
    if currently_in_test_context():
        event(outcome)


def empty(engine: Engine) -> None:
    with db.writing(engine) as session:
        for table in ("voice_search", "search_terms", "daily_counts", "voices", "rejects", "batches"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608


def accounted(engine: Engine, report: ImportReport) -> None:
    assert report.read == report.imported + report.duplicates + report.rejected
    with db.reading(engine) as session:
        batch = session.get_one(Batch, report.batch)
        assert (batch.rows_read, batch.imported, batch.duplicates) == (report.read, report.imported, report.duplicates)
        texts = session.scalars(select(Voice.text).where(Voice.batch_id == report.batch)).all()
        rejects = session.execute(select(Reject.code, Reject.reason).where(Reject.batch_id == report.batch)).all()
    assert (len(texts), len(rejects)) == (report.imported, report.rejected)
    assert all(masked.strip() for masked in texts)
    assert all(code and JAPANESE.search(reason) for code, reason in rejects)


@examples(700)
@given(content=files.broken(files.tables(), others=files.mails()))
def test_any_table(check: Check, content: bytes) -> None:
    check(content, "voices_202504.csv")


@examples(700)
@given(content=files.broken_books())
def test_any_workbook(check: Check, content: bytes) -> None:
    check(content, "voices.xlsx")


@examples(700)
@given(content=files.broken(files.mails(), others=files.tables()))
def test_any_mail(check: Check, content: bytes) -> None:
    check(content, "letters.eml")


@examples(500)
@given(content=files.broken(files.json_lines(), others=files.tables()))
def test_any_json_lines(check: Check, content: bytes) -> None:
    check(content, "voices.jsonl")


@examples(200)
@given(content=st.binary(max_size=400))
def test_any_bytes(check: Check, content: bytes) -> None:
    check(content, "voices.dat")


# Cells that leave a file's grammar alone, whatever they say: then the number of its records is known.
cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30) | st.sampled_from(
    [
        "",
        "-",
        "令和7年4月1日",
        "2025/4/1",
        "45748",
        "R0.0.0",
        "9" * 30,
        "=1+1",
        '"',
        "\r\n",
        "\ufeff",
        "\u202e",
        "あ" * 300,
        "電話は045-000-0000",
        "1e999",
    ]
)
record = st.lists(cell, min_size=6, max_size=6)
headings = st.sampled_from(
    [files.CALL_HEADINGS, ["番号", "日付", "種別", "地区", "ご意見", "回答"], ["a", "b", "c", "氏名", "内容", "メール"]]
)
filled = st.lists(record.filter(lambda cells: any(cell.strip() and cell.strip() != "\x1a" for cell in cells)), min_size=1, max_size=12)


@examples(300)
@given(headings=headings, records=filled, way=st.sampled_from([("utf-8", ","), ("utf-8-sig", "\t"), ("utf-16", ",")]))
def test_every_row_of_a_table_is_counted(check: Check, headings: list[str], records: list[list[str]], way: tuple[str, str]) -> None:
    report = check(table_bytes([headings, *records], encoding=way[0], delimiter=way[1]), "voices.csv")
    assert report
    assert report.read == len(records)


@examples(150)
@given(headings=headings, records=filled)
def test_every_row_of_a_workbook_is_counted(check: Check, headings: list[str], records: list[list[str]]) -> None:
    book = openpyxl.Workbook()
    clean = [[ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in cells] for cells in records]
    for cells in [headings, *clean]:
        book.active.append(cells)
    for row in book.active.iter_rows(min_row=2):
        for one in row:
            one.data_type = "s"  # a text also where it looks like a formula
    file = io.BytesIO()
    book.save(file)
    report = check(file.getvalue(), "voices.xlsx")
    expected = sum(any(cell.strip() for cell in cells) for cells in clean)
    assert (report.read if report else 0) == expected


@examples(200)
@given(records=filled)
def test_every_line_of_json_lines_is_counted(check: Check, records: list[list[str]]) -> None:
    lines = [json.dumps(dict(zip(files.CALL_HEADINGS, cells, strict=True)), ensure_ascii=len(cells[0]) % 2 == 0) for cells in records]
    report = check("\n".join(lines).encode("utf-8", "surrogatepass"), "voices.jsonl")
    assert report
    assert report.read == len(records)


@examples(150)
@given(letters=st.lists(st.tuples(st.sampled_from(files.mails()[:8]), st.binary(max_size=40)), min_size=1, max_size=6))
def test_every_mail_of_a_box_is_counted(check: Check, letters: list[tuple[bytes, bytes]]) -> None:
    ended = [one + b"\r\n" + tail.replace(b"From ", b"from ") for one, tail in letters]
    report = check(b"".join(MBOX_LINE + one.rstrip(b"\r\n") + b"\n\n" for one in ended), "letters.mbox")
    assert report
    assert report.read == len(letters)


@examples(100)
@given(content=files.broken(files.tables()) | files.broken(files.mails()) | files.broken_books())
def test_the_real_annotator_too(check: Check, annotate: Annotate, content: bytes) -> None:
    check(content, "voices.dat", annotate=annotate)


def nested(depth: int) -> bytes:
    """A mail in a mail in a mail."""
    letter = mail()
    for _ in range(depth):
        letter = HEAD + b"Content-Type: message/rfc822\r\n\r\n" + letter
    return letter


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


# The worst of their kinds, small and made by code: what a reader would run out of memory, stack or time over.
WORST = {
    "an unclosed quote over many lines": b"a,\xe5\x86\x85\xe5\xae\xb9\n" + b'1,"x\n' * 3000,
    "quotes only": "内容\n".encode() + b'"' * 9999,
    "one cell that is too long": "内容\n".encode() + "あ".encode() * 120_000 + "\n街灯が切れている。\n".encode(),
    "many columns": ("内容" + ",x" * 20_000 + "\n街灯" + ",y" * 20_000 + "\n").encode(),
    "a heading that is too long": ('内容,"' + "題" * 50_000 + '"\n街灯,x\n').encode(),
    "carriage returns only": "受付日,内容\r2025/4/1,街灯が切れている。\r".encode("cp932"),
    "half a character at the end": "内容\n街灯が切れてい".encode("cp932") + b"\x82",
    "a mark of UTF-16 and nothing": b"\xff\xfe",
    "a mark of UTF-16 in an odd file": b"\xff\xfe" + "内容\nあ".encode("utf-16-le") + b"\0",
    "digits that are no ASCII": "受付日,内容\n２０２５年٤月१日,街灯\n²025/4/1,公園\n".encode(),
    "a deep object": b'{"\xe5\x86\x85\xe5\xae\xb9": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001 + b"\n",
    "a long number": b'{"\xe5\x86\x85\xe5\xae\xb9": ' + b"9" * 9000 + b"}\n",
    "lone surrogates": b'{"\xe5\x86\x85\xe5\xae\xb9": "\\ud800\\udc00 \\udfff \\ud83d"}\n',
    "mails in mails": nested(60),
    "a thousand boundaries": HEAD + b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 3000,
    "boundaries in boundaries": HEAD
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(400)),
    "a header that never ends": HEAD[:-2] + b"\r\n" + b" folded\r\n" * 20_000 + b"\r\n\xe8\xa1\x97\r\n",
    "many tags": mail("<div>" * 20_000 + "街灯", "text/html; charset=utf-8"),
    "tags that aren't closed": mail("<a \"'" * 8000, "text/html; charset=utf-8"),
    "quotes of quotes": mail("".join(f"{'>' * n} 引用\n" for n in range(400))),
    "an empty box": MBOX_LINE + MBOX_LINE + b"\n" * 50,
    "a workbook of nothing": zipped(xl__workbook=b""),
    "a workbook with entities": zipped(xl__workbook=b"<!DOCTYPE a [<!ENTITY b 'c'>]><workbook>&b;</workbook>"),
    "a workbook of deep elements": zipped(xl__workbook=b"<a>" * 100_000),
}


@pytest.mark.parametrize("content", WORST.values(), ids=WORST.keys())
def test_the_worst_files(check: Check, content: bytes) -> None:
    check(content, "worst.dat")
