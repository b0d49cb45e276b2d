"""Documents point at what exists: files, pictures, make targets and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from api.cli import app
from core.settings import PROJECT_ROOT

SKIPPED = {"node_modules", "var"}
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)\b")
KOE = re.compile(r"\bkoe ([a-z]+)(?: ([a-z]+))?")
READMES = ("README.md", "README.ja.md")


def documents() -> list[Path]:
    """Every Markdown file of the project itself: no environment, no caches, no working data."""
    found = [path.relative_to(PROJECT_ROOT) for path in PROJECT_ROOT.rglob("*.md")]
    return sorted(PROJECT_ROOT / path for path in found if not any(part in SKIPPED or part.startswith(".") for part in path.parts))


def links(path: Path) -> Iterator[str]:
    prose = CODE.sub("", FENCED.sub("", path.read_text("utf-8")))
    for target in LINK.findall(prose):
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            yield target.partition("#")[0]


def code_of(name: str) -> str:
    """The code of a document: its fenced blocks and the words between backquotes."""
    text = (PROJECT_ROOT / name).read_text("utf-8")
    return "\n".join([*(match[0] for match in FENCED.finditer(text)), *CODE.findall(FENCED.sub("", text))])


def commands() -> set[str]:
    """Every command of ``koe``, groups included: "serve", "topics", "topics fit", …"""
    found: set[str] = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found |= {name, *(f"{name} {below}" for below in getattr(command, "commands", ()))}
    return found


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_every_relative_link_points_at_something(path: Path) -> None:
    assert [target for target in links(path) if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_make_targets_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(MAKE.findall(code_of(name)))
    assert named >= {"demo", "test"}
    assert named <= targets


@pytest.mark.parametrize("name", READMES)
def test_commands_exist_and_all_are_named(name: str) -> None:
    known = commands()
    groups = {command.partition(" ")[0] for command in known if " " in command}
    named = {f"{first} {second}" if first in groups else first for first, second in KOE.findall(code_of(name))}
    assert named == known - groups
