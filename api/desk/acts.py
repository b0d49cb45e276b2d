"""Acts on one case or many, for the desk's forms and the JSON API: which there are, and what each wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from core.deadline_rules import DeadlineRules
from core.errors import InputError
from core.models import DeskAct, Facet
from loop import cases, clock, merging, parts, recount
from loop.actors import Actor
from loop.handling import Target
from nlp.taxonomy import Taxonomy


class ActName(StrEnum):
    """What can be done to several cases at once."""

    ASSIGN = "assign"
    TAKE = "take"
    RELABEL = "relabel"
    MERGE = "merge"
    CLOSE = "close"
    FINISH = "finish"
    REOPEN = "reopen"
    HAND_BACK = "hand_back"
    ACCEPT = "accept"
    INVOLVE = "involve"
    LET_GO = "let_go"
    SPLIT = "split"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asked for."""

    name: ActName
    targets: list[Target]
    department: str = ""
    assignee: str = ""
    also: list[str] = field(default_factory=list)
    facet: Facet = Facet.THEME
    value: str = ""
    reason: str = ""
    forwarded_to: str = ""
    voices: list[str] = field(default_factory=list)
    on: date | None = None

    @property
    def only(self) -> Target:
        """The one case that is meant.

        Raises:
            InputError: several are.
        """
        if len(self.targets) != 1:
            raise InputError("この操作は、1 件ずつ行います。", hint="案件を 1 件だけ選んでください。")
        return self.targets[0]


def perform(session: Session, wanted: Wanted, *, actor: Actor, taxonomy: Taxonomy, rules: DeadlineRules) -> DeskAct:
    """Does it, and counts the deadlines anew that follow from it; the caller commits.

    What can be wrong is told by ``loop.cases`` and ``loop.clock``.
    """
    if wanted.name is ActName.RESUME:
        return clock.go_on(session, wanted.only, actor=actor, rules=rules, on=wanted.on)
    act = _ACTS[wanted.name](session, wanted, actor, taxonomy)
    recount.follow(session, act, actor=actor, rules=rules)
    return act


def _assign(session: Session, wanted: Wanted, actor: Actor, taxonomy: Taxonomy) -> DeskAct:
    return cases.assign(
        session, wanted.targets, wanted.department, actor=actor, taxonomy=taxonomy, assignee=wanted.assignee, also=wanted.also
    )


_ACTS: dict[ActName, Callable[[Session, Wanted, Actor, Taxonomy], DeskAct]] = {
    ActName.ASSIGN: _assign,
    ActName.TAKE: lambda session, wanted, actor, _: cases.take_over(session, wanted.targets, actor=actor),
    ActName.RELABEL: lambda session, wanted, actor, taxonomy: cases.relabel(
        session, wanted.targets, wanted.facet, wanted.value, actor=actor, taxonomy=taxonomy
    ),
    ActName.MERGE: lambda session, wanted, actor, _: merging.merge(session, wanted.targets, actor=actor),
    ActName.CLOSE: lambda session, wanted, actor, _: cases.close(
        session, wanted.targets, wanted.reason, actor=actor, forwarded_to=wanted.forwarded_to
    ),
    ActName.FINISH: lambda session, wanted, actor, _: cases.finish(session, wanted.targets, actor=actor),
    ActName.REOPEN: lambda session, wanted, actor, _: cases.reopen(session, wanted.targets, wanted.reason, actor=actor),
    ActName.HAND_BACK: lambda session, wanted, actor, _: cases.hand_back(session, wanted.targets, wanted.reason, actor=actor),
    ActName.ACCEPT: lambda session, wanted, actor, _: cases.accept(session, wanted.targets, actor=actor),
    ActName.INVOLVE: lambda session, wanted, actor, taxonomy: parts.involve(
        session, wanted.only, wanted.department, actor=actor, taxonomy=taxonomy
    ),
    ActName.LET_GO: lambda session, wanted, actor, _: parts.let_go(session, wanted.only, wanted.department, actor=actor),
    ActName.PAUSE: lambda session, wanted, actor, _: clock.stop(session, wanted.only, wanted.reason, actor=actor),
    ActName.SPLIT: lambda session, wanted, actor, _: merging.split(session, wanted.only, wanted.voices, actor=actor),
}
