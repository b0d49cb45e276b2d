"""Brings the notebooks into the form in which they are kept: no outputs, no run numbers, nothing of the machine that ran them.

Usage: python tools/notebooks.py [--check]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def kept(text: str) -> str:
    """A notebook as it is kept: as ``text`` has it, less what a run or an editor left."""
    book = nbformat.reads(text, as_version=4)
    for cell in book.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip().split("\n"))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    book.cells = [cell for cell in book.cells if cell.source]
    book.metadata, book.nbformat, book.nbformat_minor = METADATA, 4, 5
    nbformat.validate(book)
    return f"{nbformat.writes(book).rstrip()}\n"


def main() -> None:
    """Rewrites what isn't in that form, or tells of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something would change")
    check = parser.parse_args().check
    changed = []
    for path in sorted(FOLDER.glob("*.ipynb")):
        text = path.read_text("utf-8")
        if text != (wanted := kept(text)):
            changed.append(path.name)
            if not check:
                path.write_text(wanted, "utf-8")
    print("\n".join(changed) or "all notebooks are as they are kept")
    if check and changed:
        sys.exit(1)


if __name__ == "__main__":
    main()
