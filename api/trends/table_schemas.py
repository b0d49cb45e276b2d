"""What the JSON API says of cross tables, compared periods and words in context."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from api.trends.attributes import Attribute
from core.models import Kind


class LineItem(BaseModel):
    """A row or a column: its name and the values that it counts (several where small ones are folded)."""

    name: str
    values: list[str]
    count: int


class AssociationItem(BaseModel):
    """What a table says as a whole. ``shaky``: too few voices for p to be relied upon (Cochran 1954)."""

    chi_square: float
    degrees: int
    p: float
    cramers_v: float
    shaky: bool


class CrossAnswer(BaseModel):
    """Counts and adjusted standardised residuals (Haberman 1973), a list for each row, in the order of the columns."""

    since: date
    until: date
    rows_by: Attribute
    columns_by: Attribute
    rows: list[LineItem]
    columns: list[LineItem]
    counts: list[list[int]]
    residuals: list[list[float | None]]
    total: int
    association: AssociationItem | None


class PeriodItem(BaseModel):
    """From a day to a day, both included."""

    since: date
    until: date


class ChangeItem(BaseModel):
    """One value then and now. ``ratio`` of the two rates with its exact 95 % interval; empty where there was nothing before.

    ``told``: more than chance, with all values that are compared taken into account (Benjamini and Hochberg 1995).
    """

    value: str
    name: str
    before: int
    after: int
    before_rate: float
    after_rate: float
    ratio: float | None
    low: float
    high: float | None
    p: float
    told: bool
    new: bool
    gone: bool
    ended: bool


class CompareAnswer(BaseModel):
    """Two periods (``before`` is empty where the data begins later); rates are for 30 days."""

    by: Attribute
    after: PeriodItem
    before: PeriodItem | None
    items: list[ChangeItem]


class PlaceItem(BaseModel):
    """A place where the first word stands in a masked text."""

    receipt_number: str
    received_on: date
    theme: str
    kind: Kind
    department: str
    district: str
    left: str
    keyword: str
    right: str


class MonthItem(BaseModel):
    """How many voices of a month have the words; the month by the first of its days that belongs to the period."""

    begins_on: date
    count: int


class SearchAnswer(BaseModel):
    """A page of places. ``unknown``: words that the index doesn't have; ``common``: only the newest voices were looked at."""

    since: date
    until: date
    voices: int
    pages: int
    unknown: list[str]
    common: bool
    months: list[MonthItem]
    items: list[PlaceItem]
