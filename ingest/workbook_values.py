"""What a value of a workbook means by where it stands: merged cells hold for all their rows, a Macintosh's dates begin in 1904."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ingest.headings import guess_fields
from ingest.incoming import Row
from ingest.workbook_check import Merged

# What a list is grouped by: of these a cell merged over several rows holds for each of them. Not the body, nor whose it is.
_GROUPING = ("received_on", "channel", "district", "department", "kind", "theme", "answered_on")
_DATES = ("received_on", "answered_on")
_SERIAL = re.compile(r"(\d{4,5})(\.\d+)?")
_FROM_1900_TO_1904 = 1462  # days


def spread(rows: Iterable[Row], merged: Sequence[Merged], *, headings: tuple[str, ...], start: int) -> Iterator[Row]:
    """The rows with the values of cells that go down over them: those that a list is grouped by (受付日, 地区 …).

    Rows over which the number (受付番号) goes down too are one record that was written in several rows: they stay as they are.
    ``start`` is the row of the headings, in and above which nothing is spread.
    """
    fields = guess_fields(headings)
    grouping = {fields[name] for name in _GROUPING if name in fields}
    number = fields.get("external_id")
    # By their first rows, as the rows come; those that the present row has reached are in force until their last row.
    ahead = deque(sorted((one for one in merged if one.first > start and one.column in {*grouping, number}), key=lambda one: one.first))
    in_force: dict[int, tuple[Merged, str]] = {}
    for row in rows:
        while ahead and ahead[0].first <= row.number:
            one = ahead.popleft()
            value = row.cells[one.column] if one.first == row.number and one.column < len(row.cells) else ""
            in_force[one.column] = (one, value)
        in_force = {column: (one, value) for column, (one, value) in in_force.items() if row.number <= one.last}
        yield row if number in in_force or not in_force else _filled(row, {column: value for column, (_, value) in in_force.items()})


def date_columns(headings: tuple[str, ...]) -> frozenset[int]:
    """Where dates stand."""
    fields = guess_fields(headings)
    return frozenset(fields[name] for name in _DATES if name in fields)


def in_usual_epoch(cells: tuple[str, ...], columns: frozenset[int]) -> tuple[str, ...]:
    """The cells of a workbook that counts its days from 1904, with the serials in these columns as others count them."""
    return tuple(_later(cell) if at in columns else cell for at, cell in enumerate(cells))


def _later(cell: str) -> str:
    serial = _SERIAL.fullmatch(cell)
    return f"{int(serial[1]) + _FROM_1900_TO_1904}{serial[2] or ''}" if serial else cell


def _filled(row: Row, values: dict[int, str]) -> Row:
    cells = list(row.cells) + [""] * (max(values) + 1 - len(row.cells))
    for column, value in values.items():
        cells[column] = cells[column] or value
    return replace(row, cells=tuple(cells))
