"""Sentences read one by one with GiNZA, and what the rules find in them. Only ``nlp.opinions.words`` knows spaCy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nlp.opinions import words
from nlp.opinions.pairs import Found, pairs
from nlp.opinions.polarity import Polarity
from nlp.opinions.sentences import asks_for, asks_to_know, sentences
from nlp.opinions.stance import Judged, Stance, stance

RULES = 2
"""Raise it when a rule changes what is read: rows that an earlier one wrote are then read anew."""

load = words.load


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text in code points; never empty."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """One judgement: its topic and predicate as people read them, where both stand in the text, and how it sounds."""

    topic: str
    predicate: str
    polarity: Polarity
    topic_span: Span
    predicate_span: Span


@dataclass(frozen=True, slots=True)
class Opinions:
    """All that was read in one text. ``requests`` and ``questions`` are whole sentences."""

    pairs: tuple[Pair, ...]
    requests: tuple[Span, ...]
    questions: tuple[Span, ...]
    stance: Stance

    def as_dict(self) -> dict[str, Any]:
        """As it is stored: plain values with offsets into the text."""
        return {
            "pairs": [
                {
                    "topic": pair.topic,
                    "predicate": pair.predicate,
                    "polarity": pair.polarity.value,
                    "topic_span": [pair.topic_span.start, pair.topic_span.end],
                    "predicate_span": [pair.predicate_span.start, pair.predicate_span.end],
                }
                for pair in self.pairs
            ],
            "requests": [[span.start, span.end] for span in self.requests],
            "questions": [[span.start, span.end] for span in self.questions],
            "stance": self.stance.side.value,
            "confidence": self.stance.confidence,
            "stance_words": [[start, end] for start, end in self.stance.words],
        }


def version() -> str:
    """What reads: the parser's version and the rules'."""
    return f"{words.version()}+{RULES}"


def opinions(texts: Sequence[str]) -> list[Opinions]:
    """What each text holds, in order. Texts of any length; time and memory grow with the number of sentences.

    Method: dependency relations of Universal Dependencies Japanese (GiNZA), with rules for predicates and their endings.
    """
    spans = [list(sentences(text)) for text in texts]
    parsed = words.parse(text[start:end] for text, own in zip(texts, spans, strict=True) for start, end in own)
    return [_read(text, own, islice(parsed, len(own))) for text, own in zip(texts, spans, strict=True)]


def _read(text: str, spans: list[tuple[int, int]], parsed: Iterator[words.Sentence]) -> Opinions:
    found = tuple(_pair(item, start) for (start, _), sentence in zip(spans, parsed, strict=True) for item in pairs(sentence))
    judged = [
        Judged(pair.topic, pair.topic_span.start, pair.predicate_span.start, pair.predicate_span.end, pair.polarity) for pair in found
    ]
    return Opinions(
        found,
        tuple(Span(start, end) for start, end in spans if asks_for(text[start:end])),
        tuple(Span(start, end) for start, end in spans if asks_to_know(text[start:end])),
        stance(text, spans, judged),
    )


def _pair(found: Found, offset: int) -> Pair:
    return Pair(
        found.topic,
        found.predicate,
        found.polarity,
        Span(offset + found.topic_start, offset + found.topic_end),
        Span(offset + found.predicate_start, offset + found.predicate_end),
    )
