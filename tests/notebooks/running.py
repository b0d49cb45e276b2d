"""Runs notebooks as Jupyter would, and tells what went wrong in them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

from core.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "notebooks"
LONGEST = 600  # seconds a cell may take before it counts as stuck
# What matplotlib says of a letter that its font lacks stops the cell.
STRICT = "error:Glyph"


def run(book: NotebookNode, *, home: Path, parameters: str = "", **more: str) -> NotebookNode:
    """The notebook with its outputs, run with a ``KOE_HOME``; ``parameters`` are set after its own.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    if parameters:
        place = next(place for place, cell in enumerate(book.cells) if "parameters" in cell.metadata.get("tags", []))
        book.cells.insert(place + 1, nbformat.v4.new_code_cell(parameters))
    # Sockets that no other user of the machine can reach. A short path: a socket's may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="koenb") as sockets:
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/k"}})
        client = NotebookClient(
            book, timeout=LONGEST, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}, config=config
        )  # fmt: skip
        client.execute(env=environment(home, more))
    return book


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without any setting of an installation, and with those of the test."""
    here = {name: value for name, value in os.environ.items() if not name.startswith(("KOE_", "PYTEST_", "COV_"))}
    return here | {
        "KOE_HOME": str(home), "KOE_ENGINE": "serial", "PYTHONPATH": str(PROJECT_ROOT), "PYTHONWARNINGS": STRICT,
        "IPYTHONDIR": str(home / "ipython"), **more,
    }  # fmt: skip


def figures(book: NotebookNode) -> int:
    """How many figures it drew."""
    return sum("image/png" in output.get("data", {}) for cell in _code(book) for output in cell.outputs)


def told(book: NotebookNode) -> str:
    """Everything that its cells printed or showed as text."""
    shown = [output for cell in _code(book) for output in cell.outputs]
    printed = [output.get("text", "") for output in shown]
    return "\n".join(printed + [output.get("data", {}).get(kind, "") for output in shown for kind in ("text/plain", "text/html")])


def complaints(book: NotebookNode) -> list[str]:
    """What was written to standard error: warnings, and the traceback of a figure that couldn't be drawn."""
    return [
        f"{cell.id}: {output.get('text', '') or output.get('evalue', '')}"
        for cell in _code(book)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def _code(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]
