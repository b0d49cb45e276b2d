"""Reading a sealed original: allowed to few, for a stated reason, and never without a line in the audit trail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.crypto import Keyring
from core.errors import ForbiddenError, InputError, NotFoundError
from core.models import Secret, Voice
from loop import merged
from loop.actors import Actor

REASONS = {
    "reply": "本人への回答・連絡のため",
    "masking": "伏せ字の誤りを確かめるため",
    "handover": "所管課への引継ぎのため",
    "urgent": "緊急の対応のため",
    "disclosure": "開示請求への対応のため",
}
"""What a person may give as the reason. A closed list: free text could carry personal data into the trail."""


@dataclass(frozen=True, slots=True)
class Original:
    """What the resident sent, as given: parts of the text and contacts, each with its name."""

    parts: dict[str, str]
    contacts: dict[str, str]


def read_original(session: Session, keyring: Keyring, voice: Voice, *, actor: Actor, reason: str) -> Original:
    """Opens a voice's original and records who read it and why, in the caller's transaction.

    Raises:
        ForbiddenError: this person may not.
        InputError: the reason is not one of ``REASONS``.
        NotFoundError: no original is kept.
        DecryptionError: the keys at hand don't open it.
    """
    if not actor.may_read_original(voice):
        raise ForbiddenError("この声の原文を読む権限がありません。", hint="広聴課か、この声の所管課の職員に依頼してください。")
    if reason not in REASONS:
        raise InputError("原文を表示する理由が選ばれていません。", hint="理由を一覧から選んでください。")
    opened = _open(session, keyring, voice, ("contact", "original"), who=actor.username, reason=reason)
    if not opened:
        raise NotFoundError("この声の原文は保存されていません。", hint="取り込んだもとのファイルを確かめてください。")
    return Original(_fields(opened.get("original", ""), alone="text"), _fields(opened.get("contact", ""), alone="contact"))


def require(session: Session, case_id: int, *, author_id: int, actor: Actor, reason: str) -> None:
    """Whether somebody may read what lies sealed with a case, such as a note or an attachment: who put it there may, and who may read the
    originals of the case's voices.

    Raises:
        NotFoundError: the case isn't there for this person.
        ForbiddenError: this person may not.
        InputError: the reason is not one of ``REASONS``.
    """
    voices = session.scalars(select(Voice).where(Voice.case_id == merged.current(session, case_id))).all()
    if not any(actor.may_see(voice) for voice in voices):
        raise NotFoundError("この案件は見つかりません。", hint="画面を開きなおしてください。")
    if not actor.may_label or (author_id != actor.user_id and not any(actor.may_read_original(voice) for voice in voices)):
        raise ForbiddenError("この案件の原文や添付を読む権限がありません。", hint="入れた職員か、広聴課に依頼してください。")
    if reason not in REASONS:
        raise InputError("原文を表示する理由が選ばれていません。", hint="理由を一覧から選んでください。")


def open_contact(session: Session, keyring: Keyring, voice: Voice, *, who: str) -> dict[str, str]:
    """The contact of a voice, opened in order to send it an answer, and that recorded; empty where none is kept.

    Whether that may be done is the caller's to see: an approved answer goes out, or a person prints a letter.

    Raises:
        DecryptionError: the keys at hand don't open it.
    """
    return _fields(_open(session, keyring, voice, ("contact",), who=who, reason="reply").get("contact", ""), alone="contact")


def _open(session: Session, keyring: Keyring, voice: Voice, fields: Sequence[str], *, who: str, reason: str) -> dict[str, str]:
    secrets = session.scalars(select(Secret).where(Secret.voice_id == voice.id, Secret.field.in_(fields))).all()
    opened = {secret.field: keyring.open(secret.sealed, place=secret.place) for secret in secrets}
    if opened:
        detail = {"receipt": voice.receipt_number, "reason": reason, "fields": sorted(opened)}
        audit.record(session, actor=who, action="voice.read_original", subject=f"voice:{voice.id}", detail=detail)
    return opened


def _fields(text: str, *, alone: str) -> dict[str, str]:
    try:
        content = json.loads(text)
    except ValueError:
        content = text
    if not isinstance(content, dict):
        return {alone: text} if text else {}
    return {str(name): str(value) for name, value in content.items() if value not in (None, "")}
