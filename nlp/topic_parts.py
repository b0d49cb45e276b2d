"""Into what a topic may be divided: the voices that say certain words, or groups of voices that are alike.

Reading and comparing the texts of a large topic takes seconds: done with a session for reading, before ``nlp.topic_moves.split``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import ConflictError, InputError
from core.models import TopicMembership, Voice
from core.settings import Settings
from nlp import topics
from nlp.japanese import tokenize
from nlp.topic_edits import LONGEST_NAME, clean_words
from nlp.topic_places import all_topics, leaf
from nlp.topics import Ints

MOST_PARTS = 8
_LEAST_VOICES = 3  # of a part
_SEED = 20261122
# Keywords and typical voices of a part are those of so many of its voices, evenly chosen.
_DESCRIBED = 4000


@dataclass(frozen=True, slots=True)
class Part:
    """Voices that are to become a topic of their own, and what it is shown by. ``words``: it is pinned by them."""

    voices: tuple[int, ...]
    name: str
    keywords: tuple[tuple[str, float], ...]
    examples: tuple[int, ...]
    words: tuple[str, ...] = ()


def by_words(session: Session, topic_id: int, words: Sequence[str], *, settings: Settings) -> list[Part]:
    """The voices of a topic that say one of the words, in their text or title, as one part.

    Raises:
        InputError: no words, or the topic only holds others together.
        ConflictError: no voice says one of them, or all do.
        NotFoundError: there is no such topic.
    """
    wanted = clean_words(words)
    topic = leaf(all_topics(session), topic_id)
    says = or_(*(column.icontains(word, autoescape=True) for word in wanted for column in (Voice.text, Voice.title)))
    rows = _texts(session, topic_id)
    member = TopicMembership.voice_id == Voice.id
    said = set(session.scalars(select(Voice.id).join(TopicMembership, member).where(TopicMembership.topic_id == topic_id, says)))
    quoted = "」「".join(wanted)
    if not said:
        raise ConflictError(f"「{quoted}」を含む声が、話題「{topic.name}」にありません。", hint="声の一覧で、ことばを確かめてください。")
    if len(said) == len(rows):
        raise ConflictError(
            f"話題「{topic.name}」のすべての声が「{quoted}」を含むため、分けられません。", hint="ほかのことばを選んでください。"
        )
    labels = np.array([1 if voice in said else 0 for voice, _ in rows], dtype=np.int64)
    (part,) = _parts(rows, labels, stays=0, settings=settings)
    return [Part(part.voices, "・".join(wanted)[:LONGEST_NAME], part.keywords, part.examples, tuple(wanted))]


def by_likeness(session: Session, topic_id: int, parts: int, *, settings: Settings) -> list[Part]:
    """So many groups of a topic's voices, by what they say; the largest stays the topic, the others are given.

    Spherical k-means (Dhillon and Modha 2001) in a space made of these voices alone; those that are like no group stay too.

    Raises:
        InputError: not 2 to 8 parts, or the topic only holds others together.
        ConflictError: the topic's voices are too few or too much alike.
        NotFoundError: there is no such topic.
    """
    from sklearn.cluster import KMeans

    from nlp.train import ready_lexicon

    if not 2 <= parts <= MOST_PARTS:
        raise InputError(f"{parts} つには分けられません。", hint=f"2 から {MOST_PARTS} までの数を指定してください。")
    topic = leaf(all_topics(session), topic_id)
    rows = _texts(session, topic_id)
    documents = [topics.document(voice, tokenize(text)) for voice, text in rows]
    alike = ConflictError(
        f"話題「{topic.name}」の声は、{parts} つに分けるには少なすぎるか、似すぎています。",
        hint="ことばで分けるか、声を選んで移してください。",
    )
    if len(rows) < parts * _LEAST_VOICES:
        raise alike
    vectors = topics.embed(documents, ready_lexicon(settings))
    if len(np.unique(vectors.round(4), axis=0)) < parts:
        raise alike
    begun = KMeans(parts, n_init=10, random_state=_SEED).fit(vectors).labels_.astype(np.int64)
    labels = topics.assign(vectors, topics.middles(vectors, begun, parts)).labels
    sizes = np.bincount(labels[labels >= 0], minlength=parts)
    if sizes.min() < _LEAST_VOICES:
        raise alike
    return _parts(rows, labels, stays=int(sizes.argmax()), settings=settings)


def _texts(session: Session, topic_id: int) -> list[tuple[int, str]]:
    member = TopicMembership.voice_id == Voice.id
    texts = select(Voice.id, Voice.text).join(TopicMembership, member).where(TopicMembership.topic_id == topic_id)
    return [(voice, text) for voice, text in session.execute(texts.order_by(Voice.id))]


def _parts(rows: Sequence[tuple[int, str]], labels: Ints, *, stays: int, settings: Settings) -> list[Part]:
    """The parts of these labels but one, with what they are shown by: against each other, as the topics of a run are."""
    from nlp.train import ready_lexicon

    count = int(labels.max()) + 1
    shown = np.sort(np.concatenate([_evenly(np.flatnonzero(labels == part)) for part in range(count)]))
    documents = [topics.document(rows[place][0], tokenize(rows[place][1])) for place in shown.tolist()]
    vectors = topics.embed(documents, ready_lexicon(settings))
    described = topics.describe(documents, labels[shown], vectors, topics.middles(vectors, labels[shown], count))
    return [
        Part(
            tuple(rows[place][0] for place in np.flatnonzero(labels == part).tolist()),
            described[part].name[:LONGEST_NAME],
            described[part].keywords,
            described[part].examples,
        )
        for part in range(count)
        if part != stays
    ]


def _evenly(places: Ints) -> Ints:
    return places[np.linspace(0, len(places) - 1, min(len(places), _DESCRIBED)).astype(np.int64)]
