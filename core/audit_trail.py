"""Reading the audit trail: a page of it under a filter, and how the last check of its chain ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, String, cast, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import TOKYO
from core.models import AuditEntry

VERIFIED = "audit.verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What the acts must have in common; an empty field asks for nothing.

    ``subject`` is one thing (``voice:12``) or a kind of things (``voice``); ``marks`` are of words that were searched for
    (``loop.searches``).
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None
    marks: tuple[str, ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions, to be joined by AND."""
        found: list[ColumnElement[bool]] = []
        if self.actor:
            found.append(AuditEntry.actor == self.actor)
        if self.action:
            found.append(AuditEntry.action == self.action)
        if self.subject:
            kind = AuditEntry.subject.startswith(f"{self.subject}:", autoescape=True)
            found.append(or_(AuditEntry.subject == self.subject, kind))
        if self.since:
            found.append(AuditEntry.at >= _begin(self.since))
        if self.until and self.until < date.max:
            found.append(AuditEntry.at < _begin(self.until + timedelta(days=1)))
        found += [cast(AuditEntry.detail, String).contains(mark, autoescape=True) for mark in self.marks]
        return found


def listing(session: Session, wanted: AuditFilter, *, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
    """Acts under a filter, the newest first, from the one before ``before`` on."""
    place = [AuditEntry.id < before] if before is not None else []
    return session.scalars(select(AuditEntry).where(*wanted.conditions(), *place).order_by(AuditEntry.id.desc()).limit(limit)).all()


def record_verdict(session: Session, verdict: audit.Verdict, *, actor: str) -> None:
    """Notes how a check of the chain ended, so that the page can tell it."""
    detail = {"checked": verdict.checked, "broken_at": verdict.broken_at}
    audit.record(session, actor=actor, action=VERIFIED, subject="audit", detail=detail)


def last_verification(session: Session) -> AuditEntry | None:
    """The newest note of a check; ``None`` when there was none."""
    return session.scalar(select(AuditEntry).where(AuditEntry.action == VERIFIED).order_by(AuditEntry.id.desc()).limit(1))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), TOKYO)
