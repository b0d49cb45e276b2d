"""The record of searches: who looked for something where and with which conditions, and for the words only marks that tell nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core import audit
from core.crypto import Keyring

ACTION = "voices.search"


def record_search(
    session: Session, keyring: Keyring, *, actor: str, place: str, words: Sequence[str], conditions: Mapping[str, Any], found: int
) -> None:
    """Notes a search in the audit trail, in the caller's transaction. ``place`` is where: desk or trends.

    What was typed may be a resident's name, so it isn't written down: neither plainly nor masked, since masking misses some names.
    A keyed mark of each word stays (``marks_of``), by which it can be asked later whether anybody looked for a given word.
    """
    detail = {
        "words": len(words),
        "marks": marks_of(keyring, words),
        "conditions": {name: str(getattr(value, "value", value)) for name, value in conditions.items()},
        "found": found,
    }
    audit.record(session, actor=actor, action=ACTION, subject=place, detail=detail)


def marks_of(keyring: Keyring, words: Sequence[str]) -> list[str]:
    """The words' blind indexes under the current key: the same for the same word in any width or case."""
    return [keyring.blind(f"search:{unicodedata.normalize('NFKC', word).casefold()}") for word in words]
