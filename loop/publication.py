"""What residents may read: voices whose answer was published, and nothing of them that staff alone may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from core import facts
from core.clock import fiscal_year, today, wareki
from core.errors import NotFoundError
from core.models import Answer, Channel, Voice
from loop.filters import Cursor
from loop.pages import Page, cut
from loop.sought import contains_all


@dataclass(frozen=True, slots=True)
class PublicVoice:
    """A published voice: the masked text, the city's answer, and the dates."""

    id: int
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

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.published_on, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFilter:
    """What a reader looks for; an empty field asks for nothing. The period is that of 受付."""

    words: tuple[str, ...] = ()
    theme: str = ""
    district: str = ""
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions, to be joined by AND."""
        found = contains_all(self.words, Voice.text, Voice.title, Answer.text)
        found += [column == value for column, value in ((Voice.theme, self.theme), (Voice.district, self.district)) if value]
        if self.since:
            found.append(Voice.received_on >= self.since)
        if self.until:
            found.append(Voice.received_on <= self.until)
        return found


@dataclass(frozen=True, slots=True)
class Figures:
    """The ring in numbers, for voices received in one 年度."""

    year: int
    received: int
    answered: int
    published: int

    @property
    def name(self) -> str:
        """The 年度 in words: 令和8年度."""
        return wareki(date(self.year, 5, 1)).partition("年")[0] + "年度"


def list_published(
    session: Session, wanted: PublicFilter, *, after: Cursor | None = None, before: Cursor | None = None, limit: int = 20
) -> Page[PublicVoice]:
    """A page of published voices, the newest publication first."""
    backwards = before is not None
    key = (Answer.published_on, Answer.voice_id)
    statement = _published().where(*wanted.conditions())
    if (cursor := before or after) is not None:
        place = tuple_(literal(cursor.day, Date), literal(cursor.id))
        statement = statement.where(tuple_(*key) > place if backwards else tuple_(*key) < place)
    order = [column.asc() if backwards else column.desc() for column in key]
    found = session.execute(statement.order_by(*order).limit(limit + 1))
    return cut([PublicVoice(*row) for row in found], limit=limit, place=lambda row: row.cursor, after=after, before=before)


def count_published(session: Session, wanted: PublicFilter) -> int:
    """How many published voices a filter finds."""
    statement = select(func.count()).select_from(Answer).join(Voice, Voice.id == Answer.voice_id)
    return session.scalar(statement.where(Answer.published_on.is_not(None), *wanted.conditions())) or 0


def get_published(session: Session, receipt_number: str) -> PublicVoice:
    """One published voice.

    Raises:
        NotFoundError: there is none of that number, or it isn't public; the two can't be told apart.
    """
    row = session.execute(_published().where(Voice.receipt_number == receipt_number)).one_or_none()
    if row is None:
        raise NotFoundError(
            "お探しの声は、公開されていません。", hint="番号がちがうか、まだ公開していないか、公開しないことになった声です。"
        )
    return PublicVoice(*row)


def figures(session: Session) -> Figures:
    """The figures of the 年度 of the newest voice; zeros when there is none."""
    days = facts.span(session)
    year = fiscal_year(days[1] if days else today())
    since, until = date(year, 4, 1), date(year + 1, 3, 31)
    received = facts.voices_with({}, since=since, until=until).scalar_subquery()
    answers = select(received, func.count(Answer.answered_on), func.count(Answer.published_on)).select_from(Answer)
    row = session.execute(answers.join(Voice, Voice.id == Answer.voice_id).where(Voice.received_on.between(since, until))).one()
    return Figures(year, *row)


def published_districts(session: Session) -> Sequence[str]:
    """The districts of published voices, in the order of their names."""
    statement = select(Voice.district).join(Answer, Answer.voice_id == Voice.id).where(Answer.published_on.is_not(None))
    return session.scalars(statement.where(Voice.district != "").distinct().order_by(Voice.district)).all()


def _published() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Voice.id,
            Voice.receipt_number,
            Voice.title,
            Voice.text,
            Voice.theme,
            Voice.subtheme,
            Voice.district,
            Voice.channel,
            Voice.received_on,
            Answer.text,
            func.coalesce(func.nullif(Answer.department, ""), Voice.department),
            Answer.answered_on,
            Answer.published_on,
        )
        .join(Answer, Answer.voice_id == Voice.id)
        .where(Answer.published_on.is_not(None))
    )
