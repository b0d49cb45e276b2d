"""Internal notes on a case: shown masked to all who see the case; as written only sealed, opened for a stated reason and logged."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.cleaning import clean_text
from core.crypto import Keyring
from core.errors import InputError, NotFoundError
from core.models import CaseNote, User, Voice
from loop import merged, originals
from loop.actors import Actor
from loop.handling import Target, noted, take
from loop.steps import Step
from nlp.annotation import PiiSpan

Mask = Callable[[Sequence[str]], list[tuple[str, tuple[PiiSpan, ...]]]]
"""``nlp.annotate.Masker(settings.taxonomy_dir)``: the masking of an import without its models. It takes milliseconds, and seconds only
where the first doubtful surname of a process lets GiNZA be loaded."""
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Note:
    """A note as people read it. ``is_masked``: it was written otherwise, and the original can be opened."""

    id: int
    case_id: int
    text: str
    user_id: int
    user: str
    at: datetime
    is_masked: bool


def add(session: Session, target: Target, text: str, *, actor: Actor, mask: Mask, keyring: Keyring) -> CaseNote:
    """Puts a note on a voice's case, in whatever state that is; begins a case for a voice that has none.

    Nobody's unsent form becomes stale by it: the case's version stays. The text is masked before the database is asked for anything,
    so that nobody waits behind it.

    Raises:
        InputError: nothing is written, or too much.
        NotFoundError: the voice isn't there, or not for this person.
        ForbiddenError: this person changes nothing.
    """
    written = clean_text(text)
    if not 0 < len(written) <= LONGEST:
        raise InputError(f"メモを {LONGEST:,} 字以内で書いてください。", hint="空のままでは保存できません。")
    ((shown, spans),) = mask([written])
    (item,) = take(session, [target], actor=actor)
    place = f"note:{secrets.token_hex(16)}"
    note = CaseNote(case_id=item.case.id, user_id=actor.user_id, text=shown, key_id="", place=place)
    if spans:
        note.key_id, note.sealed = keyring.current, keyring.seal(written, place=place)
    note.at = noted(session, item, Step.NOTE, actor=actor, detail={"masked": len(spans)}).at
    session.add(note)
    session.flush()
    return note


def notes_of(session: Session, case_id: int) -> list[Note]:
    """The notes of a case and of those that were merged into it, newest first."""
    statement = (
        select(CaseNote.id, CaseNote.case_id, CaseNote.text, CaseNote.user_id, User.display_name, CaseNote.at, CaseNote.key_id != "")
        .join(User, User.id == CaseNote.user_id)
        .where(CaseNote.case_id.in_(merged.members(case_id)))
        .order_by(CaseNote.at.desc(), CaseNote.id.desc())
    )
    return [Note(*row) for row in session.execute(statement)]


def read_original(session: Session, voice: Voice, note_id: int, *, actor: Actor, reason: str, keyring: Keyring) -> str:
    """A note on a voice's case as it was written; who read it and why is recorded, in the caller's transaction.

    Raises:
        KoeError: as ``originals.require``.
        NotFoundError: the case has no such note, or nothing in it was masked.
        DecryptionError: the keys at hand don't open it.
    """
    own = CaseNote.case_id.in_(merged.members(voice.case_id or 0))
    if (note := session.scalar(select(CaseNote).where(CaseNote.id == note_id, own))) is None:
        raise NotFoundError("このメモは見つかりません。", hint="画面を開きなおしてください。")
    originals.require(session, note.case_id, author_id=note.user_id, actor=actor, reason=reason)
    if note.sealed is None:
        raise NotFoundError("このメモに、伏せたところはありません。", hint="表示されている文が、書かれたままの文です。")
    text = keyring.open(note.sealed, place=note.place)
    detail = {"note": note.id, "reason": reason}
    audit.record(session, actor=actor.username, action="note.read_original", subject=f"case:{note.case_id}", detail=detail)
    return text
