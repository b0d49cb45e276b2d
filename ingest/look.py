"""A first look at a file for a person: how its columns would be read, and what its first rows would become. Nothing is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.models import BatchContent, Channel
from core.settings import Settings
from ingest.calls import by_call, resolve_calls
from ingest.faq import FaqCountRow, FaqLog, open_faq_log
from ingest.faq_columns import FaqColumns, find_faq_columns
from ingest.incoming import IncomingVoice, RejectedRow
from ingest.mapping import ColumnMapping, guess_mapping
from ingest.mapping_choices import blank, choices_of, corrected
from ingest.mapping_files import AUTO
from ingest.options import FileOptions
from ingest.plan import plan_source
from ingest.readers import TEXT_ENCODINGS
from ingest.sources import Source, open_source

ROWS = 20
MOST_COLUMNS = 300  # that a person is asked about one by one


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has chosen for a file; empty where the program is to find out. ``columns``: keys of ``mapping_choices.CHOICES``.

    ``period`` is that of an FAQ log's counts; ``as_voices``: what looks like such a log is none.
    """

    encoding: str = ""
    mapping: str = AUTO
    columns: tuple[str, ...] | None = None
    channel: Channel | None = None
    received_on: date | None = None
    period: str = ""
    as_voices: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As ``uploads.options`` holds it."""
        return {
            "encoding": self.encoding,
            "mapping": self.mapping,
            "columns": None if self.columns is None else list(self.columns),
            "channel": self.channel and self.channel.value,
            "received_on": self.received_on and self.received_on.isoformat(),
            "period": self.period,
            "as_voices": self.as_voices,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Choices:
        """What ``as_dict`` gave; of an upload that nobody has looked at yet, no choices."""
        columns, channel, day = given.get("columns"), given.get("channel"), given.get("received_on")
        return cls(
            encoding=given.get("encoding", ""),
            mapping=given.get("mapping", AUTO),
            columns=None if columns is None else tuple(columns),
            channel=Channel(channel) if channel else None,
            received_on=date.fromisoformat(day) if day else None,
            period=given.get("period", ""),
            as_voices=given.get("as_voices", False),
        )

    def options(self, mapping: ColumnMapping | None, *, source_name: str | None = None) -> FileOptions:
        """The same for an import, by the mapping that came of it; ``None``: the file is an FAQ log."""
        encoding = self.encoding or None
        if mapping is None:
            return FileOptions(self.mapping, encoding, period=self.period or None, source_name=source_name)
        return FileOptions(mapping, encoding, self.channel, self.received_on, source_name=source_name)


@dataclass(frozen=True, slots=True)
class LookedRow:
    """One of the first rows: its cells as they stand, and the voices that it would become (a survey's may be none), or why it can't.

    ``counts``: those of an FAQ log's row, each good or rejected.
    """

    number: int
    cells: tuple[str, ...]
    voices: tuple[IncomingVoice, ...] = ()
    reject: RejectedRow | None = None
    counts: tuple[FaqCountRow | RejectedRow, ...] = ()

    @property
    def views(self) -> list[FaqCountRow]:
        """The good counts, in the order of their periods."""
        return sorted((item for item in self.counts if isinstance(item, FaqCountRow)), key=lambda item: item.span)

    @property
    def rejects(self) -> list[RejectedRow]:
        """What of it could not be taken."""
        return [*filter(None, [self.reject]), *(item for item in self.counts if isinstance(item, RejectedRow))]


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looks like under somebody's choices."""

    encoding: str
    is_text: bool
    """Whether the encoding was guessed and may be chosen."""
    lines: int
    headings: tuple[str, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[LookedRow, ...]
    mapping: ColumnMapping | None
    """What an import of voices would use; ``None`` where ``problem`` stands in the way, and for an FAQ log."""
    problem: InputError | None = None
    faq: FaqColumns | None = None
    """Where the columns of an FAQ log stand; ``None``: the file's records are voices."""

    @property
    def voices(self) -> int:
        """How many voices the rows that were looked at would give."""
        return sum(len(row.voices) for row in self.rows)

    @property
    def counts(self) -> int:
        """How many counts of an FAQ log they would give."""
        return sum(len(row.views) for row in self.rows)

    @property
    def content(self) -> BatchContent:
        """What the file's records would become."""
        return BatchContent.FAQ if self.faq else BatchContent.VOICES

    @property
    def rejects(self) -> int:
        """How many of them could not be taken; of an FAQ log, how many counts."""
        return sum(len(row.rejects) for row in self.rows)

    def samples(self, at: int, *, limit: int = 3) -> list[str]:
        """The first different values of a column."""
        return list(dict.fromkeys(cell for row in self.rows if at < len(row.cells) and (cell := row.cells[at].strip())))[:limit]


def look(path: Path, choices: Choices, *, settings: Settings) -> Look:
    """Reads a file's first rows under somebody's choices. A choice that doesn't fit is told in the result, for the person to mend.

    Raises:
        InputError: the file itself can't be read.
    """
    unreadable: InputError | None = None
    try:
        source = open_source(path, encoding=choices.encoding or None)
    except InputError as error:
        if not choices.encoding:
            raise
        source, unreadable = open_source(path), error
    unfit: InputError | None = None
    try:
        log = None if choices.as_voices else _look_at_faq(source, choices, unreadable, settings)
    except InputError as error:
        log, unfit = None, error
    if log:
        return log
    base, problem = _base(source, choices, settings)
    mapping, problem = base, unfit or problem
    if choices.columns is not None:
        try:
            mapping, problem = corrected(base, choices.columns), None
        except InputError as error:
            problem = error
    problem = unreadable or problem
    shown = choices_of(mapping)
    if problem is not None and choices.columns is not None:
        shown = (*choices.columns, *shown[len(choices.columns) :])[: len(shown)]
    return Look(
        encoding=source.encoding,
        is_text=source.encoding in TEXT_ENCODINGS,
        lines=source.lines,
        headings=mapping.headings,
        columns=shown,
        mapping=None if problem else mapping,
        problem=problem,
        **_first_rows(source, None if problem else mapping, choices, settings),
    )


def _look_at_faq(source: Source, choices: Choices, problem: InputError | None, settings: Settings) -> Look | None:
    """The look of an FAQ log, ``None`` if the source is none. That nothing tells the period stands in the look.

    Raises:
        InputError: the mapping that was chosen is one for FAQ logs, and its columns aren't there.
    """
    columns = find_faq_columns(source, settings=settings, mapping=choices.mapping)
    if columns is None:
        return None
    log: FaqLog | None = None
    if problem is None:
        try:
            log = open_faq_log(source, choices.options(None), settings=settings)
        except InputError as error:
            problem = error
    if log:
        columns = FaqColumns(log.columns, log.months)
    elif problem is None:
        return None
    return Look(
        encoding=source.encoding,
        is_text=source.encoding in TEXT_ENCODINGS,
        lines=source.lines,
        headings=source.headings,
        columns=columns.keys(len(source.headings)),
        notes=tuple(log.period_notes) if log else (),
        rows=tuple(_faq_rows(source, log, settings)),
        mapping=None,
        problem=problem,
        faq=columns,
    )


def _faq_rows(source: Source, log: FaqLog | None, settings: Settings) -> Iterator[LookedRow]:
    if log is None:
        with closing(source.rows(needed=0, settings=settings)) as read:
            for row in islice(read, ROWS):
                yield LookedRow(row.row, row.cells, reject=row) if isinstance(row, RejectedRow) else LookedRow(row.number, row.cells)
        return
    with closing(log.rows(settings=settings)) as counted:
        for counts in islice(counted, ROWS):
            yield LookedRow(counts[0].row, counts[0].cells, counts=tuple(counts))


def _base(source: Source, choices: Choices, settings: Settings) -> tuple[ColumnMapping, InputError | None]:
    """What the corrections are made to: the mapping that was chosen; where it doesn't fit, the guess; where there is none, nothing."""
    try:
        return resolve_calls(choices.mapping, source, settings=settings), None
    except InputError as error:
        problem = error
    try:
        return guess_mapping(source.headings), problem
    except InputError:
        return blank(source.headings), problem


def _first_rows(source: Source, mapping: ColumnMapping | None, choices: Choices, settings: Settings) -> dict[str, Any]:
    plan = mapping and plan_source(source, choices.options(mapping), settings=settings)
    interpreter = plan.rows.interpreter() if plan else None
    rows: list[LookedRow] = []
    read_by = by_call(source, mapping) if mapping else source
    with closing(read_by.rows(needed=mapping.needed if mapping else 0, settings=settings)) as read:
        for row in read:
            number = row.row if isinstance(row, RejectedRow) else row.number
            result = interpreter.read(row) if interpreter else (row if isinstance(row, RejectedRow) else [])
            if isinstance(result, RejectedRow):
                rows.append(LookedRow(number, row.cells, reject=result))
            else:
                rows.append(LookedRow(number, row.cells, tuple(result)))
            if len(rows) >= ROWS:
                break
    return {"rows": tuple(rows), "notes": plan.mapping.notes if plan else ()}
