"""What the desk's forms and the JSON API do with parts of a letter, alike.

What was typed is masked for those alone who may see the voice, and before anything is locked: masking takes longer than writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from api.answers.masking import masked
from core import db
from core.deadline_rules import DeadlineRules
from core.settings import Settings
from loop import parts, queries
from loop.actors import Actor
from loop.handling import Target
from nlp.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Request:
    """What a department is asked, as it was typed."""

    department: str
    numbers: Sequence[int]
    asked: str = ""
    due_on: date | None = None


def divide(
    engine: Engine, settings: Settings, target: Target, wanted: Request, *, actor: Actor, taxonomy: Taxonomy, rules: DeadlineRules
) -> int:
    """Asks a department for its part; gives the act that takes it back. Errors are told by ``loop.parts``."""
    asked = _masked(engine, settings, wanted.asked, target, actor)
    with db.writing(engine) as session:
        act = parts.divide(
            session, target, wanted.department, wanted.numbers, actor=actor, taxonomy=taxonomy, rules=rules, asked=asked,
            due_on=wanted.due_on,
        )  # fmt: skip
        return act.id


def reply(engine: Engine, settings: Settings, target: Target, text: str, *, actor: Actor, seen: int | None) -> int:
    """Says what one's own department has to say; gives the act that takes it back."""
    words = _masked(engine, settings, text, target, actor)
    with db.writing(engine) as session:
        return parts.reply(session, target, words, actor=actor, seen=seen).id


def return_part(engine: Engine, settings: Settings, target: Target, department: str, reason: str, *, actor: Actor) -> int:
    """Sends a department's reply back; gives the act that takes it back."""
    words = _masked(engine, settings, reason, target, actor)
    with db.writing(engine) as session:
        return parts.return_part(session, target, department, words, actor=actor).id


def _masked(engine: Engine, settings: Settings, typed: str, target: Target, actor: Actor) -> str:
    """What was typed, masked; raises ``NotFoundError`` first for somebody who may not see the voice."""
    with db.reading(engine) as session:
        queries.get_voice(session, target.receipt_number, seen_by=actor)
    return masked(settings, typed)
