"""The words that pages use for coded values, and how dates and numbers look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from core.clock import to_tokyo
from core.models import BatchStatus, Facet, Job, JobState, Kind, Role, Status, TopicEventKind, Urgency
from loop import answers
from loop.case_queries import PartState
from loop.steps import STEPS

STATUS = {
    Status.RECEIVED: "受付",
    Status.TRIAGED: "確認済み",
    Status.ASSIGNED: "担当課へ",
    Status.DRAFTING: "回答作成中",
    Status.IN_APPROVAL: "決裁中",
    Status.ANSWERED: "回答済み",
    Status.CLOSED: "完了",
}
PART_STATE = {
    PartState.LEADS: "回答する課",
    PartState.SEES: "共有",
    PartState.ASKED: "依頼中",
    PartState.RETURNED: "差し戻し",
    PartState.REPLIED: "回答あり",
}
PART_TONE = {
    PartState.LEADS: "blue",
    PartState.SEES: "gray",
    PartState.ASKED: "orange",
    PartState.RETURNED: "red",
    PartState.REPLIED: "green",
}
STEP_NAME = {step.value: rule.name for step, rule in STEPS.items()}
DISPOSITION = answers.DISPOSITIONS
JOB_STATE = {
    JobState.QUEUED: "待機中",
    JobState.RUNNING: "実行中",
    JobState.DONE: "完了",
    JobState.FAILED: "失敗",
    JobState.CANCELLED: "取り消し",
}
BATCH_TONE = {
    BatchStatus.RUNNING: "blue",
    BatchStatus.DONE: "green",
    BatchStatus.FAILED: "red",
    BatchStatus.CANCELLED: "orange",
    BatchStatus.UNDONE: "gray",
}
REJECT_CODE = {
    "encoding": "文字コードとして読めない",
    "nul": "文字ではないものがある",
    "ragged": "列の数が合わない",
    "quote": "引用符が閉じていない",
    "too_long": "欄が長すぎる",
    "sheet": "シートの見出しが違う",
    "mail": "メールの形がこわれている",
    "json": "JSON として読めない",
    "call": "どの電話の続きか分からない",
    "empty": "本文か質問が空",
    "date": "日付が読めない",
    "count": "参照回数が読めないか、食い違う",
    "period": "期間が読めない",
    "total": "合計の行",
}
RESOLUTION = {"imported": "取り込んだ", "duplicate": "重複だった", "discarded": "破棄した"}
JOB_TONE = {
    JobState.QUEUED: "gray",
    JobState.RUNNING: "blue",
    JobState.DONE: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "gray",
}
_RESULT = {
    "read": "読込",
    "imported": "取込",
    "duplicates": "重複",
    "rejected": "取込不可",
    "voices": "声",
    "topics": "話題",
    "kept": "続く話題",
    "born": "新しい話題",
    "ended": "終わった話題",
    "begun": "新しいまとまり",
    "joined": "合わさったまとまり",
    "surges": "急増",
    "decisions": "学んだ判断",
    "held_out": "比べた判断",
    "right_before": "前のモデルの正解",
    "right_after": "新しいモデルの正解",
    "sent": "送信",
    "failed": "送れない",
}
_FIGURES = {"held_out_f1": "比べた判断のマクロ F1", "test_f1": "正解つきの声のマクロ F1"}
ROLE = {Role.ADMIN: "管理者", Role.KOCHO: "広聴課", Role.DEPARTMENT: "所管課", Role.MANAGER: "管理職"}
FACET = {
    Facet.THEME: "分野",
    Facet.SUBTHEME: "中分類",
    Facet.KIND: "種別",
    Facet.URGENCY: "緊急度",
    Facet.DEPARTMENT: "所管課",
}
KIND_TONE = {
    Kind.REQUEST: "blue",
    Kind.COMPLAINT: "red",
    Kind.PROPOSAL: "purple",
    Kind.QUESTION: "cyan",
    Kind.THANKS: "green",
    Kind.REPORT: "orange",
    Kind.OTHER: "gray",
}
URGENCY_TONE = {Urgency.LIFE: "red", Urgency.TODAY: "orange", Urgency.NORMAL: "gray"}
ATTRIBUTE = {
    "age": "年代",
    "sex": "性別",
    "given_kind": "元の種別",
    "given_theme": "元の分類",
    "given_channel": "元の媒体",
}
ORIGINAL = {
    "title": "件名",
    "text": "本文",
    "note": "メモ",
    "answer": "回答",
    "contact": "連絡先",
    "name": "氏名",
    "name_kana": "氏名（かな）",
    "phone": "電話番号",
    "email": "メールアドレス",
    "address": "住所",
    "postal_code": "郵便番号",
}
TOPIC_EVENT = {
    TopicEventKind.KEPT: "継続",
    TopicEventKind.GREW: "増加",
    TopicEventKind.BORN: "誕生",
    TopicEventKind.SPLIT: "分かれた",
    TopicEventKind.MERGED: "まとまった",
    TopicEventKind.ENDED: "終了",
    TopicEventKind.RENAMED: "名前の変更",
    TopicEventKind.MOVED: "声の移動",
    TopicEventKind.PINNED: "ことばで留める",
}
_WEEKDAYS = "月火水木金土日"


def number(value: float) -> str:
    """A number with 桁区切り."""
    return f"{value:,}"


def size(count: int) -> str:
    """Bytes in the unit that people use for so many."""
    if count < 1024:
        return f"{count:,} バイト"
    return f"{count / 1024:,.0f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:,.1f} MB"


def percent(value: float, *, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    return f"{value * 100:.{digits}f}%"


def change(value: float | None) -> str:
    """Growth as +12%; ±0% for none, － where there was nothing to compare with."""
    if value is None:
        return "－"
    rounded = round(value * 100)
    return f"{rounded:+,}%" if rounded else "±0%"


def short_date(day: date) -> str:
    """A date as staff write it: 2026/4/1 水."""
    return f"{day.year}/{day.month}/{day.day} {_WEEKDAYS[day.weekday()]}"


def moment(at: datetime) -> str:
    """A moment in Japan's time: 2026/4/1 水 13:05."""
    local = to_tokyo(at)
    return f"{short_date(local.date())} {local:%H:%M}"


def progress(job: Job) -> str:
    """How far a job is: 1,200 / 4,000, or nothing where that isn't known."""
    if not job.done and not job.total:
        return ""
    return f"{job.done:,} / {job.total:,}" if job.total else f"{job.done:,}"


def result(found: Mapping[str, Any]) -> str:
    """What a job found, as far as it is a count or a reason: 読込 1,200、取込 1,198."""
    counts = [f"{name} {found[key]:,}" for key, name in _RESULT.items() if isinstance(found.get(key), int)]
    changes = [f"{name} {found[key][0]:.3f} → {found[key][1]:.3f}" for key, name in _FIGURES.items() if key in found]
    reason = str(found.get("reason", ""))
    if "taken" in found:
        reason = f"{'モデルを入れかえました' if found['taken'] else '前のモデルのままです'}（{reason}）"
    return "、".join(filter(None, [*counts, *changes, reason]))


def age(day: date, today: date) -> str:
    """How long ago a day was, in one word."""
    days = (today - day).days
    if days <= 0:
        return "今日"
    if days < 60:
        return f"{days}日前"
    return f"{days // 30}か月前" if days < 730 else f"{days // 365}年前"


def headline(text: str, limit: int = 60) -> tuple[str, str]:
    """The first line or sentence of a text, cut to ``limit`` characters, and what comes after it: together the whole."""
    found = re.match(r"\s*([^\n。！？!?]{4,}?[。！？!?]+|[^\n]+)", text)
    if found is None or len(found[1]) > limit:
        return text.strip()[:limit].replace("\n", " ") + "…" * (len(text.strip()) > limit), ""
    return found[1], text[found.end() :].strip()


def due(left: int) -> str:
    """Open days until a deadline in words."""
    if left == 0:
        return "今日まで"
    return f"あと{left:,}開庁日" if left > 0 else f"{-left:,}開庁日 超過"
