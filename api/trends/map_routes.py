"""The map of topics as a page, and its points as the page's script reads them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import exports
from api.deps import EXPORTS, STAFF, EngineOf, PagesOf, Reading, Staff
from api.exports import PERCENT, Export, Format, Sheet, Value
from api.fields import Address, Number
from api.trends.cross import period_conditions
from api.trends.view import TrendsQuery, TrendsView
from core.errors import NotFoundError
from loop import topic_map, topic_queries
from loop.periods import Preset
from loop.topic_queries import Overview

router = APIRouter(include_in_schema=False)
TONES = 10  # colours; as many families again have the same in another shape
SHAPES = 6
_LAYOUT = 1  # of the points' bytes: another one, and no browser uses what it kept


class MapQuery(Address):
    """The map's address. ``topic``: the one that stands out."""

    topic: Number = None
    format: Format | None = None


@router.get("/trends/map", dependencies=[Depends(STAFF), Depends(EXPORTS)])
def map_page(
    request: Request, query: Annotated[MapQuery, Query()], signed_in: Staff, session: Reading, engine: EngineOf, pages: PagesOf
) -> Response:
    """Where the voices of each topic lie, and the table that says the same in numbers."""
    whole = topic_queries.span(session)
    if whole is None:
        return pages.page(request, "trends/empty.html", {})
    view = TrendsView.of(TrendsQuery(period=Preset.ALL), whole=whole)
    found = topic_queries.overview(session, whole, compare=False)
    chosen = _name_of(found, query.topic) if query.topic else ""
    if query.format:
        return exports.respond(engine, _export(view, found), query.format, actor=signed_in.actor.username)
    context = {"view": view, "overview": found, "chosen": query.topic, "chosen_name": chosen, "tones": TONES, "shapes": SHAPES}
    return pages.page(request, "trends/map.html", context)


@router.get("/trends/map/points", dependencies=[Depends(STAFF)])
def map_points(request: Request, session: Reading) -> Response:
    """The points (``loop.topic_map.packed``). A browser that has them already is told so."""
    tag = f'"{_LAYOUT}-{topic_map.version(session)}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(topic_map.packed(topic_map.points(session)), media_type="application/octet-stream", headers=headers)


def _name_of(found: Overview, topic_id: int) -> str:
    for group in found.groups:
        for line in (group.line, *group.below):
            if line.id == topic_id:
                return line.name
    raise NotFoundError("この話題は地図にありません。", hint="地図の表から選びなおしてください。")


def _export(view: TrendsView, found: Overview) -> Export:
    rows: list[list[Value]] = [
        [line.id, line.name, group.line.name if line is not group.line else "", line.count, line.count / max(found.total, 1)]
        for group in found.groups
        for line in (group.line, *group.below)
    ]
    if found.waiting:
        rows.append([None, "まだ話題に入っていない声", "", found.waiting, found.waiting / found.total])
    rows.append([None, "合計", "", found.total, 1.0])
    conditions: list[tuple[str, Value]] = [*period_conditions(view), ("件数", found.total)]
    columns = ("番号", "話題", "上の話題", "件数", "割合")
    return Export("trends.map", "話題の地図", conditions, [Sheet("話題", columns, rows, {"割合": PERCENT})])
