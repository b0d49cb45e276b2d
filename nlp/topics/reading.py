"""Voices out of the database as topics see them, and the sample of them that topics are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select

from core import db
from core import engine as parallel
from core.bulk import among
from core.models import Voice
from core.settings import Settings
from nlp.topics.store import in_no_topic
from nlp.topics.words import Ints, Words, words_of

Progress = Callable[[int, int, str], None]
"""How far a run is, as ``JobContext.report`` takes it. It may raise to stop the run: nothing has been written then."""
SAMPLE = 60_000
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Voices:
    """Voices' words, and for each a number that those of the same month, theme and channel share."""

    words: Words
    strata: Ints


def read_voices(database: Engine, settings: Settings, *, unplaced: bool = False, progress: Progress) -> Voices:
    """All voices, or those that are in no topic yet, in the order of their ids."""
    strata: dict[tuple[str, str, str], int] = {}
    numbers: list[int] = []

    def rows() -> Iterator[list[tuple[int, str]]]:
        for chunk in _chunks(database, unplaced=unplaced):
            numbers.extend(strata.setdefault((f"{day:%Y%m}", theme, channel), len(strata)) for _, _, day, theme, channel in chunk)
            yield [(voice_id, text) for voice_id, text, *_ in chunk]

    with db.reading(database) as session:
        wanted = select(func.count()).select_from(Voice)
        total = session.scalar(wanted.where(in_no_topic()) if unplaced else wanted) or 0
    return Voices(Words.join(_told(parallel.map(words_of, rows(), settings=settings), total, progress)), np.array(numbers, dtype=np.int64))


def words_of_voices(database: Engine, settings: Settings, ids: Ints) -> Words:
    """The words of some voices, in the order of their ids."""
    wanted = np.sort(ids).tolist()

    def rows() -> Iterator[list[tuple[int, str]]]:
        for start in range(0, len(wanted), _CHUNK):
            with db.reading(database) as session:
                texts = select(Voice.id, Voice.text).where(among(session, Voice.id, wanted[start : start + _CHUNK])).order_by(Voice.id)
                yield [(voice_id, text) for voice_id, text in session.execute(texts)]

    return Words.join(parallel.map(words_of, rows(), settings=settings))


def texts_of(database: Engine, ids: Sequence[int]) -> dict[int, str]:
    """The masked texts of a few voices."""
    with db.reading(database) as session:
        return dict(session.execute(select(Voice.id, Voice.text).where(among(session, Voice.id, sorted(set(ids))))).all())


def spread(voices: Words, strata: Ints, size: int) -> Ints:
    """At most ``size`` rows, each stratum in proportion, in order; much the same ones when voices come or go."""
    if len(voices) <= size:
        return np.arange(len(voices))
    chance = chances(voices.ids)
    order = np.lexsort((chance, strata))
    sizes = np.bincount(strata)
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(voices))
    rank[order] = np.arange(len(voices)) - firsts[strata[order]]
    key = (rank + chance) / sizes[strata]
    return np.sort(np.argsort(key, kind="stable")[:size])


def chances(ids: Ints) -> NDArray[np.float64]:
    """For each id a number from 0 to 1 that only the id decides (splitmix64: Steele, Lea, Flood 2014)."""
    mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) / 2.0**64, dtype=np.float64)


def _chunks(database: Engine, *, unplaced: bool) -> Iterator[list[Any]]:
    statement = select(Voice.id, Voice.text, Voice.received_on, Voice.theme, Voice.channel).order_by(Voice.id).limit(_CHUNK)
    if unplaced:
        statement = statement.where(in_no_topic())
    after = 0
    while True:
        with db.reading(database) as session:
            found: list[Any] = list(session.execute(statement.where(Voice.id > after)))
        if not found:
            return
        yield found
        after = found[-1][0]


def _told(parts: Iterator[Words], total: int, progress: Progress) -> Iterator[Words]:
    done = 0
    for part in parts:
        done += len(part)
        progress(done, total, "声を読んでいます")
        yield part
