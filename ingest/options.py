"""What somebody says of a file, in one piece from the command, the page or the job to what reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.models import Channel
from ingest.mapping import ColumnMapping
from ingest.mapping_files import AUTO


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What somebody says of a file; the file itself tells the rest."""

    mapping: str | ColumnMapping = AUTO
    """``auto``, a name in ``data/mappings``, a path to a YAML file, or a mapping that was corrected by hand."""
    encoding: str | None = None
    """A key of ``readers.TEXT_ENCODINGS`` that holds against the guess, where the file is a CSV or TSV."""
    channel: Channel | None = None
    """Of the rows that don't say theirs."""
    received_on: date | None = None
    """Of the rows that don't say theirs."""
    period: str | None = None
    """Of an FAQ log's counts that don't say theirs."""
    source_name: str | None = None
    """The file's name, where it is a copy (an upload)."""

    def as_dict(self) -> dict[str, Any]:
        """As ``jobs.arguments`` holds it."""
        return {
            "mapping": self.mapping if isinstance(self.mapping, str) else self.mapping.as_dict(),
            "encoding": self.encoding,
            "channel": self.channel and self.channel.value,
            "received_on": self.received_on and self.received_on.isoformat(),
            "period": self.period,
            "source_name": self.source_name,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> FileOptions:
        """What ``as_dict`` gave, among a job's other arguments.

        Raises:
            InputError: the mapping isn't one.
        """
        mapping, channel, day = given.get("mapping") or AUTO, given.get("channel"), given.get("received_on")
        return cls(
            mapping=mapping if isinstance(mapping, str) else ColumnMapping.from_dict(mapping),
            encoding=given.get("encoding") or None,
            channel=Channel(channel) if channel else None,
            received_on=date.fromisoformat(day) if day else None,
            period=given.get("period"),
            source_name=given.get("source_name"),
        )


NOTHING_SAID = FileOptions()
"""The file itself tells everything."""
