"""The JSON API over imports, for those who may take files in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.admin import imports
from api.admin.batch_routes import BatchId
from api.admin.import_jobs import JobId
from api.admin.import_routes import UploadId
from api.admin.import_schemas import (
    BatchAnswer,
    BatchesAnswer,
    BatchItem,
    ChoicesInput,
    JobAnswer,
    LookAnswer,
    RejectItem,
    RejectsAnswer,
    UndoInput,
    UploadAnswer,
)
from api.admin.receiving import LARGEST_STREAM, Sent, sent_body
from api.deps import IMPORT_WRITE, EngineOf, KeyringOf, Operator, Reading, SettingsOf, Writing, header_token
from api.fields import Number
from core import db
from core import jobs as job_table
from ingest import rejects
from ingest.batches import list_batches

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])
WRITES = [Depends(IMPORT_WRITE), Depends(header_token)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("", summary="取込の一覧", dependencies=[Depends(IMPORT_WRITE)])
def batches(session: Reading, before: Annotated[Number, Query()] = None, limit: Limit = 50) -> BatchesAnswer:
    """Imports, the newest first."""
    page, following = imports.cut(list_batches(session, limit=limit + 1, before_id=before), limit)
    return BatchesAnswer(items=[BatchItem.model_validate(batch) for batch in page], next=following)


@router.post("/uploads", summary="ファイルを送る（本体がそのままファイル）", dependencies=WRITES, max_body_size=LARGEST_STREAM)
def send(
    signed_in: Operator, sent: Annotated[Sent, Depends(sent_body)], engine: EngineOf, settings: SettingsOf, keyring: KeyringOf
) -> UploadAnswer:  # fmt: skip
    """Keeps a file, when it can be taken in at all."""
    kept = imports.keep_all(engine, sent, settings=settings, keyring=keyring, actor=signed_in.actor.username)
    if not kept:
        raise sent.refused[0]
    return UploadAnswer.model_validate(kept[0])


@router.get("/uploads/{upload_id}", summary="送ったファイルがどう読めるか", dependencies=[Depends(IMPORT_WRITE)])
def look(upload_id: UploadId, signed_in: Operator, engine: EngineOf, settings: SettingsOf, keyring: KeyringOf) -> LookAnswer:
    """How an upload would be read with the choices made so far; none of its rows."""
    looked = imports.look_at(engine, upload_id, settings=settings, keyring=keyring, actor=signed_in.actor.username)
    seen = looked.look
    return LookAnswer(
        upload=UploadAnswer.model_validate(looked.upload),
        content=seen.content,
        encoding=seen.encoding,
        headings=list(seen.headings),
        columns=list(seen.columns),
        notes=list(seen.notes),
        voices=seen.voices,
        counts=seen.counts,
        rejects=seen.rejects,
        problem=str(seen.problem or ""),
    )


@router.post("/uploads/{upload_id}/check", summary="試しに取り込む（何も保存しない）", dependencies=WRITES)
def check(
    upload_id: UploadId, given: ChoicesInput, signed_in: Operator, engine: EngineOf, settings: SettingsOf, keyring: KeyringOf
) -> JobAnswer:  # fmt: skip
    """Starts a rehearsal of the whole file."""
    actor, choices = signed_in.actor.username, given.choices(settings)
    job_id = imports.start(engine, upload_id, choices, dry_run=True, settings=settings, keyring=keyring, actor=actor)
    return _job(engine, job_id)


@router.post("/uploads/{upload_id}/start", summary="取り込む", dependencies=WRITES)
def start(
    upload_id: UploadId, given: ChoicesInput, signed_in: Operator, engine: EngineOf, settings: SettingsOf, keyring: KeyringOf
) -> JobAnswer:  # fmt: skip
    """Starts the import."""
    actor, choices = signed_in.actor.username, given.choices(settings)
    job_id = imports.start(engine, upload_id, choices, dry_run=False, settings=settings, keyring=keyring, actor=actor)
    return _job(engine, job_id)


@router.get("/jobs/{job_id}", summary="取込の処理の進みぐあいと結果", dependencies=[Depends(IMPORT_WRITE)])
def job(job_id: JobId, session: Reading) -> JobAnswer:
    """How far a job is, and what came of it."""
    return JobAnswer.model_validate(imports.find_job(session, job_id))


@router.post("/jobs/{job_id}/cancel", summary="処理を途中でやめる", dependencies=WRITES)
def cancel(job_id: JobId, signed_in: Operator, session: Writing) -> JobAnswer:
    """Asks the worker to stop; what was taken in stays."""
    imports.find_job(session, job_id)
    return JobAnswer.model_validate(job_table.request_cancel(session, job_id, actor=signed_in.actor.username))


@router.get("/{batch_id}", summary="取込1つと、取り込めなかった行の数", dependencies=[Depends(IMPORT_WRITE)])
def batch(batch_id: BatchId, session: Reading) -> BatchAnswer:
    """One import."""
    found = imports.find_batch(session, batch_id)
    item = BatchItem.model_validate(found).model_dump()
    return BatchAnswer(**item, open_rejects=rejects.count_by_code(session, batch_id, open_only=True))


@router.get("/{batch_id}/rejects", summary="取り込めなかった行（内容は含まない）", dependencies=[Depends(IMPORT_WRITE)])
def batch_rejects(batch_id: BatchId, session: Reading, after: Annotated[Number, Query()] = None, limit: Limit = 100) -> RejectsAnswer:
    """Rows that were not taken, and why."""
    page, following = imports.cut(rejects.list_rejects(session, batch_id, limit=limit + 1, after_id=after or 0), limit)
    return RejectsAnswer(items=[RejectItem.model_validate(item) for item in page], next=following)


@router.post("/{batch_id}/undo", summary="取込をまるごと取り消す", dependencies=WRITES)
def undo(batch_id: BatchId, given: UndoInput, signed_in: Operator, session: Writing, settings: SettingsOf) -> JobAnswer:
    """Starts taking a batch back."""
    actor = signed_in.actor.username
    job = imports.start_undo(session, batch_id, reason=given.words, force=given.force, settings=settings, actor=actor)
    return JobAnswer.model_validate(job)


def _job(engine: EngineOf, job_id: int) -> JobAnswer:
    with db.reading(engine) as session:
        return JobAnswer.model_validate(imports.find_job(session, job_id))
