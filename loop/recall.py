"""Whether drafting finds the right past answer, on voices of which it is known what each is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Answer, Voice
from loop import drafting
from nlp import likeness
from nlp.answering import substance
from nlp.answering.recall import Recall, by_letters, hits
from nlp.vectors import Sif

_FIRST = 3
# Of likeness, which knows no dates, so many are asked for, and those answered later are left out.
_ENOUGH = 50


@dataclass(frozen=True, slots=True)
class _Answered:
    voice_id: int
    matter: str
    text: str
    on: date


def measure(session: Session, matters: Mapping[str, str], *, sif: Sif | None, most: int = 500) -> Recall | None:
    """Asks for the sources of voices whose matter was answered before they came, evenly taken, at most ``most``.

    ``matters`` says of each external id what the voice is about ("" for none). An answer counts that was sent in writing before the
    voice's day, to another voice; a source is right when the voice that it answered is of the same matter. ``None`` where there is
    no such voice.
    """
    voices = list(session.scalars(select(Voice).order_by(Voice.id)))
    numbers = {voice.receipt_number: matters.get(voice.external_id, "") for voice in voices}
    answered = list(_answered(session, {voice.id: numbers[voice.receipt_number] for voice in voices}))
    eligible = [voice for voice in voices if _answered_before(voice, numbers[voice.receipt_number], answered)]
    if not eligible:
        return None
    asked = [eligible[place] for place in sorted({int(row) for row in np.linspace(0, len(eligible) - 1, min(most, len(eligible)))})]
    wanted = [numbers[voice.receipt_number] for voice in asked]
    ours = [
        [numbers.get(source.number, "") == matter for source in drafting.sources(session, voice, sif=sif, before=voice.received_on)]
        for voice, matter in zip(asked, wanted, strict=True)
    ]
    ways = {"sources": ours, "likeness": _likeness(session, asked, numbers, sif), "letters": _letters(asked, wanted, answered)}
    return Recall(len(asked), len(eligible), {name: hits(found) for name, found in ways.items()})


def _answered(session: Session, matters: Mapping[int, str]) -> Iterator[_Answered]:
    rows = session.execute(
        select(Voice.id, Voice.text, Answer.text, Answer.answered_on)
        .join(Answer, Answer.voice_id == Voice.id)
        .where(Answer.answered_on.is_not(None))
        .order_by(Voice.id)
    )
    for voice, text, said, on in rows:
        if matters[voice] and on is not None and substance.is_letter(said):
            yield _Answered(voice, matters[voice], text, on)


def _answered_before(voice: Voice, matter: str, answered: Sequence[_Answered]) -> bool:
    return bool(matter) and any(one.matter == matter and one.on < voice.received_on and one.voice_id != voice.id for one in answered)


def _likeness(session: Session, asked: Sequence[Voice], numbers: Mapping[str, str], sif: Sif | None) -> list[list[bool]]:
    """The answered voices most like each, as its page shows them."""
    found = []
    for voice in asked:
        like = likeness.past_answers(session, voice_id=voice.id, limit=_ENOUGH, sif=sif)
        before = [one for one in like if one.answer and one.answer.answered_on and one.answer.answered_on < voice.received_on]
        found.append([numbers[one.receipt_number] == numbers[voice.receipt_number] for one in before[:_FIRST]])
    return found


def _letters(asked: Sequence[Voice], wanted: Sequence[str], answered: Sequence[_Answered]) -> list[list[bool]]:
    """The answered voices with the most letters in common."""
    scores = by_letters([voice.text for voice in asked], [one.text for one in answered])
    late = np.array([[one.on >= voice.received_on or one.voice_id == voice.id for one in answered] for voice in asked])
    best = np.argsort(-np.where(late, -1.0, scores), axis=1, kind="stable")[:, :_FIRST]
    return [[answered[place].matter == matter for place in row] for row, matter in zip(best, wanted, strict=True)]
