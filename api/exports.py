"""Tables as files: CSV for every program, XLSX for Excel, with the same figures as the page that they were saved from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from fastapi.responses import Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import audit, db
from core.clock import to_tokyo, utc_now

Value = str | int | float | date | None

PERCENT = "0.0%"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\s]+')
_NOT_IN_SHEETS = re.compile(r"[\\/*?:\[\]]")
_WIDEST, _NARROWEST = 60, 8
_LONGEST_CELL = 32_767  # characters that Excel takes
_CONDITIONS = "条件"


class Format(StrEnum):
    """Kinds of files. The value stands in the address."""

    CSV = "csv"
    XLSX = "xlsx"


FORMATS = {Format.CSV: "CSV", Format.XLSX: "Excel"}
_MEDIA = {Format.CSV: "text/csv; charset=utf-8", Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: real numbers and days, shares as parts of 1. ``formats`` are Excel's, by the name of the column."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    formats: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Export:
    """What a page shows, as tables. CSV holds the first of them, XLSX all, and ``conditions`` on a sheet of their own.

    ``code`` names the page in English for the audit trail and for programs that can't write the Japanese ``title``. ``typed`` are the
    conditions in which somebody wrote what they liked: of these the trail says only how many words they were.
    """

    code: str
    title: str
    conditions: Sequence[tuple[str, Value]]
    sheets: Sequence[Sheet]
    typed: Sequence[str] = ()


def as_csv(sheet: Sheet) -> bytes:
    """RFC 4180 in UTF-8 with a byte order mark, by which Excel knows it.

    A text that a spreadsheet would take for a formula gets a ' before it (OWASP, CSV Injection); numbers stay as they are.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_plain(name) for name in sheet.columns])
    writer.writerows([_plain(value) for value in row] for row in sheet.rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def as_xlsx(export: Export) -> bytes:
    """A workbook: each table on a sheet whose header stays in sight, and last the conditions. No cell is a formula."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for sheet in (*export.sheets, Sheet(_CONDITIONS, ("条件", "値"), export.conditions)):
        _write_sheet(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def respond(engine: Engine, export: Export, wanted: Format, *, actor: str) -> Response:
    """The file, once the audit trail says who saved what."""
    made = as_csv(export.sheets[0]) if wanted is Format.CSV else as_xlsx(export)
    with db.writing(engine) as session:
        _record(session, export, wanted, actor=actor)
    moment = to_tokyo(utc_now())
    name = f"{_NOT_IN_NAMES.sub('_', export.title)}_{moment:%Y%m%d}.{wanted.value}"
    plain = f"{export.code.replace('.', '-')}_{moment:%Y%m%d}.{wanted.value}"
    headers = {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(made, media_type=_MEDIA[wanted], headers=headers)


def _record(session: Session, export: Export, wanted: Format, *, actor: str) -> None:
    conditions = {name: _counted(value) if name in export.typed else _said(value) for name, value in export.conditions}
    detail = {"format": wanted.value, "rows": len(export.sheets[0].rows), "conditions": conditions}
    audit.record(session, actor=actor, action="export", subject=export.code, detail=detail)


def _counted(value: Value) -> str:
    return f"{len(str(value or '').split())} 語"


def _said(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _plain(value: Value) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, float):
        return repr(round(value, 6))
    return "" if value is None else _said(value)


def _write_sheet(book: Any, sheet: Sheet) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    page = book.create_sheet(_NOT_IN_SHEETS.sub("・", sheet.name)[:31])
    page.freeze_panes = "B2"
    for at, width in enumerate(_widths(sheet), 1):
        page.column_dimensions[get_column_letter(at)].width = width
    bold, ground = Font(bold=True), PatternFill("solid", fgColor="E8F1FE")
    header = [_cell(WriteOnlyCell, page, name, "") for name in sheet.columns]
    for cell in header:
        cell.font, cell.fill, cell.alignment = bold, ground, Alignment(vertical="center", wrap_text=True)
    page.append(header)
    formats = [sheet.formats.get(name, "") for name in sheet.columns]
    for row in sheet.rows:
        page.append([_cell(WriteOnlyCell, page, value, shape) for value, shape in zip(row, formats, strict=True)])


def _cell(make: Any, page: Any, value: Value, shape: str) -> Any:
    cell = make(page, value=_UNPRINTABLE.sub(" ", value)[:_LONGEST_CELL] if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.data_type = "s"  # and never a formula, whatever it begins with
    elif isinstance(value, date):
        cell.number_format = "yyyy/m/d"
    elif value is not None:
        cell.number_format = shape or ("#,##0" if isinstance(value, int) else "0.00")
    return cell


def _widths(sheet: Sheet) -> Iterable[float]:
    for at, name in enumerate(sheet.columns):
        longest = max((_width(row[at]) for row in sheet.rows[:1000]), default=0)
        yield float(min(max(longest, _width(name), _NARROWEST) + 2, _WIDEST))


def _width(value: Value) -> int:
    """In Latin letters; a Japanese one is as wide as two."""
    if isinstance(value, date):
        return 10
    text = str(round(value, 2)) if isinstance(value, float) else str(value or "")
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text[:_WIDEST])
