"""Sealed records in the database: wrapping all of them again under the current key."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.crypto import Keyring
from core.models import Reject, Secret


def reseal_all(session: Session, keyring: Keyring, *, actor: str) -> int:
    """Seals every secret and reject under the keyring's current key; returns how many were changed.

    Raises:
        DecryptionError: a record can't be opened; nothing is changed then (the caller's transaction ends).
    """
    changed = 0
    # A cursor of the server is closed even when a record can't be opened.
    with closing(session.scalars(select(Secret).where(Secret.key_id != keyring.current).execution_options(yield_per=500))) as secrets:
        for secret in secrets:
            secret.sealed = keyring.seal(keyring.open(secret.sealed, place=secret.place), place=secret.place)
            secret.key_id = keyring.current
            changed += 1
    with closing(session.scalars(select(Reject).execution_options(yield_per=500))) as rejects:
        for reject in rejects:
            if Keyring.key_id(reject.sealed_row) != keyring.current:
                reject.sealed_row = keyring.seal(keyring.open(reject.sealed_row, place=reject.place), place=reject.place)
                changed += 1
    audit.record(session, actor=actor, action="keys.rotate", subject=f"key:{keyring.current}", detail={"records": changed})
    return changed
