"""What pages show of a letter's parts: one's own, whether one may divide it, its sentences, and what came back from a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from api.desk.view import DeskQuery, DeskView
from core.deadline_rules import DeadlineRules
from core.errors import KoeError
from core.models import Voice
from loop import case_queries, part_queries, parts
from loop.actors import Actor
from loop.deadlines import reply_day
from loop.steps import possible
from nlp.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a form that couldn't be taken: it comes back to the page. ``form``: divide, reply or return."""

    form: str
    error: KoeError
    department: str = ""
    numbers: tuple[int, ...] = ()
    text: str = ""
    due_on: date | None = None


def shown(case: case_queries.CaseView, voice: Voice, actor: Actor) -> dict[str, Any]:
    """What a page says of a case's parts: which is one's own, and whether one says who answers what."""
    own = case.part_of(actor.department) if actor.department and actor.may_label else None
    leading = case.leading.department if case.leading else voice.department
    return {"own_part": None if own is None or own.is_lead else own, "may_divide": parts.may_divide(actor, leading)}


def letter(
    session: Session,
    voice: Voice,
    query: DeskQuery,
    *,
    actor: Actor,
    rules: DeadlineRules,
    taxonomy: Taxonomy,
    low_confidence: float,
    typed: Typed | None = None,
) -> dict[str, Any]:
    """Everything that the page of a letter's parts shows."""
    view = DeskView.of(query, actor=actor, rules=rules)
    case = case_queries.case_view(session, voice)
    sentences = part_queries.sentences_of(voice, case.marks)
    proposals = part_queries.proposals(voice, sentences, least=low_confidence)
    settled = {part.department for part in case.parts if part.passages or part.is_lead} or {voice.department}
    return {
        "view": view,
        "voice": voice,
        "case": case,
        "sentences": sentences,
        "numbers_of": lambda part: [one.number for one in sentences if part.department in one.departments],
        "proposals": [one for one in proposals if one.department not in settled],
        "departments": tuple(department.name for department in taxonomy.departments),
        "usual_day": reply_day(rules, voice.due_on, today=view.deadlines.today) if voice.due_on else None,
        "steps": {step.name for step in possible(voice.status)},
        "typed": typed,
        "act": None,
        **shown(case, voice, actor),
    }
