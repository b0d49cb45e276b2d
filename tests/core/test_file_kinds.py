from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook
from PIL import Image

from core.errors import InputError
from core.file_kinds import DOCUMENT, JPEG, MAIL, PDF, PNG, TEXT, WEBP, WORKBOOK, FileKind, kind_of

MAIL_TEXT = b"From: hanako@example.jp\r\nSubject: test\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B%F%9%H\x1b(B\r\n"


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, kind)
    return stream.getvalue()


def workbook() -> bytes:
    stream = io.BytesIO()
    book = Workbook()
    book.active.append(["件数", 3])
    book.save(stream)
    return stream.getvalue()


def package(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as parts:
        for name in names:
            parts.writestr(name, "<x/>")
    return stream.getvalue()


def _name(value: object) -> str | None:
    """Not the bytes themselves: a package holds the time at which it was made, and workers must name a test alike."""
    return "bytes" if isinstance(value, bytes) else None


WORD = ("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n\x00\x01", PDF),
        (picture("PNG"), PNG),
        (picture("JPEG"), JPEG),
        (picture("WEBP"), WEBP),
        (workbook(), WORKBOOK),
        (package(*WORD), DOCUMENT),
        (MAIL_TEXT, MAIL),
        (MAIL_TEXT.replace(b"\x1b$B%F%9%H\x1b(B", "ﾃｽﾄ№\x00"[:3].encode("cp932") + b"\xff\xfe"), MAIL),
        ("受付日,件数\r\n9月1日,3\r\n".encode("cp932"), TEXT),
        ("歩道の段差\n".encode(), TEXT),
        ("\ufeff歩道の段差\n".encode(), TEXT),
        ("歩道の段差\n".encode("utf-16"), TEXT),
        (b"<html><script>alert(1)</script></html>", TEXT),
    ],
    ids=_name,
)
def test_the_bytes_tell_the_kind(content: bytes, kind: FileKind) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "空"),
        (b"MZ\x90\x00\x03", "プログラム"),
        (b"\x7fELF\x02", "プログラム"),
        (b"#!/bin/sh\nrm -r x\n", "プログラム"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "古い形式"),
        (package("a.txt"), "ZIP"),
        (package(*WORD, "xl/workbook.xml"), "ZIP"),
        (package(*WORD, "word/vbaProject.bin"), "マクロ"),
        (package(*WORD)[:40], "壊れて"),
        (package(*WORD).replace(b"PK\x01\x02", b"PK\x09\x09"), "壊れて"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "種類"),
        (b"GIF89a\x00\x01", "種類"),
        (b"\x00\x01\x02", "種類"),
    ],
    ids=_name,
)
def test_what_may_not_be_attached_is_told(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        kind_of(content)
    assert raised.value.hint


def test_a_list_of_very_many_parts_is_not_read() -> None:
    small = package(*WORD)
    end = small.rindex(b"PK\x05\x06")
    crowded = small[: end + 12] + (3 << 20).to_bytes(4, "little") + small[end + 16 :]
    with pytest.raises(InputError, match="部品"):
        kind_of(crowded)


def test_a_large_document_with_few_parts_is_taken() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as parts:
        for name in (*WORD, "word/media/image1.png"):
            parts.writestr(name, b"\x89" * (3 << 20) if "media" in name else "<x/>")
    assert kind_of(stream.getvalue()) == DOCUMENT
