"""Approvals (決裁): what waits for me, and one answer with the buttons that decide."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.answers import view
from api.answers.masking import masked
from api.deps import STAFF, CityOf, PagesOf, Reading, SettingsOf, Staff, Writing, form_token
from api.fields import Name
from core.clock import today
from loop import approval_queries, approvals
from loop.answers import KINDS
from loop.deadlines import Deadlines

router = APIRouter(include_in_schema=False)
ApprovalId = Annotated[int, Path(gt=0, lt=2**31)]
Comment = Annotated[str, Form(max_length=20_000)]
DONE = {"approved": "承認しました。", "returned": "差し戻しました。", "delegated": "代決する人を決めました。"}


@router.get("/desk/approvals", dependencies=[Depends(STAFF)])
def approvals_page(
    request: Request, signed_in: Staff, session: Reading, city: CityOf, pages: PagesOf, done: Annotated[str, Query(max_length=16)] = ""
) -> Response:
    """The answers that wait for me, those due first in front."""
    actor = signed_in.actor
    context = {
        "waiting": approval_queries.waiting_for(session, actor),
        "total": approval_queries.count_waiting(session, actor),
        "position": approval_queries.position_of(session, actor),
        "deadlines": Deadlines(city.calendar, today()),
        "KINDS": KINDS,
        "done": DONE.get(done, ""),
    }
    return pages.page(request, "answers/approvals.html", context)


@router.get("/desk/approvals/{approval_id}", dependencies=[Depends(STAFF)])
def approval_page(
    request: Request,
    approval_id: ApprovalId,
    signed_in: Staff,
    session: Reading,
    city: CityOf,
    checks: view.ChecksOf,
    pages: PagesOf,
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """One answer as an approver looks at it."""
    found = approval_queries.approval_of(session, approval_id, seen_by=signed_in.actor)
    context = view.approval(session, city, found, actor=signed_in.actor, checks=checks)
    return pages.page(request, "answers/approval.html", {**context, "done": DONE.get(done, "")})


@router.post("/desk/approvals/{approval_id}/approve", dependencies=[Depends(STAFF), Depends(form_token)])
def approve(approval_id: ApprovalId, signed_in: Staff, session: Writing, settings: SettingsOf, comment: Comment = "") -> Response:
    """Approves this step."""
    approvals.approve(session, approval_id, actor=signed_in.actor, comment=masked(settings, comment))
    return RedirectResponse("/desk/approvals?done=approved", status_code=303)


@router.post("/desk/approvals/{approval_id}/return", dependencies=[Depends(STAFF), Depends(form_token)])
def return_(approval_id: ApprovalId, signed_in: Staff, session: Writing, settings: SettingsOf, comment: Comment = "") -> Response:
    """Sends the draft back with a comment."""
    approvals.return_(session, approval_id, actor=signed_in.actor, comment=masked(settings, comment))
    return RedirectResponse("/desk/approvals?done=returned", status_code=303)


@router.post("/desk/approvals/{approval_id}/delegate", dependencies=[Depends(STAFF), Depends(form_token)])
def delegate(approval_id: ApprovalId, signed_in: Staff, session: Writing, deputy: Annotated[Name, Form()] = "") -> Response:
    """Names who decides in place of the position."""
    approvals.delegate(session, approval_id, deputy, actor=signed_in.actor)
    return RedirectResponse(f"/desk/approvals/{approval_id}?done=delegated", status_code=303)
