"""Files of mails: mailboxes, what is taken for mail, and files that are damaged."""

from __future__ import annotations

import base64
import json
import tracemalloc
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.settings import PROJECT_ROOT, Settings
from ingest.incoming import RejectedRow, Row
from ingest.mail import open_mail, sniff
from ingest.mail_message import HEADINGS
from tests.ingest.conftest import Write
from tests.ingest.mails import HEAD, LETTER, MBOX_LINE, SLACK, mail, multi, part

SAMPLE = PROJECT_ROOT / "data/sample"


def test_an_mbox_gives_a_row_for_each_message(mail_rows, write: Write) -> None:
    bodies = ["一通目です。\n\n>From the start\n>>From x", "二通目です。\n\nFrom here on nothing.\n", "三通目です。"]
    content = b"".join(MBOX_LINE + mail(body).replace(b"\r\n", b"\n") + b"\n\n" for body in bodies)
    found = mail_rows(content, "a.mbox")
    assert [row.number for row in found] == [1, 2, 3]
    assert [row.cells[8] for row in found] == [
        "一通目です。\n\nFrom the start\n>From x",
        "二通目です。\n\nFrom here on nothing.",
        "三通目です。",
    ]
    source = open_mail(write(content, "b.mbox"))
    assert (source.lines, source.is_mbox, source.name, source.headings) == (3, True, "b.mbox", HEADINGS)


def test_an_mbox_with_crlf_or_a_damaged_message_in_the_middle(mail_rows) -> None:
    crlf = MBOX_LINE.replace(b"\n", b"\r\n")
    content = crlf + mail() + b"\r\n\r\n" + crlf + mail(b"\xff\xfd") + b"\r\n\r\n" + crlf + mail()
    kinds = [type(row) for row in mail_rows(content, "a.mbox")]
    assert kinds == [Row, RejectedRow, Row]


def test_an_mbox_is_read_in_flat_memory(write: Write, settings: Settings) -> None:
    one = MBOX_LINE + mail(LETTER + ("\n> " + "x" * 70) * 400) + b"\n\n"
    path = write(one * 400, "a.mbox")  # 12 MB
    tracemalloc.start()
    try:
        assert sum(1 for _ in open_mail(path).rows(needed=1, settings=settings)) == 400
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()


def test_rows_come_out_the_same_each_time(write: Write, settings: Settings) -> None:
    source = open_mail(write((MBOX_LINE + mail() + b"\n\n") * 3, "a.mbox"))
    assert list(source.rows(needed=1, settings=settings)) == list(source.rows(needed=9, settings=settings))


@pytest.mark.parametrize(
    "content",
    [
        mail(),
        b"\xef\xbb\xbf" + mail(),
        b"\r\n\r\n" + mail(),
        mail().replace(b"\r\n", b"\n"),
        b"Return-Path: <a@mail.example>\r\n" + b"X-Long: " + b"x" * 70_000 + b"\r\n" + mail(),
        MBOX_LINE + mail(),
    ],
    ids=["crlf", "bom", "blank lines", "lf", "long head", "mbox"],
)
def test_mails_are_known_by_their_bytes(write: Write, content: bytes) -> None:
    path = write(content, "no-suffix")
    assert sniff(path) == (b"X-Long" not in content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        "番号,内容\n1,あ\n".encode(),
        b"From,Date,Subject,Message-ID\na@mail.example,2026,x,1\n",
        b"From:,Date:,Subject:\na,b,c\n",
        "Subject: の列,内容\nFrom here,b\n".encode(),
        b'"From: a","Date: b"\n"x","y"\n',
        b"From\tDate\tSubject\na\tb\tc\n",
        b"From the city,text\n1,2\n",
        "件名: x\n差出人: y\n\n本文".encode(),
        b"PK\x03\x04From: a\nDate: b\n",
        b"Name: a\nValue: b\n\nx",
        b"From: a\n\nDate: b\n",
    ],
    ids=count(1),
)
def test_tables_and_other_files_are_never_taken_for_mail(write: Write, content: bytes) -> None:
    path = write(content, "a.eml")
    assert not sniff(path)
    with pytest.raises(InputError) as caught:
        open_mail(path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["call_log_cp932.csv", "voices_utf8bom.csv", "survey_wide_utf8.csv", "counter_log.xlsx", "truth.jsonl"], ids=count(1)
)
def test_the_sample_s_tables_are_no_mail(name: str) -> None:
    assert not sniff(SAMPLE / name)


def test_what_is_missing_or_a_folder_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.eml", tmp_path / "a\0b"):
        assert not sniff(path)
        with pytest.raises(InputError) as caught:
            open_mail(path)
        assert caught.value.hint


# Damage

WHOLE = HEAD + multi(
    "mixed",
    multi("alternative", part(LETTER), part(f"<p>{LETTER}</p>", "text/html; charset=utf-8"), boundary="alt"),
    part(
        base64.encodebytes(b"x" * 90),
        "image/png",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment; filename*=utf-8''%E5",
    ),
    part(HEAD + part(LETTER.encode("iso2022_jp"), "text/plain; charset=iso-2022-jp"), "message/rfc822"),
)  # fmt: skip


PUT = st.binary(max_size=6) | st.sampled_from([b"\r\n", b"=?", b"--=_b1", b'"', b";", b"*0*="])


@SLACK
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 12), PUT), min_size=1, max_size=8),
    st.sampled_from(["eml", "mbox"]),
)
def test_damage_never_raises_and_each_message_gives_one_row(
    write: Write, settings: Settings, damage: list[tuple[int, int, bytes]], kind: str
) -> None:
    content = WHOLE
    for at, cut, put in damage:
        content = content[:at] + put + content[at + cut :]
    mbox = kind == "mbox"
    if mbox:
        content = MBOX_LINE + b"X: 1\n" + content + b"\n\n" + MBOX_LINE + WHOLE
    try:
        source = open_mail(write(content, "a.eml"))
    except InputError:
        assert not mbox
        return
    found = list(source.rows(needed=1, settings=settings))
    assert len(found) == source.lines == (2 if mbox else 1)
    for turn, row in enumerate(found, start=1):
        assert (row.number if isinstance(row, Row) else row.row) == turn
        if isinstance(row, Row):
            assert len(row.cells) == len(HEADINGS)
            assert not any("\ud800" <= character <= "\udfff" for cell in row.cells for character in cell)
        json.dumps(row.cells)


@SLACK
@given(st.binary(max_size=300))
def test_any_bytes_are_mails_or_an_input_error(write: Write, settings: Settings, content: bytes) -> None:
    for prefix in (b"", MBOX_LINE + b"A: b\n", b"From: a\nDate: b\n"):
        path = write(prefix + content, "a.eml")
        try:
            source = open_mail(path)
        except InputError:
            assert not sniff(path)
            continue
        assert sniff(path)
        assert len(list(source.rows(needed=1, settings=settings))) == source.lines


@SLACK
@given(
    st.sampled_from(
        ["From", "Subject", "Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Received"]
    ),
    st.text(st.sampled_from("=?utf8BbQq*'\"<>()@;,:. \\/-0123ab\x1b$(é道") | st.characters(blacklist_categories=["Cs"]), max_size=80),
)
def test_any_header_gives_one_row(write: Write, settings: Settings, name: str, value: str) -> None:
    line = f"{name}: {value}".replace("\r", "").replace("\n", "").encode()
    path = write(
        b"Subject: a\nFrom: b\n".replace(name.encode(), b"X") + b"MIME-Version: 1.0\nDate: x\n" + line + b"\n\n" + LETTER.encode(), "a.eml"
    )
    assert len(list(open_mail(path).rows(needed=1, settings=settings))) == 1
