"""The map of topics for programs: where each topic lies, and how a voice on it begins."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict

from api.deps import TRENDS_READ, VOICES_READ, Reading, Staff
from loop import topic_map, topic_queries

router = APIRouter(prefix="/api/v1/trends", tags=["trends"])
VoiceId = Annotated[int, Path(ge=1, lt=2**31)]


class MapTopicItem(BaseModel):
    """A topic with those below it: its voices, and the middle of their places (0 to 1; empty where none has a place)."""

    id: int
    name: str
    parent_id: int | None
    is_rest: bool
    count: int
    x: float | None
    y: float | None


class MapAnswer(BaseModel):
    """All topics of the map. ``total`` counts every voice, ``waiting`` those in no topic yet, ``looked_at`` those that tell the middles."""

    total: int
    waiting: int
    looked_at: int
    items: list[MapTopicItem]


class OpeningItem(BaseModel):
    """How a voice begins, masked."""

    model_config = ConfigDict(from_attributes=True)

    receipt_number: str
    received_on: date
    topic_id: int
    topic: str
    text: str


@router.get("/map", summary="話題の地図（話題ごとの位置と件数）", dependencies=[Depends(TRENDS_READ)])
def topics_on_the_map(session: Reading) -> MapAnswer:
    """Every topic's place and number of voices, the largest first, each followed by those below it."""
    whole = topic_queries.span(session)
    if whole is None:
        return MapAnswer(total=0, waiting=0, looked_at=0, items=[])
    found = topic_queries.overview(session, whole, compare=False)
    points = topic_map.points(session, most=topic_map.FEW)
    families = {line.id: [line.id] for group in found.groups for line in group.below}
    families |= {group.line.id: [group.line.id, *(line.id for line in group.below)] for group in found.groups}
    middles = topic_map.middles(points, families)
    lines = [line for group in found.groups for line in (group.line, *group.below)]
    items = []
    for line in lines:
        x, y = middles.get(line.id, (None, None))
        items.append(MapTopicItem(id=line.id, name=line.name, parent_id=line.parent_id, is_rest=line.is_rest, count=line.count, x=x, y=y))
    return MapAnswer(total=found.total, waiting=found.waiting, looked_at=len(points), items=items)


@router.get("/map/voices/{voice_id}", summary="地図の点にある声のはじめ（伏せ字）", dependencies=[Depends(VOICES_READ)])
def voice_on_the_map(voice_id: VoiceId, signed_in: Staff, session: Reading) -> OpeningItem:
    """The masked opening of a voice that is a point of the map."""
    return OpeningItem.model_validate(topic_map.opening(session, voice_id, seen_by=signed_in.actor))
