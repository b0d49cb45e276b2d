"""Rows gathered into chunks, what is already there taken out, the rest annotated over processes, in order, in flat memory."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import db
from core import engine as parallel
from core.bulk import among
from core.errors import ModelError
from core.models import Voice
from core.settings import Settings
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Interpreter
from nlp.annotation import Annotation, stored
from nlp.routing import NO_RULES, Routing, applied
from nlp.similar import terms
from nlp.wordings import Wording, wordings

CHUNK_VOICES = 2000
LONGEST_LABEL = 64
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_UNMASKED_ATTRIBUTES = frozenset(("age", "sex"))

Annotate = Callable[[Sequence[str]], list[Annotation]]
Mask = Callable[[Sequence[str]], Sequence[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """About 2,000 voices that are saved together, with the rejects and duplicates found on the way to them."""

    voices: tuple[IncomingVoice, ...]
    duplicates: int
    rejects: tuple[RejectedRow, ...]
    first_row: int
    """Rows of the source that were done before this chunk."""
    rows_done: int
    line: int
    blank: int = 0
    """Rows of a survey in which nobody wrote anything."""

    def work(self) -> Work:
        """The texts alone: what goes to another process."""
        others = dict.fromkeys(text for voice in self.voices for text in other_texts(voice) if text)
        return Work(
            tuple(voice.text for voice in self.voices),
            tuple(others),
            tuple(voice.title for voice in self.voices),
            tuple((voice.channel.value, voice.district, not voice.department) for voice in self.voices),
        )


@dataclass(frozen=True, slots=True)
class Work:
    """Texts to annotate with their titles, and other texts (each once, titles among them) that only need masking."""

    texts: tuple[str, ...]
    others: tuple[str, ...]
    titles: tuple[str, ...]
    places: tuple[tuple[str, str, bool], ...]
    """Each text's channel and district, and whether the city's rules are asked: not where the file names a department."""


class Reading(NamedTuple):
    """What a voice's rows say of its text, as they are stored: lists are JSON, and so are ``labels``, one a facet (none: it has no label).

    ``terms`` are the words by which the voice is found, its title's among them, with a space between them.
    """

    masked: str
    pii: int
    theme: str
    subtheme: str
    kind: str
    urgency: str
    department: str
    confidence: float
    segments: str
    related: tuple[str, ...]
    reidentifying: str
    labels: tuple[str | None, ...]
    terms: str
    wording: Wording


@dataclass(frozen=True, slots=True)
class Annotated:
    """What came back: a reading for each text, each other text masked, with the number of things masked in it, and the model's version."""

    readings: tuple[Reading, ...]
    masked: dict[str, tuple[str, int]]
    model: str


@dataclass(frozen=True, slots=True)
class AnnotateWork:
    """The pair of functions from nlp, picklable when both are module-level functions, and the city's rules for routing."""

    annotate: Annotate
    mask: Mask
    routing: Routing = NO_RULES

    def __call__(self, work: Work) -> Annotated:
        """Annotates and masks.

        Raises:
            ModelError: a function gave back fewer or more results than texts.
        """
        from nlp.annotate import collector_paused

        with collector_paused():
            return self._annotated(work)

    def _annotated(self, work: Work) -> Annotated:
        annotations = self.annotate(list(work.texts)) if work.texts else []
        masked = self.mask(list(work.others)) if work.others else []
        if len(annotations) != len(work.texts) or len(masked) != len(work.others):
            raise ModelError("分類の結果の数が本文の数と合いません。", hint="koe train でモデルを作りなおしてください。")
        clean = {text: (without, len(pii)) for text, (without, pii) in zip(work.others, masked, strict=True)}
        if self.routing.rules:
            annotations = [
                applied(self.routing, annotation, title=clean[title][0] if title else "", channel=channel, district=district)
                if asked
                else annotation
                for annotation, title, (channel, district, asked) in zip(annotations, work.titles, work.places, strict=True)
            ]
        same = wordings([annotation.masked for annotation in annotations])
        readings = (
            _reading(annotation, terms(clean[title][0]) if title else (), wording)
            for annotation, title, wording in zip(annotations, work.titles, same, strict=True)
        )
        return Annotated(tuple(readings), clean, annotations[0].model if annotations else "")


def _reading(annotation: Annotation, in_title: Sequence[str], wording: Wording) -> Reading:
    several = len(annotation.segments) > 1
    said = (annotation.theme, annotation.subtheme, annotation.kind, annotation.urgency, annotation.department)
    return Reading(
        masked=annotation.masked,
        pii=len(annotation.pii),
        theme=annotation.theme.label,
        subtheme=annotation.subtheme.label,
        kind=annotation.kind.label,
        urgency=annotation.urgency.label,
        department=annotation.department.label,
        confidence=round(annotation.theme.confidence, 4),
        segments=_as_json([segment.in_masked() for segment in annotation.segments]) if several else "[]",
        related=annotation.related,
        reidentifying=_as_json(annotation.reidentifying) if annotation.reidentifying else "[]",
        labels=stored(said),
        terms=" ".join(dict.fromkeys((*in_title, *annotation.terms)) if in_title else annotation.terms),
        wording=wording,
    )


def other_texts(voice: IncomingVoice) -> tuple[str, ...]:
    """What a voice holds besides its text that people may have written names into."""
    free = (value for name, value in voice.attributes.items() if name not in _UNMASKED_ATTRIBUTES)
    return (voice.title, voice.answer, voice.context.get("choice", ""), *free)


def make_chunks(
    rows: Iterable[Row | RejectedRow], interpreter: Interpreter, *, engine: Engine, done: int = 0, size: int = CHUNK_VOICES
) -> Iterator[Chunk]:
    """Chunks of about ``size`` voices; a row is never divided. The first ``done`` rows are counted but not taken.

    Voices that the database has already, or that stand twice in the chunk, become ``duplicates`` before anything is annotated.
    """
    voices: list[IncomingVoice] = []
    rejects: list[RejectedRow] = []
    start = number = blank = 0
    line = 1
    for number, row in enumerate(rows, start=1):
        if number <= done:
            interpreter.skip(row)
            start = number
            continue
        line = row.number if isinstance(row, Row) else row.row
        result = interpreter.read(row)
        if isinstance(result, RejectedRow):
            rejects.append(result)
        else:
            voices.extend(result)
            blank += not result
        if len(voices) + len(rejects) >= size:
            yield _chunk(voices, rejects, start, number, line, blank, engine)
            voices, rejects, start, blank = [], [], number, 0
    if number > start:
        yield _chunk(voices, rejects, start, number, line, blank, engine)


def annotate_chunks(
    chunks: Iterator[Chunk], annotator: AnnotateWork, *, settings: Settings
) -> Generator[tuple[Chunk, Annotated], None, None]:
    """Each chunk with its annotations, in order. A single chunk is done in this process: starting others would take longer."""
    ahead = list(itertools.islice(chunks, 2))
    if len(ahead) < 2:
        yield from ((chunk, annotator(chunk.work())) for chunk in ahead)
        return
    waiting: deque[Chunk] = deque()
    failures: list[Exception] = []

    def works() -> Iterator[Work]:
        # An error of the file must not cost the good chunks that are under way: it is kept and raised after them.
        try:
            for chunk in itertools.chain(ahead, chunks):
                waiting.append(chunk)
                yield chunk.work()
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    with closing(parallel.map(annotator, works(), settings=settings)) as results:
        for annotated in results:
            yield waiting.popleft(), annotated
    if failures:
        raise failures[0]


def known_hashes(session: Session, hashes: Sequence[str]) -> set[str]:
    """Which of these content hashes the database has already."""
    return set(session.scalars(select(Voice.content_hash).where(among(session, Voice.content_hash, hashes))))


def _chunk(
    voices: Sequence[IncomingVoice], rejects: Sequence[RejectedRow], start: int, number: int, line: int, blank: int, engine: Engine
) -> Chunk:  # fmt: skip
    once = {voice.content_hash: voice for voice in reversed(voices)}
    with db.reading(engine) as session:
        known = known_hashes(session, list(once))
    fresh = tuple(voice for voice in voices if voice.content_hash not in known and once[voice.content_hash] is voice)
    return Chunk(fresh, len(voices) - len(fresh), tuple(rejects), start, number, line, blank)
