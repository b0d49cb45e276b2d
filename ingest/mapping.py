"""Which column is what: a mapping file (data/mappings/*.yaml), or what the headings tell (``auto``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.headings import FIELD_NAMES, Reason, find_reasons, guess_fields, heading_key
from ingest.mapping_files import AUTO, MappingFile, find_column, load_mapping_file, mapping_for


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that don't say it themselves."""

    channel: Channel | None = None
    received_on: date | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A mapping bound to one file's columns, by position: what each field is read from."""

    name: str
    fields: Mapping[str, int]
    headings: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    attributes: Mapping[str, int] = field(default_factory=dict)
    defaults: Defaults = Defaults()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    same_rows: str = "one"
    deadline: bool = True
    notes: tuple[str, ...] = ()

    @property
    def is_survey(self) -> bool:
        """Whether a row holds several voices, one for each non-empty reason."""
        return bool(self.reasons)

    @property
    def used(self) -> frozenset[int]:
        """The positions of all columns that are read."""
        asked = {reason.question for reason in self.reasons if reason.question is not None}
        return frozenset({*self.fields.values(), *self.attributes.values(), *(reason.position for reason in self.reasons), *asked})

    @property
    def needed(self) -> int:
        """How many cells, from the left, a row must have."""
        return max(self.used, default=-1) + 1

    def bound_to(self, headings: Sequence[str]) -> ColumnMapping:
        """This mapping, made sure that it fits a file with these headings.

        Raises:
            InputError: the file has other headings, or no column is the body.
        """
        if tuple(headings) != self.headings:
            raise InputError(
                "列の対応が、このファイルの見出しと合いません。", hint="見出しを読みなおして、列の対応を決めなおしてください。"
            )
        if not self.reasons and "text" not in self.fields:
            raise _no_body(headings, "本文の列が選ばれていません。")
        return self

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it, without the notes."""
        return {
            "name": self.name,
            "fields": dict(self.fields),
            "headings": list(self.headings),
            "reasons": [{"position": reason.position, "question": reason.question, "code": reason.code} for reason in self.reasons],
            "attributes": dict(self.attributes),
            "defaults": {
                "channel": self.defaults.channel and self.defaults.channel.value,
                "received_on": self.defaults.received_on and self.defaults.received_on.isoformat(),
                "prefix": self.defaults.prefix,
            },
            "values": {name: dict(table) for name, table in self.values.items()},
            "same_rows": self.same_rows,
            "deadline": self.deadline,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ColumnMapping:
        """The mapping that ``as_dict`` gave, or one made by hand in its form.

        Raises:
            InputError: a part is missing or of another kind, or a column isn't among the headings.
        """
        try:
            mapping = cls(
                name=str(given["name"]),
                fields={str(name): int(at) for name, at in given["fields"].items()},
                headings=tuple(map(str, given["headings"])),
                reasons=tuple(Reason(int(part["position"]), _position(part["question"]), str(part["code"])) for part in given["reasons"]),
                attributes={str(name): int(at) for name, at in given["attributes"].items()},
                defaults=_defaults(given["defaults"]),
                values={str(name): {str(key): str(meant) for key, meant in table.items()} for name, table in given["values"].items()},
                same_rows={"one": "one", "each": "each"}[given["same_rows"]],
                deadline=bool(given["deadline"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError("列の対応が読めません。", hint="はじめから決めなおしてください。") from None
        unknown = [name for name in mapping.fields if name not in FIELD_NAMES]
        if unknown or any(not 0 <= at < len(mapping.headings) for at in mapping.used):
            raise InputError("列の対応に、ない項目か、ない列があります。", hint="見出しを読みなおして、列の対応を決めなおしてください。")
        return mapping

    def describe(self) -> list[str]:
        """What was understood, one line each, in Japanese: heading → field, the reasons of a survey, unused columns, notes."""
        lines = [
            f"「{_short(self.headings[at])}」→ {FIELD_NAMES[name]}" for name, at in sorted(self.fields.items(), key=lambda item: item[1])
        ]
        lines += [f"「{_short(self.headings[at])}」→ 属性「{name}」" for name, at in self.attributes.items()]
        for reason in self.reasons:
            asked = f"（質問: 「{_short(self.headings[reason.question])}」）" if reason.question is not None else ""
            lines.append(f"{reason.position + 1} 列目「{_short(self.headings[reason.position])}」→ 本文 {reason.code}{asked}")
        unused = [f"「{_short(name)}」" for at, name in enumerate(self.headings) if name and at not in self.used]
        if unused:
            lines.append("使わない列: " + "、".join(unused))
        return [*lines, *self.notes]


def resolve_mapping(name: str, headings: Sequence[str], *, settings: Settings) -> ColumnMapping:
    """The mapping for a file with these headings: ``auto``, a name in ``data/mappings`` or ``KOE_HOME/mappings``, or a path to a YAML file.

    ``auto`` is the saved mapping that claims just these headings, where there is one, else what the headings tell.

    Raises:
        InputError: no such mapping (lists the known ones), a mistake in the file, or no column for the body (lists the headings).
    """
    if name == AUTO:
        saved = mapping_for(headings, settings=settings)
        return _bind(saved, tuple(headings)) if saved else guess_mapping(tuple(headings))
    return _bind(load_mapping_file(name, settings=settings), tuple(headings))


def guess_mapping(headings: tuple[str, ...]) -> ColumnMapping:
    """What the headings tell by themselves.

    Raises:
        InputError: no column for the body (lists the headings).
    """
    fields = guess_fields(headings)
    reasons = _guess_survey(headings, fields)
    if reasons:
        fields = {name: at for name, at in fields.items() if name not in ("text", "title", "answer", "answered_on")}
        return ColumnMapping(
            AUTO, fields, headings, reasons, defaults=Defaults(Channel.SURVEY), same_rows="each", deadline=False,
            notes=("アンケート（1行に1人）と判断しました。理由の列ごとに1件とします。",),
        )  # fmt: skip
    if "text" not in fields:
        raise _no_body(headings, "本文の列（内容・ご意見・問合せ内容など）が見つかりません。")
    call_log = "問合せ" in heading_key(headings[fields["text"]]) and "応答" in heading_key(headings[fields.get("answer", fields["text"])])
    channel = Channel.PHONE if call_log and "channel" not in fields else None
    return ColumnMapping(AUTO, fields, headings, defaults=Defaults(channel))


def _guess_survey(headings: tuple[str, ...], fields: dict[str, int]) -> tuple[Reason, ...]:
    known = [at for name, at in fields.items() if name not in ("text", "title", "answer", "answered_on")]
    reasons = find_reasons(headings, skip=known)
    if sum(reason.question is not None for reason in reasons) < 2:
        return ()
    last = fields.get("text")
    if last is not None and last not in {reason.position for reason in reasons} | {reason.question for reason in reasons}:
        reasons = (*reasons, Reason(last, None, f"F{len(reasons) + 1:02d}"))
    return reasons


def _bind(file: MappingFile, headings: tuple[str, ...]) -> ColumnMapping:
    fields: dict[str, int] = {}
    missing: list[str] = []
    for name, wanted in file.columns.items():
        at = find_column(wanted, headings)
        if at is None:
            missing.append(FIELD_NAMES[name])
        else:
            fields[name] = at
    attributes = {name: at for name, wanted in file.attributes.items() if (at := find_column(wanted, headings)) is not None}
    missing += [name for name in file.attributes if name not in attributes]
    reasons: tuple[Reason, ...] = ()
    if file.survey:
        reasons = file.survey.reasons(headings, skip=[*fields.values(), *attributes.values()])
        if not reasons:
            raise _no_body(headings, f"対応表「{file.name}」の survey.reason に合う列がありません。")
        fields.pop("text", None)
    elif "text" not in fields:
        raise _no_body(headings, f"対応表「{file.name}」の本文（text）の列がありません。")
    notes = (f"対応表にあってファイルにない列: {'、'.join(missing)}",) if missing else ()
    defaults = Defaults(file.channel or (Channel.SURVEY if file.survey else None), file.received_on, file.prefix)
    return ColumnMapping(
        file.name, fields, headings, reasons, attributes, defaults, file.values,
        file.same_rows or ("each" if file.survey else "one"), file.deadline if file.deadline is not None else not file.survey, notes,
    )  # fmt: skip


def _position(given: Any) -> int | None:
    return None if given is None else int(given)


def _defaults(given: Mapping[str, Any]) -> Defaults:
    channel, day = given["channel"], given["received_on"]
    return Defaults(Channel(channel) if channel else None, date.fromisoformat(day) if day else None, str(given["prefix"]))


def with_notes(mapping: ColumnMapping, *notes: str) -> ColumnMapping:
    """The same mapping with more to say."""
    return replace(mapping, notes=(*mapping.notes, *notes))


def _no_body(headings: Sequence[str], message: str) -> InputError:
    seen = "、".join(f"「{_short(name)}」" for name in headings if name) or "（なし）"
    hint = f"見出し: {seen}。1行目が見出しかどうかを確かめるか、対応表（--mapping）を指定してください。"
    return InputError(message, hint=hint)


def _short(heading: str, length: int = 40) -> str:
    line = " ".join(heading.split())
    return line if len(line) <= length else line[: length - 1] + "…"
