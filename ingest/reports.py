"""What an import and its rehearsal say when they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RejectNote:
    """Where and why a row could not be taken, without its content."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of a file's records, and how the file was understood.

    ``resumed``: an import was begun earlier, and what it did is among the sums. ``cancelled``: it was stopped before its end.
    """

    read: int
    imported: int
    duplicates: int
    rejected: int
    blank: int = 0
    seconds: float
    encoding: str
    mapping: str
    guessed: tuple[str, ...]
    rejects_sample: tuple[RejectNote, ...]
    resumed: bool = False
    cancelled: bool = False

    @property
    def nothing_taken(self) -> bool:
        """Whether not one voice, or count of an FAQ log, comes out of the file."""
        return self.imported == 0 and self.duplicates == 0

    @property
    def figures(self) -> dict[str, Any]:
        """The sums and the time that they took."""
        return {
            "read": self.read, "imported": self.imported, "duplicates": self.duplicates, "rejected": self.rejected,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport(FileReport):
    """What an import did. The sums are those of its batch, also when it was gone on with after an interruption.

    One that was cancelled goes on from there when the same file is imported again.
    """

    batch: int

    def as_dict(self) -> dict[str, Any]:
        """What ``koe import --json`` prints."""
        return {"batch": self.batch, **self.figures}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport(FileReport):
    """What an import of the file would report at this moment; nothing was written. ``codes`` counts the rejects, the commonest first."""

    codes: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """What ``koe import --dry-run --json`` prints."""
        return {"dry_run": True, **self.figures, "encoding": self.encoding, "mapping": self.mapping, "codes": self.codes}
