"""Templates of answers (ひな形): read from a file, chosen by what a voice is, filled with what is known of its case."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from core.errors import InputError
from nlp.answering import files
from nlp.answering.files import Entry

Stage = Literal["final", "interim"]

BODY = "本文"
FIELDS = ("市", "受付日", "受付番号", "件名", "所管課", "電話", "内線", "回答期限", "見直し日", "移送先", BODY)
"""What may stand in a template in braces."""
DISPOSITIONS = ("done", "planned", "considering", "declined", "explained", "forwarded", "noted")
_STAGES: dict[str, Stage] = {"final": "final", "interim": "interim"}
_FIELD = re.compile(r"[{｛]([^{}｛｝\n]{0,20})[}｝]")
# A template for this very matter comes before one for the whole kind.
_DISPOSITION, _THEME, _KIND = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Template:
    """A text with fields in braces. Without kinds, themes or dispositions it suits all of them.

    ``by_hand``: it is offered, after all others, and never taken by itself.
    """

    name: str
    text: str
    stage: Stage = "final"
    kinds: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    by_hand: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of its text, each once, in its order."""
        return tuple(dict.fromkeys(_FIELD.findall(self.text)))


@lru_cache(maxsize=4)
def load(folder: Path = files.FOLDER) -> tuple[Template, ...]:
    """Reads templates.yaml.

    Raises:
        InputError: it is missing or damaged, a name stands twice, or a field or disposition is unknown; says where.
    """
    found: dict[str, Template] = {}
    for row in files.entries(folder / "templates.yaml", "templates"):
        template = _template(row)
        if template.name in found:
            raise row.error(f"名前「{template.name}」が重なっています", hint="ひな形ごとに違う名前を付けてください。")
        found[template.name] = template
    return tuple(found.values())


def choose(
    templates: Iterable[Template], *, kind: str = "", theme: str = "", disposition: str = "", stage: Stage = "final"
) -> list[Template]:  # fmt: skip
    """The templates that suit, the closest first: by disposition, then theme, then kind; in the file's order among equals.

    A disposition that is not chosen yet ("") leaves out those that are for one alone.
    """
    suiting = [
        (_closeness(one, kind=kind, theme=theme, disposition=disposition), one)
        for one in templates
        if one.stage == stage and _suits(one.kinds, kind) and _suits(one.themes, theme) and _suits(one.dispositions, disposition)
    ]
    return [one for _, one in sorted(suiting, key=lambda pair: (pair[1].by_hand, -pair[0]))]


def get(templates: Sequence[Template], name: str) -> Template:
    """The template of a name.

    Raises:
        InputError: there is none.
    """
    for one in templates:
        if one.name == name:
            return one
    raise InputError(f"ひな形「{name}」がありません。", hint="一覧から選びなおしてください。")


def unknown(templates: Sequence[Template], *, kinds: Collection[str], themes: Collection[str]) -> list[str]:
    """What names a kind or theme that the city doesn't have, and whether a template for everything is missing; for people."""
    found = [
        f"ひな形「{one.name}」の{what}「{name}」がありません。{' '.join(known)} から選んでください。"
        for one in templates
        for what, names, known in (("種別", one.kinds, kinds), ("分野", one.themes, themes))
        for name in names
        if name not in known
    ]
    if not any(one.stage == "final" and not (one.kinds or one.themes or one.dispositions or one.by_hand) for one in templates):
        found.append("種別も分野も対応区分も限らないひな形がありません。どの声にも使えるひな形を1つ書いてください。")
    return found


def fill(text: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """A text with its fields filled, and the fields that are left over, each once, in its order.

    What a value holds is taken as it stands: braces in it are no fields.
    """
    left: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "").strip()
        if found:
            return found
        left[match[1]] = None
        return "{" + match[1] + "}"

    return _FIELD.sub(value, text), tuple(left)


def _suits(listed: tuple[str, ...], own: str) -> bool:
    return not listed or own in listed


def _closeness(one: Template, *, kind: str, theme: str, disposition: str) -> int:
    return _DISPOSITION * (disposition in one.dispositions) + _THEME * (theme in one.themes) + _KIND * (kind in one.kinds)


def _template(row: Entry) -> Template:
    stage = _STAGES.get(row.text("stage", "final"))
    if stage is None:
        raise row.error(
            "「stage」が final でも interim でもありません", hint="回答は stage: final、中間回答は stage: interim と書いてください。"
        )
    found = Template(
        row.text("name"),
        row.text("text"),
        stage,
        row.words("kinds"),
        row.words("themes"),
        row.words("dispositions"),
        row.values.get("by_hand", False),
    )
    if not isinstance(found.by_hand, bool):
        raise row.error(
            "「by_hand」が true でも false でもありません", hint="人が選ぶときだけ使うひな形に by_hand: true と書いてください。"
        )
    if unknown := [one for one in found.dispositions if one not in DISPOSITIONS]:
        raise row.error(f"対応区分「{unknown[0]}」がありません", hint=f"{'、'.join(DISPOSITIONS)} から選んでください。")
    if unknown := [one for one in found.fields if one not in FIELDS]:
        raise row.error(f"欄「{{{unknown[0]}}}」がありません", hint=f"使える欄は {'、'.join(FIELDS)} です。")
    return found
