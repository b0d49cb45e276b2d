"""What can be read of approvals: a draft's whole history, and what waits for whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.errors import NotFoundError
from core.models import Approval, ApprovalState, Case, Draft, DraftKind, DraftState, User, Voice
from loop.actors import Actor

DECISIONS = {
    ApprovalState.WAITING: "未決裁",
    ApprovalState.APPROVED: "承認",
    ApprovalState.RETURNED: "差し戻し",
    ApprovalState.VOID: "取りやめ",
    ApprovalState.SKIPPED: "該当者なし",
}


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of a way to approval, for people to read. ``deputy``: who was asked to decide in place of the position."""

    id: int
    step: int
    department: str
    position: str
    state: ApprovalState
    decided_by: str
    decided_at: datetime | None
    deputy: str
    comment: str


@dataclass(frozen=True, slots=True)
class Round:
    """A draft's way to approval, once: which version went it, and how far it came."""

    number: int
    version: int
    steps: tuple[StepShown, ...]

    @property
    def returned(self) -> bool:
        """Whether it came back with a comment."""
        return any(step.state is ApprovalState.RETURNED for step in self.steps)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that waits for somebody's decision; the case's voices are counted, the lead one is shown."""

    approval_id: int
    case_id: int
    draft_id: int
    receipt_number: str
    title: str
    snippet: str
    department: str
    position: str
    kind: DraftKind
    due_on: date | None
    voices: int
    drafter: str
    version: int
    warnings: int


def rounds(session: Session, draft_id: int) -> list[Round]:
    """A draft's whole history of approval, the newest round first."""
    by, deputy = aliased(User), aliased(User)
    found = session.execute(
        select(Approval, by.display_name, deputy.display_name)
        .outerjoin(by, by.id == Approval.decided_by)
        .outerjoin(deputy, deputy.id == Approval.delegate_id)
        .where(Approval.draft_id == draft_id)
        .order_by(Approval.round.desc(), Approval.step)
    )
    grouped: dict[tuple[int, int], list[StepShown]] = defaultdict(list)
    for row, decided, asked in found:
        shown = StepShown(
            row.id, row.step, row.department, row.position, row.state, decided or "", row.decided_at, asked or "", row.comment
        )  # fmt: skip
        grouped[row.round, row.version].append(shown)
    return [Round(number, version, tuple(steps)) for (number, version), steps in grouped.items()]


def approval_of(session: Session, approval_id: int, *, seen_by: Actor) -> tuple[Approval, Draft, Voice]:
    """A step with its draft and the voice that stands for the case.

    Raises:
        NotFoundError: it isn't there, or neither the case nor a step of its approval is this person's.
    """
    row = session.execute(
        select(Approval, Draft, Voice)
        .join(Draft, Draft.id == Approval.draft_id)
        .join(Case, Case.id == Draft.case_id)
        .join(Voice, Voice.id == Case.lead_id)
        .where(Approval.id == approval_id)
    ).one_or_none()
    if row is None or not (seen_by.may_see(row[2]) or takes_part(session, seen_by, row[1].id)):
        raise NotFoundError("この決裁は見つかりません。", hint="決裁待ちの一覧から開きなおしてください。")
    return row[0], row[1], row[2]


def returned_version(session: Session, draft_id: int, *, before: int) -> int | None:
    """The version that came back last before a version, to compare with; ``None`` where none did."""
    statement = select(func.max(Approval.version)).where(
        Approval.draft_id == draft_id, Approval.state == ApprovalState.RETURNED, Approval.version < before
    )
    return session.scalar(statement)


def may_decide(session: Session, actor: Actor, draft: Draft) -> Approval | None:
    """The step of a draft that waits for just this person, if one does."""
    approval = next_of(session, draft.id) if draft.state is DraftState.IN_APPROVAL else None
    return approval if approval is not None and is_theirs(session, approval, draft, actor) else None


def may_name_deputy(session: Session, actor: Actor, draft: Draft) -> Approval | None:
    """The step of a draft for which this person may name a deputy, if there is one."""
    approval = next_of(session, draft.id) if draft.state is DraftState.IN_APPROVAL else None
    return approval if approval is not None and (actor.may_operate or is_theirs(session, approval, draft, actor)) else None


def takes_part(session: Session, actor: Actor, draft_id: int) -> bool:
    """Whether a step of a draft is or was this person's: that lets an approver see what else only its department sees."""
    position, department = position_of(session, actor)
    own = and_(Approval.position == position, Approval.department == department) if position else false()
    theirs = or_(Approval.delegate_id == actor.user_id, Approval.decided_by == actor.user_id, own)
    return session.scalar(select(Approval.id).where(Approval.draft_id == draft_id, theirs).limit(1)) is not None


def count_waiting(session: Session, actor: Actor) -> int:
    """How many answers wait for this person's decision."""
    statement = select(func.count(Approval.id)).join(Draft, Draft.id == Approval.draft_id).where(*_for(session, actor))
    return session.scalar(statement) or 0


def waiting_for(session: Session, actor: Actor, *, limit: int = 200) -> list[Waiting]:
    """The answers that wait for this person's decision, those due first in front."""
    member = aliased(Voice)
    voices = select(func.count(member.id)).where(member.case_id == Case.id).correlate(Case).scalar_subquery()
    found = session.execute(
        select(
            Approval.id, Case.id, Draft.id, Voice.receipt_number, Voice.title, func.substr(Voice.text, 1, 300), Approval.department,
            Approval.position, Draft.kind, Voice.due_on, voices, User.display_name, Draft.version, Approval.warnings,
        )
        .join(Draft, Draft.id == Approval.draft_id)
        .join(Case, Case.id == Draft.case_id)
        .join(Voice, Voice.id == Case.lead_id)
        .join(User, User.id == Draft.drafter_id)
        .where(*_for(session, actor))
        .order_by(Voice.due_on.is_(None), Voice.due_on, Approval.id)
        .limit(limit)
    )  # fmt: skip
    return [Waiting(*row) for row in found]


def _for(session: Session, actor: Actor) -> list[ColumnElement[bool]]:
    position, department = position_of(session, actor)
    earlier = aliased(Approval)
    held = and_(Approval.position == position, Approval.department == department, Approval.delegate_id.is_(None))
    return [
        Approval.state == ApprovalState.WAITING,
        Draft.state == DraftState.IN_APPROVAL,
        or_(Approval.delegate_id == actor.user_id, held) if position else Approval.delegate_id == actor.user_id,
        or_(Draft.drafter_id != actor.user_id, Approval.self_allowed),
        ~exists(
            select(earlier.id).where(
                earlier.draft_id == Approval.draft_id,
                earlier.round == Approval.round,
                earlier.step < Approval.step,
                earlier.state == ApprovalState.WAITING,
            )
        ),
    ]


def position_of(session: Session, actor: Actor) -> tuple[str, str]:
    """The 職位 that a person holds, and where; both empty for an account that was closed."""
    row = session.execute(select(User.position, User.department).where(User.id == actor.user_id, User.active.is_(True))).one_or_none()
    return (row[0], row[1]) if row else ("", "")


def is_theirs(session: Session, approval: Approval, draft: Draft, actor: Actor) -> bool:
    """Whether a step is this person's to decide: by position or as deputy, and not of an own draft."""
    if draft.drafter_id == actor.user_id and not approval.self_allowed:
        return False
    return approval.delegate_id == actor.user_id or position_of(session, actor) == (approval.position, approval.department)


def next_of(session: Session, draft_id: int) -> Approval | None:
    """The step that is to be decided next."""
    waiting = select(Approval).where(Approval.draft_id == draft_id, Approval.state == ApprovalState.WAITING)
    return session.scalar(waiting.order_by(Approval.round, Approval.step).limit(1))
