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
# A city's calls say the same again and again, and nothing here is as dear as a verdict.
_MOST_VERDICTS = 10_000
_verdicts: dict[tuple[str, tuple[int, int]], bool | None] = {}


def confirm(doubts: Sequence[tuple[str, PiiSpan]]) -> list[bool]:
    """For each (text, span): whether GiNZA's entity recogniser calls the span, in its sentence, a person."""
    windows = [_sentence(text, span) for text, span in doubts]
    verdicts = {window: _verdicts.get(window) for window in windows}
    if fresh := [window for window, verdict in verdicts.items() if verdict is None]:
        documents = _recogniser().pipe([sentence for sentence, _ in fresh], batch_size=64)
        for document, (sentence, (start, end)) in zip(documents, fresh, strict=True):
            people = (entity for entity in document.ents if entity.label_ == _PERSON)
            verdicts[sentence, (start, end)] = any(entity.start_char < end and start < entity.end_char for entity in people)
        if len(_verdicts) + len(fresh) > _MOST_VERDICTS:
            _verdicts.clear()
        _verdicts.update(verdicts)
    return [bool(verdicts[window]) for window in windows]


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
    from thinc.api import use_ops

    # numpy's own products take half the time of BLIS's.
    with use_ops("numpy", use_blis=False):
        return spacy.load("ja_ginza", exclude=["parser", "morphologizer", "compound_splitter", "bunsetu_recognizer"])
