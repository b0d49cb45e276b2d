"""The city's own past answers and FAQ entries that fit a voice: what an answer is drafted from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

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

# Voices found by rare words, of which so many answered ones are looked at closely.
_FOUND, _RANKED = 2000, 150
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
    found = [row for row in _answered(session, voice, terms, before=before) if substance.is_letter(row.text)]
    entries = session.execute(select(FaqEntry).where(FaqEntry.answer != "").order_by(FaqEntry.id)).scalars().all()
    past = [*_past_answers(session, found, substance.load(folder)), *_past_entries(entries)]
    fits = ranking.rank(asked, past, weights=_weights(session, asked, past), sif=sif, limit=limit)
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


def _answered(session: Session, voice: Voice, terms: Sequence[str], *, before: date | None) -> Sequence[Any]:
    """The answered voices with most rare words in common, the most first."""
    documents = postings.documents(session, [*terms, postings.VOICES])
    voices = documents.pop(postings.VOICES, 0)
    lookups = similar.lookups(documents, voices, budget=postings.BUDGET)
    ids = similar.best(list(zip(lookups, postings.find(session, lookups), strict=True)), without=[voice.id], limit=_FOUND)
    wanted = select(Answer.voice_id).where(among(session, Answer.voice_id, ids))
    if before is not None:
        wanted = wanted.join(Voice, Voice.id == Answer.voice_id).where(func.coalesce(Answer.answered_on, Voice.received_on) < before)
    answered = set(session.scalars(wanted))
    nearest = [one for one in ids if one in answered][:_RANKED]
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
        .where(among(session, Voice.id, nearest))
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


def _past_entries(entries: Sequence[FaqEntry]) -> list[Past]:
    """FAQ entries have the keys below zero."""
    return [
        Past(
            -entry.id, entry.question, _terms(entry.question), _terms(entry.answer), Labels(theme=entry.theme, department=entry.department)
        )
        for entry in entries
    ]


def _weights(session: Session, asked: Asked, past: Sequence[Past]) -> dict[str, float]:
    every = {postings.VOICES, *asked.terms}.union(*(one.asked for one in past), *(one.said for one in past))
    documents = postings.documents(session, sorted(every))
    voices = documents.pop(postings.VOICES, 0)
    return {term: similar.rarity(count, voices) for term, count in documents.items()}


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
