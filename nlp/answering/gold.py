"""How rightly questions are seen, on sentences that a person labelled (data/gold/questions.jsonl)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.errors import InputError
from nlp.answering.questions import Wants, wants

QUESTIONS = "questions.jsonl"
_FORM = '{"id": …, "sentence": …, "wants": "know" か "do" か ""} の形にしてください。'
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and what it wants: ``None`` where it only tells."""

    text: str
    wants: Wants | None


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """Sentences that want an answer: of those so many were seen, of those seen so many do; ``kinds`` of all three kinds were told apart."""

    sentences: int
    asking: int
    recall: float
    precision: float
    kinds: float

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def sentences(path: Path) -> list[Sentence]:
    """The labelled sentences of a file.

    Raises:
        InputError: it can't be read, or a line is damaged; says which.
    """
    return list(records(path, _sentence, form=_FORM))


def score(given: Sequence[Sentence], *, see: Callable[[str], Wants | None] = wants) -> QuestionScore:
    """What ``see`` says of each against its label."""
    said = [see(one.text) for one in given]
    asking = sum(one.wants is not None for one in given)
    both = sum(one.wants is not None and found is not None for one, found in zip(given, said, strict=True))
    seen = sum(found is not None for found in said)
    right = sum(one.wants == found for one, found in zip(given, said, strict=True))
    return QuestionScore(len(given), asking, both / max(asking, 1), both / max(seen, 1), right / max(len(given), 1))


def records(path: Path, parse: Callable[[dict[str, Any]], Item], *, form: str) -> Iterator[Item]:
    """Each line of a JSON Lines file, parsed.

    Raises:
        InputError: it can't be read, or a line is damaged; says which.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path} が読めません。", hint="UTF-8 の JSON Lines ファイルにしてください。") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield parse(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path} の {number} 行目が読めません。", hint=form) from None


def _sentence(record: dict[str, Any]) -> Sentence:
    text = record["sentence"]
    if not isinstance(text, str) or not text.strip():
        raise TypeError
    return Sentence(text, Wants(record["wants"]) if record["wants"] else None)
