"""Numbers are found where they stand, and only those."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.hashing import Places

NUMBERS = st.integers(min_value=1, max_value=2**64 - 1)


@given(st.lists(NUMBERS, unique=True, max_size=200), st.lists(NUMBERS, max_size=50))
def test_every_number_has_its_place_and_no_other_has_one(keys: list[int], others: list[int]) -> None:
    place = {key: index for index, key in enumerate(keys)}
    wanted = [*reversed(keys), *others]
    found = Places(np.array(keys, dtype=np.uint64)).of(np.array(wanted, dtype=np.uint64))
    assert found.tolist() == [place.get(key, -1) for key in wanted]


def test_neighbours_that_are_looked_for_in_the_same_place_are_all_found() -> None:
    keys = np.arange(1, 100_000, dtype=np.uint64)
    assert np.array_equal(Places(keys).of(keys), np.arange(len(keys)))
    assert (Places(keys).of(keys + np.uint64(len(keys))) == -1).all()
