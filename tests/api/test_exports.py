from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from api.exports import PERCENT, Export, Sheet, as_csv, as_xlsx

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30) | st.sampled_from(
    ("=1+1", "+81", "-", "@x", '"', "a,b", "1\r\n2", "'", "=HYPERLINK(1)", "\t=1")
)
VALUE = TEXT | st.integers(-(10**9), 10**9) | st.dates(date(1950, 1, 1), date(2090, 1, 1)) | st.none() | st.floats(-1e6, 1e6)


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


@given(rows=st.lists(st.lists(VALUE, min_size=3, max_size=3), max_size=8))
def test_csv_comes_back_and_holds_no_formula(rows: list[list[Any]]) -> None:
    content = as_csv(Sheet("表", ("あ", "=い", "う"), rows))
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    head, *body = read(content)
    assert head == ["あ", "'=い", "う"]
    for given_row, row in zip(rows, body, strict=True):
        for value, cell in zip(given_row, row, strict=True):
            if isinstance(value, str):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
                assert cell.removeprefix("'") == value.removeprefix("'")
            elif isinstance(value, float):
                assert float(cell) == pytest.approx(value, abs=1e-6)
            else:
                assert cell == ("" if value is None else str(value))


@given(rows=st.lists(st.lists(VALUE, min_size=2, max_size=2), max_size=8))
def test_a_workbook_comes_back_with_numbers_and_days(rows: list[list[Any]]) -> None:
    rows = [[*row, at] for at, row in enumerate(rows)]  # a row of nothing at the end is no row to a reader
    export = Export(
        "x", "題", [("期間", date(2026, 4, 1)), ("件数", len(rows))], [Sheet("表/1", ("あ", "い", "行"), rows, {"い": PERCENT})]
    )
    book = load_workbook(io.BytesIO(as_xlsx(export)))
    assert book.sheetnames == ["表・1", "条件"]
    page = book["表・1"]
    assert page.freeze_panes == "B2"
    assert page.column_dimensions["A"].width >= 8
    for given_row, cells in zip(rows, page.iter_rows(min_row=2), strict=True):
        for value, cell in zip(given_row, cells, strict=True):
            assert cell.data_type != "f"
            if isinstance(value, date):
                assert cell.value.date() == value
            elif isinstance(value, str):
                assert (cell.value or "") == value.replace("\r\n", "\n").replace("\t", "\t")
            else:
                assert cell.value == (pytest.approx(value) if value is not None else None)
    assert [row[0].value for row in book["条件"].iter_rows()] == ["条件", "期間", "件数"]
    assert book["条件"]["B2"].value.date() == date(2026, 4, 1)


def test_what_excel_cannot_hold_is_left_out() -> None:
    sheet = Sheet("表" * 40, ("あ",), [["a\x00b\x1f"], ["長" * 40_000]])
    page = load_workbook(io.BytesIO(as_xlsx(Export("x", "題", [], [sheet])))).worksheets[0]
    assert len(page.title) == 31
    assert page["A2"].value == "a b "
    assert len(page["A3"].value) == 32_767
