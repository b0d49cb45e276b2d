"""The door between ``nlp.opinions`` and the tables: read once, kept, and summed up by topic."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import db, facts, memberships
from core import engine as parallel
from core.bulk import among
from core.clock import utc_now
from core.errors import NotFoundError
from core.models import Opinion, Topic, TopicMembership, Voice
from core.settings import Settings
from nlp import opinions as pure
from nlp.opinions import Opinions, Pair, Polarity, Side, Span, Stance

__all__ = ["PairCount", "Report", "TopicOpinions", "opinions_of", "read_now", "summary", "update", "voices_behind"]

_CHUNK = 64
_SLICE = 500
_TOP = 20
_CHANGED = ("stance", "confidence", "stance_words", "pairs", "requests", "questions", "model", "created_at")


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did: how many voices it read, of how many that had waited."""

    read: int
    waiting: int


@dataclass(frozen=True, slots=True)
class PairCount:
    """A judgement and the voices that make it, newest first. A voice counts once, however often it says so."""

    topic: str
    predicate: str
    polarity: Polarity
    voice_ids: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.voice_ids)


@dataclass(frozen=True, slots=True)
class TopicOpinions:
    """What was read of a topic's voices. ``stances`` has every side and adds up to ``read``; ``read`` is at most ``voices``.

    ``voices`` were looked at, of ``of`` that there are: fewer where only the newest were asked for.
    """

    of: int
    voices: int
    read: int
    stances: dict[Side, int]
    requests: int
    questions: int
    pairs: tuple[PairCount, ...]

    @property
    def request_share(self) -> float:
        return self.requests / self.read if self.read else 0.0

    @property
    def question_share(self) -> float:
        return self.questions / self.read if self.read else 0.0


@dataclass(frozen=True, slots=True)
class Scope:
    """Which voices one looks at: of a topic with all below it (``None``: of any), received from ``since`` to ``until``."""

    topic: int | None = None
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on ``Voice``, to be joined by AND."""
        found: list[ColumnElement[bool]] = []
        if self.since:
            found.append(Voice.received_on >= self.since)
        if self.until:
            found.append(Voice.received_on <= self.until)
        if self.topic is not None:
            members = select(TopicMembership.voice_id).where(TopicMembership.topic_id.in_(memberships.family(self.topic)))
            found.append(Voice.id.in_(members))
        return found


def opinions_of(session: Session, voice_ids: Sequence[int]) -> dict[int, Opinions]:
    """What was read of these voices, by id; those that weren't read by the rules of today are left out."""
    found: dict[int, Opinions] = {}
    for start in range(0, len(voice_ids), _SLICE):
        wanted = select(Opinion).where(Opinion.voice_id.in_(voice_ids[start : start + _SLICE]), Opinion.model == pure.version())
        found.update((row.voice_id, _opinions(row)) for row in session.scalars(wanted))
    return found


def read_now(session: Session, voice: Voice) -> Opinions:
    """Reads one voice and stores what was found. The text is read before the session is used, so that no lock is held meanwhile."""
    (said,) = pure.opinions([voice.text])
    _store(session, [(voice.id, said)])
    return said


def update(
    engine: Engine,
    settings: Settings,
    *,
    topic: int | None = None,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Reads the voices that lack it or were read by earlier rules, newest first; each chunk is stored in its own transaction.

    What was stored stays when the work is broken off, and the next call goes on from there. ``progress`` gets how many are done,
    and of how many.

    Raises:
        NotFoundError: there is no such topic.
    """
    with db.reading(engine) as session:
        if topic is not None:
            _topic(session, topic)
        ids = session.scalars(_waiting(topic).limit(limit)).all()
    done = 0
    for rows in parallel.map(_read, _texts(engine, ids), settings=settings):
        with db.writing(engine) as session:
            _store(session, rows)
        done += len(rows)
        if progress:
            progress(done, len(ids))
    return Report(done, len(ids))


def summary(
    session: Session,
    topic_id: int | None,
    *,
    since: date | None = None,
    until: date | None = None,
    top: int = _TOP,
    newest: int | None = None,
) -> TopicOpinions:
    """What the voices of a topic, and of all below it, hold; of all voices when ``topic_id`` is ``None``.

    ``newest``: only so many voices are looked at, the newest: the time doesn't grow with the topic.

    Raises:
        NotFoundError: there is no such topic.
    """
    if topic_id is not None:
        _topic(session, topic_id)
    scope = Scope(topic_id, since, until)
    there = _count(session, scope)
    stances: Counter[str] = Counter()
    behind: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    read = requests = questions = 0
    for row in _rows(session, scope, newest=newest):
        read += 1
        stances[row.stance] += 1
        requests += bool(row.requests)
        questions += bool(row.questions)
        for pair in row.pairs:
            behind[pair["topic"], pair["predicate"]].setdefault(row.voice_id, pair["polarity"])
    ranked = sorted(behind.items(), key=lambda item: (-len(item[1]), item[0]))[:top]
    counted = tuple(PairCount(*key, _commonest(said.values()), tuple(said)) for key, said in ranked)
    voices = there if newest is None else min(there, newest)
    return TopicOpinions(there, voices, read, {side: stances[side.value] for side in Side}, requests, questions, counted)


def voices_behind(
    session: Session,
    topic_id: int,
    *,
    pair: tuple[str, str] | None = None,
    side: Side | None = None,
    since: date | None = None,
    until: date | None = None,
    newest: int | None = None,
) -> list[int]:
    """The voices behind a number of ``summary``, newest first: those that make a judgement, or that are on a side."""
    return [
        row.voice_id
        for row in _rows(session, Scope(topic_id, since, until), newest=newest)
        if (side is None or row.stance == side.value)
        and (pair is None or any((said["topic"], said["predicate"]) == pair for said in row.pairs))
    ]


def _rows(session: Session, scope: Scope, *, newest: int | None = None) -> Iterable[Any]:
    columns = (Opinion.voice_id, Opinion.stance, Opinion.pairs, Opinion.requests, Opinion.questions)
    wanted = select(*columns).where(Opinion.model == pure.version())
    if newest is None:
        joined = wanted.join(Voice, Voice.id == Opinion.voice_id).where(*scope.conditions())
        return session.execute(joined.order_by(Voice.received_on.desc(), Voice.id.desc()))
    ids = _newest(session, scope, newest)
    rows = {row.voice_id: row for row in session.execute(wanted.where(among(session, Opinion.voice_id, ids)))}
    return [rows[voice] for voice in ids if voice in rows]


def _newest(session: Session, scope: Scope, number: int) -> list[int]:
    if scope.topic is not None:
        return [voice for _, voice in memberships.newest(session, scope.topic, limit=number, since=scope.since, until=scope.until)]
    walked = select(Voice.id).where(*scope.conditions()).order_by(Voice.received_on.desc(), Voice.id.desc())
    return list(session.scalars(walked.limit(number)))


def _count(session: Session, scope: Scope) -> int:
    values = None if scope.topic is None else [str(topic) for topic in session.scalars(memberships.family(scope.topic))]
    facet = "" if scope.topic is None else "topic"
    return sum(facts.totals(session, facet, since=scope.since, until=scope.until, values=values).values())


def _waiting(topic: int | None) -> Select[int]:
    read = and_(Opinion.voice_id == Voice.id, Opinion.model == pure.version())
    lacking = select(Voice.id).outerjoin(Opinion, read).where(Opinion.voice_id.is_(None), *Scope(topic).conditions())
    return lacking.order_by(Voice.received_on.desc(), Voice.id.desc())


def _texts(engine: Engine, ids: Sequence[int]) -> Iterator[list[tuple[int, str]]]:
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        with db.reading(engine) as session:
            found = {row[0]: row[1] for row in session.execute(select(Voice.id, Voice.text).where(Voice.id.in_(chunk)))}
        yield [(voice, found[voice]) for voice in chunk if voice in found]


def _read(rows: list[tuple[int, str]]) -> list[tuple[int, Opinions]]:
    said = pure.opinions([text for _, text in rows])
    return [(voice, item) for (voice, _), item in zip(rows, said, strict=True)]


def _store(session: Session, rows: Sequence[tuple[int, Opinions]]) -> None:
    """Writes rows over what earlier rules wrote. A voice that was deleted while it was read is left out."""
    present = set(session.scalars(select(Voice.id).where(Voice.id.in_([voice for voice, _ in rows]))))
    model, now = pure.version(), utc_now()
    values = [{"voice_id": voice, "model": model, "created_at": now, **said.as_dict()} for voice, said in rows if voice in present]
    if not values:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Opinion)
    written = insert.on_conflict_do_update(index_elements=["voice_id"], set_={name: getattr(insert.excluded, name) for name in _CHANGED})
    session.execute(written, values)


def _opinions(row: Opinion) -> Opinions:
    return Opinions(
        tuple(
            Pair(item["topic"], item["predicate"], Polarity(item["polarity"]), Span(*item["topic_span"]), Span(*item["predicate_span"]))
            for item in row.pairs
        ),
        tuple(Span(*span) for span in row.requests),
        tuple(Span(*span) for span in row.questions),
        Stance(Side(row.stance), row.confidence, tuple((start, end) for start, end in row.stance_words)),
    )


def _commonest(polarities: Iterable[str]) -> Polarity:
    return Polarity(Counter(polarities).most_common(1)[0][0])


def _topic(session: Session, topic_id: int) -> Topic:
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NotFoundError("この話題は見つかりません。", hint="koe topics list で番号を確かめてください。")
    return topic
