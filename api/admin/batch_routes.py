"""One import afterwards: its sums, the rows that were not taken (opened, mended, discarded, exported), and the whole of it taken back."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.admin import imports
from api.admin.import_view import DISCARD_REASONS, OPEN_REASONS, UNDO_REASONS, Progress
from api.admin.mending import mended, shown
from api.admin.receiving import LARGEST_STREAM, Sent, sent_files
from api.deps import EVERY_EXPORT, MAY_OPERATE, EngineOf, KeyringOf, Operator, PagesOf, Reading, SettingsOf, Writing, form_token
from api.fields import Number
from core import db
from core.errors import InputError, KoeError, NotFoundError
from core.models import BatchContent, Reject
from ingest import rejects, uploads
from ingest.faq_queries import batch_span
from ingest.readers import ENCODING_NAMES
from ingest.undo import StaffWork, staff_work

router = APIRouter(include_in_schema=False)
PAGE = 50
MOST_CELLS = 400
BatchId = Annotated[int, Path(ge=1, lt=2**31)]
RejectId = Annotated[int, Path(ge=1, lt=2**31)]
Reason = Annotated[str, Form(max_length=16)]


@router.get("/admin/import/batches/{batch_id}", dependencies=[Depends(MAY_OPERATE)])
def batch_page(
    request: Request,
    batch_id: BatchId,
    session: Reading,
    pages: PagesOf,
    after: Annotated[Number, Query()] = None,
    *,
    every: Annotated[bool, Query(alias="all")] = False,
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """What an import gave, and the rows that it couldn't take."""
    return pages.page(request, "admin/batch.html", _shown(session, batch_id, after=after, every=every, done=done))


@router.post("/admin/import/batches/{batch_id}/undo", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def undo(
    request: Request,
    batch_id: BatchId,
    signed_in: Operator,
    session: Writing,
    settings: SettingsOf,
    pages: PagesOf,
    reason: Reason = "",
    *,
    sure: Annotated[bool, Form()] = False,
    force: Annotated[bool, Form()] = False,
) -> Response:
    """Takes the whole import back, in the background. Where staff have worked on its voices, only when that is said, too."""
    told = _reason(UNDO_REASONS, reason)
    if not sure:
        raise InputError("取り消してよいかどうかが、確かめられていません。", hint="「すべて消す」に印を付けてください。")
    work = staff_work(session, imports.find_batch(session, batch_id).id)
    if work and not force:
        return pages.page(request, "admin/batch.html", _shown(session, batch_id, work=work), status=409)
    job = imports.start_undo(session, batch_id, reason=told, force=force, settings=settings, actor=signed_in.actor.username)
    return RedirectResponse(f"/admin/import/jobs/{job.id}", status_code=303)


@router.post("/admin/import/batches/{batch_id}/export", dependencies=[Depends(MAY_OPERATE), Depends(form_token), Depends(EVERY_EXPORT)])
def export(batch_id: BatchId, signed_in: Operator, session: Writing, keyring: KeyringOf, reason: Reason = "") -> Response:
    """The open rejects with their content as CSV, to be mended in a spreadsheet."""
    text = io.StringIO(newline="")
    told = _reason(OPEN_REASONS, reason)
    rejects.export_rejects(session, text, batch_id, keyring=keyring, actor=signed_in.actor.username, reason=told)
    headers = {"Content-Disposition": f'attachment; filename="rejects-{batch_id}.csv"', "Cache-Control": "no-store"}
    return Response(text.getvalue().encode("utf-8-sig", "replace"), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(
    "/admin/import/batches/{batch_id}/mended",
    dependencies=[Depends(MAY_OPERATE), Depends(sent_files)],
    max_body_size=LARGEST_STREAM,
)
def send_mended(
    request: Request,
    batch_id: BatchId,
    signed_in: Operator,
    sent: Annotated[Sent, Depends(sent_files)],
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    pages: PagesOf,
) -> Response:
    """A mended export: its rows are taken in, in the background."""
    actor = signed_in.actor.username
    with db.reading(engine) as session:
        rejects.refuse_unless_mendable(imports.find_batch(session, batch_id))
    kept = imports.keep_all(engine, sent, settings=settings, keyring=keyring, actor=actor)
    if not kept:
        wrong: KoeError = next(
            iter(sent.refused), InputError("ファイルが選ばれていません。", hint="直したファイルを選んでから送ってください。")
        )
        with db.reading(engine) as session:
            return pages.page(request, "admin/batch.html", _shown(session, batch_id, wrong=wrong), status=wrong.status)
    with db.writing(engine) as session:
        job = imports.start_mending(session, batch_id, kept[0], settings=settings, actor=actor)
        for upload in kept[1:]:  # the form sends one
            uploads.throw_away(session, upload, settings=settings, actor=actor)
    return RedirectResponse(f"/admin/import/jobs/{job.id}", status_code=303)


@router.post("/admin/import/rejects/{reject_id}/open", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def open_reject(
    request: Request,
    reject_id: RejectId,
    signed_in: Operator,
    session: Writing,
    keyring: KeyringOf,
    pages: PagesOf,
    reason: Reason = "",
) -> Response:
    """A row's content, once, in this response alone, to be mended."""
    told = _reason(OPEN_REASONS, reason)
    opened = rejects.open_reject(session, reject_id, keyring=keyring, actor=signed_in.actor.username, reason=told)
    reject = _reject(session, reject_id)
    of_voices = imports.find_batch(session, reject.batch_id).content is BatchContent.VOICES
    return _opened(request, reject, opened.headings, shown(opened.cells), of_voices=of_voices, pages=pages)


@router.post("/admin/import/rejects/{reject_id}/mend", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def mend(
    request: Request,
    reject_id: RejectId,
    signed_in: Operator,
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    pages: PagesOf,
    cell: Annotated[list[str], Form(max_length=MOST_CELLS)],
) -> Response:
    """Takes a mended row in, or shows it again with what is still wrong."""
    from ingest.retry import Tools, retry_reject
    from nlp import annotate

    with db.reading(engine) as session:
        reject = _reject(session, reject_id)
        stored = rejects.cells_of(reject, keyring)
        headings = rejects.headings_of(imports.find_batch(session, reject.batch_id))
    tools = Tools(settings, keyring, annotate.ready(settings), annotate.Masker(settings.taxonomy_dir))
    outcome = retry_reject(engine, reject_id, mended(cell, stored), tools=tools, actor=signed_in.actor.username)
    if outcome.resolution:
        return RedirectResponse(f"/admin/import/batches/{reject.batch_id}?done={outcome.resolution}#rejects", status_code=303)
    with db.reading(engine) as session:
        reject = _reject(session, reject_id)
    return _opened(request, reject, headings, cell, pages=pages, status=422)


@router.post("/admin/import/rejects/{reject_id}/discard", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def discard(reject_id: RejectId, signed_in: Operator, session: Writing, reason: Reason = "") -> Response:
    """Closes a row that nobody wants to take in."""
    reject = _reject(session, reject_id)
    rejects.discard(session, [reject_id], actor=signed_in.actor.username, reason=_reason(DISCARD_REASONS, reason))
    return RedirectResponse(f"/admin/import/batches/{reject.batch_id}?done=discarded#rejects", status_code=303)


def _shown(
    session: Session,
    batch_id: int,
    *,
    after: int | None = None,
    every: bool = False,
    done: str = "",
    wrong: KoeError | None = None,
    work: StaffWork | None = None,
) -> dict[str, Any]:
    batch = imports.find_batch(session, batch_id)
    found = rejects.list_rejects(session, batch_id, limit=PAGE + 1, after_id=after or 0, open_only=not every)
    page, following = imports.cut(found, PAGE)
    job = imports.open_job(session, "batch", batch_id)
    codes = rejects.count_by_code(session, batch_id, open_only=True)
    return {
        "batch": batch,
        "encoding": ENCODING_NAMES.get(batch.encoding, batch.encoding),
        "rejects": page,
        "next": following,
        "first": not after,
        "every": every,
        "codes": codes,
        "open_count": sum(codes.values()),
        "job": job and Progress.of(job),
        "open_reasons": OPEN_REASONS,
        "undo_reasons": UNDO_REASONS,
        "done": done,
        "wrong": wrong,
        "work": work,
        "half_undone": imports.half_undone(session, batch),
        "counted": batch_span(session, batch_id) if batch.content is BatchContent.FAQ else None,
    }


def _reject(session: Session, reject_id: int) -> Reject:
    reject = session.get(Reject, reject_id)
    if reject is None:
        raise NotFoundError(f"取り込めなかった行 {reject_id} はありません。", hint="取込の画面から選びなおしてください。")
    return reject


def _reason(reasons: Mapping[str, str], given: str) -> str:
    if given not in reasons:
        raise InputError("理由が選ばれていません。", hint="理由を一覧から選んでください。")
    return reasons[given]


def _opened(
    request: Request,
    reject: Reject,
    headings: tuple[str, ...],
    cells: list[str],
    *,
    pages: PagesOf,
    of_voices: bool = True,
    status: int = 200,
) -> Response:
    width = max(len(headings), len(cells))
    named = [headings[at] if at < len(headings) and headings[at] else f"{at + 1} 列目" for at in range(width)]
    context = {
        "reject": reject,
        "fields": list(zip(named, [*cells, *[""] * (width - len(cells))], strict=True)),
        "mendable": of_voices and bool(headings) and width <= MOST_CELLS,
        "reasons": DISCARD_REASONS,
        "again": status != 200,
    }
    return pages.page(request, "admin/reject.html", context, status=status, headers={"Cache-Control": "no-store"})
