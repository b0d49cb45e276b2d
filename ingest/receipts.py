"""Receipt numbers (受付番号): fiscal year, serial and a check digit that catches every slip of one digit and every swap of two."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.models import ReceiptCounter

_ERAS = (("R", 2018, 2019), ("H", 1988, 1989), ("S", 1925, 1926))
_LETTER_DIGITS = {"R": 3, "H": 2, "S": 1}  # so that a wrong letter is found too
_FORMAT = re.compile(r"(?P<era>[RHS])(?P<year>\d{2})-(?P<serial>\d{6,9})-(?P<check>\d)", re.ASCII)
# The quasigroup of H. M. Damm, "Total anti-symmetrische Quasigruppen", 2004: a digit of it finds all single errors and swaps.
_DAMM = tuple(
    tuple(map(int, row))
    for row in (
        "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
        "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
    )
)  # fmt: skip


def receipt_number(fiscal_year: int, serial: int) -> str:
    """The receipt number of a serial in a fiscal year, such as ``R08-000123-4`` (令和8年度の123番).

    Raises:
        ValueError: the year is before 昭和元年度 (1926) or past the era's two digits, or the serial isn't positive.
    """
    if not 0 < serial < 10**9:
        raise ValueError("serial must be between 1 and 999,999,999")
    for letter, before, first in _ERAS:
        if first <= fiscal_year < before + 100:
            year = f"{fiscal_year - before:02d}"
            return f"{letter}{year}-{serial:06d}-{_check(f'{_LETTER_DIGITS[letter]}{year}{serial:06d}')}"
    raise ValueError("no era for this fiscal year")


def is_receipt_number(text: str) -> bool:
    """Whether a text is a receipt number whose check digit agrees."""
    match = _FORMAT.fullmatch(text)
    if not match or int(match["serial"]) == 0:
        return False
    before = next(before for letter, before, _ in _ERAS if letter == match["era"])
    year, serial = before + int(match["year"]), int(match["serial"])
    try:
        return receipt_number(year, serial) == text
    except ValueError:
        return False


def lock_counters(session: Session, fiscal_years: Iterable[int]) -> dict[int, int]:
    """Takes the counters of these years for this transaction and gives the last serials; makes the counters that are missing.

    On PostgreSQL the rows are locked in the order of the years, so that two imports can't wait for each other in a circle;
    a write transaction on SQLite is alone anyhow.
    """
    years = sorted(set(fiscal_years))
    if not years:
        return {}
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [{"fiscal_year": year, "last": 0} for year in years]
    session.execute(dialect.insert(ReceiptCounter).values(rows).on_conflict_do_nothing(index_elements=["fiscal_year"]))
    locked = select(ReceiptCounter.fiscal_year, ReceiptCounter.last).where(ReceiptCounter.fiscal_year.in_(years))
    found = session.execute(locked.order_by(ReceiptCounter.fiscal_year).with_for_update())
    return {row.fiscal_year: row.last for row in found}


def set_counter(session: Session, fiscal_year: int, last: int) -> None:
    """Moves a counter that this transaction has locked."""
    session.execute(update(ReceiptCounter).where(ReceiptCounter.fiscal_year == fiscal_year).values(last=last))


def reserve_receipts(session: Session, fiscal_year: int, count: int) -> list[str]:
    """The next ``count`` receipt numbers of a fiscal year, nobody else's from now on (given back if the transaction fails)."""
    last = lock_counters(session, [fiscal_year])[fiscal_year]
    set_counter(session, fiscal_year, last + count)
    return [receipt_number(fiscal_year, last + step) for step in range(1, count + 1)]


def _check(digits: str) -> int:
    interim = 0
    for digit in digits.encode():
        interim = _DAMM[interim][digit - 48]
    return interim
