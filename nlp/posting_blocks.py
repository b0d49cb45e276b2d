"""Postings in blocks: where PostgreSQL keeps which voices hold a term.

One row has the voices of one term whose ids lie in one range, so that thousands of postings are read in some hundred rows. A GIN
index finds a term's voices as fast, but then PostgreSQL reads each voice's row, to know whether it may be seen: a page a posting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from nlp.similar import Lookup

# Voice ids in a block: the more, the fewer rows a search reads, and the more is written again for each voice that is new.
# The rows are cut by it: with another number, all voices are to be indexed anew.
BLOCK = 16_384
# Blocks that a search for the newest voices reads first; then twice as many, and so on.
_NEWEST_BLOCKS = 4

_GIVEN = "FROM unnest(CAST(:terms AS text[]), CAST(:voices AS integer[])) AS given (term, voice)"
_ADD = text(f"""
    INSERT INTO voice_postings AS held (term, block, voices)
    SELECT term, voice / {BLOCK}, array_agg(voice ORDER BY voice) {_GIVEN} GROUP BY 1, 2
    ON CONFLICT (term, block) DO UPDATE SET voices = held.voices || excluded.voices
    """)
_REMOVE = text(f"""
    UPDATE voice_postings AS held
    SET voices = ARRAY(SELECT unnest(held.voices) EXCEPT SELECT unnest(gone.voices) ORDER BY 1)
    FROM (SELECT term, voice / {BLOCK} AS block, array_agg(voice) AS voices {_GIVEN} GROUP BY 1, 2) AS gone
    WHERE held.term = gone.term AND held.block = gone.block
    """)  # noqa: S608
_HOLDING = text("SELECT term, voices FROM voice_postings WHERE term = ANY(:terms)")
_HOLDING_IN = text("SELECT term, voices FROM voice_postings WHERE term = ANY(:terms) AND block BETWEEN :first AND :last")
_LAST = text("SELECT max(voice_id) FROM voice_search")


def add(session: Session, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Adds voices, given as (voice id, terms, each once), that aren't there yet."""
    session.execute(_ADD, _postings(rows))


def remove(session: Session, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Takes voices out, given as (voice id, the terms that they are held under)."""
    session.execute(_REMOVE, _postings(rows))


def find(session: Session, lookups: Sequence[Lookup]) -> list[list[int]]:
    """For each lookup its voices, as ``nlp.postings.find`` gives them."""
    whole = sorted({term for lookup in lookups if not lookup.limit for term in lookup.terms})
    held = _holding(session, _HOLDING, terms=whole) if whole else {}
    limited = [lookup for lookup in lookups if lookup.limit]
    newest = _newest(session, limited) if limited else {}
    return [newest[lookup] if lookup.limit else list(_together(held, lookup)) for lookup in lookups]


def _newest(session: Session, lookups: Sequence[Lookup]) -> dict[Lookup, list[int]]:
    """The newest voices of each lookup, read from the last block towards the first until all have enough."""
    found: dict[Lookup, list[int]] = {lookup: [] for lookup in lookups}
    newest = session.scalar(_LAST) or 0
    last, wide = max(min(lookup.last or newest, newest) for lookup in lookups) // BLOCK, _NEWEST_BLOCKS
    while last >= 0 and (lacking := [lookup for lookup, voices in found.items() if len(voices) < lookup.limit]):
        terms = sorted({term for lookup in lacking for term in lookup.terms})
        held = _holding(session, _HOLDING_IN, terms=terms, first=last - wide + 1, last=last)
        for lookup in lacking:
            found[lookup] += sorted((voice for voice in _together(held, lookup) if voice <= (lookup.last or voice)), reverse=True)
        last, wide = last - wide, wide * 2
    return {lookup: voices[: lookup.limit] for lookup, voices in found.items()}


def _together(held: Mapping[str, set[int]], lookup: Lookup) -> set[int]:
    return set.intersection(*(held.get(term, set()) for term in lookup.terms))


def _holding(session: Session, statement: Any, **values: object) -> dict[str, set[int]]:
    held: dict[str, set[int]] = defaultdict(set)
    for term, voices in session.execute(statement, values):
        held[term].update(voices)
    return held


def _postings(rows: Iterable[tuple[int, Sequence[str]]]) -> dict[str, list[Any]]:
    """Columns of (term, voice), as one statement takes them."""
    pairs = [(term, voice) for voice, terms in rows for term in terms]
    return {"terms": [term for term, _ in pairs], "voices": [voice for _, voice in pairs]}
