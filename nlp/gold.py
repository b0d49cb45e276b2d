"""Test sets: voices with all their labels, and texts with every stretch of personal data marked (data/gold and files of the same form)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from core.errors import InputError
from nlp.annotation import PiiSpan, PiiType
from nlp.corpus import URGENCY_NAMES, Example

Topic = tuple[str, str]
"""A theme and its 中分類, "" where none was given."""

_VOICE_FORM = (
    '{"id": …, "text": …, "topics": [{"theme": …, "subtheme": …}], "kind": …} か {"id": …, "text": …, "theme": …} の形にしてください。'
)
_MASKING_FORM = '{"id": …, "text": …, "pii": [{"start": …, "end": …, "type": …}]} の形にしてください。位置は文字数で、終わりは含みません。'
_VOICE_KEYS = {"topics", "theme", "kind", "urgency"}
_PII_TYPES = frozenset(get_args(PiiType))
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class GoldSegment:
    """A stretch [start, end) of the text and what it is about."""

    start: int
    end: int
    topic: Topic


@dataclass(frozen=True, slots=True)
class GoldVoice:
    """A text with the labels that a person gave it; the first topic is the main one. "" and () where none was given."""

    text: str
    topics: tuple[Topic, ...] = ()
    kind: str = ""
    urgency: str = ""
    segments: tuple[GoldSegment, ...] = ()
    id: str = ""

    @classmethod
    def of(cls, example: Example) -> GoldVoice:
        """The same from the form that models learn from."""
        topics = ((example.theme, example.subtheme), *((theme, "") for theme in example.other_themes)) if example.theme else ()
        return cls(example.text, topics, example.kind, example.urgency, id=example.id)

    def as_example(self, *, topic: Topic | None = None) -> Example:
        """The form that models learn from, by its own main topic or another."""
        theme, subtheme = topic or (self.topics or (("", ""),))[0]
        others = () if topic else tuple(name for name, _ in self.topics[1:])
        return Example(self.text, theme, subtheme, self.kind, self.urgency, others, self.id)


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text and all personal data in it. ``trap`` names the difficulty it was written for."""

    text: str
    pii: tuple[PiiSpan, ...]
    trap: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Gold:
    """What one or more files hold. ``left_out`` names files of other forms, which other measurements use."""

    voices: tuple[GoldVoice, ...] = ()
    masking: tuple[MaskedText, ...] = ()
    files: tuple[Path, ...] = ()
    left_out: tuple[Path, ...] = field(default=())


def load(folder: Path) -> Gold:
    """All voices and masking texts of the ``*.jsonl`` files of a folder.

    Raises:
        InputError: there is none, or a line is damaged; says which.
    """
    found = _join([_read(path, strict=False) for path in sorted(folder.glob("*.jsonl"))])
    if not found.files:
        raise InputError(f"正解つきの文章が {folder} にありません。", hint="--gold でファイルを指定するか、KOE_DATA を確かめてください。")
    return found


def read(paths: Sequence[Path]) -> Gold:
    """The voices and masking texts of some files, each file of one form.

    Raises:
        InputError: a file can't be read, is empty, or has a damaged line; says which.
    """
    return _join([_read(path, strict=True) for path in paths])


def _join(parts: Sequence[Gold]) -> Gold:
    return Gold(
        voices=tuple(voice for part in parts for voice in part.voices),
        masking=tuple(text for part in parts for text in part.masking),
        files=tuple(path for part in parts for path in part.files),
        left_out=tuple(path for part in parts for path in part.left_out),
    )


def _read(path: Path, *, strict: bool) -> Gold:
    """One file. Its first line tells its form; one of neither form is left out, or refused if ``strict``."""
    lines = list(_lines(path))
    if not lines:
        raise InputError(f"{path} に文章がありません。", hint="1行に1件の JSON を書いてください。")
    first = _keys(lines[0][1])
    if "pii" in first:
        return Gold(masking=tuple(_parsed(path, lines, _masked_text, form=_MASKING_FORM)), files=(path,))
    if first & _VOICE_KEYS or strict:
        return Gold(voices=tuple(_parsed(path, lines, _voice, form=_VOICE_FORM)), files=(path,))
    return Gold(left_out=(path,))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        # Not ``splitlines``: a text may hold U+2028 and the like.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path} が読めません。", hint="UTF-8 の JSON Lines ファイルを指定してください。") from None
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _keys(line: str) -> set[str]:
    try:
        record = json.loads(line)
    except ValueError:
        return set()
    return set(record) if isinstance(record, dict) else set()


def _parsed(path: Path, lines: Sequence[tuple[int, str]], parse: Callable[[dict[str, Any]], Item], *, form: str) -> Iterator[Item]:
    for number, line in lines:
        try:
            yield parse(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            why = f"（{error}）" if isinstance(error, _MarkError) else ""
            raise InputError(f"{path} の {number} 行目が読めません{why}。", hint=form) from None


class _MarkError(ValueError):
    """A mark that isn't inside its text, or of no known type; the message is for people."""


def _text(record: dict[str, Any]) -> str:
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError
    return text


def _voice(record: dict[str, Any]) -> GoldVoice:
    text = _text(record)
    topics = tuple((str(topic["theme"]), str(topic.get("subtheme") or "")) for topic in record.get("topics") or [])
    if not topics and record.get("theme"):
        second = ((str(record["theme_alt"]), ""),) if record.get("theme_alt") else ()
        topics = ((str(record["theme"]), str(record.get("subtheme") or "")), *second)
    urgency = str(record.get("urgency") or "")
    return GoldVoice(
        text=text,
        topics=topics,
        kind=str(record.get("kind") or ""),
        urgency=URGENCY_NAMES.get(urgency, urgency),
        segments=tuple(_segment(item, text) for item in record.get("segments") or []),
        id=str(record.get("id", "")),
    )


def _segment(item: dict[str, Any], text: str) -> GoldSegment:
    start, end = _place(item, text)
    return GoldSegment(start, end, (str(item["theme"]), str(item.get("subtheme") or "")))


def _masked_text(record: dict[str, Any]) -> MaskedText:
    text = _text(record)
    spans = []
    for item in record["pii"]:
        start, end = _place(item, text)
        if item["type"] not in _PII_TYPES:
            raise _MarkError(f"種類「{item['type']}」がありません")
        spans.append(PiiSpan(start, end, item["type"]))
    return MaskedText(text, tuple(sorted(spans, key=lambda span: span.start)), str(record.get("trap") or ""), str(record.get("id", "")))


def _place(item: dict[str, Any], text: str) -> tuple[int, int]:
    start, end = item["start"], item["end"]
    if not isinstance(start, int) or not isinstance(end, int):
        raise TypeError
    if not 0 <= start < end <= len(text):
        raise _MarkError(f"位置 {start}〜{end} が文章の外です")
    return start, end
