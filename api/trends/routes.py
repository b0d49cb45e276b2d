"""The trends pages: all topics of a period, and what residents look up. A topic's own page is in ``topic_routes``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import exports
from api.deps import EXPORTS, STAFF, EngineOf, PagesOf, Reading, Staff
from api.exports import Format
from api.trends import faq, surges, topic_exports
from api.trends.view import PRESETS, TrendsQuery, TrendsView, steps_table
from ingest.faq_queries import list_faq
from loop import surge_queries, topic_queries
from loop.topic_queries import Overview

router = APIRouter(include_in_schema=False)
SaveAs = Annotated[Format | None, Query(alias="format")]
_LINES = 5  # topics drawn beside the total: more can't be told apart


@router.get("/trends", dependencies=[Depends(STAFF), Depends(EXPORTS)])
def trends(
    request: Request,
    query: Annotated[TrendsQuery, Query()],
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    pages: PagesOf,
    save_as: SaveAs = None,
) -> Response:
    """What people talked about in a period."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    view = TrendsView.of(query, whole=whole)
    found = topic_queries.overview(session, view.period, compare=view.compare)
    if save_as:
        return exports.respond(engine, topic_exports.overview(view, found), save_as, actor=signed_in.actor.username)
    context = {"view": view, "presets": PRESETS, "overview": found, "chart_table": _chart(view, found)}
    context |= {"surges": surge_queries.latest(session, seen_by=signed_in.actor), "surge_words": surges}
    return pages.page(request, "trends/overview.html", context)


@router.get("/trends/faq", dependencies=[Depends(STAFF)])
def faq_page(request: Request, query: Annotated[faq.FaqQuery, Query()], session: Reading, pages: PagesOf) -> Response:
    """What residents look up, and the themes that are looked up more than they are written about."""
    view = faq.view_of(session, query)
    if view is None:
        return pages.page(request, "trends/faq_empty.html", {})
    listing = list_faq(session, since=view.period.since, until=view.period.until)
    found = faq.questions(listing, query)
    context = {
        "view": view,
        "presets": faq.PRESETS,
        "listing": listing,
        "needs": faq.needs(session, listing, view.period),
        "questions": found,
        "previous": found.previous and view.address("/trends/faq", page=found.previous) + "#questions",
        "following": found.following and view.address("/trends/faq", page=found.following) + "#questions",
    }
    return pages.page(request, "trends/faq.html", context)


def _chart(view: TrendsView, found: Overview) -> dict[str, Any]:
    top = [group.line for group in found.groups if not group.line.is_rest and group.line.count][:_LINES]
    return steps_table(view, {"すべての声": found.steps, **{line.name: line.steps for line in top}})
