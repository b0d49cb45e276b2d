"""Campaigns (同文・一斉投稿): near-copies in groups that keep their id, brought up to date a chunk at a time, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine, case, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import db
from core import engine as parallel
from core.errors import ConflictError
from core.models import CampaignMember, DistinctText, ReadingMark, Sender, TextBand, Voice
from core.settings import Settings
from nlp.grouping import Grouping, Work, read_work
from nlp.similar import SCHEME

CHUNK_VOICES = 2000
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
    is; the report counts its own share. Signatures of another scheme than this program's are made anew; groups stay.

    Raises:
        ConflictError: a program with another scheme is at work on the same voices.
    """
    last = _settled(engine)
    mark = _begin(engine)
    voices = begun = joined = 0
    while True:
        try:
            with closing(parallel.map(read_work, _works(engine, mark, last, chunk_voices), settings=settings)) as works:
                for read in works:
                    with db.writing(engine) as session:
                        _move_mark(session, read.work)
                        new, merged = Grouping(session).place(read)
                    voices, begun, joined = voices + len(read.work.rows), begun + new, joined + merged
                    if progress:
                        progress(voices)
        except _OvertakenError:
            before, mark = mark, _begin(engine)
            if mark <= before:
                raise ConflictError("一斉投稿のまとめが、ほかで進んでいます。", hint="終わってから、もう一度実行してください。") from None
            continue
        return CampaignReport(voices, begun, joined)


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
            session.execute(delete(TextBand))
            session.execute(delete(DistinctText))
            mark.voice_id, mark.scheme = 0, SCHEME
        return mark.voice_id


def _works(engine: Engine, mark: int, last: int, size: int) -> Iterator[Work]:
    while True:
        with db.reading(engine) as session:
            wanted = select(Voice.id, Voice.text).where(Voice.id > mark, Voice.id <= last).order_by(Voice.id).limit(size)
            rows = tuple((row.id, row.text) for row in session.execute(wanted))
        if not rows:
            return
        yield Work(mark, rows)
        mark = rows[-1][0]


def _move_mark(session: Session, work: Work) -> None:
    moved = (
        update(ReadingMark)
        .where(ReadingMark.name == _MARK, ReadingMark.voice_id == work.after, ReadingMark.scheme == SCHEME)
        .values(voice_id=work.rows[-1][0])
        .returning(ReadingMark.voice_id)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(moved) is None:
        raise _OvertakenError
