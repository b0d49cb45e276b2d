"""Whatever the text, annotating it gives a whole and valid answer: the promise behind ``koe annotate``."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.annotate import Annotator
from nlp.annotation import PLACEHOLDERS, Annotation

ANY_CHARACTER = st.characters(codec=None, categories=None)  # lone surrogates, controls and unassigned ones too
PERSONAL = st.sampled_from(
    [
        "山田太郎と申します。",
        "電話は０９０－１２３４－５６７８",
        "港町3丁目5番地",
        "yamada@example.jp",
        "〒123-4567",
        "（やまだ）",
        "様",
        "さん",
    ]
)
TEXT = st.lists(st.one_of(st.text(ANY_CHARACTER, max_size=30), PERSONAL), max_size=8).map("".join)


def check(text: str, said: Annotation) -> None:
    line = json.loads(json.dumps({"id": 1} | said.as_dict()))
    at, rest = 0, []
    for span in said.pii:
        assert at <= span.start < span.end <= len(text)
        rest += [text[at : span.start], PLACEHOLDERS[span.type]]
        at = span.end
    assert said.masked == "".join([*rest, text[at:]])
    assert "".join(text[part.start : part.end] for part in said.segments) == text
    assert "".join(said.masked[part.masked_start : part.masked_end] for part in said.segments) == said.masked
    for facet in ("theme", "kind", "urgency", "department"):
        assert 0 <= line[facet]["confidence"] <= 1
        assert line[facet]["label"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXT)
def test_any_text_gives_a_valid_annotation(annotator: Annotator, text: str) -> None:
    (said,) = annotator([text])
    check(text, said)


@settings(max_examples=30)
@given(texts=st.lists(TEXT, max_size=6))
def test_texts_do_not_touch_each_other(annotator: Annotator, texts: list[str]) -> None:
    for text, said in zip(texts, annotator(texts), strict=True):
        check(text, said)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n" * 50,
        "😀" * 300,
        "\x00\x1b[31m",
        "\ud83d",
        "e\u0301" * 200,
        "あ" * 1_000_000,
        "道路の穴。" * 200_000,
        "090-1234-5678、" * 20_000,
    ],
    ids=["empty", "space", "lines", "emoji", "controls", "surrogate", "combining", "one-word", "sentences", "phones"],
)
def test_texts_at_the_edge(annotator: Annotator, text: str) -> None:
    (said,) = annotator([text])
    check(text, said)
