"""The page of an answer: its editor, and what becomes of a draft there. Nothing that was typed is lost, whatever goes wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from api.answers import view
from api.answers.acts import first_draft, post_again, save, send_out, source_text
from api.answers.typed import Typed, typed_form
from api.deps import (
    MAY_LABEL,
    STAFF,
    CityOf,
    EngineOf,
    KeyringOf,
    Labeller,
    PagesOf,
    Reading,
    SettingsOf,
    Staff,
    Writing,
    form_token,
)
from api.desk.routes import ReceiptNumber
from core import db
from core.errors import ConflictError, InputError, KoeError
from loop import approvals, chains, queries, sending
from loop.handling import Target

router = APIRouter(include_in_schema=False)
DONE = {
    "saved": "回答案を保存しました。",
    "submitted": "決裁へ回しました。",
    "withdrawn": "決裁から引き戻しました。",
    "sent": "送りました。電子メールは、順に出ていきます。",
    "again": "もう一度送ります。",
    "letter": "手紙に変えました。",
    "posted": "発送済みにしました。",
}
Numbers = Annotated[list[Annotated[int, Field(gt=0, lt=2**31)]], Form(default_factory=list, max_length=10_000)]


class PostAct(StrEnum):
    """What a person does with letters and mails of an answer that was sent."""

    AGAIN = "again"
    LETTER = "letter"
    POSTED = "posted"


@router.get("/desk/{receipt_number}/answer", dependencies=[Depends(STAFF)])
def answer_page(
    request: Request,
    receipt_number: ReceiptNumber,
    signed_in: Staff,
    session: Reading,
    settings: SettingsOf,
    city: CityOf,
    checks: view.ChecksOf,
    pages: PagesOf,
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The editor, with the voice and past answers beside it."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    context = view.editor(session, settings, city, voice, actor=signed_in.actor, checks=checks)
    return pages.page(request, "answers/answer.html", {**context, "done": DONE.get(done, "")})


@router.post("/desk/{receipt_number}/answer", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def write(
    request: Request,
    receipt_number: ReceiptNumber,
    signed_in: Labeller,
    engine: EngineOf,
    settings: SettingsOf,
    city: CityOf,
    checks: view.ChecksOf,
    pages: PagesOf,
    typed: Annotated[Typed, Depends(typed_form)],
    then: Annotated[str, Form(max_length=120)] = "save",
    template: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Saves, checks, puts a past answer or a first draft in, or saves and puts forward, as the button says."""
    with db.reading(engine) as session:
        queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    error: KoeError | None = None
    try:
        if then.startswith("use:"):
            with db.reading(engine) as session:
                voice, source = queries.get_voice(session, receipt_number, seen_by=signed_in.actor), then.removeprefix("use:")
                typed = typed.using(source_text(session, source, voice=voice), source)
        elif then == "draft":
            with db.reading(engine) as session:
                voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
                typed = first_draft(session, settings, voice, typed, template)
        elif then != "check":
            typed = save(engine, receipt_number, typed, actor=signed_in.actor)
            if then == "submit":
                with db.writing(engine) as session:
                    approvals.submit(
                        session, Target(receipt_number), actor=signed_in.actor, chains=chains.load(settings.taxonomy_dir),
                        checks=checks, version=typed.version, acknowledged=typed.acknowledged,
                    )  # fmt: skip
            return _back(receipt_number, "submitted" if then == "submit" else "saved")
    except (ConflictError, InputError) as problem:
        error = problem
    with db.reading(engine) as session:
        voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
        context = view.editor(session, settings, city, voice, actor=signed_in.actor, checks=checks, typed=typed, error=error, look=True)
        return pages.page(request, "answers/answer.html", {**context, "done": ""}, status=error.status if error else 200)


@router.post("/desk/{receipt_number}/answer/withdraw", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def withdraw(receipt_number: ReceiptNumber, signed_in: Labeller, session: Writing) -> Response:
    """Takes a draft back from approval."""
    approvals.withdraw(session, Target(receipt_number), actor=signed_in.actor)
    return _back(receipt_number, "withdrawn")


@router.post("/desk/{receipt_number}/answer/send", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def send(receipt_number: ReceiptNumber, signed_in: Labeller, session: Writing, settings: SettingsOf) -> Response:
    """Sends what was approved."""
    send_out(session, settings, Target(receipt_number), actor=signed_in.actor)
    return _back(receipt_number, "sent")


@router.post("/desk/{receipt_number}/answer/post", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def post(
    receipt_number: ReceiptNumber,
    signed_in: Labeller,
    session: Writing,
    settings: SettingsOf,
    dispatch: Numbers,
    act: Annotated[PostAct, Form()] = PostAct.POSTED,
) -> Response:
    """What a person says of letters and mails: posted, again, or by letter."""
    target = Target(receipt_number)
    if act is PostAct.AGAIN:
        post_again(session, settings, target, dispatch, actor=signed_in.actor)
    elif act is PostAct.LETTER:
        sending.by_letter(session, target, dispatch, actor=signed_in.actor)
    else:
        sending.posted(session, target, dispatch, actor=signed_in.actor)
    return _back(receipt_number, act.value)


@router.post("/desk/{receipt_number}/letter", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def letter(
    request: Request,
    receipt_number: ReceiptNumber,
    signed_in: Labeller,
    session: Writing,
    keyring: KeyringOf,
    pages: PagesOf,
    dispatch: Numbers,
) -> Response:
    """Letters with name and address, once, in this response alone."""
    made = sending.letters(session, keyring, Target(receipt_number), dispatch, actor=signed_in.actor)
    context = {"letters": made, "receipt_number": receipt_number}
    return pages.page(request, "answers/letter.html", context, headers={"Cache-Control": "no-store"})


def _back(receipt_number: str, done: str) -> Response:
    return RedirectResponse(f"/desk/{receipt_number}/answer?done={done}", status_code=303)
