"""The public pages. They read no cookie, set none, and show what was published and nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.deps import PagesOf, Reading, TaxonomyOf, public
from api.desk.highlight import pieces
from api.desk.routes import ReceiptNumber
from api.public.view import FILTERS, PublicQuery
from loop import publication
from loop.filters import Cursor

router = APIRouter(include_in_schema=False)
CACHED = {"Cache-Control": "public, max-age=300"}


@router.get("/", dependencies=[Depends(public)])
def home(request: Request, session: Reading, taxonomy: TaxonomyOf, pages: PagesOf) -> Response:
    """What the city heard, and what it answered."""
    context = {
        "figures": publication.figures(session),
        "newest": publication.list_published(session, publication.PublicFilter(), limit=6).rows,
        "themes": taxonomy.theme_names,
    }
    return pages.page(request, "public/home.html", context, headers=CACHED)


@router.get("/voices", dependencies=[Depends(public)])
def voices(request: Request, query: Annotated[PublicQuery, Query()], session: Reading, taxonomy: TaxonomyOf, pages: PagesOf) -> Response:
    """Published voices under a filter."""
    after, before = (Cursor.parse(place) if place else None for place in (query.after, query.before))
    context = {
        "query": query,
        "filters": FILTERS,
        "page": publication.list_published(session, query.filter(), after=after, before=before),
        "count": publication.count_published(session, query.filter()),
        "themes": taxonomy.theme_names,
        "districts": publication.published_districts(session),
    }
    return pages.page(request, "public/voices.html", context, block="results", headers=CACHED)


@router.get("/voices/{receipt_number}", dependencies=[Depends(public)])
def voice(request: Request, receipt_number: ReceiptNumber, session: Reading, pages: PagesOf) -> Response:
    """One published voice with its answer."""
    found = publication.get_published(session, receipt_number)
    context = {"voice": found, "pieces": pieces(found.text, {}), "answer_pieces": pieces(found.answer, {})}
    return pages.page(request, "public/voice.html", context, headers=CACHED)
