"""Which voices a view shows, in what order, and where a page of them begins: values in, SQL conditions out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, false, func, literal, literal_column, select, true, tuple_

from core.errors import InputError
from core.memberships import family
from core.models import CasePart, Channel, Kind, TopicMembership, Urgency, Voice
from loop.actors import Actor, visible_to
from loop.sought import Sought

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_WORDS = 10
WITHOUT = "（なし）"  # asks for voices that have no value of an attribute


class Tab(StrEnum):
    """The desk's tabs."""

    OPEN = "open"
    MINE = "mine"
    DEPARTMENT = "department"
    ASKED = "asked"
    DUE = "due"
    ALL = "all"


class Order(StrEnum):
    """The desk's orders."""

    NEWEST = "new"
    DUE = "due"


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search box, each of which must occur; at most ten."""
    return tuple(unicodedata.normalize("NFC", _CONTROL.sub(" ", text)).split()[:_MAX_WORDS])


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceFilter:
    """What the voices must have in common; an empty field asks for nothing. ``topic`` 0 means: in no topic yet.

    Its words are no condition by themselves: ``loop.sought`` asks the search index what they mean.
    """

    words: tuple[str, ...] = ()
    theme: str = ""
    kind: Kind | None = None
    channel: Channel | None = None
    urgency: Urgency | None = None
    department: str = ""
    district: str = ""
    since: date | None = None
    until: date | None = None
    topic: int | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """The values that are asked for, by the name of their column."""
        equal = {name: getattr(self, name) for name in ("theme", "kind", "channel", "urgency", "department", "district")}
        return {name: "" if value == WITHOUT else value for name, value in equal.items() if value}

    def conditions(self, *, passing: Sequence[str] = ()) -> list[ColumnElement[bool]]:
        """The conditions but for the words, to be joined by AND.

        ``passing`` are attributes, of text, that are only looked at in passing, because something else finds the voices. They are written
        so that no index fits: a database that takes the other for the wider condition would read all voices of a theme.
        """
        columns: dict[str, Any] = {name: getattr(Voice, name) for name in self.attributes}
        columns |= {name: columns[name].concat("") for name in passing if name in columns}
        conditions: list[ColumnElement[bool]] = [columns[name] == value for name, value in self.attributes.items()]
        if self.since:
            conditions.append(Voice.received_on >= self.since)
        if self.until:
            conditions.append(Voice.received_on <= self.until)
        if self.topic is not None:
            conditions.append(in_topic(self.topic))
        return conditions


def in_topic(topic: int) -> ColumnElement[bool]:
    """Voices of a topic or of one below it; of no topic when ``topic`` is 0."""
    members = select(TopicMembership.voice_id).where(TopicMembership.voice_id == Voice.id)
    if topic == 0:
        return ~members.exists()
    return members.where(TopicMembership.topic_id.in_(family(topic))).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A filter seen through a tab: of open work a line for each case, and all voices under すべて.

    ``department`` is whose voices 所管 shows, while 依頼 shows what the looking person's own was asked for; ``due_by`` is the last day of
    期限間近. ``seen_by`` is who looks, and whose cases 自分 shows: voices that this person may not see are in no list, no number and
    beside no other voice. ``sought`` is what the filter's words mean.
    """

    filter: VoiceFilter
    tab: Tab
    department: str
    due_by: date
    seen_by: Actor | None
    sought: Sought | None = None

    def through(self, tab: Tab) -> Scope:
        """The same voices through another tab."""
        return replace(self, tab=tab)

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions, to be joined by AND."""
        return self.everything() if self.tab is Tab.ALL else [*self.lines(), *self.of_tab()]

    @property
    def is_whole(self) -> bool:
        """Whether every voice under the filter is in the scope, so that stored sums hold for it."""
        return self.tab is Tab.ALL and not visible_to(self.seen_by)

    def everything(self) -> list[ColumnElement[bool]]:
        """What すべて shows: all that is under the filter, seen by this person."""
        return [*visible_to(self.seen_by), *self.wanted(), *(self.sought.everything if self.sought else ())]

    def wanted(self) -> list[ColumnElement[bool]]:
        """What the filter asks for besides words."""
        if self.sought is not None or visible_to(self.seen_by):
            return self.filter.conditions(passing=("theme", "department"))
        return self.filter.conditions(passing=() if self.tab is Tab.ALL else ("theme",))

    def lines(self) -> list[ColumnElement[bool]]:
        """What the tabs of open work have in common."""
        own = [*visible_to(self.seen_by), *self.wanted(), *(self.sought.lines if self.sought else ())]
        return [Voice.is_open == true(), Voice.folded == false(), *own]

    def day(self, order: Order) -> ColumnElement[date]:
        """The day that an order goes by; by deadline under 依頼 that of the part, with which the list shows it."""
        if order is Order.NEWEST:
            return Voice.received_on.expression
        if self.tab is not Tab.ASKED or self.seen_by is None:
            return due_or_last()
        own = select(func.coalesce(CasePart.due_on, date.max)).where(CasePart.case_id == Voice.case_id, owed_by(self.seen_by.department))
        return own.correlate(Voice).scalar_subquery()

    def of_tab(self) -> list[ColumnElement[bool]]:
        """What is the own of a tab of open work."""
        if self.tab is Tab.DUE:
            return [due_or_last() <= self.due_by]
        if self.tab is Tab.MINE:
            own_cases = select(CasePart.case_id).where(CasePart.assignee_id == (self.seen_by.user_id if self.seen_by else None))
            return [Voice.case_id.in_(own_cases)]
        if self.tab is Tab.ASKED:
            own = self.seen_by.department if self.seen_by else ""
            return [Voice.case_id.in_(select(CasePart.case_id).where(owed_by(own))) if own else false()]
        if self.tab is Tab.DEPARTMENT:
            return [Voice.department == self.department if self.department else false()]
        return []


def owed_by(department: str) -> ColumnElement[bool]:
    """Parts (部分案件) that a department owes to the one that answers."""
    waits = CasePart.asked_at.is_not(None) & CasePart.replied_at.is_(None) & CasePart.is_lead.is_(False)
    return and_(CasePart.department == department, waits)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an ordered list: the day that the list is ordered by, and the voice's id."""

    day: date
    id: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Reads what ``str`` wrote.

        Raises:
            InputError: it is something else.
        """
        day, _, number = text.partition(".")
        try:
            if not number.isascii() or not number.isdigit() or not 0 < int(number) < 2**31:
                raise ValueError
            return cls(date.fromisoformat(day), int(number))
        except ValueError:
            raise InputError("一覧の続きの位置が読めません。", hint="一覧の最初から開きなおしてください。") from None


def due_or_last() -> ColumnElement[date]:
    """A voice's deadline; one that has none comes last. Written as the index over it is."""
    return func.coalesce(Voice.due_on, literal_column(f"'{date.max.isoformat()}'", Date))


def sorting(scope: Scope, order: Order, *, backwards: bool = False) -> list[Any]:
    """The columns to order by: newest first, or the nearest deadline first; the id decides between equals."""
    descending = (order is Order.NEWEST) is not backwards
    keys: list[Any] = [scope.day(order), Voice.id]
    return [key.desc() if descending else key.asc() for key in keys]


def beyond(scope: Scope, order: Order, cursor: Cursor, *, backwards: bool = False) -> ColumnElement[bool]:
    """Only what comes after the cursor in this order (before it, when ``backwards``)."""
    day, on = scope.day(order), literal(cursor.day, Date)
    key, place = tuple_(day, Voice.id), tuple_(on, literal(cursor.id))
    # The day by itself, too: SQLite finds no place in an index over an expression by a pair.
    if (order is Order.NEWEST) is not backwards:
        return and_(day <= on, key < place)
    return and_(day >= on, key > place)
