"""Which column is what: a mapping file (data/mappings/*.yaml), or what the headings tell (``auto``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.headings import FIELD_NAMES, Reason, find_reasons, guess_fields, heading_key
from ingest.mapping_files import AUTO, Group, MappingFile, find_column, load_mapping_file, mapping_for

_GATHERED = "回答（対応した人の行）"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that don't say it themselves."""

    channel: Channel | None = None
    received_on: date | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How the rows of one call are told from the next one's (``ingest.calls``), by the positions of columns.

    ``number``: what the rows of a call share; ``order``: their turn in it; ``speaker``: who says a row's text, with the words of
    ``answers`` (folded) for the city; ``answer``: where the city's words go. ``blank_continues``: a row without a number goes on with
    the call above. ``guessed``: nobody said so, and rows that differ in anything but the columns in ``free`` are left alone.
    """

    number: int
    text: int
    answer: int | None = None
    order: int | None = None
    speaker: int | None = None
    answers: frozenset[str] = frozenset()
    same_number: bool = False
    blank_continues: bool = False
    guessed: bool = False
    free: frozenset[int] = frozenset()

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self) | {"answers": sorted(self.answers), "free": sorted(self.free)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Grouping:
        """What ``as_dict`` gave.

        Raises:
            KeyError, TypeError or ValueError: it isn't that.
        """
        return cls(
            number=int(given["number"]), text=int(given["text"]), answer=_position(given["answer"]), order=_position(given["order"]),
            speaker=_position(given["speaker"]), answers=frozenset(map(str, given["answers"])), same_number=bool(given["same_number"]),
            blank_continues=bool(given["blank_continues"]), guessed=bool(given["guessed"]), free=frozenset(map(int, given["free"])),
        )  # fmt: skip


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
    group: Grouping | None = None
    added: int = 0
    """How many of the last headings are not the file's, but made for what is gathered from several rows."""

    @property
    def own_headings(self) -> tuple[str, ...]:
        """The file's own headings."""
        return self.headings[: len(self.headings) - self.added]

    @property
    def is_survey(self) -> bool:
        """Whether a row holds several voices, one for each non-empty reason."""
        return bool(self.reasons)

    @property
    def used(self) -> frozenset[int]:
        """The positions of all columns that are read."""
        asked = {reason.question for reason in self.reasons if reason.question is not None}
        ways = (self.group.number, self.group.order, self.group.speaker) if self.group else ()
        told = [at for at in ways if at is not None]
        return frozenset({*self.fields.values(), *self.attributes.values(), *(reason.position for reason in self.reasons), *asked, *told})

    @property
    def needed(self) -> int:
        """How many cells, from the left, a row of the file must have."""
        return max((at for at in self.used if at < len(self.own_headings)), default=-1) + 1

    def bound_to(self, headings: Sequence[str]) -> ColumnMapping:
        """This mapping, made sure that it fits a file with these headings.

        Raises:
            InputError: the file has other headings, or no column is the body.
        """
        if tuple(headings) != self.own_headings:
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
            "group": self.group.as_dict() if self.group else None,
            "added": self.added,
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
                group=Grouping.from_dict(given["group"]) if given.get("group") else None,
                added=int(given.get("added", 0)),
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
        if self.group:
            lines.append(self._describe_group(self.group))
        unused = [f"「{_short(name)}」" for at, name in enumerate(self.headings) if name and at not in self.used]
        if unused:
            lines.append("使わない列: " + "、".join(unused))
        return [*lines, *self.notes]

    def _describe_group(self, group: Grouping) -> str:
        def named(at: int) -> str:
            return f"「{_short(self.headings[at])}」"

        rows = f"{named(group.number)}の同じ、続いた行" if group.same_number else ""
        blank = f"{named(group.number)}のない、続きの行" if group.blank_continues else ""
        how = [f"順は{named(group.order)}"] if group.order is not None else []
        if group.speaker is not None and group.answers:
            how.append(f"{named(group.speaker)}が {'・'.join(sorted(group.answers))} の行は回答")
        detail = f"（{'、'.join(how)}）" if how else ""
        return f"{'と、'.join(part for part in (rows, blank) if part)}を1件にまとめます{detail}。"


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
    mapping = ColumnMapping(
        file.name, fields, headings, reasons, attributes, defaults, file.values,
        file.same_rows or ("each" if file.survey else "one"), file.deadline if file.deadline is not None else not file.survey, notes,
    )  # fmt: skip
    return with_group(mapping, _bind_group(file, file.group, mapping)) if file.group else mapping


def _bind_group(file: MappingFile, group: Group, mapping: ColumnMapping) -> Grouping:
    found = {name: find_column(wanted, mapping.headings) for name, wanted in group.columns.items()}
    lacking = next((name for name, at in found.items() if at is None), None)
    number = found.get("by", mapping.fields.get("external_id"))
    if lacking or number is None:
        where = f"group.{lacking or 'by'}"
        raise InputError(f"対応表「{file.name}」の「{where}」の列がファイルにありません。", hint=_seen(mapping.headings))
    return Grouping(
        number=number, text=mapping.fields["text"], answer=mapping.fields.get("answer"), order=found.get("order"),
        speaker=found.get("speaker"), answers=group.answers, same_number=group.same_number,
        blank_continues=group.blank_continues,
    )  # fmt: skip


def with_group(mapping: ColumnMapping, group: Grouping) -> ColumnMapping:
    """The same mapping for calls over several rows. Where the file has no column for what the city said, one is added."""
    if group.answer is None and group.answers:
        at = len(mapping.headings)
        mapping = replace(
            mapping, headings=(*mapping.headings, _GATHERED), added=mapping.added + 1, fields={**mapping.fields, "answer": at}
        )  # fmt: skip
        group = replace(group, answer=at)
    return replace(mapping, group=group)


def _position(given: Any) -> int | None:
    return None if given is None else int(given)


def _defaults(given: Mapping[str, Any]) -> Defaults:
    channel, day = given["channel"], given["received_on"]
    return Defaults(Channel(channel) if channel else None, date.fromisoformat(day) if day else None, str(given["prefix"]))


def regrouped(mapping: ColumnMapping) -> ColumnMapping:
    """The same mapping with its calls gathered by the columns that it reads by now; a survey's rows are nobody's calls."""
    group = mapping.group
    if group is None:
        return mapping
    if mapping.reasons or "text" not in mapping.fields:
        return replace(mapping, group=None)
    return replace(mapping, group=replace(group, text=mapping.fields["text"], answer=mapping.fields.get("answer")))


def with_notes(mapping: ColumnMapping, *notes: str) -> ColumnMapping:
    """The same mapping with more to say."""
    return replace(mapping, notes=(*mapping.notes, *notes))


def _no_body(headings: Sequence[str], message: str) -> InputError:
    return InputError(message, hint=_seen(headings))


def _seen(headings: Sequence[str]) -> str:
    seen = "、".join(f"「{_short(name)}」" for name in headings if name) or "（なし）"
    return f"見出し: {seen}。1行目が見出しかどうかを確かめるか、対応表（--mapping）を指定してください。"


def _short(heading: str, length: int = 40) -> str:
    line = " ".join(heading.split())
    return line if len(line) <= length else line[: length - 1] + "…"
