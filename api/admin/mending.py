"""A row's cells in the fields of a page, and what comes back from there."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.rejects import read_back, written


def shown(cells: Sequence[str]) -> list[str]:
    """Cells as a page shows them: as an exported file has them, without the sign that keeps a spreadsheet from seeing a formula."""
    return [_shown(cell) for cell in cells]


def mended(given: Sequence[str], stored: Sequence[str]) -> list[str]:
    """A form's fields as cells: what a person left alone is what was stored, to the byte; a browser changes the ends of lines."""
    as_exported = [
        written(stored[at]) if at < len(stored) and _plain(cell) == _plain(_shown(stored[at])) else _plain(cell)
        for at, cell in enumerate(given)
    ]  # fmt: skip
    return read_back(as_exported, stored) or list(stored)


def _shown(cell: str) -> str:
    text = written(cell)
    return text[1:] if text.startswith("'") and text != cell else text


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
