"""広聴月報: a month's report to read, to print and to save."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import exports
from api.deps import EXPORTS, STAFF, EngineOf, PagesOf, Reading, Staff
from api.graphics import months_chart
from api.trends import report, surges
from api.trends.attributes import Attribute
from loop import monthly_report, topic_queries

router = APIRouter(include_in_schema=False)


@router.get("/trends/report", dependencies=[Depends(STAFF), Depends(EXPORTS)])
def report_page(
    request: Request, query: Annotated[report.ReportQuery, Query()], signed_in: Staff, session: Reading, engine: EngineOf, pages: PagesOf
) -> Response:
    """A month's report."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    found = report.report_of(session, query, whole=whole, seen_by=signed_in.actor)
    if query.format:
        return exports.respond(engine, report.export_of(found), query.format, actor=signed_in.actor.username)
    context = {
        "report": found,
        "found": found.found,
        "words": report,
        "months": monthly_report.months_of(whole),
        "surge_words": surges,
        "TOPIC": Attribute.TOPIC,
        "picture": months_chart(found.found.months, running=found.found.running),
    }
    return pages.page(request, "trends/report.html", context)
