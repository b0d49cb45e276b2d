"""What is still open of a letter's parts when its answer is put forward: replies that haven't come, sentences that nobody answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import CasePart, Voice
from loop.part_queries import sentences_of

if TYPE_CHECKING:
    from nlp.answering.checks import Finding
    from nlp.answering.substance import Courtesy

_SHOWN = 30


def look(session: Session, voices: Sequence[Voice], *, courtesy: Courtesy) -> Iterator[Finding]:
    """Warnings about the parts of the case that these voices are in; both may be so on purpose.

    A sentence is nobody's only where it was also said which ones the leading department answers: otherwise that answers the rest.
    """
    case_id = next((voice.case_id for voice in voices), None)
    if case_id is None:
        return
    from nlp.answering.checks import Code, Finding

    parts = session.scalars(select(CasePart).where(CasePart.case_id == case_id).order_by(CasePart.id)).all()
    for part in parts:
        if not part.is_lead and part.asked_at is not None and part.replied_at is None:
            message = f"{part.department}の部分の回答が、まだありません。"
            if part.returned_at is not None:
                message = f"{part.department}へ差し戻した部分の回答が、まだありません。"
            hint = "届くのを待つか、電話で確かめてください。要らなくなったときは、関係課から外せます。"
            yield Finding(Code.PART_OPEN, "warn", 0, 0, message, hint, "voice")
    led = {one["voice"] for part in parts if part.is_lead for one in part.passages}
    for voice in voices:
        if voice.id not in led:
            continue
        marks = [(part.department, one["start"], one["end"]) for part in parts for one in part.passages if one["voice"] == voice.id]
        for one in sentences_of(voice, marks):
            if one.departments or courtesy.holds(one.text):
                continue
            short = one.text if len(one.text) <= _SHOWN else f"{one.text[: _SHOWN - 1]}…"
            message, hint = f"どの課も答えない文があります: 「{short}」", "答える課を決めるか、回答案に書き足してください。"
            yield Finding(Code.NOBODYS, "warn", one.start, one.end, message, hint, "voice")
