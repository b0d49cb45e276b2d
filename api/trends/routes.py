"""The trends pages: all topics of a period, and one of them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from api.deps import STAFF, CityOf, PagesOf, Reading, Staff
from api.desk.view import DeskQuery, DeskView
from api.trends.view import PRESETS, TrendsQuery, TrendsView
from core.errors import NotFoundError
from loop import queries, topic_queries
from loop.filters import Cursor, Order, Tab
from loop.topic_queries import Overview

router = APIRouter(include_in_schema=False)
TopicId = Annotated[int, Path(ge=1, lt=2**31)]
_LINES = 5  # topics drawn beside the total: more can't be told apart


@router.get("/trends", dependencies=[Depends(STAFF)])
def trends(request: Request, query: Annotated[TrendsQuery, Query()], session: Reading, pages: PagesOf) -> Response:
    """What people talked about in a period."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    view = TrendsView.of(query, whole=whole)
    found = topic_queries.overview(session, view.period, compare=view.compare)
    context = {"view": view, "presets": PRESETS, "overview": found, "chart_table": _chart(view, found)}
    return pages.page(request, "trends/overview.html", context)


@router.get("/trends/topics/{topic_id}", dependencies=[Depends(STAFF)])
def topic(
    request: Request,
    topic_id: TopicId,
    query: Annotated[TrendsQuery, Query()],
    signed_in: Staff,
    session: Reading,
    city: CityOf,
    pages: PagesOf,
) -> Response:
    """One topic: over time, whose it is, where and how it came, and its voices."""
    whole = topic_queries.span(session)
    if whole is None:
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    view = TrendsView.of(query, whole=whole)
    found = topic_queries.detail(session, topic_id, view.period, compare=view.compare)
    desk_query = DeskQuery(tab=Tab.ALL, topic=topic_id, since=view.period.since, until=view.period.until)
    desk_view = DeskView.of(desk_query, actor=signed_in.actor, city=city)
    after, before = (Cursor.parse(place) if place else None for place in (query.after, query.before))
    context = {
        "view": view,
        "presets": PRESETS,
        "detail": found,
        "cuts": _cuts(found),
        "chart_table": _steps_table(view, {found.line.name: found.line.steps}),
        "examples": topic_queries.examples(session, found.topic),
        "desk_view": desk_view,
        "page": queries.list_voices(session, desk_view.scope, order=Order.NEWEST, after=after, before=before, limit=20),
    }
    return pages.page(request, "trends/topic.html", context, block="voices")


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
