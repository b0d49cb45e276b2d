"""What became of a text: which sentences went and which came."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_SENTENCE = re.compile(r"\n|[^。！？!?\n]+[。！？!?]*|[。！？!?]+")


@dataclass(frozen=True, slots=True)
class Change:
    """Some of the text: as it was in both, gone, or new."""

    text: str
    is_gone: bool = False
    is_new: bool = False


def difference(before: str, after: str) -> list[Change]:
    """A text against an earlier one, sentence by sentence; without what is gone, the pieces are the text again."""
    return list(_changes(_SENTENCE.findall(before), _SENTENCE.findall(after)))


def _changes(before: list[str], after: list[str]) -> Iterator[Change]:
    for name, first, last, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if name == "equal":
            yield Change("".join(after[start:end]))
            continue
        if gone := "".join(before[first:last]):
            yield Change(gone, is_gone=True)
        if new := "".join(after[start:end]):
            yield Change(new, is_new=True)
