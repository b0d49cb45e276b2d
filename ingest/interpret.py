"""A row and its mapping become voices: the row of a list one, the row of a wide survey one for each non-empty reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePath

from core.cleaning import clean_line, clean_text
from core.clock import today
from core.models import Channel
from ingest.dates import DateError, add_time, day_in_file_name, parse_moment
from ingest.headings import CONTACT_FIELDS, FIELD_NAMES, Reason
from ingest.incoming import IncomingVoice, RejectedRow, Row, content_hash, digest
from ingest.mapping import ColumnMapping
from ingest.normalize import folded, is_nothing, parse_channel, parse_yes

_LONGEST = {"external_id": 100, "district": 64, "department": 64}
_KEPT = {"age": "age", "sex": "sex", "kind": "given_kind", "theme": "given_theme"}
_LONGEST_ATTRIBUTE = 200


@dataclass(frozen=True, slots=True)
class Fallback:
    """The received day of rows that don't tell theirs, and where it comes from (Japanese)."""

    day: date
    source: str
    certain: bool
    """Somebody said it (an option or a mapping), it wasn't derived."""


class _RejectError(Exception):
    def __init__(self, field: str, code: str, reason: str) -> None:
        super().__init__(code)
        self.field, self.code, self.reason = field, code, reason


def fallback_day(mapping: ColumnMapping, *, file_name: str, received_on: date | None, as_of: date | None = None) -> Fallback:
    """Which day holds without a date in the row: the option, else the mapping's default, else the file's name, else today."""
    if received_on:
        return Fallback(received_on, "指定", certain=True)
    if mapping.defaults.received_on:
        return Fallback(mapping.defaults.received_on, "対応表の既定値", certain=True)
    named = day_in_file_name(PurePath(file_name).stem, as_of=as_of)
    if named:
        return Fallback(named, "ファイル名", certain=False)
    return Fallback(as_of or today(), "取込日", certain=False)


class Interpreter:
    """Reads a file's rows in order. It counts identical rows of a survey, so every row must pass through it once.

    ``channel`` holds for rows without a channel of their own, ``fallback`` for rows without a date column.
    """

    def __init__(
        self, mapping: ColumnMapping, *, file_name: str, fallback: Fallback, channel: Channel | None = None, as_of: date | None = None
    ) -> None:
        self.mapping = mapping
        self.prefix = clean_line(mapping.defaults.prefix or PurePath(file_name).stem)[:80]
        self.fallback = fallback
        self.channel = channel or mapping.defaults.channel or Channel.OTHER
        self.as_of = as_of or today()
        self._places = {field: (position, mapping.values.get(field)) for field, position in mapping.fields.items()}
        self._turn = 0
        self._times: Counter[int] = Counter()

    def skip(self, row: Row | RejectedRow) -> None:
        """Passes over a row that was done earlier, but counts it."""
        self._turn += 1
        if isinstance(row, Row):
            self._occurrence(row)

    def read(self, row: Row | RejectedRow) -> list[IncomingVoice] | RejectedRow:
        """The row's voices (none for a survey row without a reason), or why it can't be taken.

        Reject codes: those of ``readers``, and ``empty`` (no body), ``date``, ``too_long`` (number, district, department).
        """
        self._turn += 1
        return row if isinstance(row, RejectedRow) else self._read(row, str(self._turn), self._occurrence(row))

    def read_mended(self, row: Row, *, occurrence: int) -> list[IncomingVoice] | RejectedRow:
        """``read`` of a row that stands by itself: one that was rejected and mended.

        ``occurrence``: which one it is among the identical rows of the file, from 1. Numbers made for its voices have the line
        (``…-L17``), since its turn isn't known.
        """
        return self._read(row, f"L{row.number}", "" if self.mapping.same_rows == "one" else str(occurrence))

    def _read(self, row: Row, place: str, occurrence: str) -> list[IncomingVoice] | RejectedRow:
        try:
            return self._survey(row, place, occurrence) if self.mapping.is_survey else [self._voice(row, place, occurrence)]
        except _RejectError as reject:
            column = self._heading(reject.field)
            return RejectedRow(row.number, column, reject.code, reject.reason, row.cells)

    def _occurrence(self, row: Row) -> str:
        """Which one this is among the identical rows of the file; always the first where identical rows are one and the same."""
        if self.mapping.same_rows == "one":
            return ""
        key = int(digest(row.cells)[:15], 16)
        self._times[key] += 1
        return str(self._times[key])

    def _voice(self, row: Row, place: str, occurrence: str) -> IncomingVoice:
        raw = self._raw(row, "text")
        text = clean_text(raw)
        if not text:
            raise _RejectError("text", "empty", "本文が空です。本文を入れるか、行を除いてください。")
        common = self._common(row)
        title, answer = clean_line(self._raw(row, "title")), self._raw(row, "answer")
        identity = (
            ["id", common.external_id]
            if common.external_id
            else ["row", occurrence, clean_line(title), common.district, str(common.received_at or ""),
                  *(f"{key}={value}" for key, value in sorted({**common.contact, **common.attributes}.items()))]
        )  # fmt: skip
        return IncomingVoice(
            external_id=common.external_id or f"{self.prefix}-{place}",
            row=row.number,
            content_hash=content_hash(text, received_on=common.own_day, channel=common.own_channel, identity=identity),
            channel=common.channel,
            received_on=common.received_on,
            received_at=common.received_at,
            text=text,
            title="" if is_nothing(title) else title,
            answer="" if is_nothing(answer) else clean_text(answer),
            answered_on=self._answered_on(row),
            district=common.district,
            department=self._short(row, "department"),
            contact=common.contact,
            attributes=common.attributes,
            original={"title": self._raw(row, "title"), "text": self._raw(row, "original") or raw, "answer": answer},
            publishable=parse_yes(self._raw(row, "publishable")),
            has_deadline=self.mapping.deadline,
            cells=row.cells,
        )

    def _survey(self, row: Row, place: str, occurrence: str) -> list[IncomingVoice]:
        reasons = [(reason, text) for reason in self.mapping.reasons if (text := clean_text(row.cells[reason.position]))]
        if not reasons:
            return []
        common = self._common(row)
        respondent = ["id", common.external_id] if common.external_id else ["row", digest(row.cells), occurrence]
        base = common.external_id or f"{self.prefix}-{place}"
        department = self._short(row, "department")
        publishable = parse_yes(self._raw(row, "publishable"))
        return [
            IncomingVoice(
                external_id=f"{base}-{reason.code}",
                row=row.number,
                content_hash=content_hash(
                    text, received_on=common.own_day, channel=common.own_channel, identity=[*respondent, reason.code, str(reason.position)]
                ),
                channel=common.channel,
                received_on=common.received_on,
                received_at=common.received_at,
                text=text,
                district=common.district,
                department=department,
                contact=common.contact,
                attributes=common.attributes,
                context=self._context(row, reason),
                original={"title": "", "text": row.cells[reason.position], "answer": ""},
                publishable=publishable,
                has_deadline=self.mapping.deadline,
                cells=row.cells if len(reasons) == 1 else self._with_one_reason(row.cells, reason.position),
            )
            for reason, text in reasons
        ]

    def _with_one_reason(self, cells: tuple[str, ...], kept: int) -> tuple[str, ...]:
        others = {reason.position for reason in self.mapping.reasons} - {kept}
        return tuple("" if at in others else cell for at, cell in enumerate(cells))

    def _context(self, row: Row, reason: Reason) -> dict[str, str]:
        asked = reason.position if reason.question is None else reason.question
        choice = "" if reason.question is None else clean_line(row.cells[reason.question])
        return {"question": clean_text(self.mapping.headings[asked]), "choice": choice}

    def _common(self, row: Row) -> _Common:
        day, at = self._received(row)
        own_channel, attributes = self._channel(row)
        for field, name in _KEPT.items():
            if value := clean_line(self._raw(row, field)):
                attributes[name] = value[:_LONGEST_ATTRIBUTE]
        for name, position in self.mapping.attributes.items():
            if value := clean_line(row.cells[position]):
                attributes[name] = value[:_LONGEST_ATTRIBUTE]
        external_id = self._short(row, "external_id")
        return _Common(
            external_id="" if is_nothing(external_id) else external_id,
            channel=own_channel or self.channel,
            own_channel=own_channel,
            received_on=day or self.fallback.day,
            own_day=day,
            received_at=at,
            district=self._short(row, "district"),
            contact={field: value for field in CONTACT_FIELDS if (value := self._raw(row, field).strip())},
            attributes=attributes,
        )

    def _received(self, row: Row) -> tuple[date | None, datetime | None]:
        if "received_on" not in self.mapping.fields:
            return None, None
        given = self._raw(row, "received_on")
        if is_nothing(given):
            if self.fallback.certain:
                return None, None
            found = "受付日に日付がありません（「未定」など）。" if given.strip() else "受付日が空です。"
            raise _RejectError("received_on", "date", f"{found}日付を入れるか、取込のときに受付日を指定してください。")
        try:
            moment = parse_moment(given, as_of=self.as_of)
        except DateError as error:
            raise _RejectError("received_on", "date", str(error)) from None
        clock = self._raw(row, "received_time")
        if moment.at or is_nothing(clock):
            return moment.day, moment.at
        try:
            return moment.day, add_time(moment.day, clock)
        except DateError as error:
            raise _RejectError("received_time", "date", str(error)) from None

    def _answered_on(self, row: Row) -> date | None:
        given = self._raw(row, "answered_on")
        if is_nothing(given):
            return None
        try:
            return parse_moment(given, as_of=self.as_of).day
        except DateError as error:
            raise _RejectError("answered_on", "date", str(error)) from None

    def _channel(self, row: Row) -> tuple[Channel | None, dict[str, str]]:
        given = self._raw(row, "channel")
        if is_nothing(given):
            return None, {}
        channel = parse_channel(given)
        return (channel, {}) if channel else (Channel.OTHER, {"given_channel": clean_line(given)[:_LONGEST_ATTRIBUTE]})

    def _short(self, row: Row, field: str) -> str:
        value = clean_line(self._raw(row, field))
        if len(value) > _LONGEST[field]:
            reason = f"{FIELD_NAMES[field]}が {len(value):,} 文字あります（上限は {_LONGEST[field]} 文字）。列の対応を確かめてください。"
            raise _RejectError(field, "too_long", reason)
        return value

    def _raw(self, row: Row, field: str) -> str:
        place = self._places.get(field)
        if place is None:
            return ""
        position, table = place
        cell = row.cells[position]
        return table.get(folded(cell), cell) if table else cell

    def _heading(self, field: str) -> str:
        position = self.mapping.fields.get(field)
        return "" if position is None else self.mapping.headings[position][:255] or f"{position + 1} 列目"


@dataclass(frozen=True, slots=True)
class _Common:
    """What all voices of one row share. ``own_…``: as the row itself gave it."""

    external_id: str
    channel: Channel
    own_channel: Channel | None
    received_on: date
    own_day: date | None
    received_at: datetime | None
    district: str
    contact: dict[str, str]
    attributes: dict[str, str]
