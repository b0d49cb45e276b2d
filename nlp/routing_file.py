"""routing.yaml read: each rule with its line, and everything that is wrong with it told at once, with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import yaml

from core import city
from core.errors import InputError
from nlp import taxonomy
from nlp.routing import CONDITIONS, NO_RULES, Routing, Rule, fold

NAME = "routing.yaml"
CHANNELS = ("電話", "Webフォーム", "電子メール", "手紙", "FAX", "来庁・面談", "アンケート", "Open311", "その他")
"""受付媒体, as ``core.models.Channel`` spells them."""

_KEYS = ("name", "if", "department", "also")
_WORDS = ("words", "not_words")
_LONGEST_NAME = 64
_TERMS = {
    "theme": "分野", "subtheme": "中分類", "kind": "種別", "urgency": "緊急度", "channel": "受付媒体", "district": "地区",
    "department": "所管課", "also": "関係課",
}  # fmt: skip
_FILES = {
    "theme": "themes.yaml", "subtheme": "themes.yaml", "kind": "kinds.yaml", "urgency": "kinds.yaml", "district": "city.yaml",
    "department": "departments.yaml", "also": "departments.yaml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the file, on which line (0: with all of it)."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"{NAME} の {self.line} 行目: {self.message}" if self.line else f"{NAME}: {self.message}"


@lru_cache(maxsize=4)
def load(folder: Path) -> Routing:
    """The rules beside a taxonomy; none where there is no file.

    Raises:
        InputError: something is wrong with the file (the first problem, and how many more), or a file of the taxonomy can't be read.
    """
    rules, problems = read(folder)
    if problems:
        more = f"（ほか {len(problems) - 1} か所）" if len(problems) > 1 else ""
        raise InputError(f"振り分け規則 {problems[0]}{more}", hint="直したら koe taxonomy check で確かめてください。")
    return rules


def read(folder: Path) -> tuple[Routing, list[Problem]]:
    """The rules that can be used, and all that is wrong with the others.

    Raises:
        InputError: a file of the taxonomy can't be read.
    """
    path = folder / NAME
    if not path.exists():
        return NO_RULES, []
    try:
        root = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
    except OSError:
        return NO_RULES, [Problem(0, "ファイルが読めません。")]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        message = "YAML として読めません。字下げと記号を確かめてください。" if mark else "文字コードが UTF-8 ではありません。"
        return NO_RULES, [Problem(mark.line + 1 if mark else 0, message)]
    reader = _Reader(_names(folder))
    rules = tuple(reader.rules(root))
    return Routing(rules), reader.problems


def _names(folder: Path) -> dict[str, tuple[str, ...]]:
    """The names that a rule may use; an empty list lets every name pass."""
    words = taxonomy.load(folder)
    departments = tuple(department.name for department in words.departments)
    return {
        "theme": words.theme_names,
        "subtheme": tuple(dict.fromkeys(subtheme for theme in words.themes for subtheme in theme.subthemes)),
        "kind": words.kinds,
        "urgency": words.urgencies,
        "channel": CHANNELS,
        "district": city.load(folder).districts,
        "department": departments,
        "also": departments,
    }


class _Reader:
    """Nodes of the file into rules; problems are gathered on the way."""

    def __init__(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self.names = names
        self.problems: list[Problem] = []
        self._lines: dict[str, int] = {}

    def rules(self, root: yaml.Node | None) -> Iterator[Rule]:
        """The rules without a problem."""
        if root is None:
            return
        top = self._mapping(root, ("rules",), "ファイル") if isinstance(root, yaml.MappingNode) else None
        if top is None or "rules" not in top:
            if not self.problems:
                self._complain(root, "「rules:」の一覧がありません。")
            return
        listed = top["rules"]
        if _is_empty(listed):
            return
        if not isinstance(listed, yaml.SequenceNode):
            self._complain(listed, "「rules:」が一覧になっていません。規則ごとに - で始めてください。")
            return
        for node in listed.value:
            before = len(self.problems)
            rule = self._rule(node)
            if rule and len(self.problems) == before:
                yield rule

    def _rule(self, node: yaml.Node) -> Rule | None:
        if not isinstance(node, yaml.MappingNode):
            self._complain(node, "規則の形になっていません。name・if・department を書いてください。")
            return None
        given = self._mapping(node, _KEYS, "規則")
        for key in ("name", "if", "department"):
            if key not in given:
                self._complain(node, f"規則に「{key}:」がありません。")
        if not {"name", "if", "department"} <= given.keys():
            return None
        name, department = self._text(given["name"], "name"), self._text(given["department"], "department")
        if len(name) > _LONGEST_NAME:
            self._complain(given["name"], f"規則の名前が長すぎます。{_LONGEST_NAME} 字以内にしてください。")
        if name in self._lines:
            self._complain(given["name"], f"規則「{name}」は {self._lines[name]} 行目にもあります。別の名前にしてください。")
        self._lines.setdefault(name, _line(given["name"]))
        self._known(given["department"], department, "department")
        also = self._several(given["also"], "also") if "also" in given else ()
        if department and department in also:
            self._complain(given["also"], f"関係課に、所管課と同じ「{department}」があります。")
        conditions, words, not_words = self._conditions(given["if"])
        return Rule(name, department, also, conditions, words, not_words, _line(node))

    def _conditions(
        self, node: yaml.Node
    ) -> tuple[tuple[tuple[int, frozenset[str]], ...], tuple[str, ...], tuple[str, ...]]:  # fmt: skip
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self._complain(node, f"「if:」に条件がありません。{'・'.join((*CONDITIONS, *_WORDS))} から1つ以上書いてください。")
            return (), (), ()
        given = self._mapping(node, (*CONDITIONS, *_WORDS), "if")
        if given.keys() == {"not_words"}:
            self._complain(node, "not_words だけでは、ほとんどの声に当てはまります。ほかの条件と合わせて書いてください。")
        conditions = tuple(
            (place, frozenset(self._several(given[key], key))) for place, key in enumerate(CONDITIONS) if key in given
        )  # fmt: skip
        words, not_words = (self._words(given[key], key) if key in given else () for key in _WORDS)
        return conditions, words, not_words

    def _words(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fold(word) for word in self._texts(node, key)))

    def _several(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        """One name or a list of them, each known."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        texts = self._texts(node, key)
        for part, text in zip(nodes, texts, strict=False):
            self._known(part, text, key)
        return tuple(dict.fromkeys(texts))

    def _texts(self, node: yaml.Node, key: str) -> list[str]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            self._complain(node, f"「{key}:」が空です。")
        return [self._text(part, key) for part in nodes]

    def _text(self, node: yaml.Node, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or _is_empty(node) or not node.value.strip():
            self._complain(node, f"「{key}:」に文字がありません。")
            return ""
        return str(node.value).strip()

    def _known(self, node: yaml.Node, name: str, key: str) -> None:
        known = self.names[key]
        if not name or not known or name in known:
            return
        where = f" {_FILES[key]} に" if key in _FILES else ""
        meant = get_close_matches(name, known, n=1, cutoff=0.5)
        some = "、".join(known[:10]) + (" …" if len(known) > 10 else "")
        hint = f"「{meant[0]}」ではありませんか。" if meant else f"{some} から選んでください。"
        self._complain(node, f"{_TERMS[key]}「{name}」は{where}ありません。{hint}")

    def _mapping(self, node: yaml.MappingNode, allowed: tuple[str, ...], where: str) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            if key not in allowed:
                meant = get_close_matches(key, allowed, n=1, cutoff=0.5)
                hint = f"「{meant[0]}」ではありませんか。" if meant else f"{'・'.join(allowed)} だけが使えます。"
                self._complain(key_node, f"{where} の「{key}:」がわかりません。{hint}")
            elif key in found:
                self._complain(key_node, f"{where} に「{key}:」が2つあります。")
            else:
                found[key] = value
        return found

    def _complain(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(_line(node), message))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
