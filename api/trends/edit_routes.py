"""The page on which people put a topic in order: its name, what it is joined to and divided into, its words, voices moved by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.deps import MAY_LABEL, CityOf, EngineOf, Labeller, PagesOf, Reading, SettingsOf, form_token
from api.fields import Number
from api.rendering import Pages
from api.trends.edit_view import Done, EditQuery, edit_page, edited
from api.trends.topic_routes import Moving, TopicId, page_with_fault
from api.trends.view import TrendsQuery
from core import db
from core.errors import ConflictError, InputError, KoeError, NotFoundError
from loop import queries
from loop.actors import Actor
from nlp import topic_edits, topic_moves, topic_parts

router = APIRouter(prefix="/trends/topics/{topic_id}", include_in_schema=False)
_WRITES = [Depends(MAY_LABEL), Depends(form_token)]
_FAULTS = (InputError, ConflictError, NotFoundError)
_BETWEEN_WORDS = re.compile(r"[\r\n,、，]+")
Asked = Annotated[EditQuery, Query()]
Written = Annotated[str, Form(max_length=4000)]
Name = Annotated[str, Form(max_length=200)]
Ids = Annotated[list[Annotated[int, Field(ge=1, lt=2**31)]], Form(max_length=200)]
Receipts = Annotated[list[Annotated[str, Field(max_length=20)]], Form(max_length=1000)]


@router.get("/edit", dependencies=[Depends(MAY_LABEL)])
def edit(request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, session: Reading, pages: PagesOf) -> Response:
    """The forms, and what has just been done by one of them."""
    return edit_page(request, session, topic_id, query, actor=signed_in.actor, pages=pages)


@router.post("/rename", dependencies=_WRITES)
def rename(
    request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, engine: EngineOf, pages: PagesOf, name: Name = ""
) -> Response:  # fmt: skip
    """Gives a name that every run keeps."""
    actor = signed_in.actor

    def act(session: Session) -> str:
        topic_edits.rename(session, topic_id, name, user_id=actor.user_id, actor=actor.username)
        return edited(topic_id, Done.RENAMED)

    return _tried(request, engine, topic_id, query, act, form="rename", typed={"name": name}, actor=signed_in.actor, pages=pages)


@router.post("/machine-name", dependencies=_WRITES)
def machine_name(request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, engine: EngineOf, pages: PagesOf) -> Response:
    """Takes a person's name back."""

    def act(session: Session) -> str:
        topic_edits.use_machine_name(session, topic_id, actor=signed_in.actor.username)
        return edited(topic_id, Done.MACHINE)

    return _tried(request, engine, topic_id, query, act, form="rename", typed={}, actor=signed_in.actor, pages=pages)


@router.post("/merge", dependencies=_WRITES)
def merge(
    request: Request,
    topic_id: TopicId,
    query: Asked,
    signed_in: Labeller,
    engine: EngineOf,
    pages: PagesOf,
    topics: Ids = [],  # noqa: B006  (a form field)
) -> Response:
    """Joins the chosen topics to this one."""

    def act(session: Session) -> str:
        topic_edits.merge(session, topics, topic_id, actor=signed_in.actor.username)
        return edited(topic_id, Done.MERGED, topics)

    return _tried(request, engine, topic_id, query, act, form="merge", typed={"topics": topics}, actor=signed_in.actor, pages=pages)


@router.post("/unmerge", dependencies=_WRITES)
def unmerge(request: Request, topic_id: TopicId, signed_in: Labeller, engine: EngineOf, pages: PagesOf) -> Response:
    """Takes this topic out of the one that it was joined to."""

    def act(session: Session) -> str:
        topic_edits.unmerge(session, topic_id, actor=signed_in.actor.username)
        return edited(topic_id, Done.UNMERGED)

    return _tried(request, engine, topic_id, EditQuery(), act, form="unmerge", typed={}, actor=signed_in.actor, pages=pages)


@router.post("/split", dependencies=_WRITES)
def split(
    request: Request,
    topic_id: TopicId,
    query: Asked,
    signed_in: Labeller,
    engine: EngineOf,
    settings: SettingsOf,
    pages: PagesOf,
    words: Written = "",
    name: Name = "",
    parts: Annotated[Number, Form()] = None,
) -> Response:
    """Makes a topic of the voices that say one of the words, or topics of voices that are alike; leads to a list of them."""
    actor = signed_in.actor
    given = _words(words)

    def look(session: Session) -> list[topic_parts.Part]:
        if parts is not None:
            return topic_parts.by_likeness(session, topic_id, parts, settings=settings)
        return topic_parts.by_words(session, topic_id, given, settings=settings)

    typed = {"split_words": words, "split_name": name, "parts": parts}
    try:
        # Reading the texts of a large topic takes seconds, and nobody who writes waits for it.
        with db.reading(engine) as session:
            found = look(session)
        with db.writing(engine) as session:
            made = topic_moves.split(session, topic_id, found, name=name, user_id=actor.user_id, actor=actor.username)
            leads_to = edited(topic_id, Done.SPLIT, [topic.id for topic in made])
    except _FAULTS as error:
        form = "split" if parts is None else "divide"
        return _again(request, engine, topic_id, query, error, form=form, typed=typed, actor=actor, pages=pages)
    return RedirectResponse(leads_to, status_code=303)


@router.post("/pin", dependencies=_WRITES)
def pin(
    request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, engine: EngineOf, pages: PagesOf, words: Written = ""
) -> Response:  # fmt: skip
    """Holds this topic by words."""

    def act(session: Session) -> str:
        topic_edits.pin(session, topic_id, _words(words), actor=signed_in.actor.username)
        return edited(topic_id, Done.PINNED)

    return _tried(request, engine, topic_id, query, act, form="pin", typed={"words": words}, actor=signed_in.actor, pages=pages)


@router.post("/unpin", dependencies=_WRITES)
def unpin(request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, engine: EngineOf, pages: PagesOf) -> Response:
    """Lets this topic go again."""

    def act(session: Session) -> str:
        topic_edits.unpin(session, topic_id, actor=signed_in.actor.username)
        return edited(topic_id, Done.UNPINNED)

    return _tried(request, engine, topic_id, query, act, form="pin", typed={}, actor=signed_in.actor, pages=pages)


@router.post("/move", dependencies=_WRITES)
def move(
    request: Request,
    topic_id: TopicId,
    query: Annotated[TrendsQuery, Query()],
    signed_in: Labeller,
    engine: EngineOf,
    city: CityOf,
    pages: PagesOf,
    voice: Receipts = [],  # noqa: B006  (a form field)
    to: Annotated[Number, Form()] = None,
) -> Response:
    """Puts voices of this topic into another, and comes back to the list that they were chosen from."""
    actor = signed_in.actor
    try:
        if not voice:
            raise InputError("移す声が選ばれていません。", hint="一覧の左の欄で、移す声を選んでください。")
        if to is None:
            raise InputError("移す先の話題が選ばれていません。", hint="移す先を一覧から選んでください。")
        with db.writing(engine) as session:
            topic_moves.move(session, queries.ids_of(session, voice, seen_by=actor), to, actor=actor.username)
    except _FAULTS as error:
        with db.reading(engine) as session:
            moving = Moving(error, voice, to)
            return page_with_fault(request, session, topic_id, query, moving, actor=actor, city=city, pages=pages)
    return RedirectResponse(f"/trends/topics/{topic_id}{query.query(moved=len(set(voice)), moved_to=to)}#done", status_code=303)


@router.post("/unmove", dependencies=_WRITES)
def unmove(
    request: Request,
    topic_id: TopicId,
    query: Asked,
    signed_in: Labeller,
    engine: EngineOf,
    pages: PagesOf,
    voice: Receipts = [],  # noqa: B006  (a form field)
) -> Response:
    """Takes the hand off voices that were moved into this topic: they go back to where they came from."""

    def act(session: Session) -> str:
        ids = queries.ids_of(session, voice, seen_by=signed_in.actor)
        now_in = topic_moves.unmove(session, ids, only=topic_id, actor=signed_in.actor.username)
        return edited(topic_id, Done.UNMOVED, [topic.id for topic in now_in])

    return _tried(request, engine, topic_id, query, act, form="moved", typed={}, actor=signed_in.actor, pages=pages)


def _tried(
    request: Request,
    engine: Engine,
    topic_id: int,
    query: EditQuery,
    act: Callable[[Session], str],
    *,
    form: str,
    typed: Mapping[str, Any],
    actor: Actor,
    pages: Pages,
) -> Response:
    """Does it and leads on, or shows the page again with what was wrong in the form and what was typed there."""
    try:
        with db.writing(engine) as session:
            leads_to = act(session)
    except _FAULTS as error:
        return _again(request, engine, topic_id, query, error, form=form, typed=typed, actor=actor, pages=pages)
    # 303: the browser fetches the page anew, and a reload doesn't send the form again.
    return RedirectResponse(leads_to, status_code=303)


def _again(
    request: Request,
    engine: Engine,
    topic_id: int,
    query: EditQuery,
    error: KoeError,
    *,
    form: str,
    typed: Mapping[str, Any],
    actor: Actor,
    pages: Pages,
) -> Response:
    with db.reading(engine) as session:
        return edit_page(request, session, topic_id, EditQuery(q=query.q), actor=actor, wrong=error, form=form, typed=typed, pages=pages)


def _words(written: str) -> list[str]:
    """What was written, a word a line or with 、 between them."""
    return [word for word in (part.strip() for part in _BETWEEN_WORDS.split(written)) if word]
