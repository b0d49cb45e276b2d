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
from core.errors import ForbiddenError, InputError, NotFoundError
from core.models import CaseNote, User, Voice
from loop import merged
from loop.actors import Actor
from loop.handling import Target, noted, take
from loop.originals import REASONS
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


def read_original(session: Session, note_id: int, *, actor: Actor, reason: str, keyring: Keyring) -> str:
    """A note as it was written; who read it and why is recorded, in the caller's transaction.

    Who wrote it may, and who may read the originals of the case's voices.

    Raises:
        NotFoundError: the note isn't there, not for this person, or nothing in it was masked.
        ForbiddenError: this person may not.
        InputError: the reason is not one of ``originals.REASONS``.
        DecryptionError: the keys at hand don't open it.
    """
    note = session.get(CaseNote, note_id)
    voices = session.scalars(select(Voice).where(Voice.case_id == merged.current(session, note.case_id))).all() if note else []
    if note is None or not any(actor.may_see(voice) for voice in voices):
        raise NotFoundError("このメモは見つかりません。", hint="画面を開きなおしてください。")
    if not actor.may_label or (note.user_id != actor.user_id and not any(actor.may_read_original(voice) for voice in voices)):
        raise ForbiddenError("このメモの原文を読む権限がありません。", hint="書いた職員か、広聴課に依頼してください。")
    if reason not in REASONS:
        raise InputError("原文を表示する理由が選ばれていません。", hint="理由を一覧から選んでください。")
    if note.sealed is None:
        raise NotFoundError("このメモに、伏せたところはありません。", hint="表示されている文が、書かれたままの文です。")
    text = keyring.open(note.sealed, place=note.place)
    detail = {"note": note.id, "reason": reason}
    audit.record(session, actor=actor.username, action="note.read_original", subject=f"case:{note.case_id}", detail=detail)
    return text
