"""The page of background jobs: what waits, runs and ended, with cancelling and trying again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import MAY_OPERATE, Operator, PagesOf, Reading, SettingsOf, Writing, form_token
from api.job_kinds import TITLES
from api.jobs import submit, submit_again
from core import jobs
from core.models import JobState

router = APIRouter(include_in_schema=False)
JobId = Annotated[int, Path(ge=1, lt=2**31)]
ACTIVE = (JobState.QUEUED, JobState.RUNNING)
_PAGE = 20
_CHANGED = {
    "cancelled": "処理を取り消しました。実行中のものは、区切りのよいところで止まります。",
    "retried": "処理をもう一度待ち行列に入れました。",
    "training": "訂正から学び直す処理を頼みました。終わると、前と後の当たり方がここに出ます。",
    "waiting": "訂正から学び直す処理は、すでに頼まれています。",
}


@router.get("/admin/jobs", dependencies=[Depends(MAY_OPERATE)])
def job_list(
    request: Request,
    session: Reading,
    pages: PagesOf,
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    changed: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The jobs, newest first. The block is fetched again and again as long as one of them isn't over."""
    found = jobs.listing(session, limit=_PAGE + 1, before_id=before)
    shown = found[:_PAGE]
    context = {
        "jobs": shown,
        "changed": _CHANGED.get(changed, ""),
        "changes": before is None and any(job.state in ACTIVE for job in shown),
        "newest": "/admin/jobs" if before else None,
        "older": f"/admin/jobs?before={shown[-1].id}" if len(found) > _PAGE else None,
    }
    return pages.page(request, "admin/jobs.html", context, block="jobs")


@router.post("/admin/jobs/train", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def learn_from_corrections(signed_in: Operator, session: Writing, settings: SettingsOf) -> Response:
    """Asks for new models from what staff decided; one such job at a time."""
    if jobs.is_active(session, "train"):
        return RedirectResponse("/admin/jobs?changed=waiting", status_code=303)
    submit(session, settings, kind="train", title=TITLES["train"], arguments={}, actor=signed_in.actor.username)
    return RedirectResponse("/admin/jobs?changed=training", status_code=303)


@router.post("/admin/jobs/{job_id}/cancel", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def cancel(job_id: JobId, signed_in: Operator, session: Writing) -> Response:
    """Cancels a waiting job, or asks a running one to stop."""
    jobs.request_cancel(session, job_id, actor=signed_in.actor.username)
    return RedirectResponse("/admin/jobs?changed=cancelled", status_code=303)


@router.post("/admin/jobs/{job_id}/retry", dependencies=[Depends(MAY_OPERATE), Depends(form_token)])
def retry(job_id: JobId, signed_in: Operator, session: Writing, settings: SettingsOf) -> Response:
    """Lets a job that failed or was cancelled wait again."""
    submit_again(session, settings, job_id, actor=signed_in.actor.username)
    return RedirectResponse("/admin/jobs?changed=retried", status_code=303)
