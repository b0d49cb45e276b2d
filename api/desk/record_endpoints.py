"""What hangs on a case, in the JSON API: its course, internal notes, attachments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.deps import (
    MAY_LABEL,
    VOICES_READ,
    VOICES_WRITE,
    EngineOf,
    KeyringOf,
    Labeller,
    Reading,
    SettingsOf,
    Staff,
    Writing,
    header_token,
)
from api.desk.files_routes import FileNumber, for_saving, too_large
from api.desk.routes import ReceiptNumber
from api.multipart import LARGEST_STREAM
from api.timeline_words import told
from core import db
from core.models import Voice
from core.settings import Settings
from loop import files, notes, queries
from loop.actors import Actor
from loop.handling import Target
from loop.timeline import timeline
from nlp.annotate import Masker

router = APIRouter(prefix="/api/v1/cases/{receipt_number}", tags=["cases"])
NoteNumber = Annotated[int, Path(gt=0, lt=2**31)]
WRITES = [Depends(VOICES_WRITE), Depends(header_token)]


class EntryAnswer(BaseModel):
    """Something that happened. ``code`` is for programs, ``words`` for people; ``user`` is empty for the machine."""

    at: datetime
    code: str
    words: str
    user: str
    values: dict[str, Any]


class CourseAnswer(BaseModel):
    """A page of a case's course, newest first; ``next`` is empty on the last one."""

    items: list[EntryAnswer]
    next: str


class NoteInput(BaseModel):
    """An internal note as written. It is masked before anything is stored; the original is sealed."""

    text: str = Field(max_length=notes.LONGEST)


class NoteAnswer(BaseModel):
    """A note, masked. ``is_masked``: the original can be opened for a reason."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    text: str
    user: str
    at: datetime
    is_masked: bool


class OriginalInput(BaseModel):
    """Why an original is opened: one of the reasons that the desk offers."""

    reason: str = Field(max_length=32)


class OriginalAnswer(BaseModel):
    """An original, in this answer alone."""

    text: str


class FileAnswer(BaseModel):
    """An attachment; ``name`` is masked, ``size`` is in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    content_type: str
    size: int
    user: str
    at: datetime


@router.get("/timeline", summary="案件の経過", dependencies=[Depends(VOICES_READ)])
def course(
    receipt_number: ReceiptNumber, signed_in: Staff, session: Reading, after: Annotated[str, Query(max_length=100)] = ""
) -> CourseAnswer:
    """What happened to the voice's case, a page at a time; nothing as long as nobody has begun to handle it."""
    case_id = queries.get_voice(session, receipt_number, seen_by=signed_in.actor).case_id
    page = timeline(session, case_id or 0, after=after)
    items = [EntryAnswer(at=entry.at, code=entry.code, words=told(entry), user=entry.user, values=entry.values) for entry in page.entries]
    return CourseAnswer(items=items, next=page.next)


@router.get("/notes", summary="案件のメモ", dependencies=[Depends(VOICES_READ)])
def noted(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading) -> list[NoteAnswer]:
    """The notes, newest first."""
    return _notes(session, queries.get_voice(session, receipt_number, seen_by=signed_in.actor))


@router.post("/notes", summary="メモを書く", dependencies=WRITES)
def note(
    receipt_number: ReceiptNumber, given: NoteInput, signed_in: Labeller, engine: EngineOf, keyring: KeyringOf, settings: SettingsOf
) -> list[NoteAnswer]:
    """Puts a note on the case; gives all of them."""
    mask = Masker(settings.taxonomy_dir)
    with db.writing(engine) as session:
        notes.add(session, Target(receipt_number), given.text, actor=signed_in.actor, mask=mask, keyring=keyring)
        return _notes(session, queries.get_voice(session, receipt_number, seen_by=signed_in.actor))


@router.post(
    "/notes/{note_id}/original", summary="メモの原文を読む（記録が残る）", dependencies=[Depends(MAY_LABEL), Depends(header_token)]
)
def note_original(
    receipt_number: ReceiptNumber, note_id: NoteNumber, given: OriginalInput, signed_in: Labeller, session: Writing, keyring: KeyringOf
) -> OriginalAnswer:
    """The note as written, which is recorded."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    return OriginalAnswer(text=notes.read_original(session, voice, note_id, actor=signed_in.actor, reason=given.reason, keyring=keyring))


@router.get("/files", summary="案件の添付", dependencies=[Depends(VOICES_READ)])
def attached(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading) -> list[FileAnswer]:
    """The attachments, newest first; ``…/files/{id}?reason=`` gives one's content."""
    return _files(session, queries.get_voice(session, receipt_number, seen_by=signed_in.actor))


@router.post("/files", summary="ファイルを添付する（本体がそのままファイル）", dependencies=WRITES, max_body_size=LARGEST_STREAM)
async def attach(
    request: Request,
    receipt_number: ReceiptNumber,
    signed_in: Labeller,
    engine: EngineOf,
    keyring: KeyringOf,
    settings: SettingsOf,
    name: Annotated[str, Query(min_length=1, max_length=255)],
) -> list[FileAnswer]:
    """Attaches the request's body; gives all attachments."""
    content = bytearray()
    async for chunk in request.stream():
        if len(content) + len(chunk) > settings.attachment_mb << 20:
            raise too_large("このファイル", settings=settings)
        content += chunk

    def keep(actor: Actor, settings: Settings) -> list[FileAnswer]:
        with db.reading(engine) as session:
            queries.get_voice(session, receipt_number, seen_by=actor)
        given = files.ready(name, bytes(content), mask=Masker(settings.taxonomy_dir), keyring=keyring)
        with db.writing(engine) as session:
            files.add(session, Target(receipt_number), [given], actor=actor)
            return _files(session, queries.get_voice(session, receipt_number, seen_by=actor))

    return await run_in_threadpool(keep, signed_in.actor, settings)


@router.get("/files/{file_id}", summary="添付の中身（記録が残る）", dependencies=[Depends(MAY_LABEL)], response_class=Response)
def content(
    receipt_number: ReceiptNumber,
    file_id: FileNumber,
    signed_in: Labeller,
    session: Writing,
    keyring: KeyringOf,
    reason: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """An attachment's content, which is recorded."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    return for_saving(files.open_file(session, voice, file_id, actor=signed_in.actor, reason=reason, keyring=keyring))


@router.post("/files/{file_id}/delete", summary="添付を消す", dependencies=WRITES)
def delete(receipt_number: ReceiptNumber, file_id: FileNumber, signed_in: Labeller, session: Writing) -> list[FileAnswer]:
    """Takes an attachment away; gives those that are left."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    files.remove(session, voice, file_id, actor=signed_in.actor)
    return _files(session, voice)


def _notes(session: Session, voice: Voice) -> list[NoteAnswer]:
    return [NoteAnswer.model_validate(found) for found in notes.notes_of(session, voice.case_id or 0)]


def _files(session: Session, voice: Voice) -> list[FileAnswer]:
    return [FileAnswer.model_validate(found) for found in files.files_of(session, voice.case_id or 0)]
