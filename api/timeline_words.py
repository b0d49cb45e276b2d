"""What pages say of a case's course: one sentence for each entry of ``loop.timeline``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from api import words
from core.models import Delivery, Facet
from loop import answers, cases, clock, originals, recount
from loop.steps import STEPS, Step
from loop.timeline import Entry

_KIND = {"final": "回答案", "interim": "中間回答案"}
POST = {"again": "送り直す", "letter": "手紙に変える", "posted": "発送済みにする"}
_READ = {"voice.read_original": "原文を表示", "note.read_original": "メモの原文を表示", "file.open": "添付を開いた"}

Values = Mapping[str, Any]


def told(entry: Entry) -> str:
    """What happened, in words: 「担当を決定: 道路維持課（関係課 公園緑地課）」. A code that nobody knows is told by itself."""
    known = _TOLD.get(entry.code)
    if known is not None:
        return known(entry.values)
    try:
        name = STEPS[Step(entry.code)].name
    except ValueError:
        return entry.code
    detail = _MORE.get(Step(entry.code))
    more = detail(entry.values) if detail else ""
    return f"{name}: {more}" if more else name


def _assigned(values: Values) -> str:
    if values.get("taken_over"):
        return "自分の担当にした"
    also = values.get("also") or []
    return str(values.get("department", "")) + (f"（関係課 {'、'.join(also)}）" if also else "")


def _asked(values: Values) -> str:
    more = [f"{values['sentences']:,} 文"] if values.get("sentences") else []
    if values.get("due_on"):
        more.append(f"期日 {words.short_date(date.fromisoformat(values['due_on']))}")
    return str(values.get("department", "")) + (f"（{'、'.join(more)}）" if more else "")


def _count(name: str, unit: str) -> Callable[[Values], str]:
    return lambda values: f"{values[name]:,} {unit}" if name in values else ""


def _reason(names: Mapping[str, str]) -> Callable[[Values], str]:
    return lambda values: names.get(str(values.get("reason", "")), "")


def _value(facet: str, value: str) -> str:
    return f"{words.FACET[Facet(facet)]} {value or '（なし）'}"


def _labelled(values: Values) -> str:
    machine, value = values["machine_value"], values["value"]
    said = _value(values["facet"], value)
    was = "（機械の分類のとおり）" if machine == value else f"（機械の分類は {machine}）" if machine else ""
    voices = f"、声 {values['voices']:,} 件" if values["voices"] > 1 else ""
    return f"分類を決定: {said}{was}{voices}"


def _recounted(values: Values) -> str:
    if "from" not in values:
        return ""
    days = " → ".join(words.short_date(date.fromisoformat(values[name])) for name in ("from", "to"))
    others = f"、声 {values['voices']:,} 件" if values["voices"] > 1 else ""
    return f"{days}（{_why(values['because'])}{others}）"


def _why(because: list[str]) -> str:
    if not because:
        return "期限の決まりの変更"
    if recount.INTERIM in because:
        return "中間回答のため"
    return "・".join(words.FACET[Facet(facet)] for facet in because) + "の修正"


def _decided(name: str) -> Callable[[Values], str]:
    def words_of(values: Values) -> str:
        deputy = "（代決）" if values["deputy"] else ""
        comment = f"「{values['comment']}」" if values["comment"] else ""
        return f"{name}: {values['department']} {values['position']}{deputy}、第{values['version']}版{comment}"

    return words_of


def _sent(name: str) -> Callable[[Values], str]:
    return lambda values: f"{name}: {answers.DELIVERIES[Delivery(values['delivery'])]} {values['count']:,} 件"


def _went(values: Values) -> str:
    return f"{answers.DELIVERIES[Delivery(values['delivery'])]} {values['voices']:,} 件" if "delivery" in values else ""


def _read(name: str) -> Callable[[Values], str]:
    def words_of(values: Values) -> str:
        whose = f"（{values['receipt']}）" if "receipt" in values else ""
        return f"{name}{whose}: {originals.REASONS.get(values.get('reason', ''), '')}".rstrip(": ")

    return words_of


_TOLD: dict[str, Callable[[Values], str]] = {
    "note": lambda _: "メモ",
    "draft": lambda values: f"{_KIND.get(values['kind'], '回答案')}を保存: 第{values['version']}版",
    "approval.approved": _decided("承認"),
    "approval.returned": _decided("差し戻し"),
    "dispatch.sent": _sent("送付"),
    "dispatch.failed": _sent("送付できなかった"),
    "label": _labelled,
    **{action: _read(name) for action, name in _READ.items()},
}
_CLOSED = {reason.value: name for reason, name in cases.CLOSE_REASONS.items()}
_MORE: dict[Step, Callable[[Values], str]] = {
    Step.ASSIGN: _assigned,
    Step.HAND_BACK: _reason(cases.BACK_REASONS),
    Step.CLOSE: _reason(_CLOSED),
    Step.REOPEN: _reason(cases.REOPEN_REASONS),
    Step.PAUSE: _reason(clock.PAUSE_REASONS),
    Step.INVOLVE: lambda values: str(values.get("department", "")),
    Step.RELEASE: lambda values: str(values.get("department", "")),
    Step.DIVIDE: _asked,
    Step.REPLY: lambda values: str(values.get("department", "")),
    Step.RETURN_PART: lambda values: str(values.get("department", "")),
    Step.MERGE: _count("cases", "件"),
    Step.SPLIT: _count("voices", "件"),
    Step.FOLD: _count("voices", "件"),
    Step.ATTACH: lambda values: "消した" if "removed" in values else words.size(values["size"]) if "size" in values else "",
    Step.RECOUNT: _recounted,
    Step.RELABEL: lambda values: _value(values["facet"], values["value"]) if "facet" in values else "",
    Step.SUBMIT: lambda values: f"第{values['version']}版" if "version" in values else "",
    Step.DELEGATE: lambda values: str(values.get("position", "")),
    Step.ANSWER: _went,
    Step.INTERIM: _went,
    Step.POST: lambda values: f"{POST.get(values.get('act', ''), '')} {values.get('count', 0):,} 件".strip(),
    Step.UNDO: lambda values: STEPS[Step(values["undone"])].name if "undone" in values else "",
}
