"""Labelled voices: data/corpus and any file of the same form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the labels that a person gave it; "" where none was given. ``weight`` is how much it counts in training."""

    text: str
    theme: str = ""
    subtheme: str = ""
    kind: str = ""
    urgency: str = ""
    other_themes: tuple[str, ...] = ()
    id: str = ""
    channel: str = ""
    weight: float = 1.0


_HALF_LIFE_DAYS = 365.0
URGENCY_NAMES = {"life": "人命・身体の危険", "today": "当日の危険", "normal": "通常"}


def load(folder: Path) -> list[Example]:
    """Every voice of the ``*.jsonl`` files of a folder, in order of file and line.

    Raises:
        InputError: there is none, or a line is damaged; says which.
    """
    examples = [example for path in sorted(folder.glob("*.jsonl")) for example in read(path)]
    if not examples:
        raise InputError(f"学習例が {folder} にありません。", hint="KOE_DATA を確かめてください。")
    return examples


def read(path: Path) -> list[Example]:
    """The voices of one JSON Lines file: ``text`` and, where known, ``topics`` or ``theme``/``theme_alt``, ``kind``, ``urgency``.

    Raises:
        InputError: the file can't be read, or a line is damaged; says which.
    """
    try:
        # Not ``splitlines``: a text may hold U+2028 and the like.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path} が読めません。", hint="UTF-8 の JSON Lines ファイルを指定してください。") from None
    examples = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            examples.append(_example(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(
                f"{path} の {number} 行目が読めません。", hint='{"id": …, "text": …, "theme": …} の形にしてください。'
            ) from None
    return examples


def _example(record: dict[str, Any]) -> Example:
    topics = record.get("topics") or [{"theme": record.get("theme") or "", "subtheme": record.get("subtheme") or ""}]
    others = [topic["theme"] for topic in topics[1:]] + ([record["theme_alt"]] if record.get("theme_alt") else [])
    urgency = record.get("urgency") or ""
    return Example(
        text=str(record["text"]),
        theme=topics[0]["theme"],
        subtheme=topics[0].get("subtheme", ""),
        kind=record.get("kind") or "",
        urgency=URGENCY_NAMES.get(urgency, urgency),
        other_themes=tuple(others),
        id=str(record.get("id", "")),
        channel=str(record.get("channel") or ""),
    )


def recency(days: float) -> float:
    """How much a decision made so many days ago counts beside one of today: half after a year."""
    return float(0.5 ** (max(days, 0.0) / _HALF_LIFE_DAYS))
