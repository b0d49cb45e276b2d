"""窓口の記録簿(xlsx)の書きだし。時刻と圧縮を固定して、毎回同じバイト列にする。"""

from __future__ import annotations

import importlib
import io
import os
import re
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from .answers import counter_result
from .models import Record, by_time
from .settings import COUNTER_FILE
from .truth import Line, truth_line
from .workshop import Workshop

HEADINGS = ["番号", "受付日", "時刻", "区", "相談者", "内容", "処理", "担当課", "種別"]
WIDTHS = [10, 12, 8, 10, 12, 70, 40, 14, 8]
SAVED = datetime(2026, 11, 2, 9, 0, 0, tzinfo=UTC)
SECOND_SHEET = date(2025, 11, 1)
SERIAL_ZERO = date(1899, 12, 30)


def write_counter(shop: Workshop, records: list[Record], out: Path) -> list[Line]:
    """counter_log.xlsx を書く(2シート、見出しの上に結合した題名)。"""
    os.environ["OPENPYXL_LXML"] = "False"  # lxml があってもなくても同じ XML になるように
    openpyxl: Any = importlib.import_module("openpyxl")
    book = openpyxl.Workbook()
    book.properties.created = SAVED.replace(tzinfo=None)
    book.properties.creator = "潮見市"
    ordered = by_time(records)
    groups = {
        "令和6年11月～7年10月": [r for r in ordered if r.day < SECOND_SHEET],
        "令和7年11月～8年10月": [r for r in ordered if r.day >= SECOND_SHEET],
    }
    truth: list[Line] = []
    for index, (title, group) in enumerate(groups.items(), start=1):
        sheet = book.active if index == 1 else book.create_sheet()
        sheet.title = title
        _head(sheet, title)
        for n, record in enumerate(group, start=1):
            record.external_id, record.row = f"M{index}-{n:03d}", n + 2
            _fill(sheet, record.row, _values(shop, record), date_format="yyyy/m/d" if index == 1 else None)
            truth.append(truth_line(shop, record, COUNTER_FILE, sheet=title))
    raw = io.BytesIO()
    book.save(raw)
    (out / COUNTER_FILE).write_bytes(_fixed(raw))
    return truth


def _head(sheet: Any, title: str) -> None:
    sheet["A1"] = f"窓口相談記録簿（{title}）"
    sheet.merge_cells("A1:I1")
    for column, heading in enumerate(HEADINGS, start=1):
        sheet.cell(row=2, column=column, value=heading)
    for letter, width in zip("ABCDEFGHI", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width


def _values(shop: Workshop, record: Record) -> list[str | int | float]:
    rng = shop.rng
    minutes = record.clock.hour * 60 + record.clock.minute
    return [
        record.external_id,
        (record.day - SERIAL_ZERO).days,
        round(minutes / 1440, 6),
        record.district,
        record.person.full if rng.random() < 0.3 else rng.choice(["匿名", "", "市民"]),
        record.text,
        counter_result(shop, record),
        shop.department(record.core)["name"],
        record.core.kind,
    ]


def _fill(sheet: Any, row: int, values: list[str | int | float], *, date_format: str | None) -> None:
    """1行を書く。2枚目のシートの受付日は、書式のない通し番号のままにする。"""
    for column, value in enumerate(values, start=1):
        sheet.cell(row=row, column=column, value=value)
    if date_format:
        sheet.cell(row=row, column=2).number_format = date_format
    sheet.cell(row=row, column=3).number_format = "h:mm"


def _fixed(raw: io.BytesIO) -> bytes:
    """保存した時刻を消した xlsx。"""
    fixed = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w") as target:
        for info in sorted(source.infolist(), key=lambda z: z.filename):
            data = source.read(info.filename)
            if info.filename == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2026-11-02T09:00:00Z", data)
            clean = zipfile.ZipInfo(info.filename, SAVED.timetuple()[:6])
            clean.compress_type = zipfile.ZIP_STORED
            clean.create_system = 0
            target.writestr(clean, data)
    return fixed.getvalue()
