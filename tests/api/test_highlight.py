from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.desk.highlight import pieces
from api.words import headline
from core.models import Facet


@given(
    st.text(alphabet="歩道の段差〔氏名〕\n𠮷", max_size=30),
    st.lists(st.tuples(st.sampled_from(Facet), st.integers(-3, 35), st.integers(-3, 35))),
)
def test_joined_the_pieces_are_the_text(text: str, marks: list[tuple[Facet, int, int]]) -> None:
    evidence: dict[Facet, list[dict[str, Any]]] = {facet: [] for facet in Facet}
    for facet, start, end in marks:
        evidence[facet].append({"start": start, "end": end})
    found = pieces(text, evidence)
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)


def test_two_facets_may_share_a_word() -> None:
    text = "歩道が狭い"
    found = pieces(text, {Facet.THEME: [{"text": "歩道", "start": 0, "end": 2}], Facet.KIND: [{"text": "道が", "start": 1, "end": 3}]})
    assert [(piece.text, piece.facets) for piece in found] == [
        ("歩", (Facet.THEME,)),
        ("道", (Facet.THEME, Facet.KIND)),
        ("が", (Facet.KIND,)),
        ("狭い", ()),
    ]


def test_evidence_that_does_not_fit_the_text_is_left_out() -> None:
    assert not [
        piece for piece in pieces("歩道", {Facet.THEME: [{"text": "公園", "start": 0, "end": 2}, {"start": "x", "end": 9}]}) if piece.facets
    ]


def test_a_masked_item_is_never_a_deciding_word() -> None:
    found = pieces("〔氏名〕です", {Facet.THEME: [{"start": 0, "end": 6}]})
    assert [(piece.text, piece.masked, piece.facets) for piece in found] == [("〔氏名〕", True, ()), ("です", False, (Facet.THEME,))]


@given(st.text(max_size=200), st.integers(5, 60))
def test_a_headline_is_short_and_on_one_line(text: str, limit: int) -> None:
    head, _ = headline(text, limit)
    assert len(head) <= limit + 1
    assert "\n" not in head


def test_a_headline_is_the_first_sentence() -> None:
    assert headline("歩道が狭いです。直してください。") == ("歩道が狭いです。", "直してください。")
    assert headline("一行目\n二行目") == ("一行目", "二行目")
