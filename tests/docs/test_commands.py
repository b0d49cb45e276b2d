"""README.md and the documents name every command of ``koe``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from api.cli import app
from core.settings import PROJECT_ROOT

TEXT = "\n".join(path.read_text("utf-8") for path in [PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").rglob("*.md"))])


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for part, one in inner.items():
        yield from commands(one, f"{name} {part}")


COMMANDS = dict(commands(typer.main.get_command(app), "koe"))


def test_the_walk_finds_commands_and_commands_of_groups() -> None:
    assert {"koe annotate", "koe topics fit", "koe db upgrade"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_named_in_the_documents(name: str) -> None:
    assert name in TEXT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_in_japanese_what_it_does(name: str) -> None:
    assert any("ぁ" <= character <= "ん" for character in COMMANDS[name].help or "")
