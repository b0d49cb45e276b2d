"""The voices behind a number of a topic's opinions: what the address says, and each text around the words that count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.fields import Name, Text
from api.trends.view import TrendsQuery
from core.errors import InputError
from core.models import Kind, Voice
from loop import queries
from loop.actors import Actor
from nlp.opinions import Opinions, Side
from nlp.opinions import service as opinion_service

AnySide = Annotated[Side | None, BeforeValidator(lambda value: value or None)]
NEWEST = 1000
"""Voices of a topic whose readings a page sums up: a page waits for no more, however large the topic."""
_PAGE = 30
_AROUND = 60
STANCE_MARK = {Side.FOR: "for", Side.AGAINST: "against", Side.NEITHER: "neither"}


class OpinionQuery(TrendsQuery):
    """Either a judgement (``subject`` and ``predicate``) or a side, in a period."""

    subject: Text = ""
    predicate: Name = ""
    stance: AnySide = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    @property
    def pair(self) -> tuple[str, str] | None:
        return (self.subject, self.predicate) if self.subject and self.predicate else None

    @property
    def heading(self) -> str:
        """What the page is about."""
        if self.pair:
            return f"「{self.subject} → {self.predicate}」と述べた声"
        return f"{self.stance.value}の声" if self.stance and self.stance is not Side.NEITHER else "賛成・反対のどちらでもない声"


@dataclass(frozen=True, slots=True)
class Row:
    """A voice of the list: ``pieces`` are (text, whether it is marked)."""

    receipt_number: str
    received_on: date
    kind: Kind
    theme: str
    department: str
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the voices behind a number; ``previous`` and ``following`` are page numbers, 0 where there is none.

    ``hidden``: how many of ``total`` are other departments' alone.
    """

    total: int
    rows: tuple[Row, ...]
    previous: int
    following: int
    hidden: int


def behind(session: Session, topic_id: int, query: OpinionQuery, *, seen_by: Actor, since: date, until: date) -> Found:
    """The page of voices that an address means; ``total`` counts all of them, the page has those that this person may see.

    Raises:
        InputError: the address names neither a judgement nor a side.
    """
    if query.pair is None and query.stance is None:
        raise InputError("どの声を見るかが指定されていません。", hint="話題の画面の件数から開いてください。")
    ids = opinion_service.voices_behind(session, topic_id, pair=query.pair, side=query.stance, since=since, until=until, newest=NEWEST)
    may_see = queries.seen(session, ids, seen_by=seen_by)
    first = (query.page - 1) * _PAGE
    shown = may_see[first : first + _PAGE]
    said = opinion_service.opinions_of(session, shown)
    voices = {voice.id: voice for voice in session.scalars(select(Voice).where(Voice.id.in_(shown)))}
    rows = tuple(_row(voices[number], said[number], query) for number in shown)
    return Found(
        len(ids), rows, query.page - 1 if first else 0, query.page + 1 if first + _PAGE < len(may_see) else 0, len(ids) - len(may_see)
    )


def _row(voice: Voice, said: Opinions, query: OpinionQuery) -> Row:
    if query.pair:
        spans = [
            (span.start, span.end)
            for pair in said.pairs
            if (pair.topic, pair.predicate) == query.pair
            for span in (pair.topic_span, pair.predicate_span)
        ]
    else:
        spans = list(said.stance.words)
    return Row(voice.receipt_number, voice.received_on, voice.kind, voice.theme, voice.department, excerpt(voice.text, spans))


def excerpt(text: str, spans: Iterable[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """The text around the first of these spans, cut into pieces; every span that lies in it is marked."""
    ordered = sorted(spans)
    begin = max(0, ordered[0][0] - _AROUND) if ordered else 0
    end = min(len(text), (ordered[0][1] if ordered else 0) + 2 * _AROUND)
    pieces = [("…", False)] if begin else []
    pieces += _cut(text, begin, end, ordered)
    return tuple(pieces + ([("…", False)] if end < len(text) else []))


def _cut(text: str, begin: int, end: int, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    pieces, place = [], begin
    for start, stop in spans:
        if start < place or stop > end:
            continue
        pieces += [(text[place:start], False), (text[start:stop], True)]
        place = stop
    return [piece for piece in [*pieces, (text[place:end], False)] if piece[0]]
