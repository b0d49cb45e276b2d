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


class SignInBy(StrEnum):
    """How a member of staff signs in: by a password kept here, or by the city's own sign-in (OIDC)."""

    LOCAL = "local"
    CITY = "city"


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


class Disposition(StrEnum):
    """対応区分: what became of a matter. Cities' own words map onto these."""

    DONE = "done"
    PLANNED = "planned"
    CONSIDERING = "considering"
    DECLINED = "declined"
    EXPLAINED = "explained"
    FORWARDED = "forwarded"
    NOTED = "noted"


class CloseReason(StrEnum):
    """Why a case is closed without an answer (回答しない理由), each counted by itself."""

    ANONYMOUS = "anonymous"
    UNCLEAR = "unclear"
    ABUSIVE = "abusive"
    COMMERCIAL = "commercial"
    IN_DISPUTE = "in_dispute"
    REPEATED = "repeated"
    OUTSIDE = "outside"
    FORWARDED = "forwarded"
    NOTED = "noted"


class DraftKind(StrEnum):
    """An answer, or word in between that the answer will take longer (中間回答)."""

    FINAL = "final"
    INTERIM = "interim"


class DraftState(StrEnum):
    """How far a draft has come."""

    EDITING = "editing"
    IN_APPROVAL = "in_approval"
    APPROVED = "approved"
    SENT = "sent"
    DROPPED = "dropped"


class ApprovalState(StrEnum):
    """What an approver has decided; ``void``: the round ended before it came to this step, ``skipped``: nobody holds the position."""

    WAITING = "waiting"
    APPROVED = "approved"
    RETURNED = "returned"
    VOID = "void"
    SKIPPED = "skipped"


class Delivery(StrEnum):
    """How an answer reaches the resident. ``none``: no contact, it is only published."""

    MAIL = "mail"
    LETTER = "letter"
    NONE = "none"


class DispatchState(StrEnum):
    """What became of one letter or mail; ``sending``: handed to the mail server, which has not said yet whether it took it."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
