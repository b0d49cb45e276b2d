"""What the JSON API says of voices."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from api.desk.view import VoiceQuery
from api.fields import Place
from core.models import Channel, Facet, Kind, Status, Urgency
from loop.filters import Order, Tab


class VoicesQuery(VoiceQuery):
    """The filters of the desk; ``after`` continues where ``next`` of an answer says."""

    tab: Tab = Tab.ALL
    order: Order = Order.NEWEST
    after: Place = ""
    limit: int = Field(default=50, ge=1, le=200)


class VoiceItem(BaseModel):
    """One voice in a list. ``text`` is masked and cut to 300 characters."""

    model_config = ConfigDict(from_attributes=True)

    receipt_number: str
    title: str
    text: str = Field(validation_alias="snippet")
    theme: str
    subtheme: str
    kind: Kind
    urgency: Urgency
    channel: Channel
    department: str
    district: str
    confidence: float
    status: Status
    received_on: date
    due_on: date | None
    pending: bool = Field(description="a suggestion waits for a person")
    chance_late: float | None = Field(default=None, description="of an open voice: how likely it is to be late, 0 to 1; 1 when it is")
    interim_by: date | None = Field(default=None, description="the last day for an interim reply, as long as none was given")


class VoicesAnswer(BaseModel):
    """A page of voices; ``next`` is empty on the last one."""

    items: list[VoiceItem]
    next: str


class Alternative(BaseModel):
    label: str
    confidence: float


class EvidenceItem(BaseModel):
    text: str
    weight: float
    start: int
    end: int


class MachineAnswer(BaseModel):
    """What a model said of a facet."""

    model_config = ConfigDict(from_attributes=True)

    value: str
    confidence: float
    alternatives: list[Alternative]
    evidence: list[EvidenceItem]
    model: str
    rule: str
    """The name of the city's rule that decided in place of the model."""


class DecisionAnswer(BaseModel):
    """What a person decided on a facet."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    value: str
    machine_value: str
    user: str
    at: datetime
    undone: bool = Field(description="taken back, or written to put back what stood there: nobody's judgement")


class FacetAnswer(BaseModel):
    """A facet: the value in force, the machine's word, and people's decisions, newest first."""

    facet: Facet
    value: str
    machine: MachineAnswer | None
    decisions: list[DecisionAnswer]


class AnswerAnswer(BaseModel):
    """The city's answer, masked."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    department: str
    answered_on: date | None
    published_on: date | None


class VoiceAnswer(BaseModel):
    """One voice, masked throughout; the original is never sent."""

    receipt_number: str
    channel: Channel
    received_on: date
    title: str
    text: str
    context: dict[str, str]
    attributes: dict[str, str]
    district: str
    status: Status
    due_on: date | None
    labels: list[FacetAnswer]
    answer: AnswerAnswer | None


class LabelInput(BaseModel):
    """A decision. ``seen``: the id of the newest decision known (0 for none); a newer one makes the answer 409."""

    facet: Facet
    value: str = Field(max_length=64)
    seen: int | None = Field(default=None, ge=0, lt=2**31)


class SessionAnswer(BaseModel):
    """Who is signed in, and the token that writes must carry in the header X-CSRF-Token."""

    username: str
    display_name: str
    role: str
    department: str
    csrf_token: str
