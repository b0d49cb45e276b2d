"""Whether a workbook may be opened at all: its zip and its XML are looked through, in flat memory, before a library reads them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from core.errors import InputError

_PIECE = 1 << 20
_MOST_BYTES = 1 << 30
_BIG_PART, _MOST_RATIO = 10 << 20, 200
_MOST_WHOLE = 50 << 20  # bytes of a part that is held in memory as a whole
_MOST_STRINGS = 256 << 20  # of the list of texts, which is held too
_MOST_PARTS = 10_000
_LONGEST_STRETCH = 16 << 20  # bytes without a new element: far above what a cell can hold
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_MOST_CELLS = 100_000_000  # of a sheet, empty ones counted
_MOST_IN_ROW = 200_000  # elements
_MOST_ELEMENTS = 300_000
_MOST_STRING_ELEMENTS = 10_000_000

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_SHEET, _ROW, _CELL, _STRINGS = f"{_MAIN}worksheet", f"{_MAIN}row", f"{_MAIN}c", f"{_MAIN}sst"
_MERGED = f"{_MAIN}mergeCell"
_CORNERS = re.compile(r"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})", re.ASCII)
# Parts that no table is read from; they may be large.
_UNREAD = ("xl/media/", "xl/drawings/", "xl/charts/", "xl/embeddings/", "xl/pivotCache/", "xl/comments", "xl/externalLinks/", "customXml/")
_RESAVE = "表計算ソフトで開き、「Excel ブック（.xlsx）」か「CSV UTF-8（コンマ区切り）」で保存しなおしてください。"


class _TooMuchError(Exception):
    """More than a table of voices can need: the file would fill the memory."""


class _ForbiddenError(Exception):
    """A document type, in which entities can be declared; no workbook has one."""


class Merged(NamedTuple):
    """A cell that goes down over several rows: its column (from 0), its first row and its last."""

    column: int
    first: int
    last: int


class Looked(NamedTuple):
    """The number of rows of all sheets (up to the last one that is filled in), and each sheet's merged cells by its part's name."""

    rows: int
    merged: Mapping[str, Sequence[Merged]]


def check_package(path: Path) -> Looked:
    """Looks through a workbook's parts.

    Raises:
        InputError: damaged, encrypted, with entities, or so large when unpacked that it could fill the memory.
    """
    with damage_told(path.name), zipfile.ZipFile(path) as package:
        parts = [part for part in package.infolist() if not part.is_dir()]
        _check_sizes(path.name, parts)
        try:
            sheets = {part.filename: watcher for part in parts if (watcher := _check_part(package, part))}
        except _TooMuchError:
            raise _too_large(path.name) from None
        except _ForbiddenError:
            raise InputError(
                f"「{path.name}」に、Excel ブックにはあるはずのない宣言（DOCTYPE）があります。安全のため読みません。", hint=_RESAVE
            ) from None
        return Looked(sum(sheet.row for sheet in sheets.values()), {name: sheet.merged for name, sheet in sheets.items()})


@contextmanager
def damage_told(name: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes the one message that the file is damaged. InputErrors pass."""
    try:
        yield
    except InputError:
        raise
    except Exception:  # noqa: BLE001  (zipfile, zlib, expat and openpyxl raise almost anything over a damaged file)
        raise InputError(f"Excel ブック「{name}」が壊れていて読めません。", hint=_RESAVE) from None


def _check_sizes(name: str, parts: Sequence[zipfile.ZipInfo]) -> None:
    # zipfile gives out no more of a part than the size told here, so a false one can't do harm.
    if any(part.flag_bits & 1 for part in parts):
        raise InputError(f"「{name}」はパスワードで守られています。", hint="パスワードを外して保存しなおしてください。")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise InputError(f"「{name}」は、Excel では使わない方式で圧縮されています。", hint=_RESAVE)
    whole = (part for part in parts if not part.filename.startswith(("xl/worksheets/sheet", "xl/sharedStrings", *_UNREAD)))
    if (
        len(parts) > _MOST_PARTS
        or sum(part.file_size for part in parts) > _MOST_BYTES
        or any(part.file_size > _BIG_PART and part.file_size > _MOST_RATIO * part.compress_size for part in parts)
        or any(part.file_size > _MOST_WHOLE for part in whole)
        or any(part.file_size > _MOST_STRINGS for part in parts if part.filename.startswith("xl/sharedStrings"))
    ):
        raise _too_large(name)


def _too_large(name: str) -> InputError:
    return InputError(
        f"「{name}」は、開くと大きくなりすぎるので読みません。",
        hint="いらないシートや図、使っていない行と列を除くか、いくつかのファイルに分けてください。CSV で保存しなおす方法もあります。",
    )


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> _Watcher | None:
    """What was seen of a part, if it is a sheet."""
    if part.filename.startswith(_UNREAD):
        return None
    watcher = _Watcher()
    with package.open(part) as stream:
        while piece := stream.read(_PIECE):
            try:
                watcher.feed(piece)
            except (expat.ExpatError, ValueError, LookupError):
                if watcher.root or part.filename.endswith((".xml", ".rels")):
                    raise
                return None  # not XML: a picture, a macro (never run)
    if watcher.root:
        watcher.feed(b"", last=True)
    return watcher if watcher.root == _SHEET else None


class _Watcher:
    """Follows the elements of one part. ``row`` is the last row seen, ``merged`` the cells that go down over several rows."""

    def __init__(self) -> None:
        self.root = ""
        self.row = 0
        self.merged: list[Merged] = []
        self._column = self._cells = self._elements = self._in_row = self._latest = self._fed = 0
        self._most = _MOST_ELEMENTS
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._first

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        self._parser.Parse(piece, last)
        self._fed += len(piece)
        if self._fed - self._latest > _LONGEST_STRETCH:
            raise _TooMuchError

    def _doctype(self, *_: object) -> None:
        raise _ForbiddenError

    def _first(self, name: str, attributes: dict[str, str]) -> None:
        self.root = name
        if name == _STRINGS:
            self._most = _MOST_STRING_ELEMENTS
        self._parser.StartElementHandler = self._in_sheet if name == _SHEET else self._elsewhere

    def _elsewhere(self, name: str, attributes: dict[str, str]) -> None:
        self._latest = self._parser.CurrentByteIndex
        self._elements += 1
        if self._elements > self._most:
            raise _TooMuchError

    def _in_sheet(self, name: str, attributes: dict[str, str]) -> None:
        if name == _CELL:
            self._place_cell(attributes.get("r", ""))
        elif name == _ROW:
            self._begin_row(attributes.get("r"))
        elif name == _MERGED:
            self._note_merged(attributes.get("ref", ""))
        elif not self.row:
            self._elsewhere(name, attributes)
        self._latest = self._parser.CurrentByteIndex
        self._in_row += 1
        if self._in_row > _MOST_IN_ROW:
            raise _TooMuchError

    def _begin_row(self, given: str | None) -> None:
        number = self.row + 1 if given is None else int(given)
        if not self.row < number <= _LAST_ROW:
            raise ValueError("rows out of order")
        self._cells += self._column
        if self._cells > _MOST_CELLS:
            raise _TooMuchError
        self.row, self._column, self._in_row = number, 0, 0

    def _note_merged(self, reference: str) -> None:
        corners = _CORNERS.fullmatch(reference)
        if corners and int(corners[2]) < int(corners[3]):
            self.merged.append(Merged(_column(corners[1]) - 1, int(corners[2]), int(corners[3])))

    def _place_cell(self, reference: str) -> None:
        column = _column(reference[:4].rstrip("0123456789")) or self._column + 1
        if not self._column < column <= _LAST_COLUMN:
            raise ValueError("cells out of order")
        self._column = column


def _column(letters: str) -> int:
    """A column's number, from 1; 0 for no letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
