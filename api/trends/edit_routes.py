"""The page on which people put a topic in order: its name, what it is joined to and divided into, its words, voices moved by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.deps import MAY_LABEL, SEARCHES, EngineOf, Labeller, PagesOf, Reading, RulesOf, SettingsOf, form_token
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
Ids = Annotated[list[Annotated[int, Field(ge=1, lt=2**31)]], Form(max_length=200, default_factory=list)]
Receipts = Annotated[list[Annotated[str, Field(max_length=20)]], Form(max_length=1000, default_factory=list)]


@dataclass(frozen=True, slots=True)
class Editing:
    """A form of the page: whose topic it is about, who sent it, and what page to come back to."""

    request: Request
    topic_id: int
    query: EditQuery
    actor: Actor
    engine: Engine
    pages: Pages

    def tried(self, act: Callable[[Session], str], *, form: str, typed: Mapping[str, Any] | None = None) -> Response:
        """Does it and leads on, or shows the page again with what was wrong in the form and what was typed there."""
        try:
            with db.writing(self.engine) as session:
                leads_to = act(session)
        except _FAULTS as error:
            return self.again(error, form=form, typed=typed)
        return _lead(leads_to)

    def again(self, error: KoeError, *, form: str, typed: Mapping[str, Any] | None = None) -> Response:
        """The page with what was wrong."""
        query = EditQuery(q=self.query.q)
        with db.reading(self.engine) as session:
            return edit_page(
                self.request, session, self.topic_id, query, actor=self.actor, wrong=error, form=form, typed=typed, pages=self.pages
            )


def editing(request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, engine: EngineOf, pages: PagesOf) -> Editing:
    """What every form of the page comes with."""
    return Editing(request, topic_id, query, signed_in.actor, engine, pages)


EditingOf = Annotated[Editing, Depends(editing)]


@router.get("/edit", dependencies=[Depends(MAY_LABEL), Depends(SEARCHES)])
def edit(request: Request, topic_id: TopicId, query: Asked, signed_in: Labeller, session: Reading, pages: PagesOf) -> Response:
    """The forms, and what has just been done by one of them."""
    return edit_page(request, session, topic_id, query, actor=signed_in.actor, pages=pages)


@router.post("/rename", dependencies=_WRITES)
def rename(editing: EditingOf, name: Name = "") -> Response:
    """Gives a name that every run keeps."""
    topic_id, actor = editing.topic_id, editing.actor

    def act(session: Session) -> str:
        topic_edits.rename(session, topic_id, name, user_id=actor.user_id, actor=actor.username)
        return edited(topic_id, Done.RENAMED)

    return editing.tried(act, form="rename", typed={"name": name})


@router.post("/machine-name", dependencies=_WRITES)
def machine_name(editing: EditingOf) -> Response:
    """Takes a person's name back."""

    def act(session: Session) -> str:
        topic_edits.use_machine_name(session, editing.topic_id, actor=editing.actor.username)
        return edited(editing.topic_id, Done.MACHINE)

    return editing.tried(act, form="rename")


@router.post("/merge", dependencies=_WRITES)
def merge(editing: EditingOf, topics: Ids) -> Response:
    """Joins the chosen topics to this one."""

    def act(session: Session) -> str:
        topic_edits.merge(session, topics, editing.topic_id, actor=editing.actor.username)
        return edited(editing.topic_id, Done.MERGED, topics)

    return editing.tried(act, form="merge", typed={"topics": topics})


@router.post("/unmerge", dependencies=_WRITES)
def unmerge(editing: EditingOf) -> Response:
    """Takes this topic out of the one that it was joined to."""

    def act(session: Session) -> str:
        topic_edits.unmerge(session, editing.topic_id, actor=editing.actor.username)
        return edited(editing.topic_id, Done.UNMERGED)

    return editing.tried(act, form="unmerge")


@router.post("/split", dependencies=_WRITES)
def split(
    editing: EditingOf, settings: SettingsOf, words: Written = "", name: Name = "", parts: Annotated[Number, Form()] = None
) -> Response:  # fmt: skip
    """Makes a topic of the voices that say one of the words, or topics of voices that are alike; leads to a list of them."""
    topic_id, actor = editing.topic_id, editing.actor
    given = _words(words)

    def look(session: Session) -> list[topic_parts.Part]:
        if parts is not None:
            return topic_parts.by_likeness(session, topic_id, parts, settings=settings)
        return topic_parts.by_words(session, topic_id, given, settings=settings)

    try:
        # Reading the texts of a large topic takes seconds, and nobody who writes waits for it.
        with db.reading(editing.engine) as session:
            found = look(session)
        with db.writing(editing.engine) as session:
            made = topic_moves.split(session, topic_id, found, name=name, user_id=actor.user_id, actor=actor.username)
            leads_to = edited(topic_id, Done.SPLIT, [topic.id for topic in made])
    except _FAULTS as error:
        typed = {"split_words": words, "split_name": name, "parts": parts}
        return editing.again(error, form="split" if parts is None else "divide", typed=typed)
    return _lead(leads_to)


@router.post("/pin", dependencies=_WRITES)
def pin(editing: EditingOf, words: Written = "") -> Response:
    """Holds this topic by words."""

    def act(session: Session) -> str:
        topic_edits.pin(session, editing.topic_id, _words(words), actor=editing.actor.username)
        return edited(editing.topic_id, Done.PINNED)

    return editing.tried(act, form="pin", typed={"words": words})


@router.post("/unpin", dependencies=_WRITES)
def unpin(editing: EditingOf) -> Response:
    """Lets this topic go again."""

    def act(session: Session) -> str:
        topic_edits.unpin(session, editing.topic_id, actor=editing.actor.username)
        return edited(editing.topic_id, Done.UNPINNED)

    return editing.tried(act, form="pin")


@router.post("/move", dependencies=_WRITES)
def move(
    request: Request,
    topic_id: TopicId,
    query: Annotated[TrendsQuery, Query()],
    signed_in: Labeller,
    engine: EngineOf,
    rules: RulesOf,
    pages: PagesOf,
    voice: Receipts,
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
            return page_with_fault(request, session, topic_id, query, moving, actor=actor, rules=rules, pages=pages)
    return _lead(f"/trends/topics/{topic_id}{query.query(moved=len(set(voice)), moved_to=to)}#done")


@router.post("/unmove", dependencies=_WRITES)
def unmove(editing: EditingOf, voice: Receipts) -> Response:
    """Takes the hand off voices that were moved into this topic: they go back to where they came from."""

    def act(session: Session) -> str:
        ids = queries.ids_of(session, voice, seen_by=editing.actor)
        now_in = topic_moves.unmove(session, ids, only=editing.topic_id, actor=editing.actor.username)
        return edited(editing.topic_id, Done.UNMOVED, [topic.id for topic in now_in])

    return editing.tried(act, form="moved")


def _lead(address: str) -> Response:
    # 303: the browser fetches the page anew, and a reload doesn't send the form again.
    return RedirectResponse(address, status_code=303)


def _words(written: str) -> list[str]:
    """What was written, a word a line or with 、 between them."""
    return [word for word in (part.strip() for part in _BETWEEN_WORDS.split(written)) if word]
