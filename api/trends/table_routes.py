"""The pages that lay voices out in tables: two attributes against each other, two periods, a word in its context; and their files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api import exports
from api.deps import EXPORTS, SEARCHES, STAFF, EngineOf, KeyringOf, PagesOf, Reading, Staff, TaxonomyOf
from api.desk.view import FILTERS
from api.trends import attributes, compare, cross, search
from api.trends.view import PRESETS, TrendsView
from loop import queries, sought, topic_queries
from nlp.taxonomy import Taxonomy

router = APIRouter(include_in_schema=False)


@router.get("/trends/cross", dependencies=[Depends(STAFF), Depends(EXPORTS)])
def cross_page(
    request: Request,
    query: Annotated[cross.CrossQuery, Query()],
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    pages: PagesOf,
) -> Response:
    """Two attributes against each other."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    view = TrendsView.of(query, whole=whole)
    found = cross.cross_of(session, query, view)
    if query.format:
        return exports.respond(engine, cross.export_of(found, query.show), query.format, actor=signed_in.actor.username)
    context = {
        "view": view,
        "presets": PRESETS,
        "cross": found,
        "names": attributes.counted(),
        "shown": cross.SHOWN,
        "strength": cross.STRENGTH,
        "Show": cross.Show,
    }
    return pages.page(request, "trends/cross.html", context)


@router.get("/trends/compare", dependencies=[Depends(STAFF), Depends(EXPORTS)])
def compare_page(
    request: Request,
    query: Annotated[compare.CompareQuery, Query()],
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    taxonomy: TaxonomyOf,
    pages: PagesOf,
) -> Response:
    """Two periods side by side."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    found = compare.compared(session, query, whole=whole)
    if query.format:
        return exports.respond(engine, compare.export_of(found), query.format, actor=signed_in.actor.username)
    context = {
        "found": found,
        "pairs": compare.PAIRS,
        "names": attributes.counted(),
        "choices": _choices(session, taxonomy),
        "topic": topic_queries.topic_name(session, query.topic) if query.topic else "",
        "filters": FILTERS,
        "verdict": compare.verdict,
        "chart_table": compare.chart_of(found),
    }
    return pages.page(request, "trends/compare.html", context)


@router.get("/trends/search", dependencies=[Depends(STAFF), Depends(SEARCHES), Depends(EXPORTS)])
def search_page(
    request: Request,
    query: Annotated[search.SearchQuery, Query()],
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    keyring: KeyringOf,
    taxonomy: TaxonomyOf,
    pages: PagesOf,
) -> Response:
    """A word in its context. Who looked for what is noted."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    found = search.search(session, query, whole=whole, seen_by=signed_in.actor, exported=query.format is not None)
    topic = topic_queries.topic_name(session, query.topic) if query.topic else ""
    actor = signed_in.actor.username
    search.note(engine, keyring, found, actor=actor)
    if query.format:
        return exports.respond(engine, search.export_of(found, topic=topic), query.format, actor=actor)
    context = {
        "found": found,
        "presets": PRESETS,
        "sorts": search.SORTS,
        "filters": FILTERS,
        "choices": _choices(session, taxonomy),
        "topic": topic,
        "chart_table": search.chart_of(found),
        "most": sought.MOST,
    }
    return pages.page(request, "trends/search.html", context, block="results")


def _choices(session: Session, taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    return {
        "theme": taxonomy.theme_names,
        "department": tuple(department.name for department in taxonomy.departments),
        "district": tuple(queries.districts(session)),
    }
