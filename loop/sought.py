"""Words in lists of voices: what the search index says of them, as conditions for open work and for all voices.

A word is found in all its forms (歩く: 歩いて), within longer words (水道: 水道局), and as a receipt number; a phrase as it is written. No
search ever goes through the texts of all voices: those with the rarest word come from the index, and the newest are read besides, since
a word may stand there where the index has another (上水道 taken for 上水 and 道). Where even the rarest word is common, open work is asked
line by line, and of all voices the newest that have it are shown. What the index doesn't have is looked for in the newest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import Voice
from nlp import postings
from nlp.concordance import spellings
from nlp.similar import Lookup

MOST = 5_000  # voices that a search of all voices looks at: the newest
_FEW = 5_000  # a word that more voices have is common
_LONGER = 50  # words that hold the one that was typed, the commonest
_PART = 2  # letters that a part of a longer word has at least


def contains_all(words: tuple[str, ...], *columns: Any) -> list[ColumnElement[bool]]:
    """For each word a condition that one of the columns holds it; ``%`` and ``_`` stand for themselves."""
    return [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words]


@dataclass(frozen=True, slots=True)
class Sought:
    """Words as conditions, to be joined by AND.

    Attributes:
        lines: for lists of open work.
        everything: for lists of all voices.
        unknown: words that the index doesn't have; without any other they are looked for in the newest ``MOST`` voices only.
        common: many voices may have the words: of all voices only the newest ``MOST`` are shown.
        alone: none of the words is known.
    """

    lines: tuple[ColumnElement[bool], ...]
    everything: tuple[ColumnElement[bool], ...]
    unknown: tuple[str, ...] = ()
    common: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in which a word is found: by the terms that the index has it under, and as written where it is longer than a term."""

    terms: tuple[str, ...]
    written: str
    documents: int

    def within(self, session: Session) -> ColumnElement[bool]:
        held = postings.holds(session, Voice.id, self.terms)
        return and_(held, _is_written(self.written)) if self.written else held


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    ways: tuple[_Way, ...]
    voice: int | None  # whose receipt number it is

    @property
    def documents(self) -> int:
        return sum(way.documents for way in self.ways)

    def condition(self, session: Session, *, by_text: bool) -> ColumnElement[bool]:
        """That a voice has the word. ``by_text``: also in its text as it stands there, which takes longer."""
        found = [way.within(session) for way in self.ways]
        if by_text or not found:
            found += [_is_written(spelling.text) for spelling in spellings(self.text)]
        return or_(*found, *self.by_number())

    def by_number(self) -> list[ColumnElement[bool]]:
        return [] if self.voice is None else [Voice.id == self.voice]


def look_up(
    session: Session, words: Sequence[str], *, since: date | None = None, until: date | None = None, numbers: bool = True
) -> Sought:  # fmt: skip
    """What the index says of words. Of common ones the newest voices within the days are meant.

    ``numbers``: a receipt number finds its voice.
    """
    named = among(session, Voice.receipt_number, [word.upper() for word in words])
    voices = dict(session.execute(select(Voice.receipt_number, Voice.id).where(named)).all()) if numbers else {}
    asked = [_Word(word, _ways(session, word), voices.get(word.upper())) for word in words]
    unknown = tuple(word.text for word in asked if not word.ways and word.voice is None)
    rarest, *others = sorted(asked, key=lambda word: (not word.ways and word.voice is None, word.documents))
    days = [Voice.received_on >= since] if since else []
    days += [Voice.received_on <= until] if until else []
    newest = select(Voice.id).where(*days).order_by(Voice.received_on.desc(), Voice.id.desc()).limit(MOST).subquery()
    is_new = Voice.id.in_(select(newest.c.id))
    if not rarest.ways and rarest.voice is None:
        conditions = (is_new, *(word.condition(session, by_text=True) for word in asked))
        return Sought(conditions, conditions, unknown, alone=True)
    common = rarest.documents > _FEW
    last = session.scalar(select(func.max(Voice.id)).where(*days)) or 0 if common and until else 0
    lookups = [Lookup(way.terms, 1.0, MOST if common else 0, last) for way in rarest.ways]
    found = list(zip(rarest.ways, postings.find(session, lookups), strict=True))
    # A phrase is looked up by its words, and then as it is written.
    phrases = [and_(among(session, Voice.id, _newest(numbers)), _is_written(way.written)) for way, numbers in found if way.written]
    words_alone = _newest({number for way, numbers in found if not way.written for number in numbers})
    held = or_(among(session, Voice.id, words_alone), *phrases)
    if not common:
        held = or_(held, and_(is_new, or_(*(_is_written(spelling.text) for spelling in spellings(rarest.text)))))
    everything = (or_(held, *rarest.by_number()), *(word.condition(session, by_text=True) for word in others))
    if not common:
        return Sought(everything, everything, unknown)
    return Sought(tuple(word.condition(session, by_text=False) for word in asked), everything, unknown, common=True)


def _ways(session: Session, word: str) -> tuple[_Way, ...]:
    spelled = spellings(word)
    longer = postings.containing(session, [each.text for each in spelled], limit=_LONGER) if len(word) >= _PART else {}
    known = longer | postings.documents(session, list({term for each in spelled for term in each.terms}))
    found = [
        _Way(each.terms, "" if each.is_word else each.text, min(known[term] for term in each.terms))
        for each in spelled
        # In the other kana a phrase falls into words that mean something else: only one that is a word there, too, is meant.
        if each.terms and all(term in known for term in each.terms) and (each.is_word or each.terms == spelled[0].terms)
    ]
    own = {way.terms for way in found}
    return (*found, *(_Way((term,), "", documents) for term, documents in longer.items() if (term,) not in own))


def _newest(numbers: Collection[int]) -> list[int]:
    return sorted(numbers, reverse=True)[:MOST]


def _is_written(word: str) -> ColumnElement[bool]:
    return contains_all((word,), Voice.text, Voice.title)[0]
