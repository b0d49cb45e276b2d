"""The public JSON API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import Reading, public
from api.desk.routes import ReceiptNumber
from api.public.routes import CACHED
from api.public.schemas import PublicVoiceAnswer, PublicVoicesAnswer, PublicVoicesQuery
from loop import publication
from loop.filters import Cursor

router = APIRouter(prefix="/api/public/v1", tags=["public"])


@router.get("/voices", summary="公開した声と回答の一覧", dependencies=[Depends(public)])
def voices(query: Annotated[PublicVoicesQuery, Query()], session: Reading, response: Response) -> PublicVoicesAnswer:
    """Published voices under a filter, the newest publication first."""
    response.headers.update(CACHED)
    after, before = (Cursor.parse(place) if place else None for place in (query.after, query.before))
    page = publication.list_published(session, query.filter(), after=after, before=before, limit=query.limit)
    return PublicVoicesAnswer(items=[PublicVoiceAnswer.model_validate(row) for row in page.rows], next=str(page.next or ""))


@router.get("/voices/{receipt_number}", summary="公開した声と回答1件", dependencies=[Depends(public)])
def voice(receipt_number: ReceiptNumber, session: Reading, response: Response) -> PublicVoiceAnswer:
    """One published voice."""
    response.headers.update(CACHED)
    return PublicVoiceAnswer.model_validate(publication.get_published(session, receipt_number))
