"""Sealed records in the database: wrapping all of them again under the current key."""

from __future__ import annotations

from contextlib import closing
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.bulk import among
from core.crypto import Keyring
from core.models import CaseFile, CaseNote, Reject, Secret

Sealed = TypeVar("Sealed", Secret, CaseNote, CaseFile)


def reseal_all(session: Session, keyring: Keyring, *, actor: str) -> int:
    """Seals every secret, note, attachment and reject under the keyring's current key; returns how many were changed.

    Raises:
        DecryptionError: a record can't be opened; nothing is changed then (the caller's transaction ends).
    """
    changed = 0
    changed += _reseal(session, Secret, keyring)
    changed += _reseal(session, CaseNote, keyring)
    changed += _reseal(session, CaseFile, keyring, at_once=1)
    # A cursor of the server is closed even when a record can't be opened.
    with closing(session.scalars(select(Reject).execution_options(yield_per=500))) as rejects:
        for reject in rejects:
            if Keyring.key_id(reject.sealed_row) != keyring.current:
                reject.sealed_row = keyring.seal(keyring.open(reject.sealed_row, place=reject.place), place=reject.place)
                changed += 1
    audit.record(session, actor=actor, action="keys.rotate", subject=f"key:{keyring.current}", detail={"records": changed})
    return changed


def _reseal(session: Session, table: type[Sealed], keyring: Keyring, *, at_once: int = 500) -> int:
    """The records of a table whose rows say by which key they are sealed, so many in memory as ``at_once`` says."""
    waiting = select(table.id).where(table.key_id != keyring.current, table.sealed.is_not(None)).order_by(table.id)
    numbers = session.scalars(waiting).all()
    for start in range(0, len(numbers), at_once):
        records = session.scalars(select(table).where(among(session, table.id, numbers[start : start + at_once]))).all()
        for record in records:
            record.sealed = keyring.seal_bytes(keyring.open_bytes(record.sealed or b"", place=record.place), place=record.place)
            record.key_id = keyring.current
        session.flush()
        for record in records:
            session.expunge(record)
    return len(numbers)
