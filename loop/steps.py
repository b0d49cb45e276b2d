"""Every step that a case may take, in one table: from where, to where, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import ConflictError
from core.models import Status


class Step(StrEnum):
    """What can be done to a case; the value is what the trail and the timeline call it."""

    CONFIRM = "case.confirm"
    ASSIGN = "case.assign"
    HAND_BACK = "case.hand_back"
    DRAFT = "case.draft"
    SUBMIT = "case.submit"
    WITHDRAW = "case.withdraw"
    RETURN = "case.return"
    APPROVE = "case.approve"
    DELEGATE = "case.delegate"
    INTERIM = "case.interim"
    ANSWER = "case.answer"
    POST = "case.post"
    CLOSE = "case.close"
    FINISH = "case.finish"
    REOPEN = "case.reopen"
    MERGE = "case.merge"
    SPLIT = "case.split"
    PAUSE = "case.pause"
    RESUME = "case.resume"
    INVOLVE = "case.involve"
    RELEASE = "case.release"
    DIVIDE = "case.divide"
    REPLY = "case.reply"
    RETURN_PART = "case.return_part"
    NOTE = "case.note"
    ATTACH = "case.attach"
    FOLD = "case.fold"
    RELABEL = "case.relabel"
    RECOUNT = "case.recount"
    UNDO = "case.undo"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a step may be taken, and which it leads to; ``None`` leaves the state as it is.

    ``final``: it can't be taken back like the others, since an approval or a letter hangs on it; it has its own way back, or none.
    """

    name: str
    sources: frozenset[Status]
    to: Status | None
    final: bool = False


_HANDLED = frozenset({Status.RECEIVED, Status.TRIAGED, Status.ASSIGNED, Status.DRAFTING})
_OPEN = _HANDLED | {Status.IN_APPROVAL}
_ALL = frozenset(Status)

STEPS: dict[Step, Rule] = {
    Step.CONFIRM: Rule("分類を確認", _ALL, None),  # from 受付 to 確認済み; of any other case only the labels are confirmed
    Step.ASSIGN: Rule("担当を決定", _HANDLED, Status.ASSIGNED),
    Step.HAND_BACK: Rule("広聴課へ差戻し", frozenset({Status.ASSIGNED, Status.DRAFTING}), Status.TRIAGED),
    Step.DRAFT: Rule("回答案を保存", _HANDLED, Status.DRAFTING),
    Step.SUBMIT: Rule("決裁へ回す", frozenset({Status.DRAFTING}), Status.IN_APPROVAL, final=True),
    Step.WITHDRAW: Rule("決裁から引き戻し", frozenset({Status.IN_APPROVAL}), Status.DRAFTING, final=True),
    Step.RETURN: Rule("差し戻し", frozenset({Status.IN_APPROVAL}), Status.DRAFTING, final=True),
    Step.APPROVE: Rule("承認", frozenset({Status.IN_APPROVAL}), None, final=True),
    Step.DELEGATE: Rule("代決を指定", frozenset({Status.IN_APPROVAL}), None, final=True),
    Step.INTERIM: Rule("中間回答", frozenset({Status.IN_APPROVAL}), Status.DRAFTING, final=True),
    Step.ANSWER: Rule("回答", frozenset({Status.IN_APPROVAL}), Status.ANSWERED, final=True),
    Step.POST: Rule("発送", _ALL, None),
    Step.CLOSE: Rule("回答せずに完了", _HANDLED, Status.CLOSED),
    Step.FINISH: Rule("完了", frozenset({Status.ANSWERED}), Status.CLOSED),
    Step.REOPEN: Rule("再開", frozenset({Status.ANSWERED, Status.CLOSED}), Status.TRIAGED),
    Step.MERGE: Rule("案件をまとめる", _HANDLED, None),
    Step.SPLIT: Rule("声を分ける", _HANDLED, None),
    Step.PAUSE: Rule("期限を止める", _OPEN, None),
    Step.RESUME: Rule("期限を再開", _OPEN, None),
    Step.INVOLVE: Rule("関係課を追加", _OPEN, None),
    Step.RELEASE: Rule("関係課を外す", _OPEN, None),
    Step.DIVIDE: Rule("部分の回答を依頼", _HANDLED, None),
    Step.REPLY: Rule("関係課の回答", _OPEN, None),
    Step.RETURN_PART: Rule("関係課へ差し戻し", _HANDLED, None),
    Step.NOTE: Rule("メモ", _ALL, None),
    Step.ATTACH: Rule("添付", _ALL, None),
    Step.FOLD: Rule("同文をまとめる", _OPEN, None),
    Step.RELABEL: Rule("分類を変更", _ALL, None),
    Step.RECOUNT: Rule("期限を数えなおし", _OPEN, None),  # what the city's rules look at was corrected, or the rules have changed
    Step.UNDO: Rule("取り消し", _ALL, None),
}


def next_status(step: Step, status: Status) -> Status:
    """The state after a step.

    Raises:
        ConflictError: the step can't be taken from this state.
    """
    rule = STEPS[step]
    if status not in rule.sources:
        raise ConflictError(
            f"いまの対応状況では「{rule.name}」はできません。", hint="画面を開きなおして、対応状況を確かめてください。", code="step"
        )
    return rule.to or status


def possible(status: Status) -> frozenset[Step]:
    """The steps that can be taken from a state."""
    return frozenset(step for step, rule in STEPS.items() if status in rule.sources)
