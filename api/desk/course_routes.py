"""A case's course on a voice's page: what happened, notes, attachments; a note to be written, and one to be read as it was written."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import MAY_LABEL, STAFF, EngineOf, KeyringOf, Labeller, PagesOf, Reading, RulesOf, SettingsOf, Staff, Writing, form_token
from api.desk.routes import ReceiptNumber, ViewQuery
from api.desk.view import DeskView
from api.timeline_words import told
from core import db
from loop import files, interim, notes, originals, queries
from loop.handling import Target
from loop.originals import Original
from loop.timeline import Course, timeline
from nlp.annotate import Masker

router = APIRouter(include_in_schema=False)
NoteNumber = Annotated[int, Path(gt=0, lt=2**31)]


@router.get("/desk/{receipt_number}/course", dependencies=[Depends(STAFF)])
def course(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Staff,
    session: Reading,
    rules: RulesOf,
    pages: PagesOf,
    since: Annotated[str, Query(alias="course", max_length=64)] = "",
) -> Response:
    """What happened to the case, newest first. A block of the voice's page, or a page of its own."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    context = {
        "view": DeskView.of(query, actor=signed_in.actor, rules=rules),
        "voice": voice,
        "course": timeline(session, voice.case_id, after=since) if voice.case_id else Course([]),
        "told": told,
        "files": files.files_of(session, voice.case_id) if voice.case_id else [],
        "reasons": originals.REASONS,
        "interim_by": interim.of_voices(session, rules, [voice.id]).get(voice.id),
    }
    return pages.page(request, "desk/course.html", context, block="course")


@router.post("/desk/{receipt_number}/notes", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def write_note(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    engine: EngineOf,
    keyring: KeyringOf,
    settings: SettingsOf,
    text: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Puts a note on the case, masked, and comes back to the voice."""
    with db.reading(engine) as session:
        queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    with db.writing(engine) as session:  # it masks before it asks the database for anything
        notes.add(session, Target(receipt_number), text, actor=signed_in.actor, mask=Masker(settings.taxonomy_dir), keyring=keyring)
    return RedirectResponse(f"/desk/{receipt_number}" + query.query(done="") + "#course", status_code=303)


@router.post("/desk/{receipt_number}/notes/{note_id}/original", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def original_note(
    request: Request,
    receipt_number: ReceiptNumber,
    note_id: NoteNumber,
    query: ViewQuery,
    signed_in: Labeller,
    session: Writing,
    keyring: KeyringOf,
    rules: RulesOf,
    pages: PagesOf,
    reason: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """A note as it was written, once, in this response alone."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    written = notes.read_original(session, voice, note_id, actor=signed_in.actor, reason=reason, keyring=keyring)
    context = {
        "view": DeskView.of(query, actor=signed_in.actor, rules=rules),
        "voice": voice,
        "original": Original({"note": written}, {}),
        "reason": originals.REASONS[reason],
    }
    return pages.page(request, "desk/original.html", context, headers={"Cache-Control": "no-store"})
