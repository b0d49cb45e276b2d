"""The page of one import's job: how far it is, how it ended, what to do next."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response

from api import jobs
from api.admin import imports
from api.admin.import_view import Progress
from api.deps import MAY_OPERATE, Operator, PagesOf, Reading, SettingsOf, Writing, form_token
from core import jobs as job_table
from core.models import Batch, Upload

router = APIRouter(include_in_schema=False)
JobId = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("/admin/import/jobs/{job_id}", dependencies=[Depends(MAY_OPERATE)])
def job_page(request: Request, job_id: JobId, session: Reading, pages: PagesOf) -> Response:
    """How far a job is. The block in the middle asks for itself until the job has ended."""
    job = imports.find_job(session, job_id)
    upload = session.get(Upload, str(job.arguments.get("upload", "")))
    context = {
        "progress": Progress.of(job),
        "upload": upload,
        "batch": session.get(Batch, job.batch_id) if job.batch_id else None,
        "kinds": imports,
    }
    return pages.page(request, "admin/import_job.html", context, block="progress")


@router.post("/admin/import/jobs/{job_id}/cancel", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def cancel(job_id: JobId, signed_in: Operator, session: Writing) -> Response:
    """Asks the worker to stop at the next good moment."""
    if imports.find_job(session, job_id).state in imports.OPEN:
        job_table.request_cancel(session, job_id, actor=signed_in.actor.username)
    return RedirectResponse(f"/admin/import/jobs/{job_id}", status_code=303)


@router.post("/admin/import/jobs/{job_id}/again", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def again(job_id: JobId, signed_in: Operator, session: Writing, settings: SettingsOf) -> Response:
    """Goes on with a job that failed or was stopped."""
    imports.find_job(session, job_id)
    jobs.submit_again(session, settings, job_id, actor=signed_in.actor.username)
    return RedirectResponse(f"/admin/import/jobs/{job_id}", status_code=303)
