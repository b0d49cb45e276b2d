"""Attachments at the desk: sent with a form, fetched for a stated reason, taken away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import multipart
from api.auth import SignedIn
from api.deps import MAY_LABEL, EngineOf, KeyringOf, Labeller, SettingsOf, Writing, form_token
from api.desk.routes import ReceiptNumber, ViewQuery
from api.multipart import LARGEST_STREAM, Form, Limits, Sent
from core import db
from core.errors import InputError
from core.settings import Settings
from loop import files, queries
from loop.files import Opened
from loop.handling import Target
from nlp.annotate import Masker

router = APIRouter(include_in_schema=False)
MOST_AT_ONCE = 10
FileNumber = Annotated[int, Path(gt=0, lt=2**31)]


class Attachment:
    """A file as it comes in. It is small enough to be held as a whole until it lies sealed in the database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.content = bytearray()

    def write(self, data: bytes) -> None:
        self.content += data

    def finish(self) -> Attachment:
        return self

    def abandon(self) -> None:
        self.content.clear()


async def sent_attachments(
    request: Request, signed_in: Annotated[SignedIn, Depends(MAY_LABEL)], settings: SettingsOf
) -> AsyncIterator[Sent[Attachment]]:
    """The files of a form whose first field is the token of this session.

    Raises:
        ForbiddenError: the token is missing, another session's, or stands after a file.
        InputError: not a form, or one that breaks off.
    """
    limits = Limits(MOST_AT_ONCE, settings.attachment_mb << 20, partial(too_large, settings=settings))
    form = Form(Attachment, limits=limits, signed_in=signed_in)
    try:
        await multipart.read_form(request, form)
        yield form.sent
    finally:
        form.abandon()


def too_large(what: str, *, settings: Settings) -> InputError:
    """What is told of files that are too large."""
    error = InputError(
        f"{what}は大きすぎます。1度に添付できるのは合わせて {settings.attachment_mb:,} MB までです。",
        hint="分けて添付するか、小さくしてください。",
    )
    error.status = 413
    return error


def for_saving(opened: Opened) -> Response:
    """A file as an answer: no browser shows it in a page of this site, guesses at its kind, or keeps it."""
    headers = {
        "Content-Disposition": f"attachment; filename=\"file\"; filename*=UTF-8''{quote(opened.name)}",
        "Content-Security-Policy": "sandbox",
        "Cache-Control": "no-store",
    }
    return Response(opened.content, media_type=opened.content_type, headers=headers)


@router.post("/desk/{receipt_number}/files", dependencies=[Depends(MAY_LABEL), Depends(sent_attachments)], max_body_size=LARGEST_STREAM)
def attach(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    sent: Annotated[Sent[Attachment], Depends(sent_attachments)],
    engine: EngineOf,
    keyring: KeyringOf,
    settings: SettingsOf,
) -> Response:
    """Attaches all files of the form or none, and comes back to the voice."""
    with db.reading(engine) as session:
        queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    if sent.refused:
        raise sent.refused[0]
    if not sent.files:
        raise InputError("ファイルが選ばれていません。", hint="添付するファイルを選んでから送ってください。")
    mask = Masker(settings.taxonomy_dir)
    given = [files.ready(file.name, bytes(file.content), mask=mask, keyring=keyring) for file in sent.files]
    with db.writing(engine) as session:
        files.add(session, Target(receipt_number), given, actor=signed_in.actor)
    return _back(receipt_number, query)


@router.get("/desk/{receipt_number}/files/{file_id}", dependencies=[Depends(MAY_LABEL)])
def fetch(
    receipt_number: ReceiptNumber,
    file_id: FileNumber,
    signed_in: Labeller,
    session: Writing,
    keyring: KeyringOf,
    reason: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """The file, for saving."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    return for_saving(files.open_file(session, voice, file_id, actor=signed_in.actor, reason=reason, keyring=keyring))


@router.post("/desk/{receipt_number}/files/{file_id}/delete", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def delete(receipt_number: ReceiptNumber, file_id: FileNumber, query: ViewQuery, signed_in: Labeller, session: Writing) -> Response:
    """Takes a file away, and comes back to the voice."""
    files.remove(session, queries.get_voice(session, receipt_number, seen_by=signed_in.actor), file_id, actor=signed_in.actor)
    return _back(receipt_number, query)


def _back(receipt_number: str, query: ViewQuery) -> Response:
    return RedirectResponse(f"/desk/{receipt_number}{query.query()}#files", status_code=303)
