"""Mapping files: YAML in data/mappings, KOE_HOME/mappings or anywhere, read strictly: a slip of the pen is told with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from core.cleaning import clean_line
from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.headings import FIELD_NAMES, QUESTION, Reason, find_reasons, heading_key, number_reasons
from ingest.normalize import folded, parse_channel

AUTO = "auto"
_KEYS = (
    "name", "description", "headings", "columns", "attributes", "survey", "group", "faq", "defaults", "values", "same_rows", "deadline",
)  # fmt: skip
_SUFFIXES = (".yaml", ".yml")

FAQ_NAMES = {
    "number": "番号",
    "question": "質問",
    "answer": "回答",
    "theme": "分野",
    "department": "所管課",
    "period": "期間",
    "views": "参照回数",
}
"""What a column of an FAQ log may hold, and what people call it."""

Wanted = tuple[str | int, ...]
"""Ways to name one column, the first that fits wins: a heading, its beginning and ``…``, ``^`` and a regex, or a number from 1."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How a wide survey's columns are told apart: by regex, or listed one by one."""

    reason: str | tuple[Wanted, ...]
    question: str | tuple[Wanted, ...] | None = None

    def reasons(self, headings: Sequence[str], *, skip: Sequence[int]) -> tuple[Reason, ...]:
        """The free-text columns among ``headings``, each with its question. Listed ones pair up with listed questions in turn."""
        if isinstance(self.reason, str):
            asked = re.compile(self.question, re.IGNORECASE) if isinstance(self.question, str) else QUESTION
            return find_reasons(headings, reason=re.compile(self.reason, re.IGNORECASE), question=asked, skip=skip)
        positions = [at for wanted in self.reason if (at := find_column(wanted, headings)) is not None]
        if isinstance(self.question, tuple):
            questions = [find_column(wanted, headings) for wanted in self.question]
            questions += [None] * (len(positions) - len(questions))
            return number_reasons(headings, list(zip(positions, questions, strict=False)))
        pattern = re.compile(self.question, re.IGNORECASE) if self.question else QUESTION
        before = [
            next((at for at in range(position - 1, -1, -1) if at not in positions and pattern.search(_plain(headings[at]))), None)
            for position in positions
        ]
        return number_reasons(headings, list(zip(positions, before, strict=True)))


@dataclass(frozen=True, slots=True)
class Group:
    """How the rows of one call are told, as written: the columns by, order and speaker, and the speakers who answer (folded)."""

    columns: Mapping[str, Wanted] = field(default_factory=dict)
    answers: frozenset[str] = frozenset()
    same_number: bool = True
    blank_continues: bool = False


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping as written, not yet bound to a file's columns."""

    name: str
    description: str = ""
    columns: Mapping[str, Wanted] = field(default_factory=dict)
    attributes: Mapping[str, Wanted] = field(default_factory=dict)
    survey: Survey | None = None
    group: Group | None = None
    faq: Mapping[str, Wanted] = field(default_factory=dict)
    """The columns of an FAQ log (``ingest.faq``). Where there are any, the file's rows aren't voices."""
    channel: Channel | None = None
    received_on: date | None = None
    prefix: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    same_rows: str = ""
    deadline: bool | None = None
    headings: tuple[str, ...] = ()
    """A file with just these headings is read with this mapping, unless another is asked for."""


def mapping_names(settings: Settings) -> list[str]:
    """The names that ``--mapping`` takes besides ``auto`` and a path."""
    return sorted(_known(settings))


def saved_folder(settings: Settings) -> Path:
    """Where mappings are that were saved on the import page."""
    return settings.home / "mappings"


def mapping_for(headings: Sequence[str], *, settings: Settings) -> MappingFile | None:
    """The saved mapping that claims these headings; of several the one that was saved last. One that can't be read is passed over."""
    wanted = [*map(_plain, headings)]
    saved = [path for path in saved_folder(settings).glob("*.yaml") if path.stem in _known(settings)]
    for path in sorted(saved, key=lambda path: (-path.stat().st_mtime_ns, path.name)):
        try:
            file = load_mapping_file(path.stem, settings=settings)
        except InputError:
            continue
        if file.headings and [*map(_plain, file.headings)] == wanted:
            return file
    return None


def _known(settings: Settings) -> dict[str, Path]:
    # A name that the project itself gives out is never taken over by a saved one.
    folders = (saved_folder(settings), settings.data / "mappings")
    return {path.stem: path for folder in folders for path in folder.glob("*.yaml")}


def load_mapping_file(name: str, *, settings: Settings) -> MappingFile:
    """Reads a mapping by its name in ``data/mappings`` or ``KOE_HOME/mappings``, or by path (``…/x.yaml``).

    Raises:
        InputError: there is none (the known names are listed), or it has a mistake (says which key).
    """
    known = _known(settings)
    if name in known:
        path = known[name]
    elif name.endswith(_SUFFIXES):
        path = Path(name)
    else:
        raise InputError(
            f"対応表「{name}」はありません。", hint=f"使えるもの: {'、'.join([AUTO, *sorted(known)])}、または YAML ファイルの場所。"
        )
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise InputError(f"対応表「{path.name}」が UTF-8 ではありません。", hint="UTF-8 で保存しなおしてください。") from None
        raise InputError(f"対応表「{path.name}」が読めません。", hint="場所と権限を確かめてください。") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{mark.line + 1} 行目" if mark else "内容"
        raise InputError(f"対応表「{path.name}」の{where}が YAML として読めません。", hint="字下げと記号を確かめてください。") from None
    return _Parser(path.name).parse(content, default_name=path.stem)


def find_column(wanted: Wanted, headings: Sequence[str]) -> int | None:
    """The position of the first column that one of the ways to name it fits; exact spelling goes before a loose one."""
    plain = [_plain(heading) for heading in headings]
    loose = [heading_key(heading) for heading in headings]
    for way in wanted:
        if isinstance(way, int):
            if 0 < way <= len(headings):
                return way - 1
            continue
        text = _plain(way)
        if way.startswith("^"):
            fits = [bool(name) and re.search(way, name, re.IGNORECASE) is not None for name in plain]
        elif text.endswith(("…", "...")):
            fits = [name.startswith(text.rstrip("….")) for name in plain]
        else:
            fits = [name == text for name in plain] if text in plain else [name == heading_key(way) for name in loose]
        if True in fits:
            return fits.index(True)
    return None


class _Parser:
    def __init__(self, file_name: str) -> None:
        self.file_name = file_name

    def parse(self, content: Any, *, default_name: str) -> MappingFile:
        content = self._mapping(content, "（全体）")
        self._allow(content, _KEYS, "")
        columns = {name: self._wanted(value, f"columns.{name}") for name, value in self._part(content, "columns", FIELD_NAMES).items()}
        defaults = self._part(content, "defaults", ("channel", "received_on", "prefix"))
        survey = self._survey(content["survey"]) if content.get("survey") is not None else None
        faq = {name: self._wanted(value, f"faq.{name}") for name, value in self._part(content, "faq", FAQ_NAMES).items()}
        if faq and (columns or survey or "question" not in faq):
            raise self._wrong("faq", "質問の列（question）が要ります。columns や survey とは一緒に使えません")
        if not faq and survey is None and "text" not in columns:
            raise self._wrong("columns.text", "本文の列か survey が要ります")
        return MappingFile(
            name=clean_line(str(content.get("name") or default_name)),
            description=str(content.get("description", "")),
            columns=columns,
            attributes={name: self._wanted(value, f"attributes.{name}") for name, value in self._part(content, "attributes").items()},
            survey=survey,
            group=self._group(content["group"], columns, survey) if content.get("group") is not None else None,
            faq=faq,
            channel=self._channel(defaults.get("channel")),
            received_on=self._day(defaults.get("received_on")),
            prefix=str(defaults.get("prefix") or ""),
            values=self._values(content),
            same_rows=self._choice(content, "same_rows", {"one": "one", "each": "each"}) or "",
            deadline=self._choice(content, "deadline", {"default": True, "none": False}),
            headings=self._headings(content.get("headings")),
        )

    def _headings(self, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong("headings", "見出しの一覧で書いてください")
        return tuple(value)

    def _survey(self, content: Any) -> Survey:
        part = self._mapping(content, "survey")
        self._allow(part, ("reason", "question"), "survey.")
        if "reason" not in part:
            raise self._wrong("survey.reason", "理由の列を正規表現か列の一覧で書いてください")
        reason = self._columns_or_regex(part["reason"], "survey.reason")
        question = self._columns_or_regex(part["question"], "survey.question") if part.get("question") is not None else None
        return Survey(reason, question)

    def _group(self, content: Any, columns: Mapping[str, Wanted], survey: Survey | None) -> Group:
        part = self._mapping(content, "group")
        self._allow(part, ("by", "order", "speaker", "answers", "same_number", "blank_continues"), "group.")
        if survey:
            raise self._wrong("group", "survey と一緒には使えません")
        if "by" not in part and "external_id" not in columns:
            raise self._wrong("group.by", "同じ通話の行に共通する番号の列を書いてください")
        answers = part.get("answers", [])
        if not isinstance(answers, list) or not all(isinstance(word, str | int) and str(word).strip() for word in answers):
            raise self._wrong("group.answers", "回答とする言葉の一覧で書いてください")
        if bool(answers) is not ("speaker" in part):
            raise self._wrong("group.answers", "speaker（発話者の列）と answers（回答とする言葉）は、両方書いてください")
        flags = {"same_number": part.get("same_number", True), "blank_continues": part.get("blank_continues", False)}
        for name, flag in flags.items():
            if not isinstance(flag, bool):
                raise self._wrong(f"group.{name}", "true か false のどちらかです")
        named: dict[str, Wanted] = {name: self._wanted(part[name], f"group.{name}") for name in ("by", "order", "speaker") if name in part}
        return Group(named, frozenset(folded(str(word)) for word in answers), **flags)

    def _columns_or_regex(self, value: Any, where: str) -> str | tuple[Wanted, ...]:
        if isinstance(value, list) and value:
            return tuple(self._wanted(item, where) for item in value)
        if not isinstance(value, str) or not value:
            raise self._wrong(where, "正規表現か列の一覧で書いてください")
        self._compile(value, where)
        return value

    def _wanted(self, value: Any, where: str) -> Wanted:
        ways = value if isinstance(value, list) else [value]
        for way in ways:
            if isinstance(way, bool) or not isinstance(way, str | int) or way in ("", 0):
                raise self._wrong(where, "見出し（文字）か列の番号（1から）で書いてください")
            if isinstance(way, str) and way.startswith("^"):
                self._compile(way, where)
        return tuple(ways)

    def _compile(self, pattern: str, where: str) -> None:
        try:
            re.compile(pattern)
        except re.error:
            raise self._wrong(where, "正規表現として読めません") from None

    def _values(self, content: dict[str, Any]) -> dict[str, dict[str, str]]:
        part = self._part(content, "values", FIELD_NAMES)
        return {
            name: {folded(str(given)): str(meant) for given, meant in self._mapping(table, f"values.{name}").items()}
            for name, table in part.items()
        }

    def _channel(self, value: Any) -> Channel | None:
        if value is None:
            return None
        channel = parse_channel(str(value))
        if channel is None:
            raise self._wrong("defaults.channel", f"受付媒体は {'、'.join(Channel)} のどれかです")
        return channel

    def _day(self, value: Any) -> date | None:
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        raise self._wrong("defaults.received_on", "2026-01-31 の形で書いてください")

    def _choice(self, content: dict[str, Any], key: str, choices: dict[str, Any]) -> Any:
        value = content.get(key)
        if value is None:
            return None
        if value not in choices:
            raise self._wrong(key, f"{' か '.join(choices)} のどちらかです")
        return choices[value]

    def _part(self, content: dict[str, Any], key: str, allowed: Sequence[str] | Mapping[str, str] = ()) -> dict[str, Any]:
        part = self._mapping(content.get(key) or {}, key)
        if allowed:
            self._allow(part, tuple(allowed), f"{key}.")
        return part

    def _mapping(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str | int) for key in value):
            raise self._wrong(where, "「キー: 値」の形で書いてください")
        return {str(key): item for key, item in value.items()}

    def _allow(self, part: dict[str, Any], allowed: Sequence[str], prefix: str) -> None:
        for key in part:
            if key not in allowed:
                raise self._wrong(f"{prefix}{key}", f"このキーはありません。使えるもの: {'、'.join(allowed)}")

    def _wrong(self, where: str, what: str) -> InputError:
        return InputError(f"対応表「{self.file_name}」の「{where}」: {what}。", hint="docs/guide/import.md の例に合わせてください。")


def _plain(heading: str) -> str:
    return folded(heading[:300])
