"""What the public JSON API says of voices."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from api.public.view import PublicQuery
from core.models import Channel


class PublicVoicesQuery(PublicQuery):
    """The filters of the public list; ``after`` continues where ``next`` of an answer says."""

    limit: int = Field(default=20, ge=1, le=100)


class PublicVoiceAnswer(BaseModel):
    """A published voice, masked."""

    model_config = ConfigDict(from_attributes=True)

    receipt_number: str
    title: str
    text: str
    theme: str
    subtheme: str
    district: str
    channel: Channel
    received_on: date
    answer: str
    department: str
    answered_on: date | None
    published_on: date


class PublicVoicesAnswer(BaseModel):
    """A page of voices; ``next`` is empty on the last one."""

    items: list[PublicVoiceAnswer]
    next: str
