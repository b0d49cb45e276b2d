"""What stands between a file and the tables: a voice as it came in, and a row that could not be taken."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from core.models import Channel

_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table: its place and its cells, as many as there are headings."""

    number: int
    """Line of the file on which the record starts."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A record that can't be taken: where, why (in Japanese, without the content), and its cells as they were."""

    row: int
    column: str
    code: str
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncomingVoice:
    """One voice, cleaned but not masked. ``original`` and ``contact`` are as given and go nowhere but into sealed secrets.

    ``attributes`` uses ``age``, ``sex``, ``given_kind``, ``given_theme``, ``given_channel`` and the names that a mapping gives.
    """

    external_id: str
    row: int
    content_hash: str
    channel: Channel
    received_on: date
    text: str
    received_at: datetime | None = None
    title: str = ""
    answer: str = ""
    answered_on: date | None = None
    district: str = ""
    department: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    original: Mapping[str, str] = field(default_factory=dict)
    publishable: bool = False
    has_deadline: bool = True
    cells: tuple[str, ...] = ()
    """The row that it came from, without a survey's other reasons: what is kept when it can't be taken."""


def content_hash(text: str, *, received_on: date | None, channel: Channel | None, identity: Sequence[str]) -> str:
    """What makes two records the same one, as 64 hexadecimal digits.

    ``received_on`` and ``channel`` count only when the row itself gave them: a date guessed from a file's name changes when the
    file is renamed. ``identity`` is the source's own number, or what stands in for it. Width and spacing don't count.
    """
    words = "".join(unicodedata.normalize("NFKC", text).split())
    parts = [words, received_on.isoformat() if received_on else "", channel.value if channel else "", *identity]
    return digest(parts)


def digest(parts: Sequence[str]) -> str:
    """SHA-256 over a list of texts; no two different lists run together."""
    return hashlib.sha256(_AS_JSON(list(parts)).encode("utf-8", "surrogatepass")).hexdigest()
