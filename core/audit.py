"""The audit trail: append-only, each row hashed with the one before, so that a change or a gap shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.bulk import insert_rows
from core.clock import utc_now
from core.models import AuditEntry

GENESIS = "0" * 64
_LOCK = 0x6B6F65  # any number, the same in every process


def record(session: Session, *, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Adds one act to the chain, in the caller's transaction. ``detail`` must hold no personal data.

    Writers queue up: on PostgreSQL behind an advisory lock, on SQLite because a write transaction is exclusive.
    """
    record_all(session, actor=actor, action=action, about=[(subject, detail or {})])


def record_all(session: Session, *, actor: str, action: str, about: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Adds the same act on many subjects, each with its detail: a link for each, the chain's end looked up and they written once."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    previous = session.scalar(select(AuditEntry.digest).order_by(AuditEntry.id.desc()).limit(1)) or GENESIS
    links = []
    for subject, detail in about:
        at, before = utc_now(), previous
        previous = _digest(at, actor, action, subject, detail, before)
        about_one = {"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail}
        links.append(about_one | {"previous": before, "digest": previous})
    insert_rows(session, AuditEntry.__table__, links)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``verify`` found: how many rows hold, and the id of the first that doesn't (``None`` when all do)."""

    checked: int
    broken_at: int | None


def verify(session: Session) -> Verdict:
    """Walks the whole chain from the first row."""
    previous, checked = GENESIS, 0
    with closing(session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000))) as entries:
        for entry in entries:
            expected = _digest(entry.at, entry.actor, entry.action, entry.subject, entry.detail, previous)
            if entry.previous != previous or entry.digest != expected:
                return Verdict(checked, entry.id)
            previous, checked = entry.digest, checked + 1
    return Verdict(checked, None)


def _digest(at: datetime, actor: str, action: str, subject: str, detail: dict[str, Any], previous: str) -> str:
    body = [previous, at.isoformat(timespec="microseconds"), actor, action, subject, detail]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
