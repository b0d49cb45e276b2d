"""The masked text cut into pieces: plain, a masked item, or words that decided a label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.models import Facet
from nlp.annotation import PLACEHOLDERS

_MASKED = re.compile("|".join(map(re.escape, PLACEHOLDERS.values())))


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the text. ``facets`` are those whose label it decided; ``masked`` when it stands for personal data."""

    text: str
    facets: tuple[Facet, ...] = ()
    masked: bool = False


def pieces(text: str, evidence: Mapping[Facet, Iterable[Mapping[str, Any]]]) -> list[Piece]:
    """Cuts a masked text at every place where something begins or ends; joined, the pieces are the text again.

    ``evidence`` gives for each facet items with ``start`` and ``end``, code-point offsets into the text. Where they don't
    fit the text (it was mended since) they are left out rather than shown in the wrong place.
    """
    marks = [
        (start, end, facet)
        for facet, items in evidence.items()
        for item in items
        if (start := _offset(item, "start")) < (end := _offset(item, "end")) <= len(text)
        and start >= 0
        and item.get("text", text[start:end]) == text[start:end]
    ]
    masked = [match.span() for match in _MASKED.finditer(text)]
    cuts = sorted({0, len(text), *(place for start, end, _ in marks for place in (start, end)), *(p for span in masked for p in span)})
    found: list[Piece] = []
    for start, end in pairwise(cuts):
        facets = {facet for first, last, facet in marks if first <= start and end <= last}
        is_masked = any(first <= start and end <= last for first, last in masked)
        found.append(Piece(text[start:end], () if is_masked else tuple(facet for facet in Facet if facet in facets), is_masked))
    return found


def _offset(item: Mapping[str, Any], name: str) -> int:
    value = item.get(name)
    return value if isinstance(value, int) else -1
