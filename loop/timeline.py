"""The course of a case: what was done to it, written on it, decided about its answer, sent, and read, in one list, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from core.errors import InputError
from core.models import (
    Approval,
    AuditEntry,
    CaseEvent,
    CaseNote,
    Dispatch,
    DispatchState,
    Draft,
    DraftRevision,
    HumanLabel,
    User,
    Voice,
)
from loop import merged
from loop.steps import Step

PAGE = 50
_ORIGINALS = ("voice.read_original", "note.read_original", "file.open")
# Told better by rows of their own, which hold the text as well.
_TOLD_ELSEWHERE = (Step.NOTE, Step.DRAFT, Step.APPROVE, Step.RETURN)


Rows = Select[*tuple[Any, ...]]


class Source(StrEnum):
    """Where an entry comes from; what it tells of the same moment stands in this order."""

    STEP = "step"
    NOTE = "note"
    DRAFT = "draft"
    APPROVAL = "approval"
    DISPATCH = "dispatch"
    LABEL = "label"
    READ = "read"


_RANKS = {source: rank for rank, source in enumerate(Source)}


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's place in the list."""

    at: datetime
    source: Source
    id: int

    @property
    def key(self) -> tuple[float, int, int]:
        """What entries are ordered by, the newest being the greatest."""
        return self.at.timestamp(), -_RANKS[self.source], self.id

    def __str__(self) -> str:
        return f"{self.at.isoformat()}.{self.source}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Reads what ``str`` wrote.

        Raises:
            InputError: it is something else.
        """
        try:
            moment, source, number = text.rsplit(".", 2)
            at = datetime.fromisoformat(moment)
            if at.tzinfo is None or not number.isascii() or not number.isdigit() or not 0 < int(number) < 2**31:
                raise ValueError
            return cls(at, Source(source), int(number))
        except ValueError:
            raise InputError("経過の続きの位置が読めません。", hint="画面を開きなおしてください。") from None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened.

    ``code`` says what: a ``Step``'s value, ``note``, ``draft``, ``approval.approved`` and the like, ``dispatch.sent`` and the like,
    ``label``, or an action of the trail (``voice.read_original`` …). ``values`` hold what words need; ``user`` is empty for the machine.
    """

    place: Place
    code: str
    user: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return self.place.at


@dataclass(frozen=True, slots=True)
class Course:
    """A page of entries, newest first; ``next`` is where the one after it begins, or empty."""

    entries: list[Entry]
    next: str = ""


def timeline(session: Session, case_id: int, *, after: str = "", limit: int = PAGE) -> Course:
    """A page of a case's course, with that of the cases that were merged into it: one statement for each of seven sources.

    The caller has seen to it that the person may see the case. Texts are masked, as everywhere.

    Raises:
        InputError: ``after`` isn't what an earlier page gave as ``next``.
    """
    place = Place.parse(after) if after else None
    found = [entry for read in _SOURCES for entry in read(session, case_id, place, limit + 1)]
    found.sort(key=lambda entry: entry.place.key, reverse=True)
    shown = found[:limit]
    return Course(shown, str(shown[-1].place) if len(found) > limit else "")


def _steps(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    """What was done to the case; what one act did to several that are one case now, such as merging them, is one line.

    Of deadlines that were counted anew each case tells its own.
    """
    own = CaseEvent.case_id.in_(merged.members(case_id)) & CaseEvent.kind.not_in([step.value for step in _TOLD_ELSEWHERE])
    acts = (
        select(CaseEvent.at.label("at"), func.max(CaseEvent.id).label("id"), func.count(CaseEvent.case_id.distinct()).label("cases"))
        .where(own)
        .group_by(CaseEvent.at, CaseEvent.user_id, CaseEvent.kind, case((CaseEvent.kind == Step.RECOUNT.value, CaseEvent.id), else_=0))
        .subquery()
    )
    columns = (acts.c.at, acts.c.id, func.coalesce(User.display_name, ""), CaseEvent.kind, CaseEvent.detail, acts.c.cases)
    statement = select(*columns).join(CaseEvent, CaseEvent.id == acts.c.id).outerjoin(User, User.id == CaseEvent.user_id)
    for at, number, user, kind, detail, cases in session.execute(_newest(statement, acts.c.at, acts.c.id, Source.STEP, place, limit)):
        yield Entry(Place(at, Source.STEP, number), kind, user, detail | {"cases": cases} if cases > 1 else detail)


def _notes(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    columns = (CaseNote.at, CaseNote.id, User.display_name, CaseNote.text, CaseNote.key_id != "")
    statement = select(*columns).join(User, User.id == CaseNote.user_id).where(CaseNote.case_id.in_(merged.members(case_id)))
    for at, number, user, text, is_masked in session.execute(_newest(statement, CaseNote.at, CaseNote.id, Source.NOTE, place, limit)):
        yield Entry(Place(at, Source.NOTE, number), "note", user, {"note": number, "text": text, "is_masked": is_masked})


def _drafts(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    columns = (DraftRevision.at, DraftRevision.id, User.display_name, Draft.id, DraftRevision.version, Draft.kind)
    statement = (
        select(*columns).join(Draft, Draft.id == DraftRevision.draft_id).join(User, User.id == DraftRevision.user_id)
    ).where(Draft.case_id.in_(merged.members(case_id)))  # fmt: skip
    for at, number, user, draft, version, kind in session.execute(
        _newest(statement, DraftRevision.at, DraftRevision.id, Source.DRAFT, place, limit)
    ):
        yield Entry(Place(at, Source.DRAFT, number), "draft", user, {"draft": draft, "version": version, "kind": kind.value})


def _approvals(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    statement = (
        select(Approval, User.display_name)
        .join(Draft, Draft.id == Approval.draft_id)
        .join(User, User.id == Approval.decided_by)
        .where(Draft.case_id.in_(merged.members(case_id)), Approval.decided_at.is_not(None))
    )
    for row, user in session.execute(_newest(statement, Approval.decided_at, Approval.id, Source.APPROVAL, place, limit)):
        values = {name: getattr(row, name) for name in ("round", "step", "department", "position", "comment", "version")}
        values["deputy"] = row.delegate_id is not None and row.delegate_id == row.decided_by
        yield Entry(Place(row.decided_at, Source.APPROVAL, row.id), f"approval.{row.state}", user, values)


def _dispatches(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    """What went out to each resident, put together by way and outcome: a campaign's answer is one line, not thousands."""
    ended = Dispatch.state.in_((DispatchState.SENT, DispatchState.FAILED)) & Dispatch.at.is_not(None)
    groups = (
        select(
            func.max(Dispatch.at).label("at"), func.max(Dispatch.id).label("id"), Dispatch.state.label("state"),
            Dispatch.delivery.label("delivery"), func.count().label("count"),
        )
        .join(Draft, Draft.id == Dispatch.draft_id)
        .where(Draft.case_id.in_(merged.members(case_id)), ended)
        .group_by(Dispatch.draft_id, Dispatch.state, Dispatch.delivery)
        .subquery()
    )  # fmt: skip
    for at, number, state, delivery, count in session.execute(
        _newest(select(groups), groups.c.at, groups.c.id, Source.DISPATCH, place, limit)
    ):
        yield Entry(Place(at, Source.DISPATCH, number), f"dispatch.{state}", "", {"delivery": delivery.value, "count": count})


def _labels(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    """Decisions on labels; what somebody set on many voices at the same moment is one line."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    second = func.date_trunc("second", HumanLabel.created_at) if is_postgresql else func.substr(cast(HumanLabel.created_at, String), 1, 19)
    groups = (
        select(
            func.max(HumanLabel.created_at).label("at"), func.max(HumanLabel.id).label("id"), HumanLabel.user_id.label("user_id"),
            HumanLabel.facet.label("facet"), HumanLabel.value.label("value"),
            case((func.min(HumanLabel.machine_value) == func.max(HumanLabel.machine_value), func.min(HumanLabel.machine_value)), else_="")
            .label("machine_value"),
            func.count(HumanLabel.voice_id.distinct()).label("voices"),
        )
        .join(Voice, Voice.id == HumanLabel.voice_id)
        .where(Voice.case_id == case_id)
        .group_by(HumanLabel.user_id, HumanLabel.facet, HumanLabel.value, second)
        .subquery()
    )  # fmt: skip
    statement = select(groups, User.display_name).join(User, User.id == groups.c.user_id)
    for row in session.execute(_newest(statement, groups.c.at, groups.c.id, Source.LABEL, place, limit)):
        values = {"facet": row.facet.value, "value": row.value, "machine_value": row.machine_value, "voices": row.voices}
        yield Entry(Place(row.at, Source.LABEL, row.id), "label", row.display_name, values)


def _reads(session: Session, case_id: int, place: Place | None, limit: int) -> Iterator[Entry]:
    voices = select(literal("voice:") + cast(Voice.id, String)).where(Voice.case_id == case_id)
    family = merged.members(case_id).subquery()
    own = AuditEntry.subject.in_(union_all(voices, select(literal("case:") + cast(family.c.id, String))))
    columns = (AuditEntry.at, AuditEntry.id, func.coalesce(User.display_name, AuditEntry.actor), AuditEntry.action, AuditEntry.detail)
    statement = select(*columns).outerjoin(User, User.username == AuditEntry.actor).where(own, AuditEntry.action.in_(_ORIGINALS))
    for at, number, user, action, detail in session.execute(_newest(statement, AuditEntry.at, AuditEntry.id, Source.READ, place, limit)):
        values = {name: detail[name] for name in ("reason", "receipt", "note", "file") if name in detail}
        yield Entry(Place(at, Source.READ, number), action, user, values)


_SOURCES = (_steps, _notes, _drafts, _approvals, _dispatches, _labels, _reads)


def _newest(statement: Rows, at: Any, number: Any, source: Source, place: Place | None, limit: int) -> Rows:
    """The newest rows of a source that come after a place."""
    if place is not None:
        statement = statement.where(_beyond(at, number, source, place))
    return statement.order_by(at.desc(), number.desc()).limit(limit)


def _beyond(at: Any, number: Any, source: Source, place: Place) -> ColumnElement[bool]:
    moment = literal(place.at, CaseEvent.at.type)
    beside = number < place.id if source is place.source else literal(_RANKS[source] > _RANKS[place.source])
    return or_(at < moment, and_(at == moment, beside))
