"""docs/settings.md lists every setting, with the default that holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from core.settings import PROJECT_ROOT, Settings

ROW = re.compile(r"^\| `(KOE_\w+)` \| (.+?) \| (.+?) \|", re.MULTILINE)
TABLE = {name: (default, meaning) for name, default, meaning in ROW.findall((PROJECT_ROOT / "docs/settings.md").read_text("utf-8"))}
FIELDS = {f"KOE_{name.upper()}": field for name, field in Settings.model_fields.items()}


def written(default: Any) -> str:
    """How a default stands in the table."""
    if default in ("", None):
        return "（空）"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Path) and default.is_absolute():
        return f"プログラムの `{default.relative_to(PROJECT_ROOT)}`"
    return f"`{default}`"


def test_the_table_has_every_setting_in_the_programs_order() -> None:
    assert list(TABLE) == list(FIELDS)


@pytest.mark.parametrize(("name", "field"), FIELDS.items(), ids=list(FIELDS))
def test_defaults_and_limits(name: str, field: FieldInfo) -> None:
    default, meaning = TABLE[name]
    assert default == written(field.default)
    for limit in field.metadata:
        for bound in ("ge", "le"):
            if hasattr(limit, bound):
                assert str(getattr(limit, bound)) in meaning


def test_choices_are_all_named() -> None:
    for name, field in FIELDS.items():
        choices = getattr(field.annotation, "__args__", ()) if "Literal" in str(field.annotation) else ()
        assert all(f"`{choice}`" in TABLE[name][1] for choice in choices)


def test_no_document_names_a_setting_that_is_not_there() -> None:
    folders = [PROJECT_ROOT, PROJECT_ROOT / "docs", PROJECT_ROOT / "docs/guide", PROJECT_ROOT / "docs/adr"]
    texts = {path: path.read_text("utf-8") for folder in folders for path in folder.glob("*.md")}
    other = {"KOE_NEW_PASSWORD", "KOE_REQUIRE_E2E"}  # of one command, and of the tests
    unknown = {(path.name, name) for path, text in texts.items() for name in re.findall(r"KOE_[A-Z_]*[A-Z]", text)}
    assert {pair for pair in unknown if pair[1] not in {*FIELDS, *other}} == set()
