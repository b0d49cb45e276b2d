"""Excel workbooks, sheet by sheet and row by row: every filled row below the headings comes out once, as a row or as a reject."""

from __future__ import annotations

import hashlib
import re
import warnings
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.settings import Settings
from ingest.headings import find_reasons, guess_fields
from ingest.incoming import RejectedRow, Row
from ingest.normalize import folded
from ingest.readers import fitted
from ingest.workbook_check import Merged, check_package, damage_told
from ingest.workbook_values import date_columns, in_usual_epoch, spread

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_ZIP = b"PK\x03\x04"
_HEAD = 1 << 16
_LOOKED_AT = 30  # filled rows among which the headings stand
_BLOCK = 50
_CONTROL = re.compile("_x00([01][0-9A-Fa-f])_")  # how a workbook writes a carriage return and the like
_MACINTOSH = 1904  # the year in which old Excel for Macintosh begins to count days
_HALF_SECOND = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class SheetRow(Row):
    """A row of a workbook with several sheets, of which one must be named to find the row again."""

    sheet: str = ""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet's name, and where its headings stand (row 0: it has none)."""

    name: str
    start: int
    headings: tuple[str, ...]
    known: bool
    """Whether the headings are words that voices are listed under."""
    has_records: bool


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook found readable: the sheets in their order, and which one's headings hold for all."""

    path: Path
    sha256: str
    lines: int
    sheets: tuple[_Sheet, ...]
    main: _Sheet
    merged: Mapping[str, Sequence[Merged]]
    """Cells that go down over several rows, by the name of the part that holds their sheet."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def encoding(self) -> str:
        return "xlsx"

    @property
    def headings(self) -> tuple[str, ...]:
        return self.main.headings

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Every filled row below the headings, sheet after sheet; its number is the sheet's own.

        A row is rejected for what ``readers.fitted`` tells, or since its sheet has other headings or none (``sheet``).
        """
        several = len(self.sheets) > 1
        width = len(self.headings)
        with damage_told(self.name), _opened(self.path) as book:
            dates = date_columns(self.headings) if book.epoch.year == _MACINTOSH else frozenset()
            for sheet, table in zip(self.sheets, book.worksheets, strict=True):
                foreign = "" if _same(sheet, self.main) else _foreign(sheet, self.main)
                # What looks like headings in a foreign sheet may be a record of a list that goes on without any.
                start = 0 if foreign and not sheet.known else sheet.start
                merged = self.merged.get(table._worksheet_path, ())  # noqa: SLF001  (openpyxl tells it nowhere else)
                for row in spread(_filled_rows(table), () if foreign else merged, headings=self.headings, start=start):
                    if row.number <= start:
                        continue
                    if foreign:
                        yield RejectedRow(row.number, "", "sheet", foreign, row.cells)
                        continue
                    # A cell that isn't there is an empty one: unlike a line of text, a sheet's row can't be too short.
                    cells = row.cells + ("",) * (width - len(row.cells))
                    if dates:
                        cells = in_usual_epoch(cells, dates)
                    whole = SheetRow(row.number, cells, sheet.name) if several else replace(row, cells=cells)
                    taken = fitted(whole, self.headings, needed=needed, settings=settings)
                    yield in_sheet(taken, sheet.name) if several and isinstance(taken, RejectedRow) else taken


def is_workbook(path: Path) -> bool:
    """Whether it is an Excel workbook (.xlsx, .xlsm), also a damaged one, whatever its name."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return False
    if not head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as package:
            return "xl/workbook.xml" in package.namelist()
    except Exception:  # noqa: BLE001  (zipfile raises almost anything over a damaged file)
        return b"xl/" in head


def open_workbook(path: Path) -> Book:
    """Checks the file, finds each sheet's headings, and that at least one record follows.

    The headings that hold are those of the first sheet whose headings are known words, else of the first that has any.

    Raises:
        InputError: damaged, encrypted, too large, or without headings or records; says what to do.
    """
    looked = check_package(path)
    with damage_told(path.name):
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with _opened(path) as book:
            sheets = tuple(map(_look, book.worksheets))
    full = [sheet for sheet in sheets if sheet.has_records]
    main = next((sheet for sheet in full if sheet.known), next(iter(full), None))
    if main:
        return Book(path, sha256, looked.rows, sheets, main, looked.merged)
    if any(sheet.start for sheet in sheets):
        raise InputError(f"「{path.name}」は見出し行だけで、記録がありません。", hint="記録のあるファイルを選んでください。")
    raise InputError(
        f"「{path.name}」のシートに、見出し行と記録が見つかりません。", hint="見出し行と1件以上の記録があるファイルを選んでください。"
    )


def in_sheet(reject: RejectedRow, sheet: str) -> RejectedRow:
    """The same reject, whose reason names the sheet."""
    return replace(reject, reason=f"シート「{sheet}」: {reject.reason}")


def _same(sheet: _Sheet, main: _Sheet) -> bool:
    return sheet.start > 0 and [*map(folded, sheet.headings)] == [*map(folded, main.headings)]


def _foreign(sheet: _Sheet, main: _Sheet) -> str:
    advice = "取り込むものなら、見出しをそろえるか、別のファイルに分けてください。"
    return f"シート「{sheet.name}」には、シート「{main.name}」と同じ見出し行がありません。{advice}"


def _look(sheet: Worksheet) -> _Sheet:
    with closing(_filled_rows(sheet)) as rows:
        first = list(islice(rows, _LOOKED_AT + 1))
    at, known = _find_headings([row.cells for row in first[:_LOOKED_AT]])
    if at is None:
        return _Sheet(sheet.title, 0, (), known=False, has_records=False)
    headings = [cell.strip() for cell in first[at].cells]
    while not headings[-1]:
        headings.pop()
    return _Sheet(sheet.title, first[at].number, tuple(headings), known, at + 1 < len(first))


def _find_headings(rows: Sequence[tuple[str, ...]]) -> tuple[int | None, bool]:
    """Which of a sheet's first filled rows has the headings, and whether they are known words. Titles stand above them."""
    filled = [sum(map(bool, map(str.strip, cells))) for cells in rows]
    widest = max(filled, default=0)
    wide = [at for at, count in enumerate(filled) if count > 1 and count * 4 >= widest * 3]
    known = [at for at in range(len(rows)) if filled[at] > 1 and _are_known(rows[at])]
    if known and not any(at < known[0] and filled[at] >= filled[known[0]] for at in wide):
        return known[0], True
    if wide:
        return wide[0], wide[0] in known
    # One column: the first row that is called like a body, else the first one.
    named = next((at for at, cells in enumerate(rows) if "text" in guess_fields(cells)), None)
    return (named, True) if named is not None else (0 if rows else None, False)


def _are_known(cells: tuple[str, ...]) -> bool:
    fields = guess_fields(cells)
    return len(fields) > 1 and ("text" in fields or bool(find_reasons(cells)))


def _filled_rows(sheet: Worksheet) -> Generator[Row, None, None]:
    sheet.reset_dimensions()  # they are often wrong
    with closing(sheet.iter_rows()) as rows:
        number = 0
        while True:
            with _quiet():
                block = [tuple(map(_text, cells)) for cells in islice(rows, _BLOCK)]
            if not block:
                return
            for cells in block:
                number += 1
                if any(cell.strip() for cell in cells):
                    yield Row(number, cells)


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    from openpyxl import load_workbook

    with path.open("rb") as file:  # by its bytes: openpyxl would refuse a name without .xlsx
        with _quiet():
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        with closing(book):
            yield book


@contextmanager
def _quiet() -> Iterator[None]:
    """Without openpyxl's remarks on styles and extensions, which nobody here needs. Nothing may be yielded to a caller inside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _text(cell: Any) -> str:
    """A cell as text. A formula has the value that was saved with it, an error its sign (#REF!)."""
    match cell.value:
        case None:
            return ""
        case str(text):
            return _CONTROL.sub(lambda match: chr(int(match[1], 16)), text) if "_x00" in text else text
        case bool(flag):
            return "TRUE" if flag else "FALSE"
        case int() | float():
            return _number(cell)
        case datetime() | date() | time() | timedelta() as moment:
            return _moment(moment)
        case other:
            return str(other)


def _number(cell: Any) -> str:
    value: int | float = cell.value
    if isinstance(value, float) and not (value.is_integer() and abs(value) < 1e15):
        return f"{value:.15g}"
    shape = cell.number_format
    return str(int(value)).zfill(len(shape) if set(shape) == {"0"} else 0)  # 00123 is shown so by its format alone


def _moment(moment: datetime | date | time | timedelta) -> str:
    """As ISO 8601 writes it, without a clock at midnight, rounded: a spreadsheet's times are fractions of a day."""
    if isinstance(moment, timedelta):
        minutes, seconds = divmod(round(moment.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    if isinstance(moment, time):
        near = datetime.combine(date(2000, 1, 1), moment) + _HALF_SECOND
        return _clock(near.time() if near.day == 1 else time(23, 59, 59))
    if not isinstance(moment, datetime):
        return moment.isoformat()
    near = moment + _HALF_SECOND
    return near.date().isoformat() + (f" {_clock(near.time())}" if near.time() >= time(0, 0, 1) else "")


def _clock(moment: time) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
