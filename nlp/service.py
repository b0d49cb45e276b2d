"""Staff's corrections out of the tables, for training: what people think now, each matter once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.bulk import among
from core.clock import utc_now
from core.models import CampaignMember, Facet, HumanLabel, MachineReading, Voice
from core.settings import Settings
from nlp import routing_file, taxonomy
from nlp.corpus import Example, recency
from nlp.routing import NO_RULES, Circumstances, Routing
from nlp.taxonomy import Taxonomy

Labels = tuple[str, str, str, str]
"""Theme, 中分類, kind and urgency, "" where nobody gave one."""

_CHUNK = 2000
_DAY = 86_400
# What a department says of the theme counts half of what a person says of the theme.
_IMPLIED = 0.5


@dataclass(frozen=True, slots=True)
class _Decided:
    """What people said of a voice by facet, and when last."""

    labels: dict[Facet, str]
    at: datetime


def lessons(session: Session, settings: Settings) -> list[Example]:
    """All that staff's decisions teach under the taxonomy and the rules in force.

    Raises:
        InputError: a file of the taxonomy can't be read.
    """
    folder = settings.taxonomy_dir
    return corrections(session, words=taxonomy.load(folder), rules=routing_file.load(folder))


def corrections(
    session: Session, *, words: Taxonomy | None = None, rules: Routing = NO_RULES, now: datetime | None = None
) -> list[Example]:  # fmt: skip
    """What staff decided, as training examples with the newest label of each facet; older ones weigh less.

    What was taken back doesn't count. The same labels on several voices of one campaign or case, or on the same text, are one
    correction and count once. With the city's ``words`` a department that somebody chose against the one of the theme and its
    中分類 teaches these, as far as ``implied`` can tell them. One that a rule names says nothing of the theme, whoever confirmed it.
    """
    decided = _decided(session)
    now = now or utc_now()
    counted: set[tuple[Any, ...]] = set()
    examples = []
    for row in _voices(session, sorted(decided)):
        said = decided[row.id]
        weight = recency((now - said.at).total_seconds() / _DAY)
        # A campaign's voices may be in several cases; what is in neither has its text.
        matter = ("campaign", row.campaign) if row.campaign else ("case", row.case_id) if row.case_id else ("text", row.text)
        for labels, share in _given(row, said.labels, words, rules):
            if any(labels) and (key := (*matter, *labels)) not in counted:
                counted.add(key)
                examples.append(Example(row.text, *labels, id=str(row.id), weight=weight * share))
    return examples


def implied(department: str, *, theme: str, subtheme: str, chosen: bool, words: Taxonomy) -> tuple[str, str]:
    """The theme and 中分類 that a department answers for, where it isn't the one of these two; "" for what can't be told.

    ``chosen``: a person set the theme, and it stays. Else it is the machine's, and another one where the department has no part in it.
    """
    own = {name: subthemes for item in words.departments if item.name == department for name, subthemes in item.themes}
    if words.department_of(theme, subtheme) == department:
        return "", ""
    if theme in own:
        return (theme, own[theme][0]) if len(own[theme]) == 1 else ("", "")
    if chosen or len(own) != 1:
        return "", ""
    ((name, subthemes),) = own.items()
    return name, subthemes[0] if len(subthemes) == 1 else ""


def _given(row: Any, said: Mapping[Facet, str], words: Taxonomy | None, rules: Routing) -> Iterator[tuple[Labels, float]]:
    """The labels of a voice that people gave, and those that their department implies, with how much each counts."""
    theme, subtheme, kind, urgency = (said.get(facet, "") for facet in (Facet.THEME, Facet.SUBTHEME, Facet.KIND, Facet.URGENCY))
    if subtheme and not theme:
        # Who chose among a theme's 中分類 left the theme as it stands.
        theme, subtheme = (row.theme, subtheme) if row.subtheme == subtheme else ("", "")
    department = said.get(Facet.DEPARTMENT, "")
    further = ("", "")
    if words and department and not subtheme and department not in _ruled(row, rules):
        further = implied(department, theme=theme or row.theme, subtheme=row.subtheme, chosen=bool(theme), words=words)
    if theme and further[0] == theme:
        yield (*further, kind, urgency), 1.0
    else:
        yield (theme, subtheme, kind, urgency), 1.0
        yield (*further, "", ""), _IMPLIED


def _ruled(row: Any, rules: Routing) -> set[str]:
    """The departments that a rule named at import (see ``MachineLabel.from_stored``), or names now."""
    named = {str(row.machine[0])} if row.machine and len(row.machine) > 4 else set()
    labels = (row.theme, row.subtheme, row.kind.value, row.urgency.value)
    routed = rules.route(Circumstances(row.text, row.title, *labels, row.channel.value, row.district))
    return named | {routed.department} if routed else named


def _decided(session: Session) -> dict[int, _Decided]:
    found: dict[int, _Decided] = {}
    columns = (HumanLabel.voice_id, HumanLabel.facet, HumanLabel.value, HumanLabel.created_at)
    statement = select(*columns).where(~HumanLabel.undone).order_by(HumanLabel.id)
    for voice_id, facet, value, created_at in session.execute(statement):
        earlier = found[voice_id].labels if voice_id in found else {}
        found[voice_id] = _Decided({**earlier, facet: value}, created_at)
    return found


def _voices(session: Session, ids: Sequence[int]) -> Iterator[Any]:
    columns = (
        Voice.id, Voice.text, Voice.title, Voice.theme, Voice.subtheme, Voice.kind, Voice.urgency, Voice.channel, Voice.district,
        Voice.case_id, CampaignMember.campaign_id.label("campaign"), MachineReading.department.label("machine"),
    )  # fmt: skip
    for start in range(0, len(ids), _CHUNK):
        statement = (
            select(*columns)
            .outerjoin(CampaignMember, CampaignMember.voice_id == Voice.id)
            .outerjoin(MachineReading, MachineReading.voice_id == Voice.id)
            .where(among(session, Voice.id, ids[start : start + _CHUNK]))
            .order_by(Voice.id)
        )
        yield from session.execute(statement)
