"""What cases were before an act: kept with the act as plain values, and put back when somebody takes it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, delete, select
from sqlalchemy.orm import Session

from core import casework
from core.bulk import among, insert_rows
from core.models import Base, Case, CasePart, CasePause, Facet, Voice
from core.types import StrEnumType, UtcDateTime
from loop import labels
from loop.actors import Actor

_KEPT = (
    "status", "disposition", "close_reason", "forwarded_to", "merged_into", "lead_id", "paused_on", "interim_on", "answered_on",
    "closed_on",
)  # fmt: skip
_OF_A_PART = tuple(column.key for column in CasePart.__table__.c if column.key not in ("id", "case_id"))


def as_it_was(case: Case, voices: Sequence[Voice], parts: Sequence[CasePart]) -> dict[str, Any]:
    """What ``put_back`` needs of a case, its voices and the departments' parts."""
    return {
        "case": case.id,
        "fields": {name: _plain(getattr(case, name)) for name in _KEPT},
        "voices": [_voice_as_it_was(voice) for voice in voices],
        "parts": [{name: _plain(getattr(part, name)) for name in _OF_A_PART} for part in parts],
    }


def put_back(
    session: Session,
    stored: Sequence[dict[str, Any]],
    cases: Mapping[int, Case],
    voices: Mapping[int, Voice],
    *,
    actor: Actor,
    since: datetime,
) -> None:
    """Makes cases what they were, in as many statements for one as for many: fields, voices, labels, parts, and the clock.

    The caller holds the cases and the voices; versions, timeline and trail are the caller's too. ``since``: when the act was done.
    """
    _put_back_labels(session, [voice for was in stored for voice in was["voices"]], voices, actor=actor, since=since)
    numbers = [was["case"] for was in stored]
    pauses: dict[int, list[CasePause]] = defaultdict(list)
    for pause in session.scalars(select(CasePause).where(among(session, CasePause.case_id, numbers)).order_by(CasePause.id)):
        pauses[pause.case_id].append(pause)
    _put_back_parts(session, {was["case"]: was["parts"] for was in stored})
    for was in stored:
        case = cases[was["case"]]
        _put_back_case(case, was, voices)
        _put_back_pauses(session, case, {voice["id"] for voice in was["voices"]}, pauses[case.id])


def _voice_as_it_was(voice: Voice) -> dict[str, Any]:
    said = {facet.value: labels.in_force(voice, facet) for facet in Facet}
    return {"id": voice.id, "due_on": _plain(voice.due_on), "labels": said, "confidence": voice.confidence, "related": voice.related}


def _put_back_case(case: Case, was: dict[str, Any], voices: Mapping[int, Voice]) -> None:
    for name in _KEPT:
        setattr(case, name, _typed(Case, name, was["fields"][name]))
    lead = case.lead_id
    for stored in was["voices"]:
        voice = voices[stored["id"]]
        voice.case_id, voice.due_on = case.id, _typed(Voice, "due_on", stored["due_on"])
        voice.related = stored["related"]
        voice.folded = voice.id != lead
        casework.mark(voice, case.status)


def _put_back_parts(session: Session, stored: Mapping[int, Sequence[dict[str, Any]]]) -> None:
    """A case's parts as they were, each with a version that it never had.

    What somebody writes to a request that was taken back isn't taken for another's.
    """
    current = select(CasePart.case_id, CasePart.department, CasePart.version).where(among(session, CasePart.case_id, list(stored)))
    versions = {(row.case_id, row.department): row.version for row in session.execute(current)}
    session.execute(delete(CasePart).where(among(session, CasePart.case_id, list(stored))))
    rows = []
    for number, parts in stored.items():
        for part in parts:
            version = max(part["version"], versions.get((number, part["department"]), 0)) + 1
            rows.append({name: _typed(CasePart, name, part[name]) for name in _OF_A_PART} | {"case_id": number, "version": version})
    insert_rows(session, CasePart.__table__, rows)


def _put_back_pauses(session: Session, case: Case, voices: set[int], own: Sequence[CasePause]) -> None:
    """What the clock was: running as it was, or stopped again as of the last time that it was let go on."""
    ended = own[-1].until if own else None
    for pause in own:
        if voices.isdisjoint(pause.voices) or (case.paused_on is None and pause.until is None):
            session.delete(pause)  # it came with voices that have gone back, or with the stop
        elif case.paused_on is not None and pause.until == ended:
            pause.until = None


def _put_back_labels(
    session: Session, stored: Sequence[dict[str, Any]], voices: Mapping[int, Voice], *, actor: Actor, since: datetime
) -> None:  # fmt: skip
    changed = [
        (voices[was["id"]], facet, value)
        for was in stored
        for facet in Facet
        if (value := was["labels"][facet.value]) != labels.in_force(voices[was["id"]], facet)
    ]
    labels.take_back(session, [was["id"] for was in stored], since=since)
    labels.put(session, changed, actor=actor, undone=True)
    for was in stored:
        voices[was["id"]].confidence = was["confidence"]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _typed(model: type[Base], name: str, value: Any) -> Any:
    kind = model.__table__.c[name].type
    if value is None:
        return None
    if isinstance(kind, StrEnumType):
        return kind.enum(value)
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
