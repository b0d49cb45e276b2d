"""A topic's page: over time, beside the year before and what was to be expected, whose it is, how it came to be, and its voices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api import exports
from api.deps import EXPORTS, STAFF, EngineOf, PagesOf, Reading, RulesOf, Staff
from api.desk.view import DeskQuery, DeskView
from api.exports import Format
from api.rendering import Pages
from api.trends import history, opinions, surges, topic_exports
from api.trends.view import PRESETS, TrendsQuery, TrendsView
from core.deadline_rules import DeadlineRules
from core.errors import KoeError, NotFoundError
from core.models import Topic, TopicStatus
from loop import queries, surge_queries, topic_choices, topic_course, topic_history, topic_queries
from loop.actors import Actor
from loop.filters import Cursor, Order, Tab
from loop.periods import Period
from loop.topic_course import Step
from nlp import topic_edits
from nlp.opinions import service as opinion_service

router = APIRouter(include_in_schema=False)
TopicId = Annotated[int, Path(ge=1, lt=2**31)]
Id = Annotated[int, Query(ge=1, lt=2**31)]
SaveAs = Annotated[Format | None, Query(alias="format")]
_VOICES = 20
_HISTORY = 12  # lines that are there at once; the others open
_FEW = 5  # fewer expected voices than this have a decimal


@dataclass(frozen=True, slots=True)
class Moving:
    """What the form that moves voices was sent with, and why it couldn't be done."""

    wrong: KoeError | None = None
    voices: Sequence[str] = ()
    to: int | None = None


@router.get("/trends/topics/{topic_id}", dependencies=[Depends(STAFF), Depends(EXPORTS)])
def topic(
    request: Request,
    topic_id: TopicId,
    query: Annotated[TrendsQuery, Query()],
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    rules: RulesOf,
    pages: PagesOf,
    save_as: SaveAs = None,
    moved: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    moved_to: Id | None = None,
) -> Response:
    """One topic. ``moved``: so many voices have just gone from here to ``moved_to``."""
    if save_as:
        view = _view(session, query)
        found = topic_queries.detail(session, topic_id, view.period, compare=view.compare)
        said = _said(session, topic_id, view)
        scope = _desk_view(topic_id, view, actor=signed_in.actor, rules=rules).scope
        voices = queries.list_voices(session, scope, order=Order.NEWEST, limit=topic_exports.VOICES)
        steps = topic_course.course(session, topic_id, view.period, whole=view.whole, offices=rules.calendar)
        export = topic_exports.topic(view, found, _cuts(found), said, voices.rows, steps)
        return exports.respond(engine, export, save_as, actor=signed_in.actor.username)
    gone = topic_choices.named(session, [moved_to] if moved_to else [])
    context = page_context(session, topic_id, query, actor=signed_in.actor, rules=rules)
    return pages.page(request, "trends/topic.html", context | {"moved": moved, "moved_to": gone}, block="voices")


def page_with_fault(
    request: Request,
    session: Session,
    topic_id: int,
    query: TrendsQuery,
    moving: Moving,
    *,
    actor: Actor,
    rules: DeadlineRules,
    pages: Pages,
) -> Response:
    """The page again, with what was wrong with the voices to be moved, and what was chosen."""
    context = page_context(session, topic_id, query, actor=actor, rules=rules, moving=moving)
    status = moving.wrong.status if moving.wrong else 200
    return pages.page(request, "trends/topic.html", context | {"moved": 0, "moved_to": []}, status=status)


def page_context(
    session: Session, topic_id: int, query: TrendsQuery, *, actor: Actor, rules: DeadlineRules, moving: Moving | None = None
) -> dict[str, Any]:
    """What the page shows.

    Raises:
        NotFoundError: there is no such topic.
    """
    view = _view(session, query)
    found = topic_queries.detail(session, topic_id, view.period, compare=view.compare)
    desk_view = _desk_view(topic_id, view, actor=actor, rules=rules)
    after, before = (Cursor.parse(place) if place else None for place in (query.after, query.before))
    steps = topic_course.course(session, topic_id, view.period, whole=view.whole, offices=rules.calendar)
    past = topic_history.history(session, topic_id)
    told = history.lines(past)
    return {
        "view": view,
        "presets": PRESETS,
        "detail": found,
        "cuts": _cuts(found),
        "chart_table": _course_table(view, topic_id, steps),
        "risen": surge_queries.named(session, surge_queries.of_topic(session, topic_id), seen_by=actor),
        "surge_words": surges,
        "history": told[:_HISTORY],
        "older_history": told[_HISTORY:],
        "history_goes_on": past.more,
        "joined_to": joined_to(session, found.topic),
        "examples": topic_queries.examples(session, found.topic, seen_by=actor),
        "opinions": _said(session, topic_id, view),
        "opinion_voices": partial(_opinion_voices, view, topic_id),
        "STANCE_MARK": opinions.STANCE_MARK,
        "desk_view": desk_view,
        "page": queries.list_voices(session, desk_view.scope, order=Order.NEWEST, after=after, before=before, limit=_VOICES),
        "places": topic_choices.places(session),
        "moving": moving or Moving(),
    }


@router.get("/trends/topics/{topic_id}/opinions", dependencies=[Depends(STAFF)])
def topic_opinions(
    request: Request,
    topic_id: TopicId,
    query: Annotated[opinions.OpinionQuery, Query()],
    signed_in: Staff,
    session: Reading,
    pages: PagesOf,
) -> Response:
    """The voices behind a judgement, or of a side, in a topic."""
    whole, name = topic_queries.span(session), topic_queries.topic_name(session, topic_id)
    if whole is None or not name:
        raise _unknown()
    period = TrendsQuery(period=query.period, since=query.since, until=query.until)
    view = TrendsView.of(period, whole=whole)
    found = opinions.behind(session, topic_id, query, seen_by=signed_in.actor, since=view.period.since, until=view.period.until)
    here = f"/trends/topics/{topic_id}"
    context = {
        "view": view,
        "topic_id": topic_id,
        "topic_address": here,
        "name": name,
        "heading": query.heading,
        "total": found.total,
        "hidden": found.hidden,
        "rows": found.rows,
        "previous": found.previous and f"{here}/opinions{query.query(page=found.previous)}",
        "following": found.following and f"{here}/opinions{query.query(page=found.following)}",
    }
    return pages.page(request, "trends/opinion_voices.html", context)


@dataclass(frozen=True, slots=True)
class JoinedTo:
    """The topic that one was joined to; ``by_hand``: a person did it and can take it back."""

    topic: Topic
    by_hand: bool


def joined_to(session: Session, topic: Topic) -> JoinedTo | None:
    """What became of a topic that is part of another now."""
    if topic.status is not TopicStatus.MERGED or topic.merged_into is None:
        return None
    target = session.get(Topic, topic.merged_into)
    return JoinedTo(target, topic_edits.joining(session, topic) is not None) if target else None


def _view(session: Session, query: TrendsQuery) -> TrendsView:
    whole = topic_queries.span(session)
    if whole is None:
        raise _unknown()
    return TrendsView.of(query, whole=whole)


def _unknown() -> NotFoundError:
    return NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")


def _desk_view(topic_id: int, view: TrendsView, *, actor: Actor, rules: DeadlineRules) -> DeskView:
    query = DeskQuery(tab=Tab.ALL, topic=topic_id, since=view.period.since, until=view.period.until)
    return DeskView.of(query, actor=actor, rules=rules)


def _said(session: Session, topic_id: int, view: TrendsView) -> opinion_service.TopicOpinions:
    return opinion_service.summary(session, topic_id, since=view.period.since, until=view.period.until, newest=opinions.NEWEST)


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


def _course_table(view: TrendsView, topic_id: int, steps: Sequence[Step]) -> dict[str, Any]:
    """The chart's table: a column of the year before, and one of what was expected, where they can be told of any step."""
    columns: list[tuple[str, str, list[tuple[float | None, Period | None]]]] = [
        ("件数", "bar", [(step.count, step.span) for step in steps])
    ]
    if any(step.before is not None for step in steps):
        columns.append(("前年", "line", [(step.before, step.span_before) for step in steps]))
    if any(step.expected is not None for step in steps):
        columns.append(("予想", "dashes", [(_rounded(step.expected), None) for step in steps]))

    def address(count: float | None, span: Period | None) -> str:
        return "/desk" + DeskQuery().query(tab="all", topic=topic_id, since=span.since, until=span.until) if count and span else ""

    return {
        "unit": "週" if view.period.weekly else "月",
        "columns": [name for name, _, _ in columns],
        "drawn": [drawn for _, drawn, _ in columns],
        "rows": [(view.step_name(step.first), [cells[at][0] for _, _, cells in columns]) for at, step in enumerate(steps)],
        "gaps": any(cells[at][0] is None for _, _, cells in columns for at in range(len(steps))),
        "links": [[address(*cells[at]) for _, _, cells in columns] for at in range(len(steps))],
    }


def _rounded(expected: float | None) -> float | None:
    if expected is None:
        return None
    return round(expected, 1) if expected < _FEW else round(expected)
