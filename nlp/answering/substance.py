"""Which sentences of an answer say something: not the greeting, not the thanks, not the close, not the signature."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlp.answering import files
from nlp.opinions.sentences import sentences

# A sentence to a citizen; a note of what was said on the telephone (〜とお答えした。) isn't one.
_POLITE = re.compile(
    r"(?:ます|です|ました|でした|ません|せん(?:でした)?|ください|下さい|ましょう|でしょう|でしょうか|ますか|ですか)[。．！？!?）)」』\s]*$"
)
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Form:
    pattern: re.Pattern[str]
    rest: int


class Courtesy:
    """The forms of sentences that say nothing by themselves."""

    def __init__(self, forms: Sequence[tuple[re.Pattern[str], int]]) -> None:
        self._forms = tuple(_Form(pattern, rest) for pattern, rest in forms)

    def holds(self, sentence: str) -> bool:
        """Whether a sentence is of such a form, with little else in it."""
        plain = sentence.strip()
        return any(_left(plain, match) <= form.rest for form in self._forms if (match := form.pattern.search(plain)))


def _left(sentence: str, match: re.Match[str]) -> int:
    """How many letters stand outside of a match."""
    return len(_NOT_WORDS.sub("", sentence[: match.start()] + sentence[match.end() :]))


@lru_cache(maxsize=4)
def load(folder: Path = files.FOLDER) -> Courtesy:
    """Reads courtesy.yaml.

    Raises:
        InputError: it is missing or damaged; says where.
    """
    rows = files.entries(folder / "courtesy.yaml", "sentences")
    return Courtesy([(row.pattern("pattern"), int(row.number("rest"))) for row in rows])


def substance(answer: str, courtesy: Courtesy) -> list[tuple[int, int]]:
    """Where the sentences are that say something, as (start, end)."""
    return [
        (start, end) for start, end in sentences(answer) if _NOT_WORDS.sub("", answer[start:end]) and not courtesy.holds(answer[start:end])
    ]


def is_letter(answer: str) -> bool:
    """Whether an answer was said to the citizen; a note of what was said on the telephone isn't."""
    return any(_POLITE.search(answer[start:end]) for start, end in sentences(answer))
