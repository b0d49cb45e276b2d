"""Files gone wrong in every way that bytes can: sound ones of each kind, and what is done to them."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime

import openpyxl
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.ingest.conftest import LIST_HEADINGS, SURVEY_HEADINGS, list_row, table_bytes
from tests.ingest.mails import HEAD, LETTER, MBOX_LINE, mail, multi, part

CALL_HEADINGS = ["受付番号", "受付日時", "受付方法", "区", "問合せ内容", "応答内容"]
CALLS = [
    ["C-1", "2025/4/1 9:27", "電話", "港地区", "街灯が切れていて、夜は道が暗い。", "担当課に伝えた。"],
    ["C-2", "R7.4.2", "電話", "本町地区", "公園の水飲み場が壊れている。\n子どもが困っている。", ""],
    ["C-3", "令和7年4月3日 午後1時5分", "FAX", "", 'ごみの日を「月曜」に"戻して"ほしい, とのこと。', "説明済み。"],
    ["C-4", "45748.5", "来庁", "山手地区", "バスの本数が減って通学に困る。", "回答済み。"],
]
LIST = [list_row("1", "歩道の段差が危ない。", 氏名="架空花子", 電話番号="045-000-0000"), list_row("2", "図書館の本を増やして。")]
SURVEY = [["港地区", "はい", "海が近いから", "いいえ", "坂が多い", "40代", "女性", "", ""], ["", "", "", "", "", "60代", "", "", ""]]

Change = Callable[[bytes], bytes]

# What is put into the middle of a file: the signs of its grammar, of other encodings, and of other grammars.
TOKENS = (
    b"\0",
    b'"',
    b'""',
    b'"\r\n',
    b"'",
    b",",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\x1a",
    b"\x81",
    b"\x82\xa0",
    b"\xe3\x81",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x1b$B",
    b"\x1b(B",
    b"=1+1",
    b'=HYPERLINK("http://a")',
    b"\xe2\x80\xae",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xee\x80\x80",
    b"-" * 300,
    b"x" * 5000,
    "あ".encode() * 2000,
    b"\n" * 200,
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"45748",
    b"99999999999",
    b"0000-00-00",
    "令和0年".encode(),
    "昭和99年13月32日".encode(),
    b"24:00:00",
    b"%s%n{0}",
    b"\\",
    b"\\ud800",
    b"&#0;",
    b"&#xD800;",
    b"&#99999999;",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"<",
    b">",
    b"]]>",
    b"<![CDATA[",
    b"</",
    b"<row>",
    b"</row>",
    b'<c r="A1"/>',
    b"{",
    b"}",
    b"[" * 60,
    b'{"a":' * 60,
    b"null",
    b"true",
    b"--=_b1",
    b"--=_b1--",
    b"\r\n\r\n--=_b1\r\n",
    b"=?UTF-8?B?44GC=?=",
    b"=?utf-8?Q?=E3=81",
    b"=?iso-2022-jp?B?GyRC?=",
    b"=?x-none?B?AAAA?=",
    b"Content-Type: multipart/mixed; boundary=a\r\n",
    b"Content-Type: text/plain; charset=unicode_escape\r\n",
    b'Content-Type: text/html; charset="',
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: x-uuencode\r\n",
    b"begin 644 a\r\n",
    b"Date: Thu, 99 Foo 0000 99:99:99 +9999\r\n",
    b"Date: Mon, 1 Jan 99999 00:00:00 -0000\r\n",
    b'From: "\r\n',
    b"From: <@,;:>\r\n",
    b"\nFrom a 10:00\n",
    b"\n\nFrom a@b Wed Apr  1 10:00:00 2026\nX: y\n",
    b"Message-ID: <" + b"a" * 300 + b">\r\n",
    b"Subject:\r\n " + b"\r\n ".join([b"a"] * 40) + b"\r\n",
    b"=\r\n",
    b"=00=FF=",
)

_place = st.integers(0, 9999)
_length = st.sampled_from([1, 1, 2, 3, 8, 40, 400])


def _at(content: bytes, place: int) -> int:
    return place * (len(content) + 1) // 10_000


def _flip(place: int, byte: int) -> Change:
    def change(content: bytes) -> bytes:
        at = min(_at(content, place), len(content) - 1)
        return content[:at] + bytes([content[at] ^ byte]) + content[at + 1 :] if content else content

    return change


def _put(place: int, token: bytes) -> Change:
    return lambda content: content[: (at := _at(content, place))] + token + content[at:]


def _cut(place: int, length: int) -> Change:
    return lambda content: content[: (at := _at(content, place))] + content[at + length :]


def _end(place: int) -> Change:
    return lambda content: content[: _at(content, place)]


def _double(place: int, length: int, to: int) -> Change:
    def change(content: bytes) -> bytes:
        piece = content[(at := _at(content, place)) : at + length]
        return content[: (there := _at(content, to))] + piece + content[there:]

    return change


def _splice(place: int, other: bytes) -> Change:
    return lambda content: content[: _at(content, place)] + other[_at(other, place) :]


def _swap(old: bytes, new: bytes) -> Change:
    return lambda content: content.replace(old, new)


def changes(others: Sequence[bytes]) -> SearchStrategy[Change]:
    """One thing done to the bytes of a file."""
    return st.one_of(
        st.builds(_flip, _place, st.integers(1, 255)),
        st.builds(_put, _place, st.sampled_from(TOKENS)),
        st.builds(_put, _place, st.binary(min_size=1, max_size=12)),
        st.builds(_cut, _place, _length),
        st.builds(_end, _place),
        st.builds(_double, _place, _length, _place),
        st.builds(_splice, _place, st.sampled_from(others)),
        st.builds(
            _swap, st.sampled_from([b"\r\n", b"\n", b",", b'"', b" ", b":"]), st.sampled_from([b"\n", b"\r", b"", b'"', b"\t", b"\0"])
        ),
    )


def _changed(content: bytes, done: Sequence[Change]) -> bytes:
    for change in done:
        content = change(content)
    return content


def broken(sound: Sequence[bytes], *, others: Sequence[bytes] = ()) -> SearchStrategy[bytes]:
    """Sound files with up to five things done to them."""
    return st.builds(_changed, st.sampled_from(sound), st.lists(changes([*sound, *others]), max_size=5))


@functools.cache
def tables() -> tuple[bytes, ...]:
    """CSV and TSV in the encodings and with the line ends that offices use."""
    contents = [
        [CALL_HEADINGS, *CALLS],
        [LIST_HEADINGS, *LIST],
        [SURVEY_HEADINGS, *SURVEY],
        [["内容"], ["街灯が切れている。"], ["公園が暗い。"]],
    ]
    ways = [("utf-8", ",", "\r\n"), ("utf-8-sig", ",", "\n"), ("cp932", ",", "\r\n"), ("utf-16", "\t", "\r\n"), ("euc_jp", ",", "\n"),
            ("cp932", "\t", "\r")]  # fmt: skip
    found = [table_bytes(rows, encoding=code, delimiter=sign, line_end=end) for rows in contents for code, sign, end in ways]
    return (*found, table_bytes(contents[0], encoding="iso2022_jp"), table_bytes(contents[0], encoding="utf-16-be"))


@functools.cache
def mails() -> tuple[bytes, ...]:
    """Mails and boxes of mails."""
    japanese = "=?iso-2022-jp?B?GyRCOH4xYCROM1lFdBsoQg==?="
    head = HEAD.replace(b"Subject: test", f"Subject: {japanese}".encode())
    inner = mail(head=HEAD.replace(b"<1@", b"<2@"))
    base64 = b"6KGX54Gv44GM5YiH44KM44Gm44GE44G+44GZ44CC\r\n"
    both = multi("alternative", part(LETTER), part(f"<p>{LETTER}</p>", "text/html; charset=utf-8"), boundary="=_b2")
    found = [
        mail(),
        mail(LETTER.encode("iso2022_jp"), "text/plain; charset=iso-2022-jp", head=head, coding="7bit"),
        mail(LETTER.encode("cp932"), "text/plain; charset=shift_jis"),
        mail(base64, coding="base64"),
        mail(b"=E8=A1=97=E7=81=AF=\r\n\r\n", coding="quoted-printable"),
        mail(f"<html><body><p>{LETTER}<br>よろしく</p><blockquote>前の文</blockquote></body></html>", "text/html; charset=utf-8"),
        HEAD + multi("mixed", both, part(b"%PDF-1.4", 'application/pdf; name="a.pdf"', "Content-Disposition: attachment")),
        HEAD + multi("mixed", part(LETTER), b"Content-Type: message/rfc822\r\n\r\n" + inner),
    ]
    boxes = [b"".join(MBOX_LINE + one.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n\n" for one in found[at : at + 3]) for at in (0, 3, 5)]
    return (*found, *boxes)


@functools.cache
def json_lines() -> tuple[bytes, ...]:
    records = [dict(zip(CALL_HEADINGS, row, strict=True)) for row in CALLS]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    odd = ['{"内容": "あ", "番号": 1e5, "件名": null}', '{"内容": ["い", {"う": 1}], "番号": true}', '{"本文": "\\ud83d\\ude00え\\u0000"}']
    return tuple(
        end.join(content).encode(code) for content in (lines, odd, [*lines, *odd]) for end, code in (("\n", "utf-8"), ("\r\n", "utf-8-sig"))
    )


@functools.cache
def books() -> tuple[bytes, ...]:
    """Workbooks: a plain one, one with titles and merged cells, one with several sheets, formulas and kinds of cells."""
    plain, dressed, mixed = openpyxl.Workbook(), openpyxl.Workbook(), openpyxl.Workbook()
    for row in [CALL_HEADINGS, *CALLS]:
        plain.active.append(row)
    sheet = dressed.active
    for row in [["市民の声一覧"], [], ["番号", "受付日", "ご意見"], [1, date(2025, 4, 1), "街灯が切れている。"], [2, None, "公園が暗い。"]]:
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("B4:B5")
    mixed.active.append(["番号", "受付日", "内容", "備考"])
    for row in [[1, 45748, "あ", True], ["2", datetime(2025, 4, 1, 9, 30), "い", "=1+1"], [3.5, "R7.4.1", "う", None]]:  # noqa: DTZ001
        mixed.active.append(row)
    mixed.create_sheet("つづき").append(["番号", "受付日", "内容", "備考"])
    mixed.worksheets[1].append([4, date(2025, 5, 1), "え", -0.5])
    mixed.create_sheet("図").append(["集計", 3])
    return tuple(map(_saved, (plain, dressed, mixed)))


def _saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


XML_SWAPS = (
    (b'r="A', b'r="ZZ'),
    (b'r="B2"', b'r="B1048577"'),
    (b'r="C', b'r="A'),
    (b' r="', b' s="'),
    (b't="s"', b't="d"'),
    (b't="s"', b't="e"'),
    (b't="s"', b't="b"'),
    (b't="inlineStr"', b't="s"'),
    (b't="inlineStr"', b't="n"'),
    (b't="inlineStr"', b't="d"'),
    (b't="n"', b't="s"'),
    (b't="n"', b't="d"'),
    (b"<v>", b"<v>-"),
    (b"<v>", b"<v>9999999"),
    (b"<v>4", b"<v>1e30"),
    (b"<v>4", b"<v>NaN"),
    (b"<v>4", b"<v>inf"),
    (b"<v>4", b"<v>\xe3\x81\x82"),
    (b"</v>", b""),
    (b' s="', b' s="999'),
    (b"<t>", b"<t xml:space='preserve'>  "),
    (b"<is>", b"<is>" * 3),
    (b'mergeCell ref="B4:B5"', b'mergeCell ref="B4:XFD1048576"'),
    (b'mergeCell ref="B4:B5"', b'mergeCell ref="5B:::"'),
    (b"<sheetData>", b"<sheetData/><sheetData>"),
    (b"worksheet", b"chartsheet"),
    (b"rId1", b"rId9"),
    (b"sheet1.xml", b"../../etc/passwd"),
    (b"sheetId", b"sheetID"),
    (b"<workbookPr", b'<workbookPr date1904="1"'),
    (b'date1904="', b'date1904="x'),
    (b'numFmtId="14"', b'numFmtId="-1"'),
    (b'formatCode="', b'formatCode="[$-411]ggge'),
    (b"<?xml", b"<?xml version='1.0' encoding='utf-16'?><?xml"),
    (b"utf-8", b"shift_jis"),
    (b"spreadsheetml/2006/main", b"spreadsheetml/2007/other"),
    (b'state="visible"', b'state="veryHidden"'),
    (b"<row ", b"<row spans='a' "),
    (b"UTF-8", b"x-none"),
    (b'<row r="', b'<row r="0'),
    (b'<row r="3"', b'<row r="2"'),
    (b'<row r="4"', b'<row r="1048577"'),
)


def _rezipped(content: bytes, member: int, done: Sequence[Change], swaps: Sequence[tuple[bytes, bytes]], how: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = names[member % len(names)]
        for name in names:
            body = old.read(name)
            for one, other in swaps:
                body = body.replace(one, other)
            if name == chosen:
                body = _changed(body, done)
                if how == "left out":
                    continue
                if how == "twice":
                    new.writestr(f"{name}x", body)
                if how == "empty":
                    body = b""
                if how == "elsewhere":
                    new.writestr(f"xl/{name}", body)
                    continue
            new.writestr(name, body)
    return file.getvalue()


def broken_books() -> SearchStrategy[bytes]:
    """Workbooks with something done to one of their parts, to cells of all sheets, or to the zip around them."""
    inside = st.builds(
        _rezipped,
        st.sampled_from(books()),
        st.integers(0, 30),
        st.lists(changes([b"<a/>"]), max_size=2),
        st.lists(st.sampled_from(XML_SWAPS), max_size=3),
        st.sampled_from(["", "", "", "", "left out", "twice", "empty", "elsewhere"]),
    )
    return inside | inside | st.builds(_changed, inside, st.lists(changes(books()), max_size=3))
