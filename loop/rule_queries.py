"""The city's routing rules against the voices that are there: what a rule says of one, and how each did on all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Facet, HumanLabel, Voice
from nlp.routing import Circumstances, Routed, Routing
from nlp.taxonomy import Taxonomy

_SHOWN = 3
_AT_ONCE = 2000


class Offered(NamedTuple):
    """A department for a voice as its labels stand, and the rule that names it ("": it answers for the theme)."""

    department: str
    rule: str = ""


@dataclass(slots=True)
class RuleResult:
    """How a rule did.

    Attributes:
        rule: its name.
        department: the one that it names.
        voices: for how many voices it is the first that fits.
        decided: of how many of those somebody has decided the department.
        agreed: how often that was the rule's.
        elsewhere: how many of its voices are another department's now.
        covered: how many further voices it fits that a rule above it takes.
        examples: receipt numbers of the newest voices.
    """

    rule: str
    department: str
    voices: int = 0
    decided: int = 0
    agreed: int = 0
    elsewhere: int = 0
    covered: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trial:
    """All rules in their order, and over how many voices they were tried."""

    voices: int
    rules: tuple[RuleResult, ...]

    @property
    def matched(self) -> int:
        """Voices that some rule fits."""
        return sum(rule.voices for rule in self.rules)

    def as_dict(self) -> dict[str, Any]:
        """What ``koe routing try --json`` prints."""
        return {"voices": self.voices, "matched": self.matched, "rules": [asdict(rule) for rule in self.rules]}


def circumstances_of(voice: Voice) -> Circumstances:
    """What rules see of a voice: its labels in force."""
    labels = (voice.theme, voice.subtheme, voice.kind.value, voice.urgency.value)
    return Circumstances(voice.text, voice.title, *labels, voice.channel.value, voice.district)


def offered(voice: Voice, rules: Routing, taxonomy: Taxonomy) -> Offered:
    """The department that the first fitting rule names; where none fits, the one that answers for the theme and its 中分類."""
    routed: Routed | None = rules.route(circumstances_of(voice))
    return Offered(routed.department, routed.rule) if routed else Offered(taxonomy.department_of(voice.theme, voice.subtheme))


def try_rules(session: Session, rules: Routing, *, since: date | None = None) -> Trial:
    """Puts the rules to every voice (received on ``since`` or later), with its labels in force; nothing is changed.

    Voices whose department the source file gave count too: what the rule would say of them is asked here.
    """
    results = {rule.name: RuleResult(rule.name, rule.department) for rule in rules.rules}
    alone = [(Routing((rule,)), results[rule.name]) for rule in rules.rules]
    place = {rule.name: number for number, rule in enumerate(rules.rules)}
    voices = 0
    for rows in _in_parts(session, since):
        voices += len(rows)
        hits = [(row, given, routed) for row in rows if (routed := rules.route(given := _given(row)))]
        decided = _decided(session, [row.id for row, _, _ in hits])
        for row, given, routed in hits:
            result = results[routed.rule]
            result.voices += 1
            result.elsewhere += row.department != routed.department
            result.examples = [*result.examples, row.receipt_number][:_SHOWN]
            if row.id in decided:
                result.decided += 1
                result.agreed += decided[row.id] == routed.department
            for one, later in alone[place[routed.rule] + 1 :]:
                later.covered += one.route(given) is not None
    return Trial(voices, tuple(results.values()))


def _in_parts(session: Session, since: date | None) -> Iterator[Sequence[Any]]:
    """The voices, newest first, so many at a time: a year of a large city must not lie in memory."""
    columns = select(
        Voice.id, Voice.receipt_number, Voice.text, Voice.title, Voice.theme, Voice.subtheme, Voice.kind, Voice.urgency, Voice.channel,
        Voice.district, Voice.department,
    ).order_by(Voice.id.desc()).limit(_AT_ONCE)  # fmt: skip
    if since is not None:
        columns = columns.where(Voice.received_on >= since)
    rows = session.execute(columns).all()
    while rows:
        yield rows
        rows = session.execute(columns.where(Voice.id < rows[-1].id)).all()


def _given(row: Any) -> Circumstances:
    labels = (row.theme, row.subtheme, row.kind.value, row.urgency.value)
    return Circumstances(row.text, row.title, *labels, row.channel.value, row.district)


def _decided(session: Session, voices: Sequence[int]) -> dict[int, str]:
    """What somebody decided last on the department of some voices."""
    newest = (
        select(func.max(HumanLabel.id))
        .where(HumanLabel.voice_id.in_(voices), HumanLabel.facet == Facet.DEPARTMENT, ~HumanLabel.undone)
        .group_by(HumanLabel.voice_id)
    )
    return dict(session.execute(select(HumanLabel.voice_id, HumanLabel.value).where(HumanLabel.id.in_(newest))).all())
