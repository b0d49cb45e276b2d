"""Whether a file that came through the page may stay: no program, no macro, nothing locked, nothing that bursts when it is opened."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from core.errors import InputError
from core.file_kinds import TAIL, has_macros, is_crowded, is_program
from ingest.encoding import opened
from ingest.sources import Source, open_source
from ingest.workbook_check import damage_told, too_large

_PIECE = 1 << 20
_HEAD = 64
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
# What Office puts a workbook into that it locks with a password [MS-OFFCRYPTO].
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_ZIP = b"PK\x03\x04"


def check_upload(path: Path) -> Source:
    """Opens the file as an import would, and refuses what an import on the command line lets pass: a file from a browser is a stranger's.

    Raises:
        InputError: it is a program, locked, has macros, would burst, or holds no records; says which, and what to do.
    """
    with opened(path) as file:
        head = file.read(_HEAD)
    if is_program(head):
        raise InputError(f"「{path.name}」はプログラムのファイルです。", hint="声の記録されたファイルを選んでください。")
    if head.startswith(_OLD_OFFICE) and _holds(path, _LOCKED):
        raise InputError(f"「{path.name}」はパスワードで守られています。", hint="パスワードを外して保存しなおしてください。")
    if head.startswith(_ZIP):
        _refuse_crowds(path)
        _refuse_macros(path)
    return open_source(path)


def _refuse_crowds(path: Path) -> None:
    with opened(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        if is_crowded(file.read()):
            raise too_large(path.name)


def _refuse_macros(path: Path) -> None:
    with damage_told(path.name), zipfile.ZipFile(path) as package:
        names = package.namelist()
    if has_macros(names):
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
