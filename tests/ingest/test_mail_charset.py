"""Mail in any charset, rightly or wrongly named, is read or refused, never mistaken."""

from __future__ import annotations

import base64
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mail_charset import decode, decode_base64, decode_header
from tests.ingest.mails import LETTER, SLACK

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


@SLACK
@given(
    st.binary(max_size=200) | st.text(max_size=80).map(str.encode),
    st.sampled_from(["", "utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "latin1", "idna", "unicode_escape", "x\0y", "é"]),
)
def test_any_bytes_in_any_charset_are_text_or_none(data: bytes, label: str) -> None:
    assert isinstance(decode(data, label), str | None)


japanese = st.text(st.sampled_from(sorted(set("あいうアイウ漢字道路①㈱髙～ー、。「」　abc012.\n"))), min_size=1, max_size=40)


@SLACK
@given(japanese, st.sampled_from(["utf-8", "shift_jis", "iso-2022-jp"]))
def test_well_labelled_text_comes_back(text: str, label: str) -> None:
    data = jis_ms(text) if label == "iso-2022-jp" else text.encode("cp932" if label == "shift_jis" else label)
    back = decode(data, label)
    assert back is not None
    assert back.replace("〜", "～") == text


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
