"""What kind of file it is, told by its bytes and not by its name, and the one face that all kinds show to the import."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Protocol

from core.settings import Settings
from ingest.incoming import RejectedRow, Row
from ingest.jsonlines import is_json_lines, open_json_lines
from ingest.mail import open_mail, sniff
from ingest.readers import open_delimited
from ingest.workbook import is_workbook, open_workbook


class Source(Protocol):
    """A file found readable: a table with headings (unnamed ones are ``""``), whatever it is written in."""

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def encoding(self) -> str:
        """A key of ``readers.ENCODING_NAMES``."""

    @property
    def sha256(self) -> str:
        """Digest of the file's bytes, 64 hexadecimal digits."""

    @property
    def lines(self) -> int:
        """How many lines, or rows of sheets, the file has: what progress is measured by."""

    @property
    def headings(self) -> tuple[str, ...]: ...

    def rows(self, *, needed: int, settings: Settings) -> Generator[Row | RejectedRow, None, None]:
        """Every record once and in the same order each time, as a row with a cell for each heading or as a reject that says why.

        ``needed`` is how many cells, from the left, the mapping uses.

        Raises:
            InputError: the file turned out unreadable further on.
        """


# A new kind of file is added here: a look at the bytes (never raises; False for what it can't open), and how to open it.
_KINDS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Source]], ...] = (
    (is_workbook, open_workbook),
    (is_json_lines, open_json_lines),
    (sniff, open_mail),
)


def open_source(path: Path | Source, *, encoding: str | None = None) -> Source:
    """Finds out what kind of file it is, its headings, and that at least one record follows. CSV or TSV unless another kind fits.

    ``encoding`` (a key of ``readers.TEXT_ENCODINGS``) holds against the guess for a CSV or TSV; the other kinds say theirs themselves.
    A source that is open already, or is no file (``ingest.mailbox``), is given back as it is.

    Raises:
        InputError: not readable; says what it is, where it fails, and what to do.
    """
    if not isinstance(path, Path):
        return path
    for fits, open_kind in _KINDS:
        if fits(path):
            return open_kind(path)
    return open_delimited(path, encoding=encoding)
