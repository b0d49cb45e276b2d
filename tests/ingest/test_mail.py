"""Mails as rows: the sample city's forty, and made ones for every way in which mailers write, quote, sign and break things."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc
from email import message_from_bytes
from email import policy as email_policy
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import InputError
from core.models import Channel
from core.settings import PROJECT_ROOT, Settings
from ingest import mail_message
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Interpreter, fallback_day
from ingest.mail import open_mail, sniff
from ingest.mail_charset import decode, decode_base64, decode_header
from ingest.mail_html import html_to_text
from ingest.mail_message import HEADINGS
from ingest.mail_quotes import own_words
from ingest.mapping import resolve_mapping
from tests.ingest.conftest import Write

SAMPLE = PROJECT_ROOT / "data/sample"
TRUTH = [entry for line in (SAMPLE / "truth.jsonl").read_text("utf-8").splitlines() if (entry := json.loads(line))["file"].endswith(".eml")]
LETTER = "公園の街灯が消えていて、夜は道が暗いです。\n直していただけないでしょうか。"
HEAD = b"From: sender@mail.example\r\nSubject: test\r\nDate: Wed, 01 Apr 2026 10:00:00 +0900\r\nMessage-ID: <1@mail.example>\r\n"
slack = hypothesis_settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def mail(body: bytes | str = LETTER, content_type: str = "text/plain; charset=utf-8", *, head: bytes = HEAD, coding: str = "8bit") -> bytes:
    lines = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n".encode()
    return head + lines + (body.encode() if isinstance(body, str) else body)


def part(body: bytes | str, content_type: str = "text/plain; charset=utf-8", *more: str) -> bytes:
    head = "\r\n".join([f"Content-Type: {content_type}", *more])
    return head.encode() + b"\r\n\r\n" + (body.encode() if isinstance(body, str) else body)


def multi(kind: str, *parts: bytes, boundary: str = "=_b1") -> bytes:
    inner = b"".join(b"--" + boundary.encode() + b"\r\n" + piece + b"\r\n" for piece in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode() + inner + b"--" + boundary.encode() + b"--\r\n"


@pytest.fixture
def rows(write: Write, settings: Settings):
    def _rows(content: bytes, name: str = "a.eml") -> list[Row | RejectedRow]:
        return list(open_mail(write(content, name)).rows(needed=1, settings=settings))

    return _rows


@pytest.fixture
def cells(rows):
    """The one row of a mail, by heading."""

    def _cells(content: bytes) -> dict[str, str]:
        (row,) = rows(content)
        assert isinstance(row, Row), (row.code, row.reason)
        return dict(zip(HEADINGS, row.cells, strict=True))

    return _cells


@pytest.fixture
def reject(rows):
    def _reject(content: bytes) -> RejectedRow:
        (row,) = rows(content)
        assert isinstance(row, RejectedRow), row.cells
        return row

    return _reject


# The sample


@pytest.mark.parametrize("truth", TRUTH, ids=[entry["file"] for entry in TRUTH])
def test_the_sample_s_mails_come_out_as_they_were_written(settings: Settings, truth) -> None:
    path = SAMPLE / truth["file"]
    assert sniff(path)
    (row,) = open_mail(path).rows(needed=1, settings=settings)
    assert isinstance(row, Row)
    found = dict(zip(HEADINGS, row.cells, strict=True))
    told = message_from_bytes(path.read_bytes(), policy=email_policy.default)
    body = told.get_body(preferencelist=("plain",))
    assert body is not None
    whole = body.get_content().replace("\r\n", "\n").strip()
    sender = told["from"].addresses[0]
    assert found["番号"] == truth["external_id"]
    assert found["受付日"] == f"{told['date'].datetime:%Y-%m-%d %H:%M:%S}"
    assert (found["件名"], found["氏名"], found["メール"]) == (told["subject"], sender.display_name, sender.addr_spec)
    assert (found["原文"], found["受付媒体"], found["添付"]) == (whole, "電子メール", "")
    assert all(secret["surface"] in found["原文"] for secret in truth["pii"])
    # Whatever was cut stands below the letter and begins with a rule, a quote or the sender's name.
    assert whole.startswith(found["本文"])
    cut = whole[len(found["本文"]) :].strip()
    assert not cut or cut.startswith(("---", "--\n", "＊", ">", sender.display_name))
    assert not any(line.startswith((">", "--", "＊＊")) for line in found["本文"].splitlines())
    assert found["本文"].endswith(("。", "か。"))


def test_auto_mapping_knows_the_headings_and_makes_a_voice(rows, settings: Settings) -> None:
    (row,) = rows(mail(f"{LETTER}\n\n-- \n見本 花子\n電話 090-0000-0000\n"))
    mapping = resolve_mapping("auto", HEADINGS, settings=settings)
    interpreter = Interpreter(mapping, file_name="a.eml", fallback=fallback_day(mapping, file_name="a.eml", received_on=None))
    (voice,) = interpreter.read(row)
    assert isinstance(voice, IncomingVoice)
    assert (voice.text, voice.channel, voice.external_id) == (LETTER, Channel.EMAIL, "<1@mail.example>")
    assert str(voice.received_at) == "2026-04-01 10:00:00+09:00"
    assert voice.contact == {"email": "sender@mail.example"}


# Charsets

HALF = "ﾃｽﾄと①㈱髙です。道が暗いです。"


def jis_ms(text: str) -> bytes:
    """ISO-2022-JP as Japanese mailers write it: the characters of CP932 in it, kana by an escape of their own."""
    out, mode = b"", b""
    for character in text:
        code = character.encode("cp932")
        if len(code) == 1:
            wanted = b"\x1b(I" if code[0] >= 0xA1 else b"\x1b(B"
            code = bytes([code[0] & 0x7F])
        else:
            lead, trail = code
            row = (lead - (0x81 if lead < 0xA0 else 0xC1)) * 2 + (trail >= 0x9F)
            column = trail - 0x9F if trail >= 0x9F else trail - 0x40 - (trail > 0x7F)
            wanted, code = b"\x1b$B", bytes([row + 0x21, column + 0x21])
        out += (wanted if wanted != mode else b"") + code
        mode = wanted
    return out + b"\x1b(B"


@pytest.mark.parametrize(
    ("data", "label", "expected"),
    [
        (LETTER.encode("iso2022_jp"), "ISO-2022-JP", LETTER),
        (LETTER.encode("iso2022_jp"), "us-ascii", LETTER),
        (LETTER.encode("iso2022_jp"), "", LETTER),
        (LETTER.encode("iso2022_jp"), "utf-8", LETTER),
        (jis_ms("①㈱です。ﾃｽﾄ abc"), "iso-2022-jp", "①㈱です。ﾃｽﾄ abc"),
        (jis_ms("①㈱です。ﾃｽﾄ abc"), "cp50220", "①㈱です。ﾃｽﾄ abc"),
        ("道が".encode("iso2022_jp") + "ﾃｽﾄ".encode("cp932"), "iso-2022-jp", "道がﾃｽﾄ"),
        ("道が\x0e".encode("iso2022_jp") + bytes(b & 0x7F for b in "ﾃｽﾄ".encode("cp932")) + b"\x0f.", "cp50222", "道がﾃｽﾄ."),
        ("俱道".encode("iso2022_jp_2004"), "iso-2022-jp-2004", "俱道"),
        ("丂道".encode("iso2022_jp_1"), "iso-2022-jp", "丂道"),
        (HALF.encode("cp932"), "shift_jis", HALF),
        (HALF.encode("cp932"), "Windows-31J", HALF),
        (LETTER.encode("cp932"), "", LETTER),
        (LETTER.encode("cp932"), "utf-8", LETTER),
        (LETTER.encode("cp932"), "iso-2022-jp", LETTER),
        (LETTER.encode("cp932"), "iso-8859-1", LETTER),
        (LETTER.encode("cp932"), "x-unknown", LETTER),
        (LETTER.encode("cp932"), "zlib", LETTER),
        ("山田太郎".encode("cp932"), "", "山田太郎"),
        ("山田太郎".encode("euc_jp"), "", "山田太郎"),
        (LETTER.encode("euc_jp"), "euc-jp", LETTER),
        (LETTER.encode("euc_jp"), "shift_jis", LETTER),
        (LETTER.encode("euc_jp"), "", LETTER),
        ("道が①".encode("euc_jp", "ignore") + b"\xad\xa1", "euc-jp", "道が①"),
        (LETTER.encode(), "shift_jis", LETTER),
        (LETTER.encode(), "iso-8859-1", LETTER),
        (LETTER.encode(), "", LETTER),
        (LETTER.encode("utf-8-sig"), "", LETTER),
        (LETTER.encode("utf-16"), "", LETTER),
        (LETTER.encode("utf-7"), "utf-7", LETTER),
        ("😀はい".encode(), "utf-8", "😀はい"),
        ("Straße in Köln".encode("latin-1"), "iso-8859-1", "Straße in Köln"),
        ("你好，世界".encode("gb18030"), "gb2312", "你好，世界"),
        (b"plain", "", "plain"),
        (b"", "", ""),
    ],
    ids=count(1),
)
def test_every_charset_right_or_wrongly_named(data: bytes, label: str, expected: str) -> None:
    assert decode(data, label) == expected


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (LETTER.encode()[:-1], "utf-8"),
        (LETTER.encode()[:50] + b"\xff" + LETTER.encode()[51:], "utf-8"),
        (LETTER.encode()[:50] + b"\xff" + LETTER.encode()[51:], ""),
        (LETTER.encode("cp932")[:-1], "shift_jis"),
        (LETTER.encode("iso2022_jp").replace(b"\x1b", b""), "iso-2022-jp"),
        (b"\x1b$B$3$s$K$A$\x1b(B", "iso-2022-jp"),
        (bytes(range(128, 256)), "utf-8"),
        (bytes(range(128, 256)) * 3, ""),
    ],
    ids=count(1),
)
def test_what_can_t_be_read_is_not_read_as_something_else(data: bytes, label: str) -> None:
    assert decode(data, label) is None


@slack
@given(
    st.binary(max_size=200) | st.text(max_size=80).map(str.encode),
    st.sampled_from(["", "utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "latin1", "idna", "unicode_escape", "x\0y", "é"]),
)
def test_any_bytes_in_any_charset_are_text_or_none(data: bytes, label: str) -> None:
    assert isinstance(decode(data, label), str | None)


japanese = st.text(st.sampled_from(sorted(set("あいうアイウ漢字道路①㈱髙～ー、。「」　abc012.\n"))), min_size=1, max_size=40)


@slack
@given(japanese, st.sampled_from(["utf-8", "shift_jis", "iso-2022-jp"]))
def test_well_labelled_text_comes_back(text: str, label: str) -> None:
    data = jis_ms(text) if label == "iso-2022-jp" else text.encode("cp932" if label == "shift_jis" else label)
    back = decode(data, label)
    assert back is not None
    assert back.replace("〜", "～") == text


def test_a_body_that_no_charset_fits_is_rejected_with_its_bytes(reject) -> None:
    bad = reject(mail(LETTER.encode()[:-1]))
    assert (bad.row, bad.column, bad.code) == (1, "本文", "encoding")
    assert bad.cells[0].encode("ascii", "surrogateescape").endswith(LETTER.encode()[:-1])
    assert LETTER[:5] not in bad.reason


# Headers


def word(data: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(data).decode()}?="


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (word("道路の件".encode()), "道路の件"),
        (f"{word('道路の件'.encode()[:4])}\r\n {word('道路の件'.encode()[4:])}", "道路の件"),
        (
            f"{word('道路の件'.encode('iso2022_jp')[:6], 'ISO-2022-JP')}\r\n\t{word('道路の件'.encode('iso2022_jp')[6:], 'ISO-2022-JP')}",
            "道路の件",
        ),
        (f"Re: {word('道'.encode())} {word('路'.encode('cp932'), 'shift_jis')} abc", "Re: 道路 abc"),
        (f'"{word("道路".encode())}"', '"道路"'),
        (f"{word('道'.encode())}{word('路'.encode())}", "道路"),
        ("=?utf-8?Q?=E9=81=93_x?=", "道 x"),
        ("=?utf-8*ja?b?6YGT?=", "道"),
        ("=?utf-8?B?6YGT6Lev\r\n 44Gu5Lu2?=", "道路の件"),
        ("=?utf-8?B?6YGT", "道"),
        ("=?utf-8?B?6YGT6Lev44Gu5Lu2YQ?=", "道路の件a"),
        ("道路の件".encode().decode("ascii", "surrogateescape"), "道路の件"),
        ("道路の件です".encode("cp932").decode("ascii", "surrogateescape"), "道路の件です"),
        ("道路の件".encode("iso2022_jp").decode(), "道路の件"),
        ("plain\r\n  folded", "plain folded"),
        ("=?x", "=?x"),
        ("", ""),
    ],
    ids=count(1),
)
def test_headers_are_read_however_they_are_encoded(raw: str, expected: str) -> None:
    assert decode_header(raw) == expected


@pytest.mark.parametrize(
    "raw", [word("道路の件".encode()[:-1]), "=?utf-8?B?6YG!!T?=", word(b"\xff\xfe\xfd\x80"), "\udcff\udc80\udc81"], ids=count(1)
)
def test_a_subject_that_can_t_be_read_rejects_the_mail(reject, raw: str) -> None:
    assert decode_header(raw) is None
    bad = reject(mail(head=HEAD.replace(b"test", raw.encode("ascii", "surrogateescape"))))
    assert (bad.column, bad.code) == ("件名", "encoding")


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        (f"{word('見本 花子'.encode())} <a@mail.example>", "見本 花子", "a@mail.example"),
        (f'"{word("見本 花子".encode())}" <a@mail.example>', "見本 花子", "a@mail.example"),
        ("a@mail.example (Sample)", "Sample", "a@mail.example"),
        ('"Sample, A." <a@mail.example>', "Sample, A.", "a@mail.example"),
        ('"a@mail.example" <a@mail.example>', "", "a@mail.example"),
        ('"x <b@mail.example>" <a@mail.example>', "x <b@mail.example>", "a@mail.example"),
        ("a@mail.example", "", "a@mail.example"),
        (word("見本 花子 <a@mail.example>".encode()), "見本 花子", "a@mail.example"),
        ("見本花子 <a@mail.example>".encode("iso2022_jp").decode(), "見本花子", "a@mail.example"),
        ("見本花子 <a@mail.example>", "見本花子", "a@mail.example"),
        ("見本花子", "見本花子", ""),
        ("", "", ""),
    ],
    ids=count(1),
)
def test_the_sender_s_name_and_address(cells, sender: str, name: str, address: str) -> None:
    found = cells(mail(head=HEAD.replace(b"sender@mail.example", sender.encode())))
    assert (found["氏名"], found["メール"]) == (name, address)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Wed, 01 Apr 2026 23:30:00 +0000", "2026-04-02 08:30:00"),
        ("1 Apr 2026 10:00:05 +0900 (JST)", "2026-04-01 10:00:05"),
        ("Wed, 01 Apr 2026 10:00:00", "2026-04-01 10:00:00"),
        ("Wed, 01 Apr 2026 10:00:00 -0000", "2026-04-01 19:00:00"),
        ("2026/04/01 10:00:00", "2026-04-01 10:00:00"),
        ("いつか", "2026-04-03 09:00:00"),
        ("Wed, 01 Apr 2099 10:00:00 +0900", "2026-04-03 09:00:00"),
        ("", "2026-04-03 09:00:00"),
    ],
    ids=count(1),
)
def test_the_day_is_japan_s_and_the_arrival_s_where_the_sender_has_none(cells, date: str, expected: str) -> None:
    received = b"Received: from a.example by b.example; Fri, 03 Apr 2026 00:00:00 +0000\r\n"
    found = cells(received + mail(head=HEAD.replace(b"Wed, 01 Apr 2026 10:00:00 +0900", date.encode())))
    assert found["受付日"] == expected


def test_a_mail_without_any_date_has_an_empty_day(cells) -> None:
    assert cells(mail(head=b"From: a@mail.example\r\nSubject: x\r\n"))["受付日"] == ""


def test_without_a_usable_number_a_digest_stands_for_it_always_the_same(cells) -> None:
    bare = HEAD.replace(b"Message-ID: <1@mail.example>\r\n", b"")
    first, again, other = cells(mail(head=bare)), cells(mail(head=bare)), cells(mail("別の手紙です。", head=bare))
    long = cells(mail(head=HEAD.replace(b"<1@", b"<" + b"1" * 200 + b"@")))
    assert first["番号"] == again["番号"] != other["番号"]
    assert all(len(found["番号"]) <= 100 and found["番号"].startswith("mail-") for found in (first, other, long))


# Parts


@pytest.mark.parametrize("coding", ["quoted-printable", "base64", "7bit", "8bit", "BASE64 ", "nonsense"], ids=count(1))
def test_every_transfer_encoding(cells, coding: str) -> None:
    data = LETTER.encode()
    if "base64" in coding.lower():
        data = base64.encodebytes(data)
    elif coding == "quoted-printable":
        data = "".join(f"={byte:02X}" if byte > 126 else chr(byte) for byte in data).replace("=E3=81", "=\r\n=E3=81").encode()
    assert cells(mail(data, coding=coding))["本文"] == LETTER


@pytest.mark.parametrize(
    ("coded", "expected"),
    [
        (base64.b64encode("道が".encode()).rstrip(b"="), "道が"),
        (base64.b64encode(b"ab") + b"\n" + base64.b64encode(b"cd"), "abcd"),
        (base64.b64encode("道が".encode()) + b"\n\n-- \nlist footer!\n", "道が\n-- \nlist footer!\n"),
        (b"", ""),
    ],
    ids=count(1),
)
def test_slightly_irregular_base64_is_read(coded: bytes, expected: str) -> None:
    data = decode_base64(coded)
    assert data is not None
    assert data.decode() == expected


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (base64.b64encode(LETTER.encode())[:-5], "base64"),
        (b"@@@@" + base64.b64encode(LETTER.encode()), "base64"),
        (base64.b64encode(LETTER.encode())[:41], "base64"),
        (b"=E3=81=8", "quoted-printable"),
        (b"begin 644 a\n#86)C\n`\nend\n", "x-uuencode"),
    ],
    ids=count(1),
)
def test_broken_transfer_encodings_are_rejected(reject, data: bytes, coding: str) -> None:
    assert reject(mail(data, coding=coding)).code == "encoding"


def test_plain_text_goes_before_html_wherever_it_stands(cells) -> None:
    html, plain = part("<p>html</p>", "text/html; charset=utf-8"), part(LETTER)
    for parts in ((plain, html), (html, plain)):
        assert cells(HEAD + multi("alternative", *parts))["本文"] == LETTER


def test_an_empty_or_unreadable_plain_part_leaves_the_word_to_html(cells, reject) -> None:
    html = part("<p>道が<br>暗い</p>", "text/html; charset=utf-8")
    assert cells(HEAD + multi("alternative", part(" \r\n"), html))["本文"] == "道が\n暗い"
    assert cells(HEAD + multi("alternative", part(LETTER.encode()[:-1]), html))["本文"] == "道が\n暗い"
    assert reject(HEAD + multi("alternative", part(LETTER.encode()[:-1]))).code == "encoding"


def test_related_and_mixed_parts_are_found_in_each_other(cells) -> None:
    picture = part(base64.b64encode(b"x" * 30), 'image/png; name="a.png"', "Content-Transfer-Encoding: base64")
    related = multi("related", part("<b>道</b>が暗い", "text/html; charset=utf-8"), picture, boundary="rel")
    found = cells(HEAD + multi("mixed", multi("alternative", part(""), related, boundary="alt"), part("追伸です。")))
    assert found["本文"] == "道が暗い\n追伸です。"
    assert found["添付"] == "a.png（image/png、30 バイト）"


def test_html_takes_its_charset_from_its_own_head(cells) -> None:
    page = f'<html><head><meta charset="euc-jp"><title>x</title></head><body>{LETTER}</body></html>'.encode("euc_jp")
    assert cells(mail(page, "text/html"))["本文"] == LETTER.replace("\n", " ")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ('<p class="MsoNormal">a</p><p class="MsoNormal">b</p>', "a\nb"),
        ("a &amp; b &lt;c&gt; &#12354;&nbsp;&hearts;", "a & b <c> あ ♥"),
        ("<script>alert('<p>x')</script><style>p{}</style>a<SCRIPT>b</SCRIPT >c", "ac"),
        ("<!-- <p>x</p> -->a<!--[if mso]>b<![endif]-->c<![if !mso]>d<![endif]>", "acd"),
        ("<head><title>x</title></head><body>a", "a"),
        ("a  \r\n  b", "a b"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<ul><li>a<li>b</ul>", "・a\n・b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a　b\nc"),
        ('<blockquote type="cite">a<br>b</blockquote>c', "> a\n> b\nc"),
        ('<blockquote style="margin:0">a</blockquote>b', "a\nb"),
        ('<a href="x>y">a</a>', "a"),
        ("a < b, 1<2, <3", "a < b, 1<2, <3"),
        ('<p title="unclosed>a</p>', "a"),
        ("<script>never closed", ""),
        ("a<!-- never closed", "a<!-- never closed"),
        ("</p></blockquote></pre>a", "a"),
    ],
    ids=count(1),
)
def test_html_becomes_the_text_that_a_reader_sees(source: str, expected: str) -> None:
    assert html_to_text(source) == expected


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<!", "<!--", "<a b='", '<a b="', "<p", "<", "&", "<style>", "</", "<?", "<blockquote type=cite>", "<a>" * 3],
    ids=count(1),
)
def test_html_made_to_be_slow_is_not(piece: str) -> None:
    began = time.perf_counter()
    html_to_text(piece * 100_000 + ">")
    html_to_text(piece * 100_000)
    assert time.perf_counter() - began < 20


@slack
@given(st.text(st.sampled_from("<>!-/ab \"'=&;\n?[]pre") | st.characters(), max_size=200))
def test_any_html_is_text(source: str) -> None:
    assert isinstance(html_to_text(source), str)


def test_attachments_are_listed_and_not_opened(cells) -> None:
    found = cells(
        HEAD
        + multi(
            "mixed",
            part(LETTER),
            part(base64.encodebytes(b"x" * 3000), "application/pdf", "Content-Transfer-Encoding: base64",
                 "Content-Disposition: attachment; filename*0*=utf-8''%E8%A6%8B%E5%8F%96;", " filename*1*=%E5%9B%B3.pdf"),
            part("x", "text/plain", f'Content-Disposition: attachment; filename="{word("写真".encode())}.txt"'),
            part("<p>x", "text/html", 'Content-Disposition: attachment; filename="図面.html"'),
            part("x", "text/csv"),
            part("x", "application/x-msdownload; name=run.exe"),
        )
    )  # fmt: skip
    assert found["本文"] == LETTER
    assert found["原文"] == f"{LETTER}\n\n添付:\n{found['添付']}"
    assert found["添付"].splitlines() == [
        "見取図.pdf（application/pdf、3,000 バイト）",
        "写真.txt（text/plain、1 バイト）",
        "図面.html（text/html、4 バイト）",
        "名前なし（text/csv、1 バイト）",
        "run.exe（application/x-msdownload、1 バイト）",
    ]


def test_a_mail_of_attachments_alone_is_rejected_and_says_so(reject) -> None:
    bad = reject(HEAD + multi("mixed", part("x", "application/pdf"), part("y", "image/png")))
    assert (bad.column, bad.code) == ("本文", "empty")
    assert "添付が 2 個" in bad.reason
    assert reject(mail("")).code == "empty"


def test_a_message_inside_stays_as_text_with_its_head(cells) -> None:
    inner = b"From: b@mail.example\r\nSubject: inner\r\nDate: Tue, 31 Mar 2026 10:00:00 +0900\r\n" + part(f"{LETTER}\r\n> 引用")
    found = cells(
        HEAD + multi("mixed", part("転送します。\r\n\r\n-- \r\n係"), part(inner, "message/rfc822", "Content-Disposition: attachment"))
    )
    assert found["本文"] == (
        f"転送します。\n\n----- 転送されたメール -----\n差出人: b@mail.example\n日時: 2026-03-31 10:00:00\n件名: inner\n\n{LETTER}\n> 引用"
    )
    assert "係" in found["原文"]
    assert cells(HEAD + part(inner, "message/rfc822"))["本文"].endswith("> 引用")


def test_a_delivery_report_says_what_its_text_says(cells) -> None:
    report = multi(
        "report", part("届きませんでした。"), part("Status: 5.1.1\r\n\r\n", "message/delivery-status"), part(HEAD, "message/rfc822")
    )
    assert cells(HEAD + report)["本文"] == "届きませんでした。"


def test_missing_boundaries(cells, reject) -> None:
    assert cells(mail(LETTER, "multipart/mixed"))["本文"] == LETTER
    assert cells(HEAD + multi("mixed", part(LETTER)).replace(b"--=_b1--", b""))["本文"] == LETTER
    assert reject(HEAD + multi("mixed", part(LETTER)).replace(b'boundary="=_b1"', b'boundary="other"')).code == "mail"


# Limits


def test_too_many_parts_and_too_deep_a_nesting_are_rejected(cells, reject) -> None:
    assert cells(HEAD + multi("mixed", *[part("あ")] * 900))["本文"].startswith("あ")
    assert reject(HEAD + multi("mixed", *[part("あ")] * 1001)).code == "mail"

    def nested(depth: int) -> bytes:
        content = part(LETTER)
        for level in range(depth):
            content = multi("mixed", content, boundary=f"b{level}")
        return HEAD + content

    assert cells(nested(20))["本文"] == LETTER
    for depth in (21, 200):
        bad = reject(nested(depth))
        assert (bad.code, "入れ子" in bad.reason) == ("mail", True)
    assert reject(HEAD + part(b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"x", "message/rfc822")).code == "mail"


def test_a_message_that_is_too_large_is_rejected_and_the_next_one_is_read(rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_message, "LARGEST", 2000)
    monkeypatch.setattr("ingest.mail.LARGEST", 2000)
    (only,) = rows(mail("あ" * 2000))
    assert isinstance(only, RejectedRow)
    assert only.code == "mail"
    big, good = rows(
        b"From - Wed Apr  1 10:00:00 2026\n" + mail("あ\n" * 2000) + b"\n\nFrom - Wed Apr  1 10:00:00 2026\n" + mail(), "a.mbox"
    )
    assert isinstance(big, RejectedRow)
    assert isinstance(good, Row)
    assert good.number == 2


def test_a_body_above_the_limit_of_a_cell_is_rejected(write: Write, tmp_path: Path) -> None:
    path = write(mail("あ" * 1001), "a.eml")
    (bad,) = open_mail(path).rows(needed=1, settings=Settings(home=tmp_path / "var", max_cell_chars=1000))
    assert isinstance(bad, RejectedRow)
    assert (bad.column, bad.code) == ("本文", "too_long")


def test_nul_is_rejected(reject) -> None:
    assert reject(mail("あ\0い")).code == "nul"


# Quotes and signatures


@pytest.mark.parametrize(
    "below",
    [
        "> 先日の回答です。\n> よろしく。",
        "＞先日の回答です。\n＞よろしく。",
        "| 先日の回答です。",
        ">> 前の前\n> 前",
        "2026年4月1日(水) 10:00 広聴課 <koe@city.example>:\n\n> 先日の回答です。",
        "2026年4月1日(水) 10:00 広聴課 <koe@city.example>:\n先日の回答です。",
        "On Wed, Apr 1, 2026 at 10:00 AM City <koe@city.example> wrote:\n> 先日の回答です。",
        "On Wed, Apr 1, 2026 at 10:00 AM City\n<koe@city.example> wrote:\n\n> 先日の回答です。",
        "On Wed, Apr 1, 2026 at 10:00 AM City wrote:\n先日の回答です。",
        "2026/04/01 10:00、広聴課 <koe@city.example> のメール:\n> 先日の回答です。",
        "広聴課 さんは書きました:\n> 先日の回答です。",
        "-----Original Message-----\nFrom: koe@city.example\nSent: Wednesday\nTo: a\nSubject: x\n\n先日の回答です。",
        "----- Original Message ----- \nFrom: koe@city.example\n\n先日の回答です。",
        "--- 元のメッセージ ---\n> 先日の回答です。",
        "差出人: 広聴課 <koe@city.example>\n送信日時: 2026年4月1日 10:00\n宛先: 見本\n件名: 回答\n\n先日の回答です。",
        "________________________________\n差出人： 広聴課\n送信日時： 2026年4月1日\n件名： 回答\n\n先日の回答です。",
        "-- \n見本 花子\nどうぞよろしくお願いします。",
        "--\n見本 花子\nTEL 090-0000-0000",
        "----------------\n見本 花子\na@mail.example\n----------------",
        "====================\n見本 花子\n〒000-0000 見本市本町1-2-3\n====================",
        "＊＊＊＊＊＊＊＊\n見本 花子\n電話 090-0000-0000\n＊＊＊＊＊＊＊＊",
        "＿＿＿＿＿＿＿＿\n見本 花子\n携帯 ０９０－００００－００００",
        "━━━━━━━━━━\n見本 花子",
        "見本 花子\n090-0000-0000",
        "Sent from my iPhone",
        "iPhoneから送信",
        "私のAndroid端末から送信されました",
        "見本 花子\n090-0000-0000\n\niPhoneから送信",
        "iPhoneから送信\n\n2026/04/01 10:00、koe@city.example のメール:\n\n> 先日の回答です。",
        "-- \n見本 花子\n\n-----Original Message-----\nFrom: koe@city.example\n\n先日の回答です。",
        "> 先日の回答です。\n\n-- \n見本 花子",
    ], ids=count(1))  # fmt: skip
def test_what_was_quoted_and_signed_is_cut(below: str) -> None:
    assert own_words(f"{LETTER}\n\n{below}\n", sender="見本花子") == LETTER


@pytest.mark.parametrize(
    "text",
    [
        "差出人: と書いてありましたが、件名はありません。",
        "2026年4月1日に起きたこと:\n- 停電\n- 断水",
        "現場の状況\n----------------\n穴があいています。\n電話をください。",
        "A案\n========\n道を広げる。\n\nB案\n========\n信号をつける。",
        "| 日時 | 場所 |\n| 4月1日 | 本町 |",
        ">_<つらいです。",
        "＞＜つらいです。",
        "見本 花子\nと申します。公園の件です。",
        "公園の件です。\n\n見本 花子\nこれからもよろしくお願いします。",
        "通知が「iPhoneから送信」となっていました。",
        "3 > 2 です。",
        "要望\n--\n道を直してください。",
    ], ids=count(1))  # fmt: skip
def test_the_letter_itself_is_never_cut(text: str) -> None:
    assert own_words(text, sender="見本花子") == text


@pytest.mark.parametrize(
    "text",
    [
        "> これだけです。\n> 以上。",
        "-----Original Message-----\nFrom: koe@city.example\nSubject: x\n\n転送だけ",
        "-- \n見本 花子\na@mail.example",
        "iPhoneから送信",
        "On Wed, Apr 1, 2026 City wrote:\nこれだけ",
    ],
    ids=count(1),
)
def test_a_mail_that_would_be_empty_keeps_everything(text: str) -> None:
    assert own_words(text, sender="見本花子") == text


def test_the_line_above_who_wrote_what_is_the_letter_s() -> None:
    for above in (LETTER, "2026年4月1日の件、教えてください。", "よろしくお願いします"):
        for said in ("On Wed, Apr 1, 2026 City wrote:", "2026年4月1日 10:00 広聴課 <koe@city.example>:", "広聴課 さんは書きました:"):
            assert own_words(f"{above}\n{said}\n> 前の話\n\nこちらもです。") == f"{above}\n\nこちらもです。"


def test_answers_below_and_between_quotes_stay() -> None:
    bottom = "2026年4月1日(水) 10:00 広聴課 <koe@city.example>:\n> 場所はどこですか。\n\n本町の交差点です。\n"
    assert own_words(bottom) == "本町の交差点です。"
    between = "> 場所はどこですか。\n本町です。\n> いつですか。\n昨日です。\n\n-- \n見本"
    assert own_words(between) == "本町です。\n昨日です。"
    marked = "-----Original Message-----\nFrom: koe@city.example\nSubject: x\n\n> 場所はどこですか。\n\n本町です。"
    assert own_words(marked) == "本町です。"


def test_what_is_forwarded_stays() -> None:
    gmail = "読んでください。\n\n---------- Forwarded message ---------\nFrom: b@mail.example\nSubject: x\n\n道が暗いです。\n> 前の話"
    assert own_words(gmail) == gmail
    outlook = "読んでください。\n\n-----Original Message-----\nFrom: b@mail.example\nSent: x\nSubject: x\n\n道が暗いです。"
    assert own_words(outlook, subject="FW: x") == outlook
    assert own_words(outlook, subject="Re: x") == "読んでください。"


def test_what_is_cut_stays_in_the_last_column(cells) -> None:
    whole = f"{LETTER}\n\n> 引用です。\n\n-- \n見本"
    found = cells(mail(whole))
    assert (found["本文"], found["原文"]) == (LETTER, whole)


@slack
@given(
    st.lists(
        st.sampled_from(
            [
                *LETTER.split("\n"),
                "",
                "> a",
                "-- ",
                "----",
                "差出人: a",
                "件名: b",
                "宛先: c",
                "On Wed 2026/1/1 x wrote:",
                "見本花子",
                "電話 1",
            ]
        ),
        max_size=25,
    )
)
def test_cutting_leaves_words_where_there_were_any_and_adds_none(lines: list[str]) -> None:
    text = "\n".join(lines)
    kept = own_words(text, sender="見本花子")
    assert bool(kept) == bool(text.strip())
    assert set(kept.splitlines()) <= {line.rstrip() for line in lines} | {"-- ", ""}
    assert all(line in kept for line in LETTER.split("\n") if line in lines[:1])


@pytest.mark.parametrize(
    "piece",
    ["-", "> ", "=", "- ", "2026/1/1", "差出人:", "a@", "On ", "0", "市", "\n> ", "\n--\n", "\n差出人: x", "\nOn 2026/1/1 "],
    ids=count(1),
)
def test_text_made_to_be_slow_is_not(piece: str) -> None:
    began = time.perf_counter()
    own_words("x" + piece * (100_000 // len(piece)) + "x", sender="見本")
    assert time.perf_counter() - began < 20


# Files

MBOX_LINE = b"From sender@mail.example Wed Apr  1 10:00:00 2026\n"


def test_an_mbox_gives_a_row_for_each_message(rows, write: Write) -> None:
    bodies = ["一通目です。\n\n>From the start\n>>From x", "二通目です。\n\nFrom here on nothing.\n", "三通目です。"]
    content = b"".join(MBOX_LINE + mail(body).replace(b"\r\n", b"\n") + b"\n\n" for body in bodies)
    found = rows(content, "a.mbox")
    assert [row.number for row in found] == [1, 2, 3]
    assert [row.cells[8] for row in found] == [
        "一通目です。\n\nFrom the start\n>From x",
        "二通目です。\n\nFrom here on nothing.",
        "三通目です。",
    ]
    source = open_mail(write(content, "b.mbox"))
    assert (source.lines, source.is_mbox, source.name, source.headings) == (3, True, "b.mbox", HEADINGS)


def test_an_mbox_with_crlf_or_a_damaged_message_in_the_middle(rows) -> None:
    crlf = MBOX_LINE.replace(b"\n", b"\r\n")
    content = crlf + mail() + b"\r\n\r\n" + crlf + mail(b"\xff\xfd") + b"\r\n\r\n" + crlf + mail()
    kinds = [type(row) for row in rows(content, "a.mbox")]
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


@slack
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


@slack
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


@slack
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
