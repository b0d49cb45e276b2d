from __future__ import annotations

import re

import pytest

from core.settings import PROJECT_ROOT, Settings
from ingest import calls, faq, interpret, jsonlines, mail_message, readers, storage, workbook
from ingest.headings import FIELD_NAMES
from ingest.mapping import resolve_mapping
from ingest.mapping_files import _KEYS, load_mapping_file, mapping_names
from ingest.receipts import is_receipt_number, receipt_number

GUIDE = (PROJECT_ROOT / "docs/guide/import.md").read_text("utf-8")


def test_every_key_field_and_mapping_is_in_the_guide(settings: Settings) -> None:
    for name in (*FIELD_NAMES, *_KEYS, *mapping_names(settings)):
        assert re.search(rf"`{re.escape(name)}[`.]", GUIDE), name


def test_every_reject_code_is_in_the_guide() -> None:
    sources = "".join(
        (PROJECT_ROOT / "ingest" / f"{module.__name__.rpartition('.')[2]}.py").read_text()
        for module in (calls, faq, interpret, jsonlines, mail_message, readers, storage, workbook)
    )
    codes = set(re.findall(r'"(encoding|nul|ragged|quote|too_long|sheet|call|json|mail|empty|count|period|total|date)"', sources))
    assert codes == set(re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$", GUIDE, re.MULTILINE))


def test_the_guide_s_mapping_works(tmp_path, settings: Settings) -> None:
    example = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert example
    path = tmp_path / "example.yaml"
    path.write_text(example[1], "utf-8")
    headings = ["【問１】お住まい", "【問２】好きですか", "上記の理由", "性別", "あなたのご年齢を教えてください。", "ご職業"]
    mapping = resolve_mapping(str(path), headings, settings=settings)
    assert (mapping.name, mapping.needed, mapping.notes) == ("machi-ankeeto", 6, ())


@pytest.mark.parametrize("name", ["call-log", "call-log-rows", "shimin-no-koe", "survey-wide"])
def test_the_mappings_are_named_as_their_files(settings: Settings, name: str) -> None:
    assert load_mapping_file(name, settings=settings).name == name


def test_the_guide_s_receipt_number_is_one() -> None:
    start = re.search(r"`(R08-000123-)`", GUIDE)
    assert start
    assert receipt_number(2026, 123).startswith(start[1])
    assert is_receipt_number(receipt_number(2026, 123))
