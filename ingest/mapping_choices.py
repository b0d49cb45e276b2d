"""A mapping as a person sees and corrects it: one choice a column; and how a corrected one is saved under a name."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from core.cleaning import clean_line
from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.headings import FIELD_NAMES, number_reasons
from ingest.mapping import ColumnMapping, Grouping, regrouped
from ingest.mapping_files import AUTO, Wanted, find_column, saved_folder

UNUSED, ATTRIBUTE, REASON, QUESTION = "", "attribute", "reason", "question"
CHOICES: Mapping[str, str] = {
    UNUSED: "使わない",
    **FIELD_NAMES,
    ATTRIBUTE: "属性として残す",
    REASON: "アンケートの自由記述（1つが1件）",
    QUESTION: "アンケートの質問",
}
"""What a column may be chosen to be, and what people call it."""

CORRECTED = "画面で直した対応"
"""The name of a mapping that was corrected and not saved; it stands in the batch."""

_NAME = re.compile(r"[\w][\w\-・（）()]{0,39}")
_LONGEST_ATTRIBUTE = 64


def choices_of(mapping: ColumnMapping) -> tuple[str, ...]:
    """For each column, the key of ``CHOICES`` that says what the mapping reads it as."""
    chosen = [UNUSED] * len(mapping.headings)
    for reason in mapping.reasons:
        if reason.question is not None:
            chosen[reason.question] = QUESTION
    for reason in mapping.reasons:
        chosen[reason.position] = REASON
    for at in mapping.attributes.values():
        chosen[at] = ATTRIBUTE
    for name, at in mapping.fields.items():
        chosen[at] = name
    return tuple(chosen)


def corrected(base: ColumnMapping, columns: Sequence[str]) -> ColumnMapping:
    """The mapping with every column read as chosen; all else (defaults, readings of values, columns beyond these) stays as it was.

    Each free text of a survey goes with the nearest question to the left of it.

    Raises:
        InputError: no body, or a field was chosen twice; says which.
    """
    before = choices_of(base)
    known = [*(column if column in CHOICES else UNUSED for column in columns[: len(before)]), *before[len(columns) :]]
    if tuple(known) == before:
        return base
    twice = [FIELD_NAMES[name] for name, count in Counter(known).items() if name in FIELD_NAMES and count > 1]
    if twice:
        raise InputError(
            f"「{'」「'.join(twice)}」が2つ以上の列に選ばれています。",
            hint="1つの列だけに選び、ほかは「使わない」か「属性として残す」にしてください。",
        )
    fields = {name: at for at, name in enumerate(known) if name in FIELD_NAMES}
    reasons = number_reasons(base.headings, [(at, _question(known, at)) for at, name in enumerate(known) if name == REASON])
    if reasons and "text" in fields:
        raise InputError(
            "本文とアンケートの自由記述の両方が選ばれています。",
            hint="一覧のファイルなら本文だけ、アンケートなら自由記述だけを選んでください。",
        )
    if not reasons and "text" not in fields:
        raise InputError(
            "本文の列が選ばれていません。", hint="声の文が入っている列に「本文」を選んでください。アンケートなら「自由記述」を選びます。"
        )
    was_survey = base.is_survey
    mapping = replace(
        base,
        name=CORRECTED,
        fields=fields,
        reasons=reasons,
        attributes=_attributes(base, known),
        same_rows=base.same_rows if was_survey == bool(reasons) else ("each" if reasons else "one"),
        deadline=base.deadline if was_survey == bool(reasons) else not reasons,
        defaults=base.defaults if was_survey or not reasons else replace(base.defaults, channel=base.defaults.channel or Channel.SURVEY),
        notes=(),
    )
    return regrouped(mapping)


def blank(headings: Sequence[str]) -> ColumnMapping:
    """A mapping that reads nothing: where nothing could be guessed, a person begins with it."""
    return ColumnMapping(AUTO, {}, tuple(headings))


def save_mapping(mapping: ColumnMapping, name: str, *, settings: Settings, channel: Channel | None = None) -> str:
    """Writes the mapping to ``KOE_HOME/mappings`` under a name and gives the name; one of that name that was saved before is replaced.

    From then on files with the same headings are read with it.

    Raises:
        InputError: a name that can't be one, or that the project itself gives to a mapping.
    """
    name = clean_line(name)
    if not _NAME.fullmatch(name) or name == AUTO:
        raise InputError(
            "対応表の名前が使えません。", hint="文字・数字・「-」「_」「・」とかっこで、40文字までにしてください。空白と記号は使えません。"
        )
    if (settings.data / "mappings" / f"{name}.yaml").exists():
        raise InputError(f"「{name}」は、はじめから用意してある対応表の名前です。", hint="別の名前にしてください。")
    folder = saved_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(_content(mapping, name, channel), allow_unicode=True, sort_keys=False, width=140)
    handle, staged = tempfile.mkstemp(prefix=".mapping-", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(staged).replace(folder / f"{name}.yaml")
    return name


def _content(mapping: ColumnMapping, name: str, channel: Channel | None) -> dict[str, Any]:
    headings = mapping.own_headings
    channel = channel or mapping.defaults.channel
    defaults = {"channel": channel.value if channel else None, "prefix": mapping.defaults.prefix or None}
    content: dict[str, Any] = {
        "name": name,
        "headings": [*headings],
        "columns": {field: _called(headings, at) for field, at in mapping.fields.items() if at < len(headings)},
        "attributes": {given: _called(headings, at) for given, at in mapping.attributes.items()},
        "defaults": {key: value for key, value in defaults.items() if value},
        "values": {field: dict(table) for field, table in mapping.values.items()},
        "same_rows": mapping.same_rows,
        "deadline": "default" if mapping.deadline else "none",
    }
    if mapping.reasons:
        asked = [reason.question for reason in mapping.reasons]
        content["survey"] = {
            "reason": [_called(headings, reason.position) for reason in mapping.reasons],
            "question": [[] if at is None else _called(headings, at) for at in asked],
        }
    if mapping.group:
        content["group"] = _group(mapping.group, headings)
    return {key: value for key, value in content.items() if value}


def _group(group: Grouping, headings: Sequence[str]) -> dict[str, Any]:
    """How calls are told apart, as a mapping file says it. What was only guessed is sure from now on: a person saw it."""
    places = {"by": group.number, "order": group.order, "speaker": group.speaker if group.answers else None}
    said: dict[str, Any] = {name: _called(headings, at) for name, at in places.items() if at is not None}
    return said | {"answers": sorted(group.answers), "same_number": group.same_number, "blank_continues": group.blank_continues}


def _called(headings: Sequence[str], at: int) -> str | int:
    """The heading where it leads back to this column alone, else the column's number."""
    heading = headings[at]
    wanted: Wanted = (heading,)
    return heading if heading and not heading.startswith("^") and find_column(wanted, headings) == at else at + 1


def _question(known: Sequence[str], at: int) -> int | None:
    return next((before for before in range(at - 1, -1, -1) if known[before] == QUESTION), None)


def _attributes(base: ColumnMapping, known: Sequence[str]) -> dict[str, int]:
    named = {at: name for name, at in base.attributes.items()}
    attributes: dict[str, int] = {}
    for at, name in enumerate(known):
        if name == ATTRIBUTE:
            heading = clean_line(base.headings[at])[:_LONGEST_ATTRIBUTE] or f"{at + 1}列目"
            given = named.get(at, heading)
            attributes[given if given not in attributes else f"{given}（{at + 1}列目）"] = at
    return attributes
