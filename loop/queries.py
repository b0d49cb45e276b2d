"""What the desk reads: counts, lists, one voice with its labels, and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true, union_all
from sqlalchemy.orm import Session, joinedload

from core import facts, memberships
from core.bulk import among
from core.errors import NotFoundError
from core.models import CasePart, Channel, Facet, HumanLabel, Kind, MachineLabel, MachineReading, Status, Urgency, User, Voice, VoiceConcern
from loop import sought
from loop.actors import Actor, visible_to
from loop.filters import Cursor, Order, Scope, Tab, beyond, sorting
from loop.pages import Page, cut

_SNIPPET = 300  # characters of the text that a list needs


@dataclass(frozen=True, slots=True)
class VoiceRow:
    """One line of a list. ``day`` is the day that the list is ordered by; ``pending``: a suggestion waits for a person."""

    id: int
    receipt_number: str
    title: str
    snippet: str
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
    day: date
    folded: bool
    pending: bool

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.day, self.id)


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's label with who set it and when; ``undone``: taken back, or written to put back what stood there."""

    id: int
    facet: Facet
    value: str
    machine_value: str
    user: str
    at: datetime
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Labels:
    """All that was said of a voice: the machine's label by facet, and people's decisions by facet, newest first."""

    machine: dict[Facet, MachineLabel]
    decisions: dict[Facet, list[Decision]]


def looked_up(session: Session, scope: Scope) -> Scope:
    """The scope with what its filter's words mean. The other functions ask themselves where nobody has."""
    wanted = scope.filter
    if not wanted.words or scope.sought is not None:
        return scope
    return replace(scope, sought=sought.look_up(session, wanted.words, since=wanted.since, until=wanted.until))


def count_tabs(session: Session, scope: Scope) -> dict[Tab, int]:
    """How many voices each tab holds under the scope's filter: one statement, so that the numbers agree. Open work is gone through once."""
    scope = looked_up(session, scope)
    open_tabs = [tab for tab in Tab if tab is not Tab.ALL]
    everything = _counting_all(session, scope.through(Tab.ALL)).scalar_subquery()
    counts = [func.count().filter(and_(true(), *scope.through(tab).of_tab())) for tab in open_tabs]
    row = session.execute(select(*counts, everything).select_from(Voice).where(*scope.lines())).one()
    return dict(zip([*open_tabs, Tab.ALL], row, strict=True))


def _counting_all(session: Session, scope: Scope) -> Select[int]:
    wanted, who = scope.filter, scope.seen_by
    if not wanted.words:
        chosen: dict[str, str | list[str]] = {**wanted.attributes}
        if wanted.topic is not None:
            chosen["topic"] = [str(topic) for topic in session.scalars(memberships.family(wanted.topic))] if wanted.topic else ""
        if scope.is_whole and facts.is_counted(list(chosen)):
            return facts.voices_with(chosen, since=wanted.since, until=wanted.until)
        if not scope.is_whole and who is not None and who.department and facts.is_counted(list({*chosen, "department"})):
            return _counting_beside(scope, chosen, who.department)
    return select(func.count()).select_from(Voice).where(*scope.conditions())


def _counting_beside(scope: Scope, chosen: dict[str, str | list[str]], department: str) -> Select[int]:
    """What a department sees of all voices: its own, which are counted already, and the few of others that concern it."""
    wanted = scope.filter
    others = _concerning(select(func.count()).select_from(Voice), department).where(*scope.wanted())
    if chosen.get("department", department) != department:
        return others
    own = facts.voices_with({**chosen, "department": department}, since=wanted.since, until=wanted.until)
    return select(own.scalar_subquery() + others.scalar_subquery())


def list_voices(
    session: Session, scope: Scope, *, order: Order, after: Cursor | None = None, before: Cursor | None = None, limit: int = 50
) -> Page[VoiceRow]:
    """A page of a scope's voices: those after the cursor, or the ones just before it."""
    scope, backwards = looked_up(session, scope), before is not None
    wanted, cursor = scope.filter, before or after
    if order is Order.NEWEST and wanted.topic and scope.is_whole and not wanted.words and not wanted.attributes:
        place = {"after": after and (after.day, after.id)} if before is None else {"before": (before.day, before.id)}
        nearest = memberships.newest(session, wanted.topic, limit=limit + 1, since=wanted.since, until=wanted.until, **place)
        statement = _rows(scope, order).where(among(session, Voice.id, [voice for _, voice in nearest]))
    else:
        statement = _rows(scope, order).where(*_next_in(scope, order, cursor, backwards=backwards, limit=limit + 1))
    found = session.execute(statement.order_by(*sorting(scope, order, backwards=backwards)).limit(limit + 1)).all()
    waiting = _pending(session, [row[0] for row in found])
    rows = [VoiceRow(*(*row, row[0] in waiting)) for row in found]
    return cut(rows, limit=limit, place=lambda row: row.cursor, after=after, before=before)


def _next_in(scope: Scope, order: Order, cursor: Cursor | None, *, backwards: bool, limit: int) -> list[ColumnElement[bool]]:
    """The conditions under which the voices beyond a cursor are found; at least the first ``limit`` of them meet them."""
    place = [] if cursor is None else [beyond(scope, order, cursor, backwards=backwards)]
    who = scope.seen_by
    if scope.tab is not Tab.ALL or scope.sought is not None or scope.is_whole or who is None or not who.department:
        return [*place, *scope.conditions()]
    # All that a department sees is its own and what concerns it. The one is found by an index in the list's order, the other is little;
    # asked for both at once a database would read all of them first.
    keys, own = sorting(scope, order, backwards=backwards), Voice.department == who.department
    either = (select(Voice.id).where(own), _concerning(select(Voice.id), who.department))
    first = [part.where(*scope.wanted(), *place).order_by(*keys).limit(limit).subquery() for part in either]
    return [Voice.id.in_(union_all(*(select(found.c.id) for found in first)))]


def _concerning(statement: Select[int], department: str) -> Select[int]:
    """Of voices that another department answers: those that concern this one, too."""
    joined = statement.join(VoiceConcern, VoiceConcern.voice_id == Voice.id)
    return joined.where(VoiceConcern.department == department, Voice.department != department)


def _pending(session: Session, voices: Sequence[int]) -> set[int]:
    """Those of the voices for which a suggestion waits for a person. Asked for a page alone: within the list's own statement PostgreSQL
    would read everybody's decisions on all voices first.
    """
    said = [getattr(MachineReading, facet.value).is_not(None) for facet in Facet]
    readings = session.execute(select(MachineReading.voice_id, *said).where(among(session, MachineReading.voice_id, voices)))
    decisions = select(HumanLabel.voice_id, HumanLabel.facet).where(among(session, HumanLabel.voice_id, voices), ~HumanLabel.undone)
    decided = {(voice, facet) for voice, facet in session.execute(decisions)}
    return {
        voice
        for voice, *spoken in readings
        if any(there and (voice, facet) not in decided for facet, there in zip(Facet, spoken, strict=True))
    }


def _rows(scope: Scope, order: Order) -> Select[*tuple[Any, ...]]:
    return select(
        Voice.id,
        Voice.receipt_number,
        Voice.title,
        func.substr(Voice.text, 1, _SNIPPET),
        Voice.theme,
        Voice.subtheme,
        Voice.kind,
        Voice.urgency,
        Voice.channel,
        Voice.department,
        Voice.district,
        Voice.confidence,
        Voice.status,
        Voice.received_on,
        Voice.due_on,
        scope.day(order),
        Voice.folded,
    )


def get_voice(session: Session, receipt_number: str, *, seen_by: Actor | None, lock: bool = False) -> Voice:
    """The voice with its answer; with ``lock`` nobody else changes it until the transaction ends.

    Raises:
        NotFoundError: there is none of that number, or this person may not see it: one isn't told from the other.
    """
    statement = select(Voice).where(Voice.receipt_number == receipt_number, *visible_to(seen_by))
    statement = statement.with_for_update() if lock else statement.options(joinedload(Voice.answer))
    if (voice := session.scalar(statement)) is None:
        raise NotFoundError("この受付番号の声は見つかりません。", hint="番号を確かめるか、一覧から探してください。")
    return voice


def ids_of(session: Session, receipt_numbers: Sequence[str], *, seen_by: Actor | None) -> list[int]:
    """The ids of voices, in the order of their receipt numbers as given.

    Raises:
        NotFoundError: there is none of one of the numbers, or this person may not see it.
    """
    wanted = among(session, Voice.receipt_number, list(receipt_numbers))
    found = dict(session.execute(select(Voice.receipt_number, Voice.id).where(wanted, *visible_to(seen_by))).all())
    if missing := [number for number in receipt_numbers if number not in found]:
        more = f"（ほか {len(missing) - 1} 件）" if len(missing) > 1 else ""
        raise NotFoundError(f"受付番号 {missing[0]} の声が見つかりません{more}。", hint="番号を確かめるか、一覧から探してください。")
    return [found[number] for number in receipt_numbers]


def seen(session: Session, voice_ids: Sequence[int], *, seen_by: Actor | None) -> list[int]:
    """Those of the voices that a person may see, in their order."""
    conditions = visible_to(seen_by)
    if not conditions:
        return list(voice_ids)
    may = set(session.scalars(select(Voice.id).where(among(session, Voice.id, list(voice_ids)), *conditions)))
    return [number for number in voice_ids if number in may]


def labels_of(session: Session, voice_id: int) -> Labels:
    """The machine's labels and people's decisions of one voice."""
    reading = session.get(MachineReading, voice_id)
    decisions: dict[Facet, list[Decision]] = {facet: [] for facet in Facet}
    statement = (
        select(
            HumanLabel.id, HumanLabel.facet, HumanLabel.value, HumanLabel.machine_value, User.display_name, HumanLabel.created_at,
            HumanLabel.undone,
        )
        .join(User, User.id == HumanLabel.user_id)
        .where(HumanLabel.voice_id == voice_id)
        .order_by(HumanLabel.id.desc())
    )  # fmt: skip
    for row in session.execute(statement):
        decisions[row.facet].append(Decision(*row))
    return Labels(reading.labels() if reading else {}, decisions)


def neighbours(session: Session, scope: Scope, *, order: Order, voice: Voice) -> tuple[str | None, str | None]:
    """The receipt numbers before and after a voice in a list's order; ``None`` at an end."""
    scope = looked_up(session, scope)
    day = voice.received_on if order is Order.NEWEST else voice.due_on
    if order is Order.DUE and scope.tab is Tab.ASKED:
        # That of the part whatever has become of it: who has just replied goes on from there.
        own = scope.seen_by.department if scope.seen_by else ""
        day = session.scalar(select(CasePart.due_on).where(CasePart.case_id == voice.case_id, CasePart.department == own))
    cursor = Cursor(day or date.max, voice.id)
    found = [
        session.scalar(
            select(Voice.receipt_number)
            .where(*_next_in(scope, order, cursor, backwards=backwards, limit=1))
            .order_by(*sorting(scope, order, backwards=backwards))
            .limit(1)
        )
        for backwards in (True, False)
    ]
    return found[0], found[1]


def districts(session: Session) -> Sequence[str]:
    """The districts that voices came from, in the order of their names."""
    return [name for name in facts.totals(session, "district") if name]
