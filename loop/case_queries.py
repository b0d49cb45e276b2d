"""What pages show of cases: a line's extras for a list, and one case whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import Case, CasePart, CasePause, CloseReason, DeskAct, Disposition, Role, Status, User, Voice

Mark = tuple[str, int, int]
"""A department, and where a passage that it answers begins and ends."""
_VOICES_SHOWN = 100
_SNIPPET = 100


@dataclass(frozen=True, slots=True)
class CaseLine:
    """What a list shows of a voice's case. ``voices`` counts those that it stands for; ``assignee`` is who has it in hand."""

    version: int
    voices: int = 1
    assignee: str = ""
    others: tuple[str, ...] = ()
    paused: bool = False
    asked_by: date | None = None
    """By when the department's part is wanted of which the list is."""


NO_CASE = CaseLine(version=0)


class PartState(StrEnum):
    """Where a department's part stands."""

    LEADS = "leads"
    SEES = "sees"
    ASKED = "asked"
    RETURNED = "returned"
    REPLIED = "replied"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the voice that is shown, [start, end) in its masked text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A department's part as a page shows it; ``passages`` are those of the voice that is shown."""

    department: str
    is_lead: bool
    assignee: str
    assignee_name: str
    version: int
    passages: tuple[Passage, ...]
    asked: str
    asked_at: datetime | None
    due_on: date | None
    reply: str
    replied_at: datetime | None
    returned_at: datetime | None
    return_reason: str

    @property
    def state(self) -> PartState:
        if self.is_lead:
            return PartState.LEADS
        if self.replied_at is not None:
            return PartState.REPLIED
        if self.returned_at is not None:
            return PartState.RETURNED
        return PartState.ASKED if self.asked_at is not None else PartState.SEES

    @property
    def owes(self) -> bool:
        """Whether a reply is waited for."""
        return self.state in (PartState.ASKED, PartState.RETURNED)


@dataclass(frozen=True, slots=True)
class Member:
    """Another voice of a case."""

    receipt_number: str
    title: str
    snippet: str
    received_on: date
    is_lead: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case. ``version`` 0: nobody has begun to handle the voice. ``members`` are cut to a hundred; ``voices`` counts them all."""

    version: int
    status: Status
    voices: int = 1
    disposition: Disposition | None = None
    close_reason: CloseReason | None = None
    forwarded_to: str = ""
    paused_on: date | None = None
    paused_for: str = ""
    interim_on: date | None = None
    answered_on: date | None = None
    closed_on: date | None = None
    parts: list[Part] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)

    @property
    def leading(self) -> Part | None:
        return next((part for part in self.parts if part.is_lead), None)

    @property
    def marks(self) -> list[Mark]:
        """Which department answers what of the voice that is shown."""
        return [(part.department, one.start, one.end) for part in self.parts for one in part.passages]

    def part_of(self, department: str) -> Part | None:
        """A department's part."""
        return next((part for part in self.parts if part.department == department), None)


def lines(session: Session, voice_ids: Sequence[int], *, asked_of: str = "") -> dict[int, CaseLine]:
    """The cases of the voices that have one, in three statements however many there are. ``asked_of``: a department whose days are told."""
    rows = session.execute(
        select(Voice.id, Case.id, Case.version, Case.paused_on)
        .join(Case, Case.id == Voice.case_id)
        .where(among(session, Voice.id, list(voice_ids)))
    ).all()
    if not rows:
        return {}
    numbers = sorted({row[1] for row in rows})
    counts = dict(
        session.execute(
            select(Voice.case_id, func.count()).where(among(session, Voice.case_id, numbers)).group_by(Voice.case_id)
        ).all()
    )  # fmt: skip
    parts: dict[int, list[tuple[str, bool, str | None]]] = defaultdict(list)
    days: dict[int, date | None] = {}
    found = (
        select(CasePart.case_id, CasePart.department, CasePart.is_lead, User.display_name, CasePart.due_on)
        .outerjoin(User, User.id == CasePart.assignee_id)
        .where(among(session, CasePart.case_id, numbers))
        .order_by(CasePart.id)
    )
    for case_id, department, is_lead, person, due_on in session.execute(found):
        parts[case_id].append((department, is_lead, person))
        if department == asked_of:
            days[case_id] = due_on
    return {
        voice_id: CaseLine(
            version=version,
            voices=counts[case_id],
            assignee=next((person for _, is_lead, person in parts[case_id] if is_lead and person), ""),
            others=tuple(department for department, is_lead, _ in parts[case_id] if not is_lead),
            paused=paused_on is not None,
            asked_by=days.get(case_id),
        )
        for voice_id, case_id, version, paused_on in rows
    }


def case_view(session: Session, voice: Voice) -> CaseView:
    """The case that a voice is in, or what stands for it as long as there is none."""
    if voice.case_id is None:
        return CaseView(version=0, status=voice.status)
    case = session.get_one(Case, voice.case_id)
    own = Voice.case_id == case.id
    total = session.scalar(select(func.count()).select_from(Voice).where(own)) or 0
    members = []
    if total > 1:
        columns = (Voice.receipt_number, Voice.title, func.substr(Voice.text, 1, _SNIPPET), Voice.received_on, Voice.id == case.lead_id)
        others = select(*columns).where(own, Voice.id != voice.id).order_by((Voice.id == case.lead_id).desc(), Voice.id)
        members = [Member(*row) for row in session.execute(others.limit(_VOICES_SHOWN))]
    return CaseView(
        version=case.version,
        status=case.status,
        voices=total,
        disposition=case.disposition,
        close_reason=case.close_reason,
        forwarded_to=case.forwarded_to,
        paused_on=case.paused_on,
        paused_for=_pause(session, case.id) if case.paused_on else "",
        interim_on=case.interim_on,
        answered_on=case.answered_on,
        closed_on=case.closed_on,
        parts=_parts(session, case.id, voice),
        members=members,
    )


def _pause(session: Session, case_id: int) -> str:
    """Why the clock stands still (``clock.PAUSE_REASONS``)."""
    own = select(CasePause.reason).where(CasePause.case_id == case_id, CasePause.until.is_(None))
    return session.scalar(own.order_by(CasePause.id.desc()).limit(1)) or ""


def _parts(session: Session, case_id: int, voice: Voice) -> list[Part]:
    statement = (
        select(CasePart, func.coalesce(User.username, ""), func.coalesce(User.display_name, ""))
        .outerjoin(User, User.id == CasePart.assignee_id)
        .where(CasePart.case_id == case_id)
        .order_by(CasePart.is_lead.desc(), CasePart.id)
    )
    return [
        Part(
            department=part.department,
            is_lead=part.is_lead,
            assignee=username,
            assignee_name=name,
            version=part.version,
            passages=tuple(
                Passage(one["start"], one["end"], voice.text[one["start"] : one["end"]])
                for one in sorted(part.passages, key=lambda one: int(one["start"]))
                if one["voice"] == voice.id
            ),
            asked=part.asked,
            asked_at=part.asked_at,
            due_on=part.due_on,
            reply=part.reply,
            replied_at=part.replied_at,
            returned_at=part.returned_at,
            return_reason=part.return_reason,
        )
        for part, username, name in session.execute(statement)
    ]


def colleagues(session: Session) -> list[tuple[str, str, str]]:
    """Those who can be given cases: user name, name and department, by department."""
    statement = select(User.username, User.display_name, User.department).where(User.active.is_(True), User.role != Role.MANAGER)
    return [(row[0], row[1], row[2]) for row in session.execute(statement.order_by(User.department, User.display_name))]


def act_of(session: Session, act_id: int, user_id: int) -> DeskAct | None:
    """One of a person's own acts, to tell of it."""
    return session.scalar(select(DeskAct).where(DeskAct.id == act_id, DeskAct.user_id == user_id))


def number_of_lead(session: Session, voice: Voice) -> str:
    """The receipt number of the voice that stands for a voice's case; its own when it does."""
    if not voice.folded or voice.case_id is None:
        return voice.receipt_number
    lead = select(Voice.receipt_number).join(Case, Case.lead_id == Voice.id).where(Case.id == voice.case_id)
    return session.scalar(lead) or voice.receipt_number
