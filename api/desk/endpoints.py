"""The JSON API over voices, for members of staff who are signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from api.deps import (
    SEARCHES,
    STAFF,
    VOICES_READ,
    VOICES_WRITE,
    EngineOf,
    KeyringOf,
    Labeller,
    Reading,
    RulesOf,
    Staff,
    TaxonomyOf,
    Writing,
    header_token,
)
from api.desk.marks import Marks
from api.desk.routes import ReceiptNumber
from api.desk.schemas import (
    AnswerAnswer,
    DecisionAnswer,
    FacetAnswer,
    LabelInput,
    MachineAnswer,
    SessionAnswer,
    VoiceAnswer,
    VoiceItem,
    VoicesAnswer,
    VoicesQuery,
)
from api.desk.view import order_of
from api.searching import note_search
from core.clock import today
from core.models import Facet, Voice
from loop import labels, queries, recount
from loop.deadlines import Deadlines
from loop.filters import Cursor, Scope

router = APIRouter(prefix="/api/v1", tags=["voices"])


@router.get("/session", summary="ログインしている職員と、書きこみに要る印", dependencies=[Depends(STAFF)])
def session_answer(signed_in: Staff) -> SessionAnswer:
    """Who is signed in, with the token that writes need."""
    actor = signed_in.actor
    return SessionAnswer(
        username=actor.username,
        display_name=actor.display_name,
        role=actor.role.value,
        department=actor.department,
        csrf_token=signed_in.csrf_token,
    )


@router.get("/voices", summary="条件に合う声の一覧", dependencies=[Depends(VOICES_READ), Depends(SEARCHES)])
def voices(
    query: Annotated[VoicesQuery, Query()], signed_in: Staff, session: Reading, engine: EngineOf, keyring: KeyringOf, rules: RulesOf
) -> VoicesAnswer:
    """Voices under a filter, a page at a time."""
    deadlines = Deadlines(rules.calendar, today(), soon=rules.soon)
    scope = Scope(
        filter=query.filter(),
        tab=query.tab,
        department=query.department or signed_in.actor.department,
        due_by=deadlines.soon,
        seen_by=signed_in.actor,
    )
    after = Cursor.parse(query.after) if query.after else None
    page = queries.list_voices(session, scope, order=order_of(query.tab, query.order), after=after, limit=query.limit)
    note_search(engine, keyring, query, actor=signed_in.actor, found=len(page.rows))
    marks = Marks.of(session, page.rows, rules=rules, deadlines=deadlines)
    items = [
        VoiceItem.model_validate(row).model_copy(
            update={"chance_late": marks.chances.get(row.id), "interim_by": marks.interims.get(row.id)}
        )
        for row in page.rows
    ]  # fmt: skip
    return VoicesAnswer(items=items, next=str(page.next or ""))


@router.get("/voices/{receipt_number}", summary="声1件と、分類の由来、市の回答", dependencies=[Depends(VOICES_READ)])
def voice(receipt_number: ReceiptNumber, signed_in: Staff, session: Reading) -> VoiceAnswer:
    """One voice with its labels, where each came from, and its answer."""
    return _voice(session, queries.get_voice(session, receipt_number, seen_by=signed_in.actor))


@router.post(
    "/voices/{receipt_number}/labels", summary="分類を1つ採用または変更する", dependencies=[Depends(VOICES_WRITE), Depends(header_token)]
)
def decide(
    receipt_number: ReceiptNumber, given: LabelInput, signed_in: Labeller, session: Writing, taxonomy: TaxonomyOf, rules: RulesOf
) -> VoiceAnswer:
    """Accepts or changes one label; gives the voice as it then is."""
    found = recount.hold(session, receipt_number, seen_by=signed_in.actor)
    recount.decide(
        session, found, given.facet, given.value, actor=signed_in.actor, taxonomy=taxonomy, rules=rules, seen=given.seen
    )  # fmt: skip
    session.flush()
    # Shown to whoever did it, also where the voice has just become another department's.
    return _voice(session, queries.get_voice(session, receipt_number, seen_by=None))


def _voice(session: Session, found: Voice) -> VoiceAnswer:
    said = queries.labels_of(session, found.id)
    return VoiceAnswer(
        receipt_number=found.receipt_number,
        channel=found.channel,
        received_on=found.received_on,
        title=found.title,
        text=found.text,
        context={name: str(value) for name, value in found.context.items()},
        attributes={name: str(value) for name, value in found.attributes.items()},
        district=found.district,
        status=found.status,
        due_on=found.due_on,
        labels=[
            FacetAnswer(
                facet=facet,
                value=labels.in_force(found, facet),
                machine=MachineAnswer.model_validate(said.machine[facet]) if facet in said.machine else None,
                decisions=[DecisionAnswer.model_validate(decision) for decision in said.decisions[facet]],
            )
            for facet in Facet
        ],
        answer=AnswerAnswer.model_validate(found.answer) if found.answer else None,
    )
