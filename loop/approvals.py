"""The way of a draft to approval (決裁): put forward, approved step by step, returned, withdrawn, handed to a deputy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from core.models import Approval, ApprovalState, Case, Draft, DraftKind, DraftState, User, Voice
from loop import answers
from loop.actors import Actor
from loop.answers import Checks
from loop.approval_queries import is_theirs, next_of, position_of, takes_part
from loop.chains import LEAD, Chain, ChainStep, Matter, chosen
from loop.handling import Handled, Target, changing, may_handle, take
from loop.steps import Step, next_status

if TYPE_CHECKING:
    from nlp.answering.checks import Finding

_LONGEST_COMMENT = 2_000


class CheckError(InputError):
    """The checks say that the draft can't be put forward as it is; ``findings`` say why."""

    code = "draft_check"

    def __init__(self, message: str, *, hint: str, findings: Sequence[Finding]) -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)


def submit(
    session: Session,
    target: Target,
    *,
    actor: Actor,
    chains: Sequence[Chain],
    checks: Checks,
    version: int,
    acknowledged: bool = False,
) -> Draft:
    """Puts a draft forward: whoever does so is its drafter from now on. The way is the first of the city's chains that suits.

    Steps whose position nobody holds are skipped where the chain allows that, and written down; at least one person has to decide.

    Raises:
        OvertakenError: the draft has changed since.
        CheckError: a check says stop, or warns and that wasn't acknowledged.
        InputError: the disposition or the delivery is missing, or nobody holds a step's position.
        ConflictError: there is no draft, or the case's state doesn't allow it.
    """
    (item,) = take(session, [target], actor=actor)
    next_status(Step.SUBMIT, item.case.status)
    draft = answers.draft_of(session, item.case.id, lock=True)
    if draft is None:
        raise ConflictError("決裁へ回す回答案がありません。", hint="先に回答案を書いて保存してください。")
    if draft.version != version:
        raise answers.overtaken(session, draft)
    _whole(draft)
    asking = sorted(item.voices, key=lambda voice: voice is not item.lead)
    found = answers.findings(session, draft.text, asking, review_on=draft.review_on, by=checks, kind=draft.kind)
    _checked(found, acknowledged=acknowledged)
    chain = chosen(chains, _matter(item, draft))
    number = 1 + (session.scalar(select(func.max(Approval.round)).where(Approval.draft_id == draft.id)) or 0)
    skipped = _lay_out(session, item, draft, chain, number=number, drafter=actor, warnings=len(found))
    detail = {"draft": draft.id, "version": draft.version, "round": number, "chain": chain.name, "skipped": skipped}
    with changing(session, [item], Step.SUBMIT, actor=actor, detail=detail):
        draft.state, draft.drafter_id = DraftState.IN_APPROVAL, actor.user_id
    return draft


def approve(session: Session, approval_id: int, *, actor: Actor, comment: str = "") -> Draft:
    """Approves one step; with the last one the draft is approved and may be sent. ``comment`` is masked by the caller.

    Raises:
        ConflictError: it was decided already, or isn't this step's turn.
        ForbiddenError: this person doesn't hold the position and isn't the deputy, or drafted it.
    """
    item, draft, approval = _at_turn(session, approval_id, actor=actor)
    with changing(session, [item], Step.APPROVE, actor=actor, detail=_told(session, draft, approval, actor)):
        _decide(approval, ApprovalState.APPROVED, actor, comment)
        session.flush()
        if next_of(session, draft.id) is None:
            draft.state = DraftState.APPROVED
    return draft


def return_(session: Session, approval_id: int, *, actor: Actor, comment: str) -> Draft:
    """Sends a draft back with a comment, which is masked by the caller; later steps of this round will not come.

    Raises:
        InputError: there is no comment, or it is too long.
        ConflictError, ForbiddenError: as ``approve``.
    """
    item, draft, approval = _at_turn(session, approval_id, actor=actor)
    if not comment.strip():
        raise InputError("差し戻す理由を書いてください。", hint="どこをどう直すかが分かるように書いてください。")
    with changing(session, [item], Step.RETURN, actor=actor, detail=_told(session, draft, approval, actor)):
        _decide(approval, ApprovalState.RETURNED, actor, comment)
        session.flush()
        _end_round(session, draft)
    return draft


def withdraw(session: Session, target: Target, *, actor: Actor) -> Draft:
    """Takes a draft back before it is sent, approved or not: it has to go its whole way again.

    Raises:
        ForbiddenError: somebody else put it forward, and this person is neither 広聴課 nor an administrator.
        ConflictError: nothing is in approval.
    """
    (item,) = take(session, [target], actor=actor)
    next_status(Step.WITHDRAW, item.case.status)
    draft = answers.draft_of(session, item.case.id, lock=True)
    if draft is None or draft.state is DraftState.EDITING:
        raise ConflictError("引き戻す回答案がありません。", hint="画面を開きなおしてください。")
    if draft.drafter_id != actor.user_id and not actor.may_operate:
        raise ForbiddenError("引き戻せるのは、起案した人と広聴課です。", hint="起案した人に頼んでください。")
    with changing(session, [item], Step.WITHDRAW, actor=actor, detail={"draft": draft.id, "version": draft.version}):
        _end_round(session, draft)
    return draft


def delegate(session: Session, approval_id: int, username: str, *, actor: Actor) -> Approval:
    """Names another person who decides a step in place of its position (代決); written down like every act.

    Raises:
        InputError: there is no such active person, or the person drafted it.
        ForbiddenError: this person neither holds the position nor is 広聴課 or an administrator.
        ConflictError: it was decided already.
    """
    item, draft, approval = _locked(session, approval_id, actor=actor)
    if not actor.may_operate and not is_theirs(session, approval, draft, actor):
        raise ForbiddenError("代決する人を決められるのは、この段の決裁者と広聴課です。", hint="広聴課に頼んでください。")
    person = session.scalar(select(User).where(User.username == username, User.active.is_(True)))
    if person is None:
        raise InputError("代決する人が見つかりません。", hint="使われている利用者名から選んでください。")
    if person.id == draft.drafter_id and not approval.self_allowed:
        raise InputError("起案した人は、決裁できません。", hint="ほかの人を選んでください。")
    detail = {"draft": draft.id, "round": approval.round, "step": approval.step, "position": approval.position, "to": person.username}
    with changing(session, [item], Step.DELEGATE, actor=actor, detail=detail):
        approval.delegate_id = person.id
    return approval


def _locked(session: Session, approval_id: int, *, actor: Actor) -> tuple[Handled, Draft, Approval]:
    """The case behind a step that is still to be decided, locked, and the step as it then stands."""
    lead = (
        select(Voice.receipt_number)
        .join(Case, Case.lead_id == Voice.id)
        .join(Draft, Draft.case_id == Case.id)
        .join(Approval, Approval.draft_id == Draft.id)
        .where(Approval.id == approval_id)
    )
    if (number := session.scalar(lead)) is None:
        raise _unknown()
    (item,) = take(session, [Target(number)], actor=actor, deciding=True)
    fresh = {"populate_existing": True}
    approval = session.scalars(select(Approval).where(Approval.id == approval_id).execution_options(**fresh)).one()
    draft = session.scalars(select(Draft).where(Draft.id == approval.draft_id).execution_options(**fresh)).one()
    if not may_handle(actor, item) and not takes_part(session, actor, draft.id):
        raise _unknown()
    # An approval is of one version of the text; nobody can change that while it is in approval, and if it were so, none would hold.
    if approval.state is not ApprovalState.WAITING or draft.state is not DraftState.IN_APPROVAL or approval.version != draft.version:
        raise ConflictError("この決裁は、もう済んでいるか、引き戻されています。", hint="画面を開きなおして、経過を確かめてください。")
    return item, draft, approval


def _at_turn(session: Session, approval_id: int, *, actor: Actor) -> tuple[Handled, Draft, Approval]:
    item, draft, approval = _locked(session, approval_id, actor=actor)
    if not is_theirs(session, approval, draft, actor):
        if draft.drafter_id == actor.user_id:
            raise ForbiddenError("自分が起案した回答は、決裁できません。", hint="ほかの決裁者に頼んでください。")
        raise ForbiddenError(
            f"この段の決裁は、{approval.department}の{approval.position}がします。", hint="代わるときは、代決の指定が要ります。"
        )
    first = next_of(session, draft.id)
    if first is None or first.id != approval.id:
        raise ConflictError("まだ、この段の順番ではありません。", hint="前の段の決裁を待ってください。")
    return item, draft, approval


def _decide(approval: Approval, state: ApprovalState, actor: Actor, comment: str) -> None:
    if len(comment) > _LONGEST_COMMENT:
        raise InputError(f"意見を {_LONGEST_COMMENT:,} 字以内で書いてください。", hint="長いときは、要点だけを書いてください。")
    approval.state, approval.comment = state, comment.strip()
    approval.decided_by, approval.decided_at = actor.user_id, utc_now()


def _told(session: Session, draft: Draft, approval: Approval, actor: Actor) -> dict[str, object]:
    in_place = position_of(session, actor) != (approval.position, approval.department)
    return {
        "draft": draft.id, "version": draft.version, "round": approval.round, "step": approval.step,
        "department": approval.department, "position": approval.position, "in_place": in_place,
    }  # fmt: skip


def _end_round(session: Session, draft: Draft) -> None:
    draft.state = DraftState.EDITING
    for row in session.scalars(select(Approval).where(Approval.draft_id == draft.id, Approval.state == ApprovalState.WAITING)):
        row.state = ApprovalState.VOID
    session.flush()


def _whole(draft: Draft) -> None:
    if draft.delivery is None:
        raise InputError("送り方が選ばれていません。", hint="電子メール・手紙・送らない、から選んで保存してください。")
    if draft.kind is DraftKind.FINAL and draft.disposition is None:
        raise InputError("対応区分が選ばれていません。", hint="対応区分を選んで保存してください。")


def _checked(found: Sequence[Finding], *, acknowledged: bool) -> None:
    if stops := [finding for finding in found if finding.severity == "stop"]:
        raise CheckError(
            f"直さないと決裁へ回せないところが {len(stops)} か所あります。", hint="確認の一覧を見て直してください。", findings=stops
        )
    if found and not acknowledged:
        hint = "一覧を見て直すか、「確認した」に印を付けてください。"
        raise CheckError(f"確かめるところが {len(found)} か所あります。", hint=hint, findings=found)


def _matter(item: Handled, draft: Draft) -> Matter:
    return Matter(
        kind=item.lead.kind.value,
        disposition=answers.DISPOSITIONS[draft.disposition] if draft.disposition else "",
        department=answers.leading_department(item),
        urgency=item.lead.urgency.value,
        delivery=answers.DELIVERIES[draft.delivery] if draft.delivery else "",
        reply=answers.KINDS[draft.kind],
        recipients=len(item.voices),
    )


def _lay_out(session: Session, item: Handled, draft: Draft, chain: Chain, *, number: int, drafter: Actor, warnings: int) -> list[str]:
    """The round's steps as rows; gives the positions that nobody holds and that are skipped."""
    lead = answers.leading_department(item)
    if not lead:
        raise InputError("回答する課が決まっていません。", hint="先に担当の課を決めてください。")
    rows, skipped = [], []
    for place, step in enumerate(chain.steps):
        department = lead if step.department == LEAD else step.department
        is_held = _is_held(session, step, department, without=None if chain.self_allowed else drafter.user_id)
        if not is_held and not step.optional:
            raise InputError(
                f"{department}に、決裁できる{step.position}がいません（起案した人を除く）。", hint="管理者に、職位の登録を頼んでください。"
            )
        if not is_held:
            skipped.append(f"{department} {step.position}")
        state = ApprovalState.WAITING if is_held else ApprovalState.SKIPPED
        row = Approval(
            draft_id=draft.id, round=number, step=place, department=department, position=step.position, state=state,
            self_allowed=chain.self_allowed, version=draft.version, warnings=warnings,
        )  # fmt: skip
        rows.append(row)
    if len(skipped) == len(chain.steps):
        raise InputError(f"「{chain.name}」の順で決裁できる人が、ひとりもいません。", hint="管理者に、職位の登録を頼んでください。")
    session.add_all(rows)
    session.flush()
    return skipped


def _is_held(session: Session, step: ChainStep, department: str, *, without: int | None) -> bool:
    holders = select(User.id).where(User.position == step.position, User.department == department, User.active.is_(True))
    if without is not None:
        holders = holders.where(User.id != without)
    return session.scalar(holders.limit(1)) is not None


def _unknown() -> NotFoundError:
    return NotFoundError("この決裁は見つかりません。", hint="決裁待ちの一覧から開きなおしてください。")
