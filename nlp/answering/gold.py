"""How rightly questions are seen, and those left open by an answer, on what a person wrote for it (questions.jsonl, answered.jsonl)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.errors import InputError
from nlp.answering.questions import Wants, wants
from nlp.answering.substance import Courtesy
from nlp.answering.unanswered import unanswered
from nlp.vectors import Sif

QUESTIONS, ANSWERED = "questions.jsonl", "answered.jsonl"
_FORM = '{"id": …, "sentence": …, "wants": "know" か "do" か ""} の形にしてください。'
_ANSWERED_FORM = '{"id": …, "about": …, "questions": […], "answers": […], "more": …} の形にしてください。問いと答えは同じ数です。'
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


@dataclass(frozen=True, slots=True)
class Answered:
    """A voice (what it is about, and its questions), what answers each, and a sentence that answers none."""

    about: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    more: str

    @property
    def voice(self) -> str:
        """The whole voice."""
        return self.about + "".join(self.questions)

    def answer(self, *, without: int = -1) -> str:
        """The answer, maybe with one question left out."""
        return "".join([*(text for place, text in enumerate(self.answers) if place != without), self.more])


@dataclass(frozen=True, slots=True)
class OpenScore:
    """Answers that leave out one question: so many of ``questions`` were found (``recall``); of answered ones so many were, too."""

    questions: int
    recall: float
    false_alarms: float

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


def answered(path: Path) -> list[Answered]:
    """The answered voices of a file.

    Raises:
        InputError: it can't be read, or a line is damaged; says which.
    """
    return list(records(path, _answered, form=_ANSWERED_FORM))


def score_open(given: Sequence[Answered], *, courtesy: Courtesy, sif: Sif | None, below: float) -> OpenScore:
    """Which questions are said to be open, of answers to all of them and of answers that leave one out."""

    def said_open(one: Answered, question: int, *, without: int) -> bool:
        found = unanswered(one.voice, one.answer(without=without), courtesy=courtesy, sif=sif, below=below)
        return any(item.question.text(one.voice) in one.questions[question] for item in found)

    every = [(one, place) for one in given for place in range(len(one.questions))]
    right = sum(said_open(one, place, without=place) for one, place in every)
    wrong = sum(said_open(one, place, without=-1) for one, place in every)
    return OpenScore(len(every), right / max(len(every), 1), wrong / max(len(every), 1))


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


def _answered(record: dict[str, Any]) -> Answered:
    found = Answered(record["about"], tuple(record["questions"]), tuple(record["answers"]), record["more"])
    if len(found.questions) != len(found.answers) or not all(isinstance(text, str) for text in (found.about, found.more, *found.questions)):
        raise TypeError
    return found
