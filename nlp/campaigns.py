"""Campaigns (同文・一斉投稿): near-copies in groups that keep their id, brought up to date a chunk at a time, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Engine, case, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import db
from core import engine as parallel
from core.bulk import among, insert_rows
from core.errors import ConflictError
from core.models import CampaignMember, ReadingMark, Sender, Voice, VoiceWording
from core.settings import Settings
from nlp.grouping import Chunk, Grouping, Signed, chunks
from nlp.wordings import SCHEME, VALUES, Wording, wordings

CHUNK_VOICES = 20_000
_TO_SIGN = 2000
_AT_ONCE = 20_000
_MARK = "campaigns"
_SLICE = 500
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Campaign:
    """A group of near-copies: its voices, wordings and known senders counted apart, and the first voice's masked text.

    ``unknown`` counts the voices that came without a contact (送り主不明).
    """

    id: int
    voices: int
    texts: int
    senders: int
    unknown: int
    first_on: date
    last_on: date
    sample: str

    def as_dict(self) -> dict[str, Any]:
        """The line of ``koe campaigns --json``."""
        return {
            "campaign_id": self.id, "voices": self.voices, "texts": self.texts, "senders": self.senders, "unknown": self.unknown,
            "first_on": self.first_on.isoformat(), "last_on": self.last_on.isoformat(), "sample": self.sample,
        }  # fmt: skip


class _OvertakenError(Exception):
    """Another update has taken these voices in."""


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What an update did: voices read, groups begun, groups joined to an older one."""

    voices: int
    begun: int
    joined: int

    def as_dict(self) -> dict[str, int]:
        return {"voices": self.voices, "begun": self.begun, "joined": self.joined}


def update_campaigns(
    engine: Engine, settings: Settings, *, chunk_voices: int = CHUNK_VOICES, progress: Callable[[int], None] | None = None
) -> CampaignReport:  # fmt: skip
    """Puts the voices that came since the last update into groups, chunk by chunk, each in a transaction with the mark.

    One that was stopped goes on where it was, and one that another overtakes (two imports that end together) goes on where that one
    is; the report counts its own share. Signatures of another scheme than this program's are made anew; groups stay. All
    signatures are held in memory meanwhile, 156 bytes a voice.

    Raises:
        ConflictError: a program with another scheme is at work on the same voices, or an import is being undone.
    """
    last = _settled(engine)
    mark = _begin(engine)
    voices = begun = joined = 0
    while True:
        try:
            _sign(engine, settings, after=mark, last=last)
            for chunk in _chunks(engine, mark, last, chunk_voices):
                with db.writing(engine) as session:
                    _move_mark(session, chunk)
                    _refuse_gone(session, chunk)
                    new, merged = Grouping(session).place(chunk)
                    read = session.scalar(select(func.count()).where(Voice.id > chunk.after, Voice.id <= chunk.last)) or 0
                voices, begun, joined = voices + read, begun + new, joined + merged
                if progress:
                    progress(voices)
        except _OvertakenError:
            before, mark = mark, _begin(engine)
            if mark <= before:
                raise ConflictError("一斉投稿のまとめが、ほかで進んでいます。", hint="終わってから、もう一度実行してください。") from None
            continue
        return CampaignReport(voices, begun, joined)


def keep_wordings(session: Session, voices: Sequence[int], made: Sequence[Wording]) -> None:
    """Stores the wordings of voices that have none yet, in the caller's transaction."""
    rows = zip(voices, made, strict=True)
    insert_rows(
        session, VoiceWording.__table__, [{"voice_id": voice, "key": found.key, "signature": found.signature} for voice, found in rows]
    )


def campaigns(session: Session, *, least: int = 5, limit: int = 100) -> list[Campaign]:
    """The groups of at least so many voices, the largest first."""
    return _campaigns(session, least=least, limit=limit)


def campaign_of(session: Session, voice_id: int) -> Campaign | None:
    """The group that a voice is in."""
    group = session.scalar(select(CampaignMember.campaign_id).where(CampaignMember.voice_id == voice_id))
    found = _campaigns(session, group=group, least=2, limit=1) if group is not None else []
    return found[0] if found else None


def _campaigns(session: Session, *, least: int, limit: int, group: int | None = None) -> list[Campaign]:
    voices = func.count().label("voices")
    statement = (
        select(
            CampaignMember.campaign_id,
            voices,
            func.count(CampaignMember.text_id.distinct()),
            func.count(Sender.sender.distinct()),
            func.sum(case((Sender.sender.is_(None), 1), else_=0)),
            func.min(Voice.received_on),
            func.max(Voice.received_on),
            func.min(CampaignMember.voice_id),
        )
        .join(Voice, Voice.id == CampaignMember.voice_id)
        .outerjoin(Sender, Sender.voice_id == CampaignMember.voice_id)
        .group_by(CampaignMember.campaign_id)
        .having(func.count() >= least)
        .order_by(voices.desc(), CampaignMember.campaign_id)
        .limit(limit)
    )
    if group is not None:
        statement = statement.where(CampaignMember.campaign_id == group)
    rows = session.execute(statement).all()
    first = [row[-1] for row in rows]
    samples: dict[int, str] = {}
    for start in range(0, len(first), _SLICE):
        texts = select(Voice.id, func.substr(Voice.text, 1, _SAMPLE)).where(Voice.id.in_(first[start : start + _SLICE]))
        samples.update((voice, sample) for voice, sample in session.execute(texts))
    return [
        Campaign(group, count, texts, senders, unknown, since, until, samples[voice])
        for group, count, texts, senders, unknown, since, until, voice in rows
    ]


def _settled(engine: Engine) -> int:
    """The last voice up to which none can still come in: ids are given out before they are seen."""
    with db.writing(engine) as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("LOCK TABLE voices IN SHARE MODE"))
        return session.scalar(select(func.max(Voice.id))) or 0


def _begin(engine: Engine) -> int:
    with db.writing(engine) as session:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        first = dialect.insert(ReadingMark).values(name=_MARK, voice_id=0, scheme=SCHEME)
        session.execute(first.on_conflict_do_nothing(index_elements=["name"]))
        mark = session.get_one(ReadingMark, _MARK, with_for_update=True)
        if mark.scheme != SCHEME:
            session.execute(delete(VoiceWording))
            mark.voice_id, mark.scheme = 0, SCHEME
        return mark.voice_id


def _sign(engine: Engine, settings: Settings, *, after: int, last: int) -> None:
    """Wordings for those voices that came in without one."""
    for ids, made in parallel.map(_signatures_of, _unsigned(engine, after, last), settings=settings):
        with db.writing(engine) as session:
            session.get(ReadingMark, _MARK, with_for_update=True)  # one at a time
            known = set(session.scalars(select(VoiceWording.voice_id).where(VoiceWording.voice_id.between(ids[0], ids[-1]))))
            there = set(session.scalars(select(Voice.id).where(among(session, Voice.id, ids))))
            lacking = [place for place, voice in enumerate(ids) if voice in there and voice not in known]
            keep_wordings(session, [ids[place] for place in lacking], [made[place] for place in lacking])


def _unsigned(engine: Engine, after: int, last: int) -> Iterator[list[tuple[int, str]]]:
    while True:
        with db.reading(engine) as session:
            signed = select(VoiceWording.voice_id).where(VoiceWording.voice_id == Voice.id).exists()
            wanted = select(Voice.id, Voice.text).where(Voice.id > after, Voice.id <= last, ~signed).order_by(Voice.id).limit(_TO_SIGN)
            rows = [(row.id, row.text) for row in session.execute(wanted)]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _signatures_of(rows: list[tuple[int, str]]) -> tuple[list[int], list[Wording]]:
    return [voice for voice, _ in rows], wordings([masked for _, masked in rows])


def _chunks(engine: Engine, mark: int, last: int, size: int) -> Iterable[Chunk]:
    bounds = [mark, *_bounds(engine, mark, last, size)]
    return chunks(_signed(engine, last), bounds) if len(bounds) > 1 else ()


def _bounds(engine: Engine, mark: int, last: int, size: int) -> Iterator[int]:
    """The last voice of each chunk."""
    while mark < last:
        with db.reading(engine) as session:
            ids = select(Voice.id).where(Voice.id > mark, Voice.id <= last).order_by(Voice.id).limit(size).subquery()
            mark = session.scalar(select(func.max(ids.c.id))) or last
        yield mark


def _signed(engine: Engine, last: int) -> Signed:
    voices: list[np.ndarray[Any, Any]] = []
    keys: list[np.ndarray[Any, Any]] = []
    signatures: list[bytes] = []
    after = 0
    while True:
        with db.reading(engine) as session:
            wanted = select(VoiceWording.voice_id, VoiceWording.key, VoiceWording.signature).where(VoiceWording.voice_id > after)
            wanted = wanted.where(VoiceWording.voice_id <= last, VoiceWording.key.is_not(None)).order_by(VoiceWording.voice_id)
            rows = session.execute(wanted.limit(_AT_ONCE)).all()
        if not rows:
            break
        after = rows[-1][0]
        voices.append(np.array([row[0] for row in rows], dtype=np.int64))
        keys.append(np.array([row[1] for row in rows], dtype=np.int64))
        signatures.append(b"".join(row[2] for row in rows))
    none = np.empty(0, dtype=np.int64)
    return Signed(
        np.concatenate([none, *voices]), np.concatenate([none, *keys]), np.frombuffer(b"".join(signatures), "<u2").reshape(-1, VALUES)
    )


def _move_mark(session: Session, chunk: Chunk) -> None:
    moved = (
        update(ReadingMark)
        .where(ReadingMark.name == _MARK, ReadingMark.voice_id == chunk.after, ReadingMark.scheme == SCHEME)
        .values(voice_id=chunk.last)
        .returning(ReadingMark.voice_id)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(moved) is None:
        raise _OvertakenError


def _refuse_gone(session: Session, chunk: Chunk) -> None:
    """While the mark is held, no further voices are deleted (``nlp.forget``)."""
    wanted = {voice for pair in (*chunk.near, *chunk.copies.items()) for voice in pair}
    there = session.scalars(select(Voice.id).where(among(session, Voice.id, sorted(wanted)))).all()
    if len(there) < len(wanted):
        raise ConflictError("取込の取り消しが、ほかで進んでいます。", hint="終わってから、koe campaigns --update を実行してください。")
