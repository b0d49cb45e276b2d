"""What pages show of a letter's parts: its sentences with who answers each, and a proposal by the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.models import Voice
from loop.case_queries import Mark

_REST = "その他"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a letter, [start, end) in its masked text; ``number`` counts from 1."""

    number: int
    start: int
    end: int
    text: str
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the machine's labels of a letter's stretches suggest: these sentences for this department, and the themes that say so."""

    department: str
    numbers: tuple[int, ...]
    themes: tuple[str, ...]


def sentences_of(voice: Voice, marks: Sequence[Mark]) -> list[Sentence]:
    """A letter's sentences, each with the departments that answer it (``CaseView.marks``)."""
    from nlp.segments import sentences

    return [
        Sentence(number, start, end, voice.text[start:end].strip(), tuple(name for name, first, last in marks if first <= start < last))
        for number, (start, end) in enumerate(sentences(voice.text), 1)
    ]


def proposals(voice: Voice, sentences: Sequence[Sentence], *, least: float) -> list[Proposal]:
    """How the letter could be divided, by the stretches that the import found in it, in the letter's order.

    Nothing where they are all of one department: then the letter has one topic as far as the city is organised. Stretches without a
    matter of their own, such as a farewell, and those of whose theme the machine is less sure than ``least`` are nobody's in particular.
    """
    found: dict[str, tuple[list[int], list[str]]] = {}
    for stretch in voice.segments:
        if stretch["theme"] == _REST or stretch["confidence"] < least:
            continue
        numbers, themes = found.setdefault(stretch.get("department", ""), ([], []))
        numbers += [one.number for one in sentences if stretch["start"] <= one.start < stretch["end"]]
        if stretch["theme"] not in themes:
            themes.append(stretch["theme"])
    found.pop("", None)
    return [Proposal(name, tuple(numbers), tuple(themes)) for name, (numbers, themes) in found.items() if numbers] if len(found) > 1 else []
