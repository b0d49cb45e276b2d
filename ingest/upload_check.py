"""Whether a file that came through the page may stay: no program, no macro, nothing locked, nothing that bursts when it is opened."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.errors import InputError
from ingest.encoding import opened
from ingest.sources import Source, open_source
from ingest.workbook_check import damage_told

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
        _refuse_macros(path)
    return open_source(path)


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
