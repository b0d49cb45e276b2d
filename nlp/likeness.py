"""Voices like a voice or a text, and what the city answered then: the door between ``nlp.similar`` and the tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine, and_, exists, func, select
from sqlalchemy.orm import Session

from core import audit, db
from core import engine as parallel
from core.bulk import among
from core.crypto import Keyring
from core.errors import NotFoundError
from core.models import Answer, CampaignMember, Secret, Sender, Status, Voice
from core.senders import blind_sender
from core.settings import Settings
from nlp import postings
from nlp import similar as pure
from nlp.campaigns import Campaign, CampaignReport, campaign_of, campaigns, keep_wordings, update_campaigns
from nlp.postings import take_turns
from nlp.vectors import Sif
from nlp.wordings import Wording

__all__ = [
    "Around",
    "Campaign",
    "CampaignReport",
    "IndexReport",
    "PastAnswer",
    "Similar",
    "around",
    "build_index",
    "campaign_of",
    "campaigns",
    "index",
    "index_new",
    "past_answers",
    "similar",
    "take_turns",
    "update_campaigns",
]

_CHUNK = 2000
# Candidates by rare words, of which so many are looked at by all their words and by meaning.
_FOUND, _RERANKED, _ANSWERED = 1000, 100, 50
# Below this, two voices have no more in common than chance gives.
LEAST_LIKE = 0.25
_SNIPPET = 160


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """What the city answered, who and when: the source of a new answer."""

    text: str
    department: str
    answered_on: date | None


@dataclass(frozen=True, slots=True)
class Similar:
    """A voice like another. ``score`` is 0 to 1, ``snippet`` the beginning of the masked text, ``copies`` its campaign's voices."""

    voice_id: int
    score: float
    receipt_number: str
    received_on: date
    theme: str
    department: str
    status: Status
    title: str
    snippet: str
    answer: PastAnswer | None
    copies: int = 1

    def as_dict(self) -> dict[str, Any]:
        """The line of ``koe similar --json``."""
        answer = self.answer and {
            "text": self.answer.text,
            "department": self.answer.department,
            "answered_on": self.answer.answered_on and self.answer.answered_on.isoformat(),
        }
        return {
            "receipt_number": self.receipt_number, "score": round(self.score, 4), "received_on": self.received_on.isoformat(),
            "theme": self.theme, "department": self.department, "status": self.status.value, "title": self.title,
            "snippet": self.snippet, "copies": self.copies, "answer": answer,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a voice: those most like it, answers to others that are like it, and its campaign."""

    similar: tuple[Similar, ...]
    answered: tuple[Similar, ...]
    campaign: Campaign | None


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How many voices were indexed, and for how many the blind sender was made (anew)."""

    voices: int
    senders: int


@dataclass(frozen=True, slots=True)
class _Query:
    terms: tuple[str, ...]
    voice_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    voice_id: int
    answered: bool
    campaign: int | None


def index(session: Session, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Indexes voices given as (voice id, ``nlp.similar.terms`` of title and text), in the caller's transaction."""
    postings.write(session, rows)


def index_new(session: Session, voices: Sequence[int], terms: Sequence[str], made: Sequence[Wording]) -> None:
    """The same for voices that have just come in, whose terms are given with a space between them, and their wordings too."""
    postings.write_new(session, voices, terms)
    keep_wordings(session, voices, made)


def similar(
    session: Session,
    text: str = "",
    *,
    voice_id: int | None = None,
    limit: int = 10,
    answered_only: bool = False,
    sif: Sif | None = None,
) -> list[Similar]:
    """The voices most like a text (masked or to be forgotten: it is stored nowhere) or like a voice, best first.

    Of a campaign's near-copies one stands for all; the voice's own campaign is left out. ``sif`` (``nlp.similar.load_sif``) adds
    meaning to words. At most ``nlp.postings.BUDGET`` postings are read, so that the time hardly grows with the voices.

    Raises:
        NotFoundError: there is no voice of that id.
    """
    query = _query(session, text, voice_id)
    found = [item for item in _candidates(session, query) if item.answered or not answered_only]
    return _shown(session, _ranked(session, query, found[:_RERANKED], sif=sif)[:limit])


def past_answers(
    session: Session, text: str = "", *, voice_id: int | None = None, limit: int = 3, sif: Sif | None = None
) -> list[Similar]:  # fmt: skip
    """The answered voices most like a text or a voice; each has its ``answer``."""
    return similar(session, text, voice_id=voice_id, limit=limit, answered_only=True, sif=sif)


def around(session: Session, voice_id: int, *, limit: int = 5, answers: int = 3, sif: Sif | None = None) -> Around:
    """What a voice's page shows beside it: ``limit`` similar voices, and ``answers`` answered ones that aren't among them.

    Raises:
        NotFoundError: there is no voice of that id.
    """
    query = _query(session, "", voice_id)
    found = _candidates(session, query)
    first = found[:_RERANKED]
    more = [item for item in found[_RERANKED:] if item.answered][:_ANSWERED]
    ranked = _ranked(session, query, [*first, *more], sif=sif)
    nearest, further = ranked[:limit], [pair for pair in ranked[limit:] if pair[0].answered][:answers]
    shown = _shown(session, [*nearest, *further])
    return Around(tuple(shown[: len(nearest)]), tuple(shown[len(nearest) :]), campaign_of(session, voice_id))


def build_index(
    engine: Engine, settings: Settings, keyring: Keyring, *, actor: str = "cli", progress: Callable[[int], None] | None = None
) -> IndexReport:  # fmt: skip
    """Indexes the voices that lack it, and makes the blind senders that are missing or of another key, chunk by chunk.

    To make a sender its sealed contact is opened and forgotten; the audit trail counts how many.
    """
    voices = 0
    for rows in parallel.map(_terms_of, _missing(engine), settings=settings):
        with db.writing(engine) as session:
            index(session, rows)
        voices += len(rows)
        if progress:
            progress(voices)
    return IndexReport(voices, _build_senders(engine, keyring, actor=actor))


def _missing(engine: Engine) -> Iterator[list[tuple[int, str]]]:
    after = 0
    while True:
        with db.reading(engine) as session:
            rows = postings.missing(session, after=after, limit=_CHUNK)
        if not rows:
            return
        after = rows[-1][0]
        yield [(voice, f"{title}\n{text}") for voice, title, text in rows]


def _terms_of(rows: list[tuple[int, str]]) -> list[tuple[int, tuple[str, ...]]]:
    return [(voice, pure.terms(text)) for voice, text in rows]


def _build_senders(engine: Engine, keyring: Keyring, *, actor: str) -> int:
    made, after = 0, 0
    current = and_(Sender.voice_id == Secret.voice_id, Sender.key_id == keyring.current)
    while True:
        with db.writing(engine) as session:
            wanted = select(Secret).where(Secret.field == "contact", Secret.voice_id > after, ~exists().where(current))
            secrets = session.scalars(wanted.order_by(Secret.voice_id).limit(_CHUNK)).all()
            if secrets:
                after = secrets[-1].voice_id
                for secret in secrets:
                    contact = json.loads(keyring.open(secret.sealed, place=secret.place))
                    session.merge(Sender(voice_id=secret.voice_id, key_id=keyring.current, sender=blind_sender(contact, keyring)))
                made += len(secrets)
            elif made:
                audit.record(session, actor=actor, action="senders.blind", subject=f"key:{keyring.current}", detail={"records": made})
        if not secrets:
            return made


def _query(session: Session, text: str, voice_id: int | None) -> _Query:
    if voice_id is None:
        return _Query(pure.terms(text))
    indexed = postings.read(session, [voice_id]).get(voice_id)
    if indexed is not None:
        return _Query(indexed, voice_id)
    voice = session.execute(select(Voice.title, Voice.text).where(Voice.id == voice_id)).first()
    if voice is None:
        raise NotFoundError("この声は見つかりません。", hint="番号を確かめるか、一覧から探してください。")
    return _Query(pure.terms(f"{voice.title}\n{voice.text}"), voice_id)


def _candidates(session: Session, query: _Query) -> list[_Candidate]:
    """Voices with rare words in common, most first; one for each campaign, none of the query's own."""
    documents = postings.documents(session, [*query.terms, postings.VOICES])
    voices = documents.pop(postings.VOICES, 0)
    lookups = pure.lookups(documents, voices, budget=postings.BUDGET)
    found = list(zip(lookups, postings.find(session, lookups), strict=True))
    own = [] if query.voice_id is None else [query.voice_id, *_copies(session, query.voice_id)]
    ids = pure.best(found, without=own, limit=_FOUND)
    rows = session.execute(
        select(Voice.id, Answer.voice_id.is_not(None), CampaignMember.campaign_id)
        .outerjoin(Answer, Answer.voice_id == Voice.id)
        .outerjoin(CampaignMember, CampaignMember.voice_id == Voice.id)
        .where(among(session, Voice.id, ids))
    )
    known = {row[0]: _Candidate(row[0], bool(row[1]), row[2]) for row in rows}
    return _one_of_each([known[voice] for voice in ids if voice in known])


def _one_of_each(found: Sequence[_Candidate]) -> list[_Candidate]:
    """Without the further copies of a campaign; one that was answered stands for those that weren't."""
    answered = {item.campaign: item for item in reversed(found) if item.answered and item.campaign is not None}
    kept: dict[int | tuple[int], _Candidate] = {}
    for item in found:
        if item.campaign is None:
            kept[(item.voice_id,)] = item
        else:
            kept.setdefault(item.campaign, answered.get(item.campaign, item))
    return list(kept.values())


def _copies(session: Session, voice_id: int) -> Sequence[int]:
    own = select(CampaignMember.campaign_id).where(CampaignMember.voice_id == voice_id).scalar_subquery()
    return session.scalars(select(CampaignMember.voice_id).where(CampaignMember.campaign_id == own)).all()


def _ranked(session: Session, query: _Query, found: Sequence[_Candidate], *, sif: Sif | None) -> list[tuple[_Candidate, float]]:
    """The candidates with their likeness, best first and newer first among equals, without those that are alike by chance."""
    ids = [item.voice_id for item in found]
    terms = postings.read(session, ids)
    documents = postings.documents(session, sorted({postings.VOICES, *query.terms, *(term for own in terms.values() for term in own)}))
    voices = documents.pop(postings.VOICES, 0)
    weights = {term: pure.rarity(count, voices) for term, count in documents.items()}
    scores = pure.scores(query.terms, [terms.get(voice, ()) for voice in ids], weights=weights, sif=sif)
    liked = [(item, float(score)) for item, score in zip(found, scores, strict=True) if score >= LEAST_LIKE]
    return sorted(liked, key=lambda pair: (-pair[1], -pair[0].voice_id))


def _shown(session: Session, ranked: Sequence[tuple[_Candidate, float]]) -> list[Similar]:
    groups = [item.campaign for item, _ in ranked if item.campaign is not None]
    sizes = select(CampaignMember.campaign_id, func.count()).where(CampaignMember.campaign_id.in_(groups))
    copies = {row[0]: row[1] for row in session.execute(sizes.group_by(CampaignMember.campaign_id))} if groups else {}
    rows = session.execute(
        select(
            Voice.id,
            Voice.receipt_number,
            Voice.received_on,
            Voice.theme,
            Voice.department,
            Voice.status,
            Voice.title,
            func.substr(Voice.text, 1, _SNIPPET),
            Answer.text,
            Answer.department,
            Answer.answered_on,
        )
        .outerjoin(Answer, Answer.voice_id == Voice.id)
        .where(Voice.id.in_([item.voice_id for item, _ in ranked]))
    )
    found = {row[0]: row for row in rows}
    shown = []
    for item, score in ranked:
        voice, number, day, theme, department, status, title, snippet, said, by, on = found[item.voice_id]
        answer = PastAnswer(said, by, on) if said is not None else None
        count = copies.get(item.campaign, 1) if item.campaign is not None else 1
        shown.append(Similar(voice, score, number, day, theme, department, status, title, snippet, answer, count))
    return shown
