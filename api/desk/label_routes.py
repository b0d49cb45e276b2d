"""The forms with which somebody accepts or changes a voice's labels, one at a time, and takes that back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from api.deps import MAY_LABEL, Labeller, RulesOf, TaxonomyOf, Writing, form_token
from api.desk.routes import ReceiptNumber, ViewQuery
from api.desk.view import DeskQuery
from core.models import Facet
from loop import labels, recount

router = APIRouter(include_in_schema=False)


@router.post("/desk/{receipt_number}/labels", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def decide(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    session: Writing,
    taxonomy: TaxonomyOf,
    rules: RulesOf,
    facet: Annotated[Facet, Form()],
    value: Annotated[str, Form(max_length=64)] = "",
    seen: Annotated[int | None, Form()] = None,
) -> Response:
    """Accepts or changes one label, and comes back to the voice; to the list, where it has become another department's."""
    voice = recount.hold(session, receipt_number, seen_by=signed_in.actor)
    before = labels.in_force(voice, facet)
    made = recount.decide(session, voice, facet, value, actor=signed_in.actor, taxonomy=taxonomy, rules=rules, seen=seen)
    if not signed_in.actor.may_see(voice):
        return RedirectResponse("/desk" + query.query(), status_code=303)
    changed = ".".join(str(label.id) for label in made) if value != before else "accepted"
    return _back_to_voice(query, receipt_number, changed)


@router.post("/desk/{receipt_number}/undo", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def undo(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    session: Writing,
    rules: RulesOf,
    labels_given: Annotated[str, Form(alias="labels", max_length=100, pattern=r"^\d{1,9}(\.\d{1,9})*$")],
) -> Response:
    """Takes the last change back."""
    voice = recount.hold(session, receipt_number, seen_by=signed_in.actor)
    recount.undo(session, voice, [int(number) for number in labels_given.split(".")], actor=signed_in.actor, rules=rules)
    return _back_to_voice(query, receipt_number, "undone")


def _back_to_voice(query: DeskQuery, receipt_number: str, changed: str) -> Response:
    # 303: the browser fetches the page anew, and a reload doesn't send the form again.
    return RedirectResponse(f"/desk/{receipt_number}" + query.query(changed=changed, done="") + "#labels", status_code=303)
