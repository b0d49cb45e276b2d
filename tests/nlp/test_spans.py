"""The quick answers are the ones that comparing every span with every other gives."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nlp.annotation import PiiSpan
from nlp.pii.spans import Cover, settle

PLACES = st.integers(0, 40)
SPANS = st.lists(st.tuples(PLACES, st.integers(1, 12)).map(lambda pair: PiiSpan(pair[0], pair[0] + pair[1], "NAME")), max_size=12)


@given(SPANS, PLACES, st.integers(1, 8))
def test_touching(spans: list[PiiSpan], start: int, length: int) -> None:
    end = start + length
    assert Cover(spans).touches(start, end) is any(span.start < end and start < span.end for span in spans)


@given(SPANS, PLACES, st.integers(1, 8), st.integers(0, 5))
def test_standing_beside(spans: list[PiiSpan], start: int, length: int, within: int) -> None:
    end = start + length
    beside = any(abs(span.start - end) <= within or abs(start - span.end) <= within for span in spans)
    assert Cover(spans).is_beside(start, end, within=within) is beside


@given(SPANS)
def test_settled_spans_are_disjoint_and_leave_out_only_what_a_longer_or_earlier_one_covers(spans: list[PiiSpan]) -> None:
    kept = settle(spans)
    for before, after in pairwise(kept):
        assert before.end <= after.start
    for span in spans:
        rank = (span.start - span.end, span.start)
        assert span in kept or any(
            other.start < span.end and span.start < other.end and (other.start - other.end, other.start) <= rank for other in kept
        )
