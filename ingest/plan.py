"""How a file's rows are understood: made from the file and what a person said of it, kept with its batch, used again for a mended row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.models import Channel
from core.settings import Settings
from ingest.calls import by_call, resolve_calls
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Fallback, Interpreter, fallback_day
from ingest.mapping import ColumnMapping, with_notes
from ingest.options import FileOptions
from ingest.readers import TEXT_ENCODINGS
from ingest.sources import Source, open_source
from ingest.workbook import SheetRow, in_sheet


@dataclass(frozen=True, slots=True)
class RowPlan:
    """All that is needed to read any row of a file: its mapping, and what holds for rows that don't say it themselves."""

    mapping: ColumnMapping
    file_name: str
    fallback: Fallback
    channel: Channel | None = None
    """As somebody gave it; else the mapping's own holds."""

    def interpreter(self) -> Interpreter:
        """One that has read no row yet."""
        return _SheetInterpreter(self.mapping, file_name=self.file_name, fallback=self.fallback, channel=self.channel)

    def agrees_with(self, other: Mapping[str, Any]) -> bool:
        """Whether an import with this plan may go on where one with the other (``as_dict``) stopped.

        The file's name and a day that nobody gave don't count: an import that goes on tomorrow is the same one.
        """
        mine = self.as_dict()
        same = all(mine[key] == other.get(key) for key in ("mapping", "channel"))
        given = [plan["fallback"] if plan["fallback"]["certain"] else None for plan in (mine, other) if "fallback" in plan]
        return same and len(given) == 2 and given[0] == given[1]

    def as_dict(self) -> dict[str, Any]:
        """As ``batches.plan`` holds it."""
        return {
            "mapping": self.mapping.as_dict(),
            "file_name": self.file_name,
            "channel": self.channel and self.channel.value,
            "fallback": {"day": self.fallback.day.isoformat(), "source": self.fallback.source, "certain": self.fallback.certain},
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> RowPlan:
        """The plan that ``as_dict`` gave.

        Raises:
            InputError: it isn't one; batches of earlier versions have none.
        """
        try:
            fallback = given["fallback"]
            return cls(
                ColumnMapping.from_dict(given["mapping"]),
                str(given["file_name"]),
                Fallback(date.fromisoformat(fallback["day"]), str(fallback["source"]), certain=bool(fallback["certain"])),
                Channel(given["channel"]) if given["channel"] else None,
            )
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "この取込には、行の読み方の記録がありません。",
                hint="前の版で取り込んだものです。直した行は、新しいファイルとして取り込んでください。",
            ) from None


@dataclass(frozen=True, slots=True)
class FilePlan:
    """A file found readable, with the plan of its rows."""

    source: Source
    rows: RowPlan

    @property
    def mapping(self) -> ColumnMapping:
        return self.rows.mapping


class _SheetInterpreter(Interpreter):
    """Names the sheet in the reasons for which it doesn't take a row, where the file has several."""

    def read(self, row: Row | RejectedRow) -> list[IncomingVoice] | RejectedRow:
        result = super().read(row)
        return in_sheet(result, row.sheet) if isinstance(row, SheetRow) and isinstance(result, RejectedRow) else result


def plan_source(source: Source, options: FileOptions, *, settings: Settings) -> FilePlan:
    """Settles how the rows of a file are understood.

    Raises:
        InputError: the mapping can't be used.
    """
    mapping, name = options.mapping, options.source_name or source.name
    if isinstance(mapping, ColumnMapping):
        resolved = mapping.bound_to(source.headings)
    else:
        resolved = resolve_calls(mapping, source, settings=settings)
    plan = RowPlan(resolved, name, fallback_day(resolved, file_name=name, received_on=options.received_on), options.channel)
    return FilePlan(by_call(source, resolved), _told(plan))


def plan_again(path: Path, stored: Mapping[str, Any], *, encoding: str) -> FilePlan:
    """The plan by which a batch took a file in (``batches.plan`` and ``batches.encoding``), with the same file opened again.

    Raises:
        InputError: the file can't be read, or the batch has no plan.
    """
    rows = RowPlan.from_dict(stored)
    source = open_source(path, encoding=encoding if encoding in TEXT_ENCODINGS else None)
    return FilePlan(by_call(source, rows.mapping), rows)


def _told(plan: RowPlan) -> RowPlan:
    """The plan with notes on what stands in for the columns that the file lacks."""
    mapping, fallback = plan.mapping, plan.fallback
    if "received_on" not in mapping.fields:
        mapping = with_notes(mapping, f"受付日の列がないので {fallback.day.isoformat()} とします（{fallback.source}から）。")
    if "channel" not in mapping.fields:
        mapping = with_notes(mapping, f"受付媒体の列がないので「{plan.interpreter().channel.value}」とします。")
    return RowPlan(mapping, plan.file_name, fallback, plan.channel)
