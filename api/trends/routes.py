"""The trends pages: all topics of a period, one of them, and what residents look up."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from api import exports
from api.deps import STAFF, CityOf, EngineOf, PagesOf, Reading, Staff
from api.desk.view import DeskQuery, DeskView
from api.exports import Format
from api.trends import faq, opinions, topic_exports
from api.trends.view import PRESETS, TrendsQuery, TrendsView
from core.errors import NotFoundError
from ingest.faq_queries import list_faq
from loop import queries, topic_queries
from loop.filters import Cursor, Order, Tab
from loop.topic_queries import Overview
from nlp.opinions import service as opinion_service

router = APIRouter(include_in_schema=False)
TopicId = Annotated[int, Path(ge=1, lt=2**31)]
SaveAs = Annotated[Format | None, Query(alias="format")]
_LINES = 5  # topics drawn beside the total: more can't be told apart


@router.get("/trends", dependencies=[Depends(STAFF)])
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
    return pages.page(request, "trends/overview.html", context)


@router.get("/trends/topics/{topic_id}", dependencies=[Depends(STAFF)])
def topic(
    request: Request,
    topic_id: TopicId,
    query: Annotated[TrendsQuery, Query()],
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    city: CityOf,
    pages: PagesOf,
    save_as: SaveAs = None,
) -> Response:
    """One topic: over time, whose it is, where and how it came, and its voices."""
    whole = topic_queries.span(session)
    if whole is None:
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    view = TrendsView.of(query, whole=whole)
    found = topic_queries.detail(session, topic_id, view.period, compare=view.compare)
    desk_query = DeskQuery(tab=Tab.ALL, topic=topic_id, since=view.period.since, until=view.period.until)
    desk_view = DeskView.of(desk_query, actor=signed_in.actor, city=city)
    said = opinion_service.summary(session, topic_id, since=view.period.since, until=view.period.until, newest=opinions.NEWEST)
    if save_as:
        voices = queries.list_voices(session, desk_view.scope, order=Order.NEWEST, limit=topic_exports.VOICES)
        export = topic_exports.topic(view, found, _cuts(found), said, voices.rows)
        return exports.respond(engine, export, save_as, actor=signed_in.actor.username)
    after, before = (Cursor.parse(place) if place else None for place in (query.after, query.before))
    context = {
        "view": view,
        "presets": PRESETS,
        "detail": found,
        "cuts": _cuts(found),
        "chart_table": _steps_table(view, {found.line.name: found.line.steps}),
        "examples": topic_queries.examples(session, found.topic),
        "opinions": said,
        "opinion_voices": partial(_opinion_voices, view, topic_id),
        "STANCE_MARK": opinions.STANCE_MARK,
        "desk_view": desk_view,
        "page": queries.list_voices(session, desk_view.scope, order=Order.NEWEST, after=after, before=before, limit=20),
    }
    return pages.page(request, "trends/topic.html", context, block="voices")


@router.get("/trends/topics/{topic_id}/opinions", dependencies=[Depends(STAFF)])
def topic_opinions(
    request: Request, topic_id: TopicId, query: Annotated[opinions.OpinionQuery, Query()], session: Reading, pages: PagesOf
) -> Response:
    """The voices behind a judgement, or of a side, in a topic."""
    whole, name = topic_queries.span(session), topic_queries.topic_name(session, topic_id)
    if whole is None or not name:
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    period = TrendsQuery(period=query.period, since=query.since, until=query.until)
    view = TrendsView.of(period, whole=whole)
    found = opinions.behind(session, topic_id, query, since=view.period.since, until=view.period.until)
    here = f"/trends/topics/{topic_id}"
    context = {
        "view": view,
        "topic_id": topic_id,
        "topic_address": here,
        "name": name,
        "heading": query.heading,
        "total": found.total,
        "rows": found.rows,
        "previous": found.previous and f"{here}/opinions{query.query(page=found.previous)}",
        "following": found.following and f"{here}/opinions{query.query(page=found.following)}",
    }
    return pages.page(request, "trends/opinion_voices.html", context)


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


def _opinion_voices(view: TrendsView, topic_id: int, **chosen: str) -> str:
    """The address of the voices behind a number of a topic's opinions."""
    period = opinions.OpinionQuery(period=view.query.period, since=view.query.since, until=view.query.until)
    return f"/trends/topics/{topic_id}/opinions{period.query(**chosen)}"


def _cuts(found: topic_queries.TopicDetail) -> list[dict[str, Any]]:
    cuts = (
        ("種別", "kind", found.line.kinds),
        ("所管課", "department", found.line.departments),
        ("地区", "district", found.districts),
        ("受付媒体", "channel", found.channels),
    )
    return [{"name": name, "field": field, "rows": _largest(counts)} for name, field, counts in cuts]


def _largest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(((name, count) for name, count in counts.items() if count), key=lambda row: (-row[1], row[0]))


def _chart(view: TrendsView, found: Overview) -> dict[str, Any]:
    top = [group.line for group in found.groups if not group.line.is_rest and group.line.count][:_LINES]
    return _steps_table(view, {"すべての声": found.steps, **{line.name: line.steps for line in top}})


def _steps_table(view: TrendsView, columns: dict[str, Any]) -> dict[str, Any]:
    steps = view.period.steps()
    return {
        "unit": "週" if view.period.weekly else "月",
        "columns": list(columns),
        "rows": [(view.step_name(step), [counts.get(step, 0) for counts in columns.values()]) for step in steps],
    }
