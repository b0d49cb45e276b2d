"""Readable names for topics: noun phrases such as 「歩道の段差・狭さ」 out of dependencies and c-TF-IDF. Knows no tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from nlp.opinions import words
from nlp.opinions.sentences import sentences
from nlp.topic_names.choosing import choose
from nlp.topic_names.naming import LONGEST, NAMELESS, SHORTEST, Weigher, broader, fallback, matter
from nlp.topic_names.nouns import key_of, parts_of
from nlp.topic_names.reading import Said, read

__all__ = ["LONGEST", "NAMELESS", "SHORTEST", "Child", "TopicWords", "name_topics"]

# Of each topic so many texts are read, of each text so many sentences, each of so many characters: GiNZA reads some 100 sentences a second.
_TEXTS = 30
_SENTENCES = 2
_CHARACTERS = 100
# A sentence this long that stands in several texts is a campaign's, and counts once; short answers come alike by themselves.
_COPIED = 25
_CHILD_WORDS = 10
_PLACEHOLDER = re.compile("〔[^〕]*〕?")
_AREA = "[県市町村区駅]|方面|地区"


@dataclass(frozen=True, slots=True)
class TopicWords:
    """What a topic is named by: its keywords with their c-TF-IDF weight, and its typical texts (masked), nearest first."""

    keywords: tuple[tuple[str, float], ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Child:
    """A topic below another, as far as the name of the one above needs it."""

    name: str
    keywords: tuple[tuple[str, float], ...] = ()


def name_topics(topics: Sequence[TopicWords], *, taken: Collection[str] = (), below: Sequence[Sequence[Child]] = ()) -> list[str]:
    """A name for each topic: a Japanese noun phrase of 4 to 20 characters, no two alike and none that is taken.

    The parse (Universal Dependencies Japanese, GiNZA) gives which words are tied together (歩道の段差, 歩道が狭い → 歩道の狭さ); what is
    tied in most texts and weighs most in c-TF-IDF becomes the name. The same topics in the same order give the same names.

    Args:
        topics: all topics of one level at a time, since a word tells more the fewer topics have it.
        taken: names that others have, such as those that people gave.
        below: for topics that hold others, the topics below each, in the order of ``topics``; their names get broader.
    """
    texts = [[_telling(text, topic.keywords) for text in _distinct(topic.texts)[:_TEXTS]] for topic in topics]
    said = _read(texts)
    places = _places(said, topics)
    matters = [matter(own, topic.keywords, places) for own, topic in zip(said, topics, strict=True)]
    weigher = Weigher(matters)
    inside = below or [()] * len(topics)
    possible = [
        [*broader(item, weigher, [_words(child) for child in children]), *fallback(topic.keywords)]
        for item, topic, children in zip(matters, topics, inside, strict=True)
    ]
    names_below = {child.name for children in inside for child in children}
    return choose(possible, [[word for word, _ in topic.keywords] for topic in topics], {*taken, *names_below})


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text.strip() for text in texts))


def _read(texts: Sequence[Sequence[Sequence[str]]]) -> list[list[Said]]:
    parsed = words.parse(sentence for own in texts for pieces in own for sentence in pieces)
    found: list[list[Said]] = []
    for own in texts:
        seen: set[str] = set()
        found.append([])
        for pieces in own:
            fresh = [(piece, sentence) for piece, sentence in zip(pieces, islice(parsed, len(pieces)), strict=True) if piece not in seen]
            seen.update(piece for piece, _ in fresh if len(piece) >= _COPIED)
            found[-1].append(read([sentence for _, sentence in fresh]))
    return found


def _telling(text: str, keywords: Sequence[tuple[str, float]]) -> list[str]:
    """The sentences of a text that hold most of the topic's words, in their order."""
    plain = _PLACEHOLDER.sub("　", text)
    pieces = [plain[start:end] for start, end in sentences(plain)]
    weights = [sum(weight for word, weight in keywords if word in piece) for piece in pieces]
    best = sorted(range(len(pieces)), key=lambda at: (-weights[at], at))[:_SENTENCES]
    return [pieces[at][:_CHARACTERS] for at in sorted(best)]


def _places(said: Iterable[Iterable[Said]], topics: Iterable[TopicWords]) -> frozenset[str]:
    """Of the words that may be a place or a family name, those that the texts have with 県, 市 or 駅 behind them."""
    doubtful = {noun.doubtful for own in said for text in own for noun in text.nouns if noun.doubtful}
    whole = "\n".join(text for topic in topics for text in topic.texts)
    return frozenset(word for word in doubtful if re.search(f"{re.escape(word)}(?:{_AREA})", whole))


def _words(child: Child) -> frozenset[str]:
    said = [child.name, *(word for word, _ in child.keywords[:_CHILD_WORDS])]
    return frozenset(key for word in said for key in (key_of(word), *parts_of(word)))
