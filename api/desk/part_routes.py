"""A letter with several topics at the desk: who answers which sentences, what they reply, and what is sent back to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from api.deps import (
    MAY_LABEL,
    STAFF,
    EngineOf,
    Labeller,
    PagesOf,
    Reading,
    RulesOf,
    SettingsOf,
    Staff,
    TaxonomyOf,
    form_token,
)
from api.desk import part_acts, part_view
from api.desk.routes import ReceiptNumber, ViewQuery
from api.fields import Day, Name, Number
from core import db
from core.errors import ConflictError, InputError, KoeError
from loop import case_queries, queries
from loop.handling import Target

router = APIRouter(include_in_schema=False)
Numbers = Annotated[list[Annotated[int, Field(gt=0, lt=2**31)]], Form(default_factory=list, max_length=1000)]
Written = Annotated[str, Form(max_length=100_000)]


def page_again(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    engine: EngineOf,
    rules: RulesOf,
    taxonomy: TaxonomyOf,
    settings: SettingsOf,
    pages: PagesOf,
) -> Callable[[part_view.Typed], Response]:
    """Shows the letter again with what couldn't be taken in its form."""

    def again(typed: part_view.Typed) -> Response:
        with db.reading(engine) as session:
            voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
            context = part_view.letter(
                session, voice, query, actor=signed_in.actor, rules=rules, taxonomy=taxonomy, low_confidence=settings.low_confidence,
                typed=typed,
            )  # fmt: skip
            return pages.page(request, "desk/parts.html", context, status=typed.error.status)

    return again


Again = Annotated[Callable[[part_view.Typed], Response], Depends(page_again)]


@router.get("/desk/{receipt_number}/parts", dependencies=[Depends(STAFF)])
def parts_page(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Staff,
    session: Reading,
    rules: RulesOf,
    taxonomy: TaxonomyOf,
    settings: SettingsOf,
    pages: PagesOf,
) -> Response:
    """The letter sentence by sentence, with who answers what, and the forms to divide it."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    context = part_view.letter(
        session, voice, query, actor=signed_in.actor, rules=rules, taxonomy=taxonomy, low_confidence=settings.low_confidence
    )
    context["act"] = case_queries.act_of(session, query.done, signed_in.actor.user_id) if query.done else None
    return pages.page(request, "desk/parts.html", context)


@router.post("/desk/{receipt_number}/parts", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def divide(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    engine: EngineOf,
    settings: SettingsOf,
    rules: RulesOf,
    taxonomy: TaxonomyOf,
    again: Again,
    number: Numbers,
    department: Annotated[Name, Form()] = "",
    asked: Written = "",
    due_on: Annotated[Day, Form()] = None,
    version: Annotated[Number, Form()] = None,
) -> Response:
    """Asks a department for its part; comes back to the letter, where more may be to divide."""
    target, wanted = Target(receipt_number, version), part_acts.Request(department, number, asked, due_on)
    return _do(
        lambda: part_acts.divide(engine, settings, target, wanted, actor=signed_in.actor, taxonomy=taxonomy, rules=rules),
        lambda error: again(part_view.Typed("divide", error, department, tuple(number), asked, due_on)),
        lambda act: f"/desk/{receipt_number}/parts{query.query(done=act)}",
    )


@router.post("/desk/{receipt_number}/parts/reply", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def reply(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    engine: EngineOf,
    settings: SettingsOf,
    again: Again,
    text: Written = "",
    seen: Annotated[Number, Form()] = None,
) -> Response:
    """Keeps what one's own department has to say, and comes back to the voice."""
    return _do(
        lambda: part_acts.reply(engine, settings, Target(receipt_number), text, actor=signed_in.actor, seen=seen),
        lambda error: again(part_view.Typed("reply", error, text=text)),
        lambda act: f"/desk/{receipt_number}{query.query(done=act)}#case",
    )


@router.post("/desk/{receipt_number}/parts/return", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def return_(
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    engine: EngineOf,
    settings: SettingsOf,
    again: Again,
    department: Annotated[Name, Form()] = "",
    reason: Written = "",
    version: Annotated[Number, Form()] = None,
) -> Response:
    """Sends a department's reply back to it, and comes back to the voice."""
    target = Target(receipt_number, version)
    return _do(
        lambda: part_acts.return_part(engine, settings, target, department, reason, actor=signed_in.actor),
        lambda error: again(part_view.Typed("return", error, department, text=reason)),
        lambda act: f"/desk/{receipt_number}{query.query(done=act)}#case",
    )


def _do(act: Callable[[], int], again: Callable[[KoeError], Response], after: Callable[[int], str]) -> Response:
    """Leads to the page ``after`` an act, which may be taken back there, or shows ``again`` what couldn't be taken."""
    try:
        number = act()
    except (ConflictError, InputError) as error:
        return again(error)
    return RedirectResponse(after(number), status_code=303)
