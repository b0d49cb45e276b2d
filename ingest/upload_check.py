"""Whether a file that came through the page may stay: no program, no macro, nothing locked, nothing that bursts when it is opened."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

from core.errors import InputError
from ingest.encoding import opened
from ingest.sources import Source, open_source
from ingest.workbook_check import damage_told, too_large

_PIECE = 1 << 20
_HEAD = 64
# Windows (and only with a NUL: a heading may begin with MZ), Linux, macOS in its four spellings, Java, scripts.
_WINDOWS = b"MZ"
_PROGRAMS = (
    b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!/",
)  # fmt: skip
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
# What Office puts a workbook into that it locks with a password [MS-OFFCRYPTO].
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_ZIP = b"PK\x03\x04"
# The record at the end of a zip, and the one that stands before it in a zip of 64 bits [APPNOTE.TXT, 4.3.15 and 4.3.16].
_END, _END_MARK, _LONGEST_COMMENT = struct.Struct("<4s4H2LH"), b"PK\x05\x06", 1 << 16
_LOCATOR_MARK, _LOCATOR_SIZE = b"PK\x06\x07", 20
_LONGEST_LIST = 2 << 20  # bytes: ten thousand parts with long names
_MACROS = ("vbaproject", "xl/macrosheets/", "xl/activex/", "xl/dialogsheets/")


def check_upload(path: Path) -> Source:
    """Opens the file as an import would, and refuses what an import on the command line lets pass: a file from a browser is a stranger's.

    Raises:
        InputError: it is a program, locked, has macros, would burst, or holds no records; says which, and what to do.
    """
    with opened(path) as file:
        head = file.read(_HEAD)
    if head.startswith(_PROGRAMS) or (head.startswith(_WINDOWS) and b"\0" in head):
        raise InputError(f"「{path.name}」はプログラムのファイルです。", hint="声の記録されたファイルを選んでください。")
    if head.startswith(_OLD_OFFICE) and _holds(path, _LOCKED):
        raise InputError(f"「{path.name}」はパスワードで守られています。", hint="パスワードを外して保存しなおしてください。")
    if head.startswith(_ZIP):
        _refuse_crowds(path)
        _refuse_macros(path)
    return open_source(path)


def _refuse_crowds(path: Path) -> None:
    """A list of millions of parts would fill the memory as soon as a library opens the file: its length stands at the very end."""
    with opened(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END.size - _LONGEST_COMMENT - _LOCATOR_SIZE))
        tail = file.read()
    at = len(tail) - _END.size
    if at < 0 or not (tail[at:].startswith(_END_MARK) and tail.endswith(b"\0\0")):
        at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        return  # no zip at all, which whoever opens it will say
    length = _END.unpack_from(tail, at)[6]
    large = tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR_MARK)  # of 64 bits: for more than a workbook has
    if large or length > _LONGEST_LIST:
        raise too_large(path.name)


def _refuse_macros(path: Path) -> None:
    with damage_told(path.name), zipfile.ZipFile(path) as package:
        names = [name.lower() for name in package.namelist()]
    if any(mark in name for name in names for mark in _MACROS):
        raise InputError(
            f"「{path.name}」にはマクロが入っています。画面からは受け取りません。",
            hint="表計算ソフトで、マクロのない「Excel ブック（.xlsx）」か「CSV UTF-8（コンマ区切り）」として保存しなおしてください。",
        )


def _holds(path: Path, mark: bytes) -> bool:
    with opened(path) as file:
        tail = b""
        while piece := file.read(_PIECE):
            if mark in tail + piece:
                return True
            tail = piece[-len(mark) :]
    return False
