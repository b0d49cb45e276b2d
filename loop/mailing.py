"""Answers by mail, after the commit that sent them: each is marked before it goes and after, so that none goes twice unseen (ADR 0038)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, func, select, update
from sqlalchemy.orm import Session

from core import db
from core.city import City
from core.clock import utc_now, wareki
from core.crypto import Keyring
from core.errors import DecryptionError, KoeError
from core.models import Answer, Delivery, Dispatch, DispatchState, Draft, DraftKind, DraftState, Voice
from loop import originals

Post = Callable[[str, str, str], str]
"""Sends a mail (to, subject, body) and gives its Message-ID; raises a ``KoeError`` when the server didn't take it."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A mail that is marked as on its way."""

    dispatch_id: int
    to: str
    subject: str
    body: str


def count_waiting(engine: Engine, draft_id: int) -> int:
    """How many mails of a draft wait."""
    with db.reading(engine) as session:
        return session.scalar(select(func.count(Dispatch.id)).where(*_waiting(draft_id))) or 0


def deliver(
    engine: Engine, keyring: Keyring, city: City, draft_id: int, *, who: str, post: Post, progress: Callable[[int], None]
) -> dict[str, int]:
    """Sends the mails of a draft that wait, one after the other; gives how many went and how many didn't.

    At most once: a mail is marked and that is committed before the server hears of it. When the process dies in between, the mark stays,
    and a person says whether it goes again. ``who`` is the one in whose name the contacts are opened.
    """
    sent = failed = 0
    while (taken := _take_one(engine, keyring, city, draft_id, who=who)) is not None:
        problem = _send(engine, taken, post) if isinstance(taken, _Parcel) else taken
        sent, failed = (sent + 1, failed) if not problem else (sent, failed + 1)
        progress(sent + failed)
    return {"sent": sent, "failed": failed}


def _waiting(draft_id: int) -> tuple[ColumnElement[bool], ...]:
    return (Dispatch.draft_id == draft_id, Dispatch.delivery == Delivery.MAIL, Dispatch.state == DispatchState.WAITING)


def _take_one(engine: Engine, keyring: Keyring, city: City, draft_id: int, *, who: str) -> _Parcel | str | None:
    """Marks the next one as on its way; a problem's words if it can't go, ``None`` when none waits."""
    with db.writing(engine) as session:
        found = session.execute(
            select(Dispatch, Voice, Draft)
            .join(Voice, Voice.id == Dispatch.voice_id)
            .join(Draft, Draft.id == Dispatch.draft_id)
            .where(*_waiting(draft_id), Draft.state == DraftState.SENT)
            .order_by(Dispatch.id)
            .limit(1)
            .with_for_update(of=Dispatch, skip_locked=True)
        ).one_or_none()
        if found is None:
            return None
        dispatch, voice, draft = found
        dispatch.at = utc_now()
        try:
            to = _address(originals.open_contact(session, keyring, voice, who=who))
            problem = "" if to else "メールアドレスがありません。"
        except DecryptionError as error:
            to, problem = "", error.message
        if problem:
            dispatch.state, dispatch.problem = DispatchState.FAILED, problem
            return problem
        dispatch.state = DispatchState.SENDING
        return _Parcel(dispatch.id, to, *_written(session, city, voice, draft))


def _send(engine: Engine, parcel: _Parcel, post: Post) -> str:
    try:
        message_id, problem = post(parcel.to, parcel.subject, parcel.body), ""
    except KoeError as error:
        message_id, problem = "", str(error).replace(parcel.to, "〔メール〕")[:200]
    state = DispatchState.FAILED if problem else DispatchState.SENT
    values = {"state": state, "problem": problem, "message_id": message_id[:200], "at": utc_now()}
    with db.writing(engine) as session:
        session.execute(update(Dispatch).where(Dispatch.id == parcel.dispatch_id).values(**values))
    return problem


def _address(contact: dict[str, str]) -> str:
    """The address that answers go to: the field for it, or the first one in a contact that was written as one text."""
    for field in ("email", "contact"):
        if found := _ADDRESS.search(contact.get(field, "")):
            return found[0]
    return ""


def _written(session: Session, city: City, voice: Voice, draft: Draft) -> tuple[str, str]:
    department = session.scalar(select(Answer.department).where(Answer.voice_id == voice.id)) or voice.department
    subject = f"{'回答' if draft.kind is DraftKind.FINAL else '中間のお知らせ'}（受付番号 {voice.receipt_number}）"
    sender = [f"{city.name}{'　' if city.name else ''}{department}".strip(), f"電話 {city.phone}" if city.phone else ""]
    about = f"受付番号 {voice.receipt_number}（{wareki(voice.received_on)}受付）"
    return subject, "\n".join([draft.text, "", "--", about, *filter(None, sender)]) + "\n"
