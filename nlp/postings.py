"""The search index, one on both databases: FTS5 on SQLite, postings in blocks on PostgreSQL. Nothing else knows which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import ColumnElement, Integer, Text, bindparam, column, delete, exists, func, literal, or_, select, table, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.bulk import among, insert_columns
from core.models import SearchTerm, voice_search
from nlp import posting_blocks
from nlp.similar import Lookup

VOICES = ""  # the term that no text has: in how many voices it "stands" is the number of voices that are indexed
BUDGET = 20_000  # postings that one search reads at most
_LOCK = 0x6B6F6570  # any number, the same in every process

_ADDED = "ON CONFLICT (term) DO UPDATE SET documents = search_terms.documents + excluded.documents"
_COUNT = f"INSERT INTO search_terms (term, documents) VALUES (?, ?) {_ADDED}"  # noqa: S608
_COUNT_IN_ONE = text(
    "INSERT INTO search_terms (term, documents) SELECT term, change "  # noqa: S608
    f"FROM unnest(CAST(:terms AS text[]), CAST(:changes AS integer[])) AS given (term, change) {_ADDED}"
)
# Each voice's terms with a space between them, as SQLite and PostgreSQL have them.
_INDEX = tuple(table("voice_search", column(key, Integer), column("terms", Text)) for key in ("rowid", "voice_id"))
# The same without FTS5 in between, which takes longer to give a voice's terms than to find those that have one.
_CONTENT = (
    table("voice_search_content", column("id", Integer), column("c0", Text)),
    table("voice_search", column("voice_id", Integer), column("terms", Text)),
)
_MISSING = (
    "SELECT id, title, text FROM voices WHERE id > :after AND NOT EXISTS (SELECT 1 FROM voice_search WHERE rowid = voices.id)",
    "SELECT id, title, text FROM voices WHERE id > :after AND NOT EXISTS (SELECT 1 FROM voice_search WHERE voice_id = voices.id)",
)
# Where each voice's terms are held, and under what. FTS5's own count reads all of the texts.
_HELD = (("voice_search_content", "id"), ("voice_search", "voice_id"))
_FIND = "SELECT rowid FROM voice_search WHERE voice_search MATCH :wanted"
_NEWEST = " AND rowid <= :last ORDER BY rowid DESC LIMIT :limit"
_ANY = 2**63 - 1


def write(session: Session, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Indexes voices, given as (voice id, terms); one that is indexed already is indexed anew. The counts follow."""
    rows = [(voice, tuple(dict.fromkeys(terms))) for voice, terms in rows]
    if rows:
        take_turns(session)
        before = read(session, [voice for voice, _ in rows])
        _delete(session, before)
        _write(session, [voice for voice, _ in rows], [" ".join(terms) for _, terms in rows], before)


def write_new(session: Session, voices: Sequence[int], terms: Sequence[str]) -> None:
    """Indexes voices that are not indexed yet. ``terms`` holds those of each voice, each once, with a space between them."""
    if voices:
        take_turns(session)
        _write(session, voices, terms, {})


def take_turns(session: Session) -> None:
    """Writers queue up until the other's transaction ends.

    On PostgreSQL behind an advisory lock, on SQLite because a write transaction is exclusive. Else two that index the same voice
    would both take its old terms from the counts.
    """
    if _kind(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _write(session: Session, voices: Sequence[int], terms: Sequence[str], before: Mapping[int, Sequence[str]]) -> None:
    split = [found.split() for found in terms]
    changes = Counter(chain.from_iterable(split))
    changes[VOICES] += len(voices)
    for known in before.values():
        changes.subtract((*known, VOICES))
    counted = [(term, change) for term, change in changes.items() if change]
    connection = session.connection()
    if _kind(session):
        insert_columns(session, voice_search, {"voice_id": voices, "terms": terms}, count=len(voices))
        posting_blocks.add(session, zip(voices, split, strict=True))
        session.execute(_COUNT_IN_ONE, {"terms": [term for term, _ in counted], "changes": [change for _, change in counted]})
    else:
        connection.exec_driver_sql("INSERT INTO voice_search (rowid, terms) VALUES (?, ?)", list(zip(voices, terms, strict=True)))
        if counted:
            connection.exec_driver_sql(_COUNT, counted)


def read(session: Session, voices: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The terms of those voices that are indexed."""
    index = _INDEX[_kind(session)]
    found = session.execute(select(index).where(among(session, index.c[0], voices)))
    return {voice: tuple(terms.split()) for voice, terms in found}


def find(session: Session, lookups: Sequence[Lookup]) -> list[list[int]]:
    """For each lookup the voices that hold all its terms, in any order; where it sets a limit, the newest ones.

    A voice that was deleted may still be among them.
    """
    return posting_blocks.find(session, lookups) if _kind(session) else [_matching(session, lookup) for lookup in lookups]


def documents(session: Session, terms: Sequence[str]) -> dict[str, int]:
    """In how many voices each term stands; a term that no voice has is left out."""
    wanted = select(SearchTerm.term, SearchTerm.documents).where(among(session, SearchTerm.term, terms), SearchTerm.documents > 0)
    return dict(session.execute(wanted).all())


def containing(session: Session, parts: Sequence[str], *, limit: int) -> dict[str, int]:
    """The terms that hold one of the parts, and in how many voices each stands: the commonest ``limit``."""
    either = or_(*(SearchTerm.term.contains(part.casefold(), autoescape=True) for part in parts))  # as the terms are
    wanted = select(SearchTerm.term, SearchTerm.documents).where(either, SearchTerm.documents > 0)
    return dict(session.execute(wanted.order_by(SearchTerm.documents.desc(), SearchTerm.term).limit(limit)).all())


def holds(session: Session, voice: ColumnElement[int] | InstrumentedAttribute[int], terms: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a voice that is looked at anyway holds all the terms. To find voices by terms there is ``find``."""
    kind = _kind(session)
    index, place = _CONTENT[kind], (func.instr, func.strpos)[kind]
    number, own = index.c
    return exists(select(number).where(number == voice, *(place(literal(" ") + own + " ", f" {term} ") > 0 for term in terms)))


def missing(session: Session, *, after: int = 0, limit: int) -> list[tuple[int, str, str]]:
    """The next voices that are not indexed, as (id, title, masked text), in order of their ids."""
    statement = text(f"{_MISSING[_kind(session)]} ORDER BY id LIMIT :limit")
    return [(row.id, row.title, row.text) for row in session.execute(statement, {"after": after, "limit": limit})]


def remove(session: Session, voices: Sequence[int]) -> None:
    """Takes voices out of the index and its counts."""
    if not voices:
        return
    take_turns(session)
    before = read(session, voices)
    _delete(session, before)
    gone = Counter(term for known in before.values() for term in (*known, VOICES))
    if gone:
        fewer = update(SearchTerm).where(SearchTerm.term == bindparam("gone")).values(documents=SearchTerm.documents - bindparam("fewer"))
        connection = session.connection()
        connection.execute(fewer, [{"gone": term, "fewer": number} for term, number in sorted(gone.items())])
        session.execute(delete(SearchTerm).where(among(session, SearchTerm.term, list(gone)), SearchTerm.documents <= 0))


@dataclass(frozen=True, slots=True)
class IndexState:
    """How many voices the index holds, how many it lacks, and how many its counts speak of."""

    entries: int
    lacking: int
    counted: int


def state(session: Session) -> IndexState:
    """What the index says of itself. Voices that were deleted and left behind are among the entries."""
    held, key = _HELD[_kind(session)]
    entries = session.scalar(text(f"SELECT count(*) FROM {held}")) or 0  # noqa: S608
    lacking = session.scalar(text(f"SELECT count(*) FROM voices WHERE NOT EXISTS (SELECT 1 FROM {held} WHERE {key} = voices.id)")) or 0  # noqa: S608
    return IndexState(entries, lacking, documents(session, [VOICES]).get(VOICES, 0))


def _delete(session: Session, known: Mapping[int, Sequence[str]]) -> None:
    if not known:
        return
    index = _INDEX[_kind(session)]
    session.execute(delete(index).where(among(session, index.c[0], list(known))))
    if _kind(session):
        posting_blocks.remove(session, known.items())


def _matching(session: Session, lookup: Lookup) -> list[int]:
    wanted: dict[str, object] = {"wanted": " AND ".join(f'"{term}"' for term in lookup.terms)}
    if lookup.limit:
        wanted |= {"limit": lookup.limit, "last": lookup.last or _ANY}
    return list(session.scalars(text(_FIND + (_NEWEST if lookup.limit else "")), wanted).all())


def _kind(session: Session) -> int:
    return int(session.get_bind().dialect.name == "postgresql")
