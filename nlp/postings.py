"""The search index, one on both databases: FTS5 on SQLite, a GIN index over ``tsvector`` on PostgreSQL. Nothing else knows which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import BindParameter, bindparam, select, text
from sqlalchemy.orm import Session

from core.models import SearchTerm
from nlp.similar import Lookup

VOICES = ""  # the term that no text has: in how many voices it "stands" is the number of voices that are indexed
_SLICE = 500  # values in one statement: well under the number of parameters that any SQLite takes

# Postings that one search reads at most. PostgreSQL looks at a voice's row for each, whether it may be seen: about four times as slow.
_BUDGET = (20_000, 5_000)

_COUNT = text(
    "INSERT INTO search_terms (term, documents) VALUES (:term, :documents) "
    "ON CONFLICT (term) DO UPDATE SET documents = search_terms.documents + excluded.documents"
)
_IDS: BindParameter[list[int]] = bindparam("ids", expanding=True)
# SQLite, PostgreSQL
_WRITE = (
    "INSERT INTO voice_search (rowid, terms) VALUES (:voice, :terms)",
    "INSERT INTO voice_search (voice_id, terms) VALUES (:voice, array_to_tsvector(CAST(:terms AS text[])))",
)
_READ = (
    "SELECT rowid, terms FROM voice_search WHERE rowid IN :ids",
    "SELECT voice_id, tsvector_to_array(terms) FROM voice_search WHERE voice_id IN :ids",
)
_DELETE = ("DELETE FROM voice_search WHERE rowid IN :ids", "DELETE FROM voice_search WHERE voice_id IN :ids")
_FIND = (
    "SELECT rowid FROM voice_search WHERE voice_search MATCH :wanted",
    "SELECT voice_id FROM voice_search WHERE terms @@ CAST(:wanted AS tsquery)",
)
_NEWEST = (" ORDER BY rowid DESC LIMIT :limit", " ORDER BY voice_id DESC LIMIT :limit")
_MISSING = (
    "SELECT id, title, text FROM voices WHERE id > :after AND NOT EXISTS (SELECT 1 FROM voice_search WHERE rowid = voices.id)",
    "SELECT id, title, text FROM voices WHERE id > :after AND NOT EXISTS (SELECT 1 FROM voice_search WHERE voice_id = voices.id)",
)


def write(session: Session, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Indexes voices, given as (voice id, terms); one that is indexed already is indexed anew. The counts follow."""
    rows = [(voice, tuple(dict.fromkeys(terms))) for voice, terms in rows]
    if not rows:
        return
    changes: Counter[str] = Counter()
    before = read(session, [voice for voice, _ in rows])
    for start in range(0, len(old := list(before)), _SLICE):
        session.execute(text(_DELETE[_kind(session)]).bindparams(_IDS), {"ids": old[start : start + _SLICE]})
    for known in before.values():
        changes.subtract((*known, VOICES))
    for _, terms in rows:
        changes.update((*terms, VOICES))
    on_postgresql = _kind(session) == 1
    values = [{"voice": voice, "terms": list(terms) if on_postgresql else " ".join(terms)} for voice, terms in rows]
    session.execute(text(_WRITE[_kind(session)]), values)
    # In one order, so that two imports at once wait for each other instead of for ever.
    counted = [{"term": term, "documents": change} for term, change in sorted(changes.items()) if change]
    if counted:
        session.execute(_COUNT, counted)


def read(session: Session, voices: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The terms of those voices that are indexed."""
    statement = text(_READ[_kind(session)]).bindparams(_IDS)
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(voices), _SLICE):
        for voice, terms in session.execute(statement, {"ids": list(voices[start : start + _SLICE])}):
            found[voice] = tuple(terms.split() if isinstance(terms, str) else terms)
    return found


def find(session: Session, lookup: Lookup) -> list[int]:
    """The voices that hold all terms of a lookup, the newest ones where it sets a limit."""
    kind = _kind(session)
    wanted = " & ".join(f"'{term}'" for term in lookup.terms) if kind else " AND ".join(f'"{term}"' for term in lookup.terms)
    statement, values = _FIND[kind], {"wanted": wanted}
    if lookup.limit:
        return list(session.scalars(text(statement + _NEWEST[kind]), {**values, "limit": lookup.limit}))
    return list(session.scalars(text(statement), values))


def budget(session: Session) -> int:
    """How many postings one search may read."""
    return _BUDGET[_kind(session)]


def documents(session: Session, terms: Sequence[str]) -> dict[str, int]:
    """In how many voices each term stands; a term that no voice has is left out."""
    found: dict[str, int] = {}
    for start in range(0, len(terms), _SLICE):
        wanted = select(SearchTerm.term, SearchTerm.documents).where(SearchTerm.term.in_(terms[start : start + _SLICE]))
        found.update((term, count) for term, count in session.execute(wanted) if count > 0)
    return found


def missing(session: Session, *, after: int = 0, limit: int) -> list[tuple[int, str, str]]:
    """The next voices that are not indexed, as (id, title, masked text), in order of their ids."""
    statement = text(f"{_MISSING[_kind(session)]} ORDER BY id LIMIT :limit")
    return [(row.id, row.title, row.text) for row in session.execute(statement, {"after": after, "limit": limit})]


def _kind(session: Session) -> int:
    return int(session.get_bind().dialect.name == "postgresql")
