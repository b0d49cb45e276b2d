"""The import page: the list of imports, files sent to it, and a file looked at before it is taken in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.admin import imports
from api.admin.import_view import CHOICE_GROUPS, ENCODINGS, Progress
from api.admin.receiving import LARGEST_STREAM, Sent, sent_files
from api.deps import MAY_OPERATE, EngineOf, KeyringOf, Operator, PagesOf, Reading, SettingsOf, Writing, form_token
from api.fields import AnyChannel, Day, Number
from api.rendering import Pages
from core import db
from core.crypto import Keyring
from core.errors import InputError, KoeError
from core.models import BatchContent
from core.settings import Settings
from ingest import uploads
from ingest.batches import list_batches
from ingest.look import MOST_COLUMNS, ROWS, Choices
from ingest.mapping_choices import CHOICES, UNUSED
from ingest.mapping_files import AUTO, mapping_names
from ingest.readers import ENCODING_NAMES

router = APIRouter(include_in_schema=False)
PAGE = 30
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.get("/admin/import", dependencies=[Depends(MAY_OPERATE)])
def import_page(
    request: Request,
    session: Reading,
    settings: SettingsOf,
    pages: PagesOf,
    before: Annotated[Number, Query()] = None,
    *,
    discarded: Annotated[bool, Query()] = False,
) -> Response:
    """What was taken in, what waits, and the form that sends files."""
    context = _listed(session, settings, before=before, discarded=discarded)
    # The block asks for itself while something runs; when that has ended, there is news in the rest of the page.
    ended = request.headers.get("HX-Target") == "running" and not context["running"]
    return pages.page(request, "admin/imports.html", context, block="running", headers={"HX-Refresh": "true"} if ended else None)


@router.post(
    "/admin/import/uploads", dependencies=[Depends(MAY_OPERATE), Depends(sent_files)], max_body_size=LARGEST_STREAM
)  # fmt: skip
def send(
    request: Request,
    signed_in: Operator,
    sent: Annotated[Sent, Depends(sent_files)],
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    pages: PagesOf,
) -> Response:
    """Files sent by the form: one leads to its preview, several to the list; what was refused is said there."""
    kept = imports.keep_all(engine, sent, settings=settings, keyring=keyring, actor=signed_in.actor.username)
    refused: list[KoeError] = sent.refused
    if not kept and not refused:
        refused = [InputError("ファイルが選ばれていません。", hint="取り込むファイルを選んでから送ってください。")]
    if len(kept) == 1 and not refused:
        return RedirectResponse(f"/admin/import/uploads/{kept[0].id}", status_code=303)
    if not refused:
        return RedirectResponse("/admin/import", status_code=303)
    with db.reading(engine) as session:
        context = _listed(session, settings, refused=refused, kept=kept)
    return pages.page(request, "admin/imports.html", context, status=max(error.status for error in refused))


@router.get("/admin/import/uploads/{upload_id}", dependencies=[Depends(MAY_OPERATE)])
def preview(
    request: Request,
    upload_id: UploadId,
    signed_in: Operator,
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    pages: PagesOf,
    *,
    saved: Annotated[bool, Query()] = False,
) -> Response:
    """How a file would be read, and what its first rows would become."""
    looked = imports.look_at(engine, upload_id, settings=settings, keyring=keyring, actor=signed_in.actor.username)
    return _preview(request, looked, settings=settings, pages=pages, saved=saved)


def given_choices(
    settings: SettingsOf,
    encoding: Annotated[str, Form(max_length=16)] = "",
    mapping: Annotated[str, Form(max_length=64)] = AUTO,
    mapping_seen: Annotated[str, Form(max_length=64)] = AUTO,
    channel: Annotated[AnyChannel, Form()] = None,
    received_on: Annotated[Day, Form()] = None,
    period: Annotated[str, Form(max_length=64)] = "",
    content: Annotated[str, Form(max_length=16)] = "",
    column: Annotated[list[str] | None, Form(max_length=MOST_COLUMNS)] = None,
) -> Choices:
    """What the preview's form says. With another mapping the choices for the single columns begin anew.

    Raises:
        InputError: a mapping or an encoding that isn't offered.
    """
    if mapping not in (AUTO, *mapping_names(settings)):
        raise InputError("選ばれた対応表は、もうありません。", hint="画面を開きなおして、選びなおしてください。")
    if encoding and encoding not in ENCODINGS:
        raise InputError("選ばれた文字コードは、使えません。", hint="一覧から選んでください。")
    columns = tuple(name if name in CHOICES else UNUSED for name in column) if column and mapping == mapping_seen else None
    return Choices(encoding, mapping, columns, channel, received_on, period.strip(), content == BatchContent.VOICES)


Chosen = Annotated[Choices, Depends(given_choices)]


@router.post("/admin/import/uploads/{upload_id}/choices", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def choose(
    request: Request,
    upload_id: UploadId,
    choices: Chosen,
    signed_in: Operator,
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    pages: PagesOf,
) -> Response:
    """Remembers the choices and shows what they lead to."""
    imports.choose(engine, upload_id, choices)
    if request.headers.get("HX-Request") == "true":
        actor = signed_in.actor.username
        looked = imports.look_at(engine, upload_id, settings=settings, keyring=keyring, actor=actor, choices=choices)
        return _preview(request, looked, settings=settings, pages=pages)
    return RedirectResponse(f"/admin/import/uploads/{upload_id}#outcome", status_code=303)


@router.post("/admin/import/uploads/{upload_id}/mapping", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def save(
    upload_id: UploadId,
    choices: Chosen,
    signed_in: Operator,
    engine: EngineOf,
    settings: SettingsOf,
    keyring: KeyringOf,
    pages: PagesOf,
    request: Request,
    name: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Saves the mapping as it stands on the page under a name."""
    actor = signed_in.actor.username
    imports.choose(engine, upload_id, choices)
    try:
        imports.keep_mapping(engine, upload_id, name, choices, settings=settings, keyring=keyring, actor=actor)
    except InputError as error:
        looked = imports.look_at(engine, upload_id, settings=settings, keyring=keyring, actor=actor, choices=choices)
        return _preview(request, looked, settings=settings, pages=pages, wrong=error)
    return RedirectResponse(f"/admin/import/uploads/{upload_id}?saved=true", status_code=303)


@router.post("/admin/import/uploads/{upload_id}/check", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def check(
    upload_id: UploadId, choices: Chosen, signed_in: Operator, engine: EngineOf, settings: SettingsOf, keyring: KeyringOf
) -> Response:  # fmt: skip
    """Tries the whole file, without saving anything."""
    imports.choose(engine, upload_id, choices)  # for where it leads back to, when they don't fit
    return _started(engine, upload_id, choices, dry_run=True, settings=settings, keyring=keyring, actor=signed_in.actor.username)


@router.post("/admin/import/uploads/{upload_id}/start", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def start(
    upload_id: UploadId, choices: Chosen, signed_in: Operator, engine: EngineOf, settings: SettingsOf, keyring: KeyringOf
) -> Response:  # fmt: skip
    """Takes the file in."""
    imports.choose(engine, upload_id, choices)  # for where it leads back to, when they don't fit
    return _started(engine, upload_id, choices, dry_run=False, settings=settings, keyring=keyring, actor=signed_in.actor.username)


@router.post("/admin/import/uploads/{upload_id}/discard", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def discard(upload_id: UploadId, signed_in: Operator, session: Writing, settings: SettingsOf) -> Response:
    """Throws a file away."""
    upload = uploads.find(session, upload_id, lock=True)
    under_way = imports.open_job(session, "upload", upload_id)
    if under_way is not None:
        return RedirectResponse(f"/admin/import/jobs/{under_way.id}", status_code=303)
    uploads.throw_away(session, upload, settings=settings, actor=signed_in.actor.username)
    return RedirectResponse("/admin/import?discarded=true", status_code=303)


def _started(
    engine: Engine, upload_id: str, choices: Choices, *, dry_run: bool, settings: Settings, keyring: Keyring, actor: str
) -> Response:  # fmt: skip
    try:
        job_id = imports.start(engine, upload_id, choices, dry_run=dry_run, settings=settings, keyring=keyring, actor=actor)
    except InputError:
        return RedirectResponse(f"/admin/import/uploads/{upload_id}#outcome", status_code=303)  # where it says what is wrong
    return RedirectResponse(f"/admin/import/jobs/{job_id}", status_code=303)


def _listed(session: Session, settings: Settings, *, before: int | None = None, **said: Any) -> dict[str, Any]:
    page, following = imports.cut(list_batches(session, limit=PAGE + 1, before_id=before), PAGE)
    return {
        "batches": page,
        "next": following,
        "first": before is None,
        "waiting": uploads.waiting(session),
        "running": [Progress.of(job) for job in imports.open_jobs(session)],
        "most_mb": settings.max_upload_mb,
        "days": settings.upload_days,
        "refused": said.get("refused", ()),
        "kept": said.get("kept", ()),
        "discarded": said.get("discarded", False),
    }


def _preview(
    request: Request, looked: imports.Looked, *, settings: Settings, pages: Pages, saved: bool = False, wrong: InputError | None = None
) -> Response:  # fmt: skip
    context = {
        "upload": looked.upload,
        "choices": looked.choices,
        "look": looked.look,
        "read_as": looked.look.faq.words(len(looked.look.headings)) if looked.look.faq else (),
        "most_columns": MOST_COLUMNS,
        "most_rows": ROWS,
        "groups": CHOICE_GROUPS,
        "encodings": ENCODINGS,
        "encoding_names": ENCODING_NAMES,
        "mappings": mapping_names(settings),
        "saved": saved,
        "wrong": wrong,
    }
    return pages.page(request, "admin/upload.html", context, block="outcome", status=wrong.status if wrong else 200)
