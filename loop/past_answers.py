"""The city's own past answers and FAQ entries that fit a voice: what an answer is drafted from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import Answer, FaqEntry, Kind, Voice
from nlp import postings, similar
from nlp.answering import files, ranking, substance
from nlp.answering.questions import questions
from nlp.answering.ranking import Asked, Labels, Past
from nlp.answering.unanswered import subject
from nlp.japanese import tokenize
from nlp.vectors import Sif

# Voices found by rare words; of the answered ones so many are compared by all their words, and so many of those closely.
_FOUND, _RANKED, _CLOSE = 2000, 150, 50
# FAQ entries that are compared closely.
_CLOSE_ENTRIES = 20
_SNIPPET, _LONGEST = 160, 1000


@dataclass(frozen=True, slots=True)
class Source:
    """A past answer or an FAQ entry that fits a voice.

    Attributes:
        kind: "answer" or "faq".
        number: the answered voice's receipt number, or the FAQ entry's number.
        asked: what was asked then, masked: the beginning of the voice, or the FAQ's question.
        text: what was answered.
        answered_on: when; ``None`` for an FAQ entry and where no day was kept.
        score: how well it fits, 0 to 1.
        why: words that the voice and the source share, the rarest first.
        question: the sentence of the voice that it fits; "" where the voice asks nothing.
        others: how many more answers have the same wording.
    """

    kind: Literal["answer", "faq"]
    number: str
    asked: str
    text: str
    department: str
    answered_on: date | None
    score: float
    why: tuple[str, ...]
    question: str = ""
    others: int = 0


def sources(
    session: Session,
    voice: Voice,
    *,
    sif: Sif | None,
    limit: int = 3,
    before: date | None = None,
    folder: Path = files.FOLDER,
) -> list[Source]:
    """The past answers and FAQ entries that fit a voice best, best first; where it asks several things, one for each that has one.

    Of answers with the same wording the best fitting stands for all. Only answers to other voices, given before ``before`` if that is
    set; no notes of calls. One that only thanked comes after those that say something. ``sif`` (``nlp.similar.load_sif``) adds meaning
    to words.
    """
    asked_for = questions(voice.text)
    terms = postings.read(session, [voice.id]).get(voice.id) or similar.terms(f"{voice.title}\n{voice.text}")
    asked = Asked(
        voice.text,
        terms,
        Labels(voice.theme, voice.subtheme, voice.kind.value, voice.department),
        tuple(subject(one.subject(voice.text)) for one in asked_for),
    )
    near = _answered(session, voice, terms, before=before)
    found = [row for row in _rows(session, _closest(session, terms, near)) if substance.is_letter(row.text)]
    entries = session.execute(select(FaqEntry).where(FaqEntry.answer != "").order_by(FaqEntry.id)).scalars().all()
    past = [*_past_answers(session, found, substance.load(folder)), *_past_entries(session, terms, entries)]
    fits = ranking.rank(asked, past, weights=_weights(session, _every(asked.terms, past)), sif=sif, limit=limit)
    answered, written = {row.id: row for row in found}, {-entry.id: entry for entry in entries}
    spelled = _spelled(f"{voice.title}\n{voice.text}")
    return [
        Source(
            question=asked_for[fit.question].text(voice.text) if fit.question >= 0 else "",
            why=tuple(dict.fromkeys(spelled.get(term, term) for term in fit.shared)),
            score=fit.score,
            others=fit.others,
            **(_of_answer(answered[fit.key]) if fit.key in answered else _of_entry(written[fit.key])),
        )
        for fit in fits
    ]


def _answered(session: Session, voice: Voice, terms: Sequence[str], *, before: date | None) -> list[int]:
    """The answered voices with most rare words in common, the most first."""
    documents = postings.documents(session, [*terms, postings.VOICES])
    voices = documents.pop(postings.VOICES, 0)
    lookups = similar.lookups(documents, voices, budget=postings.BUDGET)
    ids = similar.best(list(zip(lookups, postings.find(session, lookups), strict=True)), without=[voice.id], limit=_FOUND)
    wanted = select(Answer.voice_id).where(among(session, Answer.voice_id, ids))
    if before is not None:
        wanted = wanted.join(Voice, Voice.id == Answer.voice_id).where(func.coalesce(Answer.answered_on, Voice.received_on) < before)
    answered = set(session.scalars(wanted))
    return [one for one in ids if one in answered][:_RANKED]


def _closest(session: Session, terms: Sequence[str], voices: Sequence[int]) -> list[int]:
    """Of these voices those that are most like it by all their words."""
    theirs = postings.read(session, voices)
    weights = _weights(session, [*terms, *(term for own in theirs.values() for term in own)])
    scores = similar.scores(terms, [theirs.get(one, ()) for one in voices], weights=weights, sif=None)
    return [voices[place] for place in np.argsort(-scores, kind="stable")[:_CLOSE]]


def _rows(session: Session, voices: Sequence[int]) -> Sequence[Any]:
    rows = session.execute(
        select(
            Voice.id,
            Voice.receipt_number,
            func.substr(Voice.text, 1, _LONGEST).label("asked"),
            Voice.theme,
            Voice.subtheme,
            Voice.kind,
            Voice.department,
            Answer.text,
            Answer.department.label("by"),
            Answer.answered_on,
        )
        .join(Answer, Answer.voice_id == Voice.id)
        .where(among(session, Voice.id, voices))
    )
    return rows.all()


def _past_answers(session: Session, found: Sequence[Any], courtesy: substance.Courtesy) -> list[Past]:
    terms = postings.read(session, [row.id for row in found])
    return [
        Past(
            key=row.id,
            text=row.asked,
            asked=terms.get(row.id, ()),
            said=_terms(row.text),
            labels=Labels(row.theme, row.subtheme, row.kind.value, row.by or row.department),
            answered_on=row.answered_on,
            empty=row.kind is not Kind.THANKS and not substance.substance(row.text, courtesy),
        )
        for row in found
    ]


def _past_entries(session: Session, terms: Sequence[str], entries: Sequence[FaqEntry]) -> list[Past]:
    """The FAQ entries whose questions are most like the voice, with keys below zero."""
    asked = [_terms(entry.question) for entry in entries]
    weights = _weights(session, [*terms, *(term for own in asked for term in own)])
    order = np.argsort(-similar.scores(terms, asked, weights=weights, sif=None), kind="stable")[:_CLOSE_ENTRIES]
    labels = [Labels(theme=entry.theme, department=entry.department) for entry in entries]
    return [Past(-entries[at].id, entries[at].question, asked[at], _terms(entries[at].answer), labels[at]) for at in order]


def _weights(session: Session, terms: Iterable[str]) -> dict[str, float]:
    """What each term counts, by the voices that have it."""
    documents = postings.documents(session, sorted({postings.VOICES, *terms}))
    voices = documents.pop(postings.VOICES, 0)
    return {term: similar.rarity(count, voices) for term, count in documents.items()}


def _every(terms: Sequence[str], past: Sequence[Past]) -> Iterator[str]:
    yield from terms
    for one in past:
        yield from one.asked
        yield from one.said


# The same answers and entries are looked at again and again.
@lru_cache(maxsize=20_000)
def _terms(text: str) -> tuple[str, ...]:
    return similar.terms(text)


def _spelled(text: str) -> dict[str, str]:
    """How the voice spells each of its terms: Sudachi's forms (為る, 埓) look wrong on a page."""
    return {term: token.surface for token in reversed(tokenize(text)) for term in similar.terms_of([token])}


def _of_answer(row: Any) -> dict[str, Any]:
    return {
        "kind": "answer",
        "number": row.receipt_number,
        "asked": row.asked[:_SNIPPET],
        "text": row.text,
        "department": row.by or row.department,
        "answered_on": row.answered_on,
    }


def _of_entry(entry: FaqEntry) -> dict[str, Any]:
    return {
        "kind": "faq",
        "number": entry.number,
        "asked": entry.question,
        "text": entry.answer,
        "department": entry.department,
        "answered_on": None,
    }
