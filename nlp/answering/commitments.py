"""Promises in an answer (検討します, 予定です, 努めてまいります): each needs a day on which somebody looks again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from nlp.answering import files
from nlp.answering.files import Entry
from nlp.opinions.sentences import sentences

Severity = Literal["stop", "warn"]


@dataclass(frozen=True, slots=True)
class Form:
    """A way to promise. ``unless``: the same sentence takes it back, or tells what is done already."""

    name: str
    severity: Severity
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """A promise at [start, end) of an answer. ``name``: 検討, 予定, 努力, 参考 or 続報, as the file calls it."""

    start: int
    end: int
    name: str
    severity: Severity

    def text(self, answer: str) -> str:
        """The words that promise."""
        return answer[self.start : self.end]


def commitments(answer: str, forms: Sequence[Form]) -> list[Commitment]:
    """The promises of an answer, at most one a sentence for each class, in its order."""
    return sorted(_found(answer, forms), key=lambda one: (one.start, one.end))


@lru_cache(maxsize=4)
def load(folder: Path = files.FOLDER) -> tuple[Form, ...]:
    """Reads commitments.yaml.

    Raises:
        InputError: it is missing or damaged; says where.
    """
    return tuple(_form(row) for row in files.entries(folder / "commitments.yaml", "commitments"))


def _form(row: Entry) -> Form:
    severity: Severity
    match row.text("severity"):
        case "stop":
            severity = "stop"
        case "warn":
            severity = "warn"
        case _:
            raise row.error("「severity」が stop でも warn でもありません", hint="severity: stop か severity: warn と書いてください。")
    return Form(row.text("class"), severity, row.pattern("pattern"), row.pattern("unless") if "unless" in row.values else None)


def _found(answer: str, forms: Sequence[Form]) -> Iterator[Commitment]:
    for start, end in sentences(answer):
        sentence = answer[start:end]
        seen: set[str] = set()
        for form in forms:
            match = form.pattern.search(sentence)
            if match and form.name not in seen and not (form.unless and form.unless.search(sentence)):
                seen.add(form.name)
                yield Commitment(start + match.start(), start + match.end(), form.name, form.severity)
