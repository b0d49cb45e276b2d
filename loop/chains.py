"""The city's own ways to approval (決裁の順), read from approvals.yaml beside the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from core.errors import InputError
from loop.answers import DELIVERIES, DISPOSITIONS, KINDS
from nlp import taxonomy as city_words

NAME = "approvals.yaml"
LEAD = "lead"
_LINE = "__line__"
_MOST_STEPS = 10
_LONGEST = 32
_HINT = "付属の approvals.yaml と同じ形にしてください。"


@dataclass(frozen=True, slots=True)
class ChainStep:
    """Who decides: a 職位 in a department, ``lead`` being the one that answers. ``optional``: skipped where nobody holds it."""

    position: str
    department: str = LEAD
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Matter:
    """What a way is chosen by."""

    kind: str
    disposition: str
    department: str
    urgency: str
    delivery: str
    reply: str
    recipients: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A way to approval, and for which matters it is: every condition has to hold. ``self_allowed``: the drafter may decide too."""

    name: str
    steps: tuple[ChainStep, ...]
    conditions: Mapping[str, frozenset[str]]
    campaign_from: int = 0
    self_allowed: bool = False

    def suits(self, matter: Matter) -> bool:
        """Whether a matter goes this way."""
        return matter.recipients >= self.campaign_from and all(getattr(matter, name) in wanted for name, wanted in self.conditions.items())


DEFAULT = Chain("通常", (ChainStep("係長", optional=True), ChainStep("課長")), {})
"""Where a city has no file."""


def chosen(chains: Sequence[Chain], matter: Matter) -> Chain:
    """The first way that suits; the last one suits every matter."""
    return next(chain for chain in chains if chain.suits(matter))


@lru_cache(maxsize=4)
def load(folder: Path) -> tuple[Chain, ...]:
    """Reads approvals.yaml; without one there is ``DEFAULT`` alone.

    Raises:
        InputError: the file can't be taken as it is; names the line.
    """
    path = folder / NAME
    if not path.exists():
        return (DEFAULT,)
    items = _items(path)
    known = _known(folder)
    chains = tuple(_chain(item, known) for item in items)
    for chain, item in zip(chains[:-1], items, strict=False):
        if not chain.conditions and not chain.campaign_from:
            _refuse(
                item[_LINE], f"「{chain.name}」に when がないので、その下の順は使われません。", "when のないものを最後に置いてください。"
            )
    if chains[-1].conditions or chains[-1].campaign_from:
        _refuse(items[-1][_LINE], "当てはまる順のない回答が出ます。", "when のないものを最後に1つ置いてください。")
    return chains


def _known(folder: Path) -> dict[str, frozenset[str]]:
    """The words that a condition may name. Dispositions and the like are written as people see them, or by their code."""
    words = city_words.load(folder)
    named: dict[str, Mapping[Any, str]] = {"disposition": DISPOSITIONS, "delivery": DELIVERIES, "reply": KINDS}
    return {
        "kind": frozenset(words.kinds),
        "urgency": frozenset(words.urgencies),
        "department": frozenset(department.name for department in words.departments),
        **{name: frozenset(names.values()) for name, names in named.items()},
    }


def _items(path: Path) -> list[dict[str, Any]]:
    try:
        content = yaml.load(path.read_text("utf-8-sig"), _Loader)  # noqa: S506  (a SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        _refuse(mark.line + 1 if mark else 0, "YAML として読めません。", "字下げと記号を確かめてください。")
    items = content.get("chains") if isinstance(content, dict) else None
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        _refuse(0, "「chains:」の一覧がありません。", _HINT)
    return items


def _chain(item: dict[str, Any], known: Mapping[str, frozenset[str]]) -> Chain:
    line = item[_LINE]
    _only(item, {"name", "when", "steps", "self"})
    when, steps = item.get("when") or {}, item.get("steps")
    if not isinstance(when, dict):
        _refuse(line, "when が「名前: 値」の形ではありません。", _HINT)
    if not isinstance(steps, list) or not 0 < len(steps) <= _MOST_STEPS:
        _refuse(line, "steps がありません。", f"決裁する人を 1 人から {_MOST_STEPS} 人まで、順に書いてください。")
    return Chain(
        name=_text(item, "name", line),
        steps=tuple(_step(step, line, known["department"]) for step in steps),
        conditions=dict(_conditions(when, known)),
        campaign_from=_count(when),
        self_allowed=_flag(item, "self"),
    )


def _conditions(when: dict[str, Any], known: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    _only(when, {*known, "campaign_from"})
    for name, words in known.items():
        if name in when:
            given = when[name] if isinstance(when[name], list) else [when[name]]
            for value in given:
                if not isinstance(value, str) or value not in words:
                    _refuse(
                        when[_LINE],
                        f"{name} の「{str(value)[:_LONGEST]}」はありません。",
                        f"次から選んでください: {'、'.join(sorted(words))}",
                    )
            yield name, frozenset(given)


def _step(step: Any, line: int, departments: frozenset[str]) -> ChainStep:
    if not isinstance(step, dict):
        _refuse(line, "steps に「position: 課長」の形でないものがあります。", _HINT)
    line = step[_LINE]
    _only(step, {"position", "department", "optional"})
    department = step.get("department", LEAD)
    if not isinstance(department, str) or (department != LEAD and department not in departments):
        _refuse(line, f"所管課「{str(department)[:_LONGEST]}」はありません。", "lead か、departments.yaml にある課名を書いてください。")
    return ChainStep(_text(step, "position", line), department, _flag(step, "optional"))


def _only(item: dict[str, Any], allowed: set[str]) -> None:
    for name in item:
        if name != _LINE and name not in allowed:
            _refuse(item[_LINE], f"「{name}」という項目はありません。", f"書けるのは {'、'.join(sorted(allowed))} です。")


def _text(item: dict[str, Any], name: str, line: int) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST:
        _refuse(line, f"「{name}」がありません。", f"{_LONGEST} 字以内の文字で書いてください。")
    return value.strip()


def _flag(item: dict[str, Any], name: str) -> bool:
    value = item.get(name, False)
    if not isinstance(value, bool):
        _refuse(item[_LINE], f"「{name}」が true でも false でもありません。", _HINT)
    return value


def _count(when: dict[str, Any]) -> int:
    value = when.get("campaign_from", 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        _refuse(when[_LINE], "campaign_from が数ではありません。", "campaign_from: 10 のように書いてください。")
    return value


def _refuse(line: int, problem: str, hint: str) -> NoReturn:
    where = f"{line} 行目: " if line else ""
    raise InputError(f"決裁の順のファイル {NAME} の{where}{problem}" if where else f"決裁の順のファイル {NAME} は、{problem}", hint=hint)


class _Loader(yaml.SafeLoader):
    """A mapping gets the line that it begins in."""

    def mapping(self, node: yaml.MappingNode) -> dict[Any, Any]:
        return {**self.construct_mapping(node, deep=True), _LINE: node.start_mark.line + 1}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _Loader.mapping)
