"""The JSON API over topics, for members of staff who are signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import STAFF, Reading
from api.trends.routes import TopicId
from api.trends.schemas import StepItem, TopicAnswer, TopicItem, TopicsAnswer
from api.trends.view import TrendsQuery, TrendsView
from core.errors import NotFoundError
from loop import topic_queries

router = APIRouter(prefix="/api/v1", tags=["topics"])


@router.get("/topics", summary="話題の一覧", dependencies=[Depends(STAFF)])
def topics(session: Reading) -> TopicsAnswer:
    """All topics, the largest first."""
    return TopicsAnswer(items=[TopicItem.model_validate(topic) for topic in topic_queries.list_topics(session)])


@router.get("/topics/{topic_id}", summary="話題1件の、期間ごとの数", dependencies=[Depends(STAFF)])
def topic(topic_id: TopicId, query: Annotated[TrendsQuery, Query()], session: Reading) -> TopicAnswer:
    """One topic's figures for a period."""
    whole = topic_queries.span(session)
    if whole is None:
        raise NotFoundError("この話題は見つかりません。", hint="声がまだありません。")
    view = TrendsView.of(query, whole=whole)
    found = topic_queries.detail(session, topic_id, view.period, compare=view.compare)
    item = TopicItem.model_validate(found.topic).model_dump()
    return TopicAnswer(
        **item,
        since=view.period.since,
        until=view.period.until,
        count=found.line.count,
        previous=found.line.previous,
        steps=[StepItem(begins_on=step, count=count) for step, count in found.line.steps.items()],
        kinds=dict(found.line.kinds),
        departments=dict(found.line.departments),
        districts=dict(found.districts),
        channels=dict(found.channels),
    )
