"""Names for what a run has come to: noun phrases read out of each topic's typical voices (``nlp.topic_names``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from core.models import Topic
from nlp.topics.description import Description
from nlp.topics.reading import texts_of
from nlp.topics.store import Standing
from nlp.topics.writing import Outcome

# Reading a topic's voices takes half a second: one that is shown by much the same words as before keeps what it was called.
_SAME = 0.5


def named(database: Engine, standing: Standing, outcome: Outcome) -> Outcome:
    """The same outcome with readable names for topics that are new or have changed, and for new parents."""
    from nlp.topic_names import Child, TopicWords, name_topics

    known = {topic.id: topic for topic in standing.topics}
    before = [None if own is None else known.get(own) for own in outcome.origin]
    stay = [topic is not None and _is_same(topic, text) for topic, text in zip(before, outcome.described, strict=True)]
    fresh = [family for family in outcome.above if family < 0]
    typical = [() if same else text.typical for same, text in zip(stay, outcome.described, strict=True)]
    above = [outcome.above[family] for family in fresh]
    texts = texts_of(database, [voice for voices in (*typical, *(text.typical for text in above)) for voice in voices])
    others = {topic.name for topic, same in zip(before, stay, strict=True) if topic is not None and same}
    words = [TopicWords(text.keywords, _found(texts, own)) for text, own in zip(outcome.described, typical, strict=True)]
    names = name_topics(words, taken=others)
    names = [topic.machine_name if topic and same else name for topic, same, name in zip(before, stay, names, strict=True)]
    described = [replace(text, name=name) for text, name in zip(outcome.described, names, strict=True)]
    below = [
        [Child(text.name, text.keywords) for text, own in zip(described, outcome.families, strict=True) if own == family]
        for family in fresh
    ]
    found = name_topics([TopicWords(text.keywords, _found(texts, text.typical)) for text in above], taken={*others, *names}, below=below)
    renamed = {family: replace(text, name=name) for family, text, name in zip(fresh, above, found, strict=True)}
    return replace(outcome, described=described, above={**outcome.above, **renamed})


def _is_same(topic: Topic, text: Description) -> bool:
    words, now = {str(pair["word"]) for pair in topic.keywords}, {word for word, _ in text.keywords}
    return bool(topic.machine_name) and len(words & now) >= _SAME * len(now)


def _found(texts: Mapping[int, str], voices: Sequence[int]) -> tuple[str, ...]:
    return tuple(texts[voice] for voice in voices if voice in texts)
