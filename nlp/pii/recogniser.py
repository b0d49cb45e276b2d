"""GiNZA's look at surnames that the rules leave in doubt: is it a person, or a place, a firm, a plain word?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from nlp.annotation import PiiSpan

_SENTENCE_END = re.compile(r"[。！？!?\n]")
# Characters on either side that the recogniser sees: its verdict on 72 doubts is the same with 8 as with 30, its time grows with them.
_WINDOW = 8
_PERSON = "Person"


def confirm(doubts: Sequence[tuple[str, PiiSpan]]) -> list[bool]:
    """For each (text, span): whether GiNZA's entity recogniser calls the span, in its sentence, a person."""
    if not doubts:
        return []
    sentences = [_sentence(text, span) for text, span in doubts]
    documents = _recogniser().pipe([sentence for sentence, _ in sentences], batch_size=64)
    return [
        any(entity.label_ == _PERSON and entity.start_char < span_end and span_start < entity.end_char for entity in document.ents)
        for document, (_, (span_start, span_end)) in zip(documents, sentences, strict=True)
    ]


def _sentence(text: str, span: PiiSpan) -> tuple[str, tuple[int, int]]:
    start = max(
        [match.end() for match in _SENTENCE_END.finditer(text, max(0, span.start - _WINDOW), span.start)],
        default=max(0, span.start - _WINDOW),
    )
    end = match.start() if (match := _SENTENCE_END.search(text, span.end, span.end + _WINDOW)) else min(len(text), span.end + _WINDOW)
    # The tokenizer needs text that can be encoded; one character stays one character.
    return re.sub(r"[\ud800-\udfff]", "�", text[start:end]), (span.start - start, span.end - start)


def load() -> None:
    """Loads the recogniser now (about 2 s, 300 MB) rather than at the first doubt."""
    _recogniser()


@lru_cache(maxsize=1)
def _recogniser() -> Any:
    import spacy

    return spacy.load("ja_ginza", exclude=["parser", "morphologizer", "compound_splitter", "bunsetu_recognizer"])
