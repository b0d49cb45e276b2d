"""What the address of the desk says: filter, tab, order and place; and addresses of views beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.fields import Address, AnyChannel, AnyKind, AnyUrgency, Day, Name, Number, Place, Text
from core.clock import today
from core.deadline_rules import DeadlineRules
from core.models import Role
from loop.actors import Actor
from loop.deadlines import Deadlines
from loop.filters import Cursor, Order, Scope, Tab, VoiceFilter, words_of

FILTERS = {
    "q": "ことば",
    "theme": "分野",
    "kind": "種別",
    "channel": "受付媒体",
    "urgency": "緊急度",
    "department": "所管課",
    "district": "地区",
    "since": "受付日（から）",
    "until": "受付日（まで）",
    "topic": "話題",
}
TABS = {Tab.OPEN: "未対応", Tab.MINE: "自分", Tab.DEPARTMENT: "所管", Tab.ASKED: "依頼", Tab.DUE: "期限間近", Tab.ALL: "すべて"}
ORDERS = {Order.NEWEST: "新しい順", Order.DUE: "期限の近い順"}


def tabs_of(actor: Actor, tab: Tab) -> dict[Tab, str]:
    """The tabs that somebody has: parts are asked of departments, and 広聴課 asks them."""
    is_asked = (actor.role is Role.DEPARTMENT and bool(actor.department)) or tab is Tab.ASKED
    return {each: name for each, name in TABS.items() if is_asked or each is not Tab.ASKED}


def order_of(tab: Tab, wanted: Order | None) -> Order:
    """The order of a tab's list. All voices there ever were come newest first: most of their deadlines are long past."""
    if tab is Tab.ALL:
        return Order.NEWEST
    return wanted or (Order.DUE if tab in (Tab.DUE, Tab.ASKED) else Order.NEWEST)


class VoiceQuery(Address):
    """Filters over voices, as addresses and the JSON API carry them. ``topic=0``: in no topic yet."""

    q: Text = ""
    theme: Name = ""
    kind: AnyKind = None
    channel: AnyChannel = None
    urgency: AnyUrgency = None
    department: Name = ""
    district: Name = ""
    since: Day = None
    until: Day = None
    topic: Number = None

    def filter(self) -> VoiceFilter:
        """The filter in the loop's words."""
        chosen = self.model_dump(include=set(VoiceQuery.model_fields) - {"q"})
        return VoiceFilter(words=words_of(self.q), **chosen)

    def active(self) -> dict[str, Any]:
        """The filters that are set."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) not in (None, "")}


class DeskQuery(VoiceQuery):
    """The desk's whole address. ``done`` is an act of one's own to tell of, with a button that takes it back."""

    tab: Tab = Tab.OPEN
    order: Order | None = None
    after: Place = ""
    before: Place = ""
    done: Number = None


@dataclass(frozen=True, slots=True)
class DeskView:
    """A desk's address together with who looks and what day it is."""

    query: DeskQuery
    scope: Scope
    order: Order
    deadlines: Deadlines
    department: str

    @classmethod
    def of(cls, query: DeskQuery, *, actor: Actor, rules: DeadlineRules) -> DeskView:
        """The view that an address means for this person, today. 期限間近 goes by deadline unless told otherwise."""
        deadlines = Deadlines(rules.calendar, today(), soon=rules.soon)
        department = query.department or actor.department
        scope = Scope(filter=query.filter(), tab=query.tab, department=department, due_by=deadlines.soon, seen_by=actor)
        order = order_of(query.tab, query.order)
        return cls(query, scope, order, deadlines, department)

    @property
    def after(self) -> Cursor | None:
        return Cursor.parse(self.query.after) if self.query.after else None

    @property
    def before(self) -> Cursor | None:
        return Cursor.parse(self.query.before) if self.query.before and not self.query.after else None

    def list_address(self, **changes: Any) -> str:
        """The list with some fields changed, from its beginning unless a place is given."""
        return "/desk" + self.query.query(**{"after": "", "before": "", "done": "", **changes})

    def voice_address(self, receipt_number: str, **changes: Any) -> str:
        """A voice's page that remembers this list."""
        return f"/desk/{receipt_number}" + self.query.query(**{"after": "", "before": "", "done": "", **changes})
