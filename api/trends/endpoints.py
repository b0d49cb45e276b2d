"""The JSON API over topics and over what residents look up, for members of staff who are signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import TRENDS_READ, CityOf, Reading, Staff
from api.fields import Day
from api.trends import faq, opinions, surges
from api.trends.schemas import (
    EventItem,
    FaqAnswer,
    FaqItem,
    HistoryAnswer,
    StanceItem,
    StepItem,
    SurgeItem,
    SurgesAnswer,
    ThemeNeedItem,
    TopicAnswer,
    TopicItem,
    TopicsAnswer,
)
from api.trends.topic_routes import TopicId
from api.trends.view import TrendsQuery, TrendsView
from core.errors import NotFoundError
from ingest.faq_queries import list_faq
from loop import surge_queries, topic_course, topic_history, topic_queries
from nlp.opinions import service as opinion_service

router = APIRouter(prefix="/api/v1", tags=["topics"])


@router.get("/topics", summary="話題の一覧", dependencies=[Depends(TRENDS_READ)])
def topics(session: Reading) -> TopicsAnswer:
    """All topics, the largest first."""
    return TopicsAnswer(items=[TopicItem.model_validate(topic) for topic in topic_queries.list_topics(session)])


@router.get("/topics/{topic_id}", summary="話題1件の、期間ごとの数", dependencies=[Depends(TRENDS_READ)])
def topic(topic_id: TopicId, query: Annotated[TrendsQuery, Query()], session: Reading, city: CityOf) -> TopicAnswer:
    """One topic's figures for a period, as its page has them."""
    whole = topic_queries.span(session)
    if whole is None:
        raise NotFoundError("この話題は見つかりません。", hint="声がまだありません。")
    view = TrendsView.of(query, whole=whole)
    found = topic_queries.detail(session, topic_id, view.period, compare=view.compare)
    item = TopicItem.model_validate(found.topic).model_dump()
    course = topic_course.course(session, topic_id, view.period, whole=view.whole, offices=city.calendar)
    said = opinion_service.summary(session, topic_id, since=view.period.since, until=view.period.until, newest=opinions.NEWEST)
    return TopicAnswer(
        **item,
        since=view.period.since,
        until=view.period.until,
        count=found.line.count,
        previous=found.line.previous,
        steps=[StepItem(begins_on=step.first, count=step.count, year_before=step.before, expected=step.expected) for step in course],
        kinds=dict(found.line.kinds),
        departments=dict(found.line.departments),
        districts=dict(found.districts),
        channels=dict(found.channels),
        opinions=StanceItem(read=said.read, sides=said.stances),
    )


@router.get("/topics/{topic_id}/history", summary="話題のあゆみ", dependencies=[Depends(TRENDS_READ)])
def topic_events(topic_id: TopicId, session: Reading) -> HistoryAnswer:
    """What became of a topic at runs and by people's hands."""
    if not topic_queries.topic_name(session, topic_id):
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    found = topic_history.history(session, topic_id)
    return HistoryAnswer(items=[EventItem.model_validate(event) for event in found.events], more=found.more)


@router.get("/surges", summary="急増（過去・季節・曜日では説明できない増え方）", dependencies=[Depends(TRENDS_READ)], tags=["surges"])
def surges_found(signed_in: Staff, session: Reading, as_of: Day = None) -> SurgesAnswer:
    """What the newest look found, or the newest one of no later day than ``as_of``."""
    found = surge_queries.latest(session, seen_by=signed_in.actor, as_of=as_of)
    if found is None:
        return SurgesAnswer(as_of=None, series=0, enough=False, items=[])
    items = [SurgeItem.model_validate(surges.record(line)) for line in found.lines]
    return SurgesAnswer(as_of=found.as_of, series=found.series, enough=found.enough, items=items)


@router.get("/faq", summary="よく見られている質問と、分野ごとの声", dependencies=[Depends(TRENDS_READ)], tags=["faq"])
def faq_counts(query: Annotated[faq.FaqPeriod, Query()], session: Reading) -> FaqAnswer:
    """How often each question was looked at in a period, the most first; and the sums of the themes beside their voices."""
    view = faq.view_of(session, query)
    if view is None:
        return FaqAnswer(since=None, until=None, views=0, voices=0, themes=[], items=[])
    span = view.period
    listing = list_faq(session, since=span.since, until=span.until)
    themes = faq.needs(session, listing, span)
    return FaqAnswer(
        since=span.since,
        until=span.until,
        views=listing.views,
        voices=sum(need.voices for need in themes),
        themes=[ThemeNeedItem.model_validate(need) for need in themes],
        items=[FaqItem.model_validate(line) for line in listing.entries],
    )
