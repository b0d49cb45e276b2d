"""Closed sets of values. The value is what people see; the code's name is the field's English term (product.md's words)."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """受付媒体"""

    PHONE = "電話"
    WEB_FORM = "Webフォーム"
    EMAIL = "電子メール"
    LETTER = "手紙"
    FAX = "FAX"
    COUNTER = "来庁・面談"
    SURVEY = "アンケート"
    OPEN311 = "Open311"
    OTHER = "その他"


class Kind(StrEnum):
    """種別"""

    REQUEST = "要望"
    COMPLAINT = "苦情"
    PROPOSAL = "提案"
    QUESTION = "問合せ"
    THANKS = "感謝"
    REPORT = "通報"
    OTHER = "その他"


class Urgency(StrEnum):
    """緊急度"""

    LIFE = "人命・身体の危険"
    TODAY = "当日の危険"
    NORMAL = "通常"


class Status(StrEnum):
    """対応状況"""

    RECEIVED = "received"
    TRIAGED = "triaged"
    ASSIGNED = "assigned"
    DRAFTING = "drafting"
    IN_APPROVAL = "in_approval"
    ANSWERED = "answered"
    CLOSED = "closed"


class Facet(StrEnum):
    """What a label says something about."""

    THEME = "theme"
    SUBTHEME = "subtheme"
    KIND = "kind"
    URGENCY = "urgency"
    DEPARTMENT = "department"


class BatchStatus(StrEnum):
    """How far an import has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


class BatchContent(StrEnum):
    """What a file's records become."""

    VOICES = "voices"
    FAQ = "faq"


class JobState(StrEnum):
    """How far a background job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TopicStatus(StrEnum):
    """Whether a topic still gathers voices."""

    ACTIVE = "active"
    ENDED = "ended"
    MERGED = "merged"


class TopicEventKind(StrEnum):
    """What became of a topic: at a run (the first six), or by a person's hand."""

    KEPT = "kept"
    GREW = "grew"
    BORN = "born"
    SPLIT = "split"
    MERGED = "merged"
    ENDED = "ended"
    RENAMED = "renamed"
    MOVED = "moved"
    PINNED = "pinned"


class Role(StrEnum):
    """What a member of staff may do."""

    ADMIN = "admin"
    KOCHO = "kocho"
    DEPARTMENT = "department"
    MANAGER = "manager"
