"""Who else has a voice before their eyes: asked by the open page again and again, and by programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import Engine

from api.deps import STAFF, EngineOf, PagesOf, Reading, Staff, form_token, header_token
from api.desk.routes import ReceiptNumber
from core import db
from core.models import Voice
from loop import looks, queries
from loop.actors import Actor

pages = APIRouter(include_in_schema=False)
json = APIRouter(prefix="/api/v1", tags=["cases"])


class BesideAnswer(BaseModel):
    """Who else has the voice open."""

    names: list[str] = Field(description="others who gave a sign within the last 90 seconds, who came last first")


def note_sign(engine: Engine, session: Reading, voice: Voice, *, actor: Actor) -> None:
    """Notes that somebody is still there. Nothing is written, and nobody waits, when that was noted a moment ago."""
    if looks.due(session, voice, actor=actor, opening=False):
        with db.writing(engine) as writing:
            looks.beat(writing, voice.id, actor=actor)


@pages.post("/desk/{receipt_number}/here", dependencies=[Depends(STAFF), Depends(form_token)])
def here(
    request: Request,
    receipt_number: ReceiptNumber,
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    pages: PagesOf,
    shown: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Notes that the page is still open, and says who else has it open; nothing when that is what ``shown`` says."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    note_sign(engine, session, voice, actor=signed_in.actor)
    if request.headers.get("HX-Request") != "true":
        return RedirectResponse(f"/desk/{receipt_number}", status_code=303)
    names = looks.beside(session, voice.id, actor=signed_in.actor)
    if shown == "、".join(names):
        return Response(status_code=204)
    return pages.page(request, "desk/beside.html", {"names": names})


@json.post(
    "/voices/{receipt_number}/here",
    summary="開いていることを知らせ、ほかに見ている職員を知る",
    dependencies=[Depends(STAFF), Depends(header_token)],
)
def here_json(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading, engine: EngineOf) -> BesideAnswer:
    """Notes that the voice is open, and says who else has it open."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    note_sign(engine, session, voice, actor=signed_in.actor)
    return BesideAnswer(names=looks.beside(session, voice.id, actor=signed_in.actor))
