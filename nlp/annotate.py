"""Text in, ``Annotation`` out: the one door through which ingest and the command line reach masking and labels."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core import city
from core.settings import Settings
from nlp import artifacts, pii, rarity, segments, similar, taxonomy
from nlp.annotation import Annotation, PiiSpan, Segment
from nlp.classify import Classifier, TopicSegment
from nlp.features import Prepared, prepare
from nlp.japanese import Token, tokenize
from nlp.pii import recogniser


@dataclass(frozen=True, slots=True)
class Masker:
    """``masker(texts)`` gives each text masked, and what was found. Picklable; knows no models, only Sudachi and GiNZA."""

    taxonomy: Path

    def __call__(self, texts: Sequence[str]) -> list[tuple[str, tuple[PiiSpan, ...]]]:
        return [(pii.mask(text, spans), tuple(spans)) for text, _, spans in _inspect(texts, self.taxonomy)]


@dataclass(frozen=True, slots=True)
class Annotator:
    """``annotator(texts)`` gives an ``Annotation`` for each, in order. Picklable: a worker process loads the models by their folders."""

    models: Path
    lexicon: Path
    taxonomy: Path
    hold_below: float = 0.0

    def __call__(self, texts: Sequence[str]) -> list[Annotation]:
        with _ONE_AT_A_TIME, collector_paused():
            return self._annotate(texts)

    def _annotate(self, texts: Sequence[str]) -> list[Annotation]:
        classifier = _classifier(self.models, self.lexicon, self.taxonomy, self.hold_below)
        place = city.load(self.taxonomy)
        prepared: list[Prepared] = []
        found: list[tuple[PiiSpan, ...]] = []
        for text, tokens, spans in _inspect(texts, self.taxonomy):
            prepared.append(prepare(text, tokens, spans))
            found.append(tuple(spans))
        line = classifier.features.book.line(prepared)
        terms = similar.terms_of_line(line)
        return [
            Annotation(
                masked=text.masked,
                pii=spans,
                theme=decision.theme,
                subtheme=decision.subtheme,
                kind=decision.kind,
                urgency=decision.urgency,
                department=decision.department,
                related=decision.related,
                segments=tuple(_segment(part, given, text.masked, spans) for part in decision.segments),
                reidentifying=rarity.telling(text.masked, city=place),
                terms=words,
                model=self.models.name,
            )
            for given, text, spans, decision, words in zip(
                texts, prepared, found, classifier.decide(prepared, line=line), terms, strict=True
            )
        ]


def ready(settings: Settings) -> Annotator:
    """The annotator of the models in force. Where there are none for this corpus and taxonomy, trains them first (under a minute)."""
    folder = artifacts.current_folder(settings)
    if folder is None:
        from nlp.train import train

        folder = train(settings)
    return Annotator(
        models=folder, lexicon=artifacts.lexicon_folder(settings), taxonomy=settings.taxonomy_dir, hold_below=settings.low_confidence
    )


# A process that is handed so many texts will meet a doubtful name: GiNZA is loaded with the first of them, since loky takes
# a process that grows by 300 MB later on for one that leaks, and starts it anew.
_MANY = 100
# Texts that are tokenised, then masked.
_BLOCK = 200
# The models learn the words of a batch as it comes in: two threads of a process take turns.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cycle collection during a batch: its many short-lived tuples would set off dozens of full ones (a third of the time).

    Who makes something smaller out of the annotations pauses it until they are gone: its first round looks at all that is still there.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@lru_cache(maxsize=2)
def _classifier(models: Path, lexicon: Path, words: Path, hold_below: float) -> Classifier:
    return artifacts.load(models, lexicon=lexicon, taxonomy=taxonomy.load(words), hold_below=hold_below)


def _segment(part: TopicSegment, given: str, masked: str, spans: Sequence[PiiSpan]) -> Segment:
    return Segment(
        start=segments.given_offset(part.start, spans),
        end=len(given) if part.end == len(masked) else segments.given_offset(part.end, spans),
        masked_start=part.start,
        masked_end=part.end,
        theme=part.theme,
        subtheme=part.subtheme,
        department=part.department,
        confidence=part.confidence,
    )


def _inspect(texts: Sequence[str], words: Path) -> list[tuple[str, list[Token], list[PiiSpan]]]:
    """Tokens and personal data of each text; doubtful surnames of all texts go to GiNZA together."""
    if len(texts) >= _MANY:
        recogniser.load()
    places = city.load(words).places
    inspected: list[tuple[str, list[Token], list[PiiSpan]]] = []
    doubts: list[tuple[int, PiiSpan]] = []
    for start in range(0, len(texts), _BLOCK):
        # Both in one block, not by turns: each keeps what it needs in the processor's cache.
        block = [(text, tokenize(text)) for text in texts[start : start + _BLOCK]]
        for text, tokens in block:
            spans, unsure = pii.look(text, tokens, places=places)
            doubts += [(len(inspected), span) for span in unsure]
            inspected.append((text, tokens, spans))
    verdicts = recogniser.confirm([(texts[index], span) for index, span in doubts])
    for (index, span), is_person in zip(doubts, verdicts, strict=True):
        if is_person:
            inspected[index] = (*inspected[index][:2], pii.settle([*inspected[index][2], span]))
    return inspected
