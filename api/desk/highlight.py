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
    parts: tuple[str, ...] = ()
    """The departments that answer the passage that it is in."""
    begins: tuple[str, ...] = ()
    """Those whose passage begins with it."""


def pieces(
    text: str, evidence: Mapping[Facet, Iterable[Mapping[str, Any]]], *, passages: Iterable[tuple[str, int, int]] = ()
) -> list[Piece]:  # fmt: skip
    """Cuts a masked text at every place where something begins or ends; joined, the pieces are the text again.

    ``evidence`` gives for each facet items with ``start`` and ``end``, code-point offsets into the text. Where they don't
    fit the text (it was mended since) they are left out rather than shown in the wrong place. ``passages``: a department, and the
    start and end of what it answers.
    """
    marks = [
        (start, end, facet)
        for facet, items in evidence.items()
        for item in items
        if (start := _offset(item, "start")) < (end := _offset(item, "end")) <= len(text)
        and start >= 0
        and item.get("text", text[start:end]) == text[start:end]
    ]
    asked = [(name, start, end) for name, start, end in passages if 0 <= start < end <= len(text)]
    masked = [match.span() for match in _MASKED.finditer(text)]
    edges = [*((start, end) for start, end, _ in marks), *masked, *((start, end) for _, start, end in asked)]
    cuts = sorted({0, len(text), *(place for edge in edges for place in edge)})
    found: list[Piece] = []
    for start, end in pairwise(cuts):
        facets = {facet for first, last, facet in marks if first <= start and end <= last}
        is_masked = any(first <= start and end <= last for first, last in masked)
        said = () if is_masked else tuple(facet for facet in Facet if facet in facets)
        parts = tuple(name for name, first, last in asked if first <= start and end <= last)
        found.append(Piece(text[start:end], said, is_masked, parts, tuple(name for name, first, _ in asked if first == start)))
    return found


def _offset(item: Mapping[str, Any], name: str) -> int:
    value = item.get(name)
    return value if isinstance(value, int) else -1
