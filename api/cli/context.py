"""What the commands share: settings, an engine on an upgraded database, and printing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from core.settings import Settings, get_settings

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Engine

    from nlp.annotate import Annotator

SURROGATES = range(0xD800, 0xE000)


def settings() -> Settings:
    """The settings in force."""
    return get_settings()


def database(*, upgrade: bool = False) -> Engine:
    """An engine on the configured database; with ``upgrade``, brought to the newest schema first."""
    from core import db

    engine = db.connect(settings().url)
    if upgrade:
        db.upgrade(engine)
    return engine


def day_of(given: str | None, *, option: str) -> date | None:
    """A day as people write it, ``None`` where none is given.

    Raises:
        InputError: it can't be read; names the option.
    """
    from core.errors import InputError
    from ingest import dates

    try:
        return dates.parse_moment(given).day if given else None
    except dates.DateError as error:
        hint = "2026-06-30 や 令和8年6月30日 の形にしてください。"
        raise InputError(f"{option}「{given}」が日付として読めません。{error}", hint=hint) from None


def ready_annotator() -> Annotator:
    """What labels and masks texts; where there are no models yet, they are made first."""
    from nlp import annotate, artifacts

    current = settings()
    if artifacts.current_folder(current) is None:
        note("分類のモデルを作っています（最初の1回だけ、1分ほどかかります）…")
    return annotate.ready(current)


def say(text: str) -> None:
    """A line for a person, on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line about the work, on standard error, so that standard output stays clean for programs."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def as_json(value: Any) -> str:
    """One line of JSON in readable Japanese; a lone surrogate is written as its escape, so that the line is valid UTF-8."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(character):04x}" if ord(character) in SURROGATES else character for character in text)
    return text
