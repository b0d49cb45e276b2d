"""The JSON API by which staff name, join, divide and pin topics, and move voices between them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.deps import TOPICS_WRITE, EngineOf, Labeller, SettingsOf, Writing, header_token
from api.trends.schemas import TopicItem, TopicsAnswer
from api.trends.topic_routes import TopicId
from core import db
from core.errors import InputError
from core.models import Topic
from loop import queries
from loop.actors import Actor
from nlp import topic_edits, topic_moves, topic_parts

router = APIRouter(prefix="/api/v1/topics/{topic_id}", tags=["topics"])
_WRITES = [Depends(TOPICS_WRITE), Depends(header_token)]
Id = Annotated[int, Field(ge=1, lt=2**31)]
Word = Annotated[str, Field(max_length=200)]


class NameInput(BaseModel):
    """A name that every run keeps; empty: back to the machine's."""

    name: Annotated[str, Field(max_length=200)] | None


class MergeInput(BaseModel):
    """The topics that are joined to the one in the address."""

    topics: list[Id] = Field(max_length=100)


class SplitInput(BaseModel):
    """Either words, and the voices that say one of them become a topic, or in how many parts of voices that are alike."""

    words: list[Word] = Field(default=[], max_length=100)
    parts: int | None = Field(default=None, ge=2, le=topic_parts.MOST_PARTS)
    name: Annotated[str, Field(max_length=200)] = ""


class VoicesInput(BaseModel):
    """Voices by their receipt numbers."""

    receipt_numbers: list[Annotated[str, Field(max_length=20)]] = Field(max_length=10_000)


class WordsInput(BaseModel):
    """Example words that hold the topic; none: it is let go."""

    words: list[Word] = Field(max_length=100)


@router.post("/rename", summary="話題に名前を付ける・機械の名前に戻す", dependencies=_WRITES)
def rename(topic_id: TopicId, given: NameInput, signed_in: Labeller, session: Writing) -> TopicItem:
    """Gives the topic as it then is."""
    actor = signed_in.actor
    if given.name is None:
        return _item(topic_edits.use_machine_name(session, topic_id, actor=actor.username))
    return _item(topic_edits.rename(session, topic_id, given.name, user_id=actor.user_id, actor=actor.username))


@router.post("/merge", summary="ほかの話題を、この話題にまとめる", dependencies=_WRITES)
def merge(topic_id: TopicId, given: MergeInput, signed_in: Labeller, session: Writing) -> TopicItem:
    """Gives the topic that the others were joined to."""
    return _item(topic_edits.merge(session, given.topics, topic_id, actor=signed_in.actor.username))


@router.post("/unmerge", summary="まとめられた話題を、まとめる前に戻す", dependencies=_WRITES)
def unmerge(topic_id: TopicId, signed_in: Labeller, session: Writing) -> TopicItem:
    """Gives the topic that is back."""
    return _item(topic_edits.unmerge(session, topic_id, actor=signed_in.actor.username))


@router.post("/split", summary="話題を分ける", dependencies=_WRITES)
def split(topic_id: TopicId, given: SplitInput, signed_in: Labeller, engine: EngineOf, settings: SettingsOf) -> TopicsAnswer:
    """Gives the new topics; the rest keeps id and name. Reading the texts of a large topic takes seconds, and nobody waits for it."""
    if bool(given.words) is (given.parts is not None):
        raise InputError("ことば（words）か、分ける数（parts）のどちらか一つを指定してください。", hint="両方を同時には指定できません。")
    actor = signed_in.actor
    with db.reading(engine) as session:
        if given.words:
            parts = topic_parts.by_words(session, topic_id, given.words, settings=settings)
        else:
            parts = topic_parts.by_likeness(session, topic_id, given.parts or 0, settings=settings)
    with db.writing(engine) as session:
        made = topic_moves.split(session, topic_id, parts, name=given.name, user_id=actor.user_id, actor=actor.username)
        return _items(made)


@router.post("/move", summary="声を、この話題に移す", dependencies=_WRITES)
def move(topic_id: TopicId, given: VoicesInput, signed_in: Labeller, session: Writing) -> TopicItem:
    """Gives the topic that the voices are in now."""
    return _item(topic_moves.move(session, _voices(session, given, signed_in.actor), topic_id, actor=signed_in.actor.username))


@router.post("/unmove", summary="この話題に手で移した声を、もとの話題に戻す", dependencies=_WRITES)
def unmove(topic_id: TopicId, given: VoicesInput, signed_in: Labeller, session: Writing) -> TopicsAnswer:
    """Gives the topics that the voices are in now."""
    voices = _voices(session, given, signed_in.actor)
    return _items(topic_moves.unmove(session, voices, only=topic_id, actor=signed_in.actor.username))


@router.post("/pin", summary="話題をことばで留める・外す", dependencies=_WRITES)
def pin(topic_id: TopicId, given: WordsInput, signed_in: Labeller, session: Writing) -> TopicItem:
    """Gives the topic as it then is."""
    actor = signed_in.actor.username
    if not given.words:
        return _item(topic_edits.unpin(session, topic_id, actor=actor))
    return _item(topic_edits.pin(session, topic_id, given.words, actor=actor))


def _voices(session: Session, given: VoicesInput, actor: Actor) -> list[int]:
    return queries.ids_of(session, given.receipt_numbers, seen_by=actor)


def _item(topic: Topic) -> TopicItem:
    return TopicItem.model_validate(topic)


def _items(topics: list[Topic]) -> TopicsAnswer:
    return TopicsAnswer(items=[_item(topic) for topic in topics])
