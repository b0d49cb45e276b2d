from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from core import db
from ingest.receipts import is_receipt_number, receipt_number, reserve_receipts

years = st.integers(1926, 2117)
serials = st.integers(1, 10**9 - 1)


@pytest.mark.parametrize(
    ("year", "serial", "start"),
    [(2026, 123, "R08-000123-"), (2019, 1, "R01-000001-"), (2018, 7, "H30-000007-"), (1988, 1_234_567, "S63-1234567-")],
)
def test_the_number_says_year_and_serial(year: int, serial: int, start: str) -> None:
    number = receipt_number(year, serial)
    assert number.startswith(start)
    assert is_receipt_number(number)


@given(years, serials, st.data())
def test_one_wrong_digit_is_always_found(year: int, serial: int, data: st.DataObject) -> None:
    number = receipt_number(year, serial)
    assert len(number) <= 20
    position = data.draw(st.sampled_from([at for at, sign in enumerate(number) if sign.isdigit()]))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[position]]))
    assert not is_receipt_number(number[:position] + other + number[position + 1 :])


@given(years, serials, st.data())
def test_two_neighbours_swapped_are_always_found(year: int, serial: int, data: st.DataObject) -> None:
    number = receipt_number(year, serial)
    at = data.draw(st.integers(4, len(number) - 4))
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert swapped == number or not is_receipt_number(swapped)


@pytest.mark.parametrize("text", ["", "R08", "R08-000000-0", "R08-000123", "Ｒ08-000123-7", "R08-0123-7", "X08-000123-1", "R00-000001-1"])
def test_other_texts_are_no_receipt_numbers(text: str) -> None:
    assert not is_receipt_number(text)


@pytest.mark.parametrize(("year", "serial"), [(1925, 1), (2118, 1), (2026, 0), (2026, 10**9)])
def test_years_and_serials_out_of_range(year: int, serial: int) -> None:
    with pytest.raises(ValueError, match=r"era|serial"):
        receipt_number(year, serial)


def test_no_number_is_given_twice_to_writers_at_the_same_time(engine: Engine) -> None:
    given_out: list[str] = []

    def reserve() -> None:
        for _ in range(5):
            with db.writing(engine) as session:
                numbers = reserve_receipts(session, 2026, 10)
            given_out.extend(numbers)

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given_out) == [receipt_number(2026, serial) for serial in range(1, 201)]


def test_numbers_of_a_failed_transaction_are_given_out_again(engine: Engine) -> None:
    def fail() -> None:
        with db.writing(engine) as session:
            reserve_receipts(session, 2026, 10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with db.writing(engine) as session:
        assert reserve_receipts(session, 2026, 1) == [receipt_number(2026, 1)]
