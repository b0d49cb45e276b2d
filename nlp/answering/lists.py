"""What answers are checked by, as a city may edit it: limits, words to say more plainly, what isn't personal in an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlp.answering import commitments, files, substance
from nlp.answering.commitments import Form
from nlp.answering.files import Entry
from nlp.answering.substance import Courtesy


@dataclass(frozen=True, slots=True)
class Limits:
    """The borders of checks.yaml: lengths in characters, shares and likeness from 0 to 1, readability as its own figure."""

    sentence: float
    sentence_too_long: float
    kanji_share: float
    kanji_run: float
    readability: float
    unanswered: float


@dataclass(frozen=True, slots=True)
class PlainWord:
    """A word that many don't understand, and what to say instead; not where ``unless`` follows it."""

    word: str
    plain: str
    note: str
    unless: re.Pattern[str] | None


class PlainWords:
    """All of them, looked for at once; of words that begin at one place the longest counts."""

    def __init__(self, words: Sequence[PlainWord]) -> None:
        self._words = {one.word: one for one in words}
        self._pattern = re.compile("|".join(map(re.escape, sorted(self._words, key=len, reverse=True))))

    def __len__(self) -> int:
        return len(self._words)

    def find(self, text: str) -> list[tuple[int, int, PlainWord]]:
        """Where each stands, in order."""
        hits = ((match.start(), match.end(), self._words[match[0]]) for match in self._pattern.finditer(text))
        return [hit for hit in hits if not (hit[2].unless and hit[2].unless.match(text, hit[1])) and not _inside_word(text, hit)]


@dataclass(frozen=True, slots=True)
class Lists:
    """Everything that a check is made by."""

    limits: Limits
    plain_words: PlainWords
    allowed: tuple[re.Pattern[str], ...]
    staff: tuple[re.Pattern[str], ...]
    commitments: tuple[Form, ...]
    courtesy: Courtesy


@lru_cache(maxsize=4)
def load(folder: Path = files.FOLDER) -> Lists:
    """Reads checks.yaml, plain_words.yaml, commitments.yaml and courtesy.yaml.

    Raises:
        InputError: one is missing or damaged; says which and where.
    """
    path = folder / "checks.yaml"
    limits = files.section(path, "limits")
    return Lists(
        limits=Limits(**{name: limits.number(name) for name in Limits.__slots__}),
        plain_words=PlainWords([_plain_word(row) for row in files.entries(folder / "plain_words.yaml", "words")]),
        allowed=tuple(row.pattern("pattern") for row in files.entries(path, "allowed")),
        staff=tuple(row.pattern("pattern") for row in files.entries(path, "staff")),
        commitments=commitments.load(folder),
        courtesy=substance.load(folder),
    )


def _plain_word(row: Entry) -> PlainWord:
    unless = row.pattern("unless") if row.values.get("unless") else None
    return PlainWord(row.text("word"), row.text("plain"), row.text("note", ""), unless)


_KATAKANA = re.compile(r"[ァ-ヴー]")


def _inside_word(text: str, hit: tuple[int, int, PlainWord]) -> bool:
    """Whether a katakana word is only a part of a longer one (シェア in シェアハウス)."""
    start, end, one = hit
    if not _KATAKANA.fullmatch(one.word[0]):
        return False
    return bool(_KATAKANA.match(text, end)) or (start > 0 and bool(_KATAKANA.match(text, start - 1)))
