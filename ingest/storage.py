"""A chunk into the tables, in one transaction: voices, secrets, labels, answers, search index, rejects, and how far the batch is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Engine, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import db, facts
from core.bulk import RawJson, Same, among, insert_columns, insert_rows
from core.clock import fiscal_year, utc_now
from core.crypto import Keyring
from core.deadline_rules import DeadlineRules, Matter
from core.errors import ConflictError
from core.models import Answer, Base, Batch, BatchStatus, Facet, Kind, MachineReading, Reject, Secret, Sender, Status, Urgency, Voice
from core.senders import blind_sender
from ingest.chunks import LONGEST_LABEL, Annotated, Chunk, Reading, known_hashes
from ingest.incoming import IncomingVoice, RejectedRow
from ingest.receipts import lock_counters, receipt_number, set_counter
from nlp import likeness

_ATTEMPTS = 5
_LONGEST_TITLE = 500
_KINDS: Final = {kind.value: kind for kind in Kind}
_URGENCIES: Final = {urgency.value: urgency for urgency in Urgency}
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Sums:
    """What became of a chunk, or of a file. ``read`` is always the sum of the three."""

    imported: int = 0
    duplicates: int = 0
    rejected: int = 0

    @property
    def read(self) -> int:
        return self.imported + self.duplicates + self.rejected

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.imported + other.imported, self.duplicates + other.duplicates, self.rejected + other.rejected)


Move = Callable[[Session, Chunk, Sums, int], None]
"""Given a chunk, what became of it and its batch's id, says so in the transaction that saves it."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A voice's rows, all but the ids and the receipt number. Sealing is done before the transaction begins."""

    content_hash: str
    fiscal_year: int
    voice: tuple[Any, ...]
    """In the order of ``_VOICE_COLUMNS``."""
    secrets: tuple[tuple[str, str, bytes], ...]
    """(field, place, sealed) each."""
    reading: Reading
    sender: tuple[str | None, ...]
    """The blind sender of a voice with a contact."""
    answer: tuple[Any, ...]
    """(text, department, answered on, published on) of a voice with an answer."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What all rows of a chunk have in common."""

    batch_id: int
    key_id: str
    model: str
    now: datetime


def save_chunk(
    engine: Engine,
    chunk: Chunk,
    annotated: Annotated,
    *,
    batch_id: int,
    keyring: Keyring,
    rules: DeadlineRules,
    move: Move | None = None,
) -> Sums:
    """Saves a chunk wholly or not at all, and moves the batch's checkpoint and sums with it.

    ``move`` moves something else in their place, in the same transaction.

    Raises:
        ConflictError: another import of the same file has moved the checkpoint meanwhile.
    """
    common = _Common(batch_id, keyring.current, annotated.model[:LONGEST_LABEL], utc_now())
    prepared, rejects = _prepare(chunk, annotated, keyring=keyring, rules=rules)
    sealed = [_reject_row(reject, batch_id, keyring) for reject in rejects]
    for attempt in range(_ATTEMPTS):
        try:
            with db.writing(engine) as session:
                return _write(session, chunk, prepared, sealed, common, move=move or move_batch)
        except IntegrityError:
            # Another import brought in the same voice between the look and the insert; it will be seen now.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _write(
    session: Session, chunk: Chunk, prepared: Sequence[_Prepared], rejects: Sequence[dict[str, Any]], common: _Common, *, move: Move
) -> Sums:  # fmt: skip
    db.expect_much(session)
    # The index has one writer at a time. Who waits for it at once, before anything is locked, keeps nobody else waiting meanwhile.
    likeness.take_turns(session)
    serials = lock_counters(session, {item.fiscal_year for item in prepared})
    known = known_hashes(session, [item.content_hash for item in prepared])
    fresh = [item for item in prepared if item.content_hash not in known]
    sums = Sums(len(fresh), chunk.duplicates + len(prepared) - len(fresh), len(rejects))
    move(session, chunk, sums, common.batch_id)
    receipts = []
    for item in fresh:
        serials[item.fiscal_year] += 1
        receipts.append(receipt_number(item.fiscal_year, serials[item.fiscal_year]))
    for year, last in serials.items():
        set_counter(session, year, last)
    if fresh:
        _insert_voices(session, fresh, receipts, common)
    insert_rows(session, Reject.__table__, rejects)
    return sums


def _insert_voices(session: Session, fresh: Sequence[_Prepared], receipts: Sequence[str], common: _Common) -> None:
    own: dict[str, Sequence[Any] | Same] = {"batch_id": Same(common.batch_id), "created_at": Same(common.now), "receipt_number": receipts}
    _insert(session, Voice, _VOICE_COLUMNS, [item.voice for item in fresh], own)
    inserted = select(Voice.content_hash, Voice.id).where(among(session, Voice.content_hash, [item.content_hash for item in fresh]))
    id_of = dict(session.execute(inserted).all())
    ids = [id_of[item.content_hash] for item in fresh]
    both = list(zip(ids, fresh, strict=True))

    secrets = [(voice, *secret) for voice, item in both for secret in item.secrets]
    _insert(session, Secret, ("voice_id", "field", "place", "sealed"), secrets, {"key_id": Same(common.key_id)})
    labels = [(voice, *(label and RawJson(label) for label in item.reading.labels)) for voice, item in both]
    _insert(session, MachineReading, ("voice_id", *Facet), labels, {"model": Same(common.model), "created_at": Same(common.now)})
    senders = [(voice, *item.sender) for voice, item in both if item.sender]
    _insert(session, Sender, ("voice_id", "sender"), senders, {"key_id": Same(common.key_id)})
    answers = [(voice, *item.answer) for voice, item in both if item.answer]
    _insert(session, Answer, ("voice_id", "text", "department", "answered_on", "published_on"), answers, {})
    facts.add(session, [{name: item.voice[place] for name, place in _COUNTED} for item in fresh])
    likeness.index_new(session, ids, [item.reading.terms for item in fresh], [item.reading.wording for item in fresh])


def move_batch(session: Session, chunk: Chunk, sums: Sums, batch_id: int) -> None:
    """A chunk's sums and the rows that are done with it.

    Raises:
        ConflictError: the batch isn't where the chunk begins, or isn't under way.
    """
    moved = update(Batch).where(Batch.id == batch_id, Batch.checkpoint == chunk.first_row, Batch.status == BatchStatus.RUNNING)
    result = session.execute(
        moved.values(
            checkpoint=chunk.rows_done,
            blank=Batch.blank + chunk.blank,
            rows_read=Batch.rows_read + sums.read,
            imported=Batch.imported + sums.imported,
            duplicates=Batch.duplicates + sums.duplicates,
            rejected=Batch.rejected + sums.rejected,
        ).execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise ConflictError("同じファイルの取込が、ほかで進んでいます。", hint="終わってから、もう一度取り込んでください。")


def _insert(
    session: Session, model: type[Base], names: Sequence[str], rows: Sequence[tuple[Any, ...]], others: Mapping[str, Sequence[Any] | Same]
) -> None:  # fmt: skip
    if rows:
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        insert_columns(session, model.__table__, {**columns, **others}, count=len(rows))


def _prepare(
    chunk: Chunk, annotated: Annotated, *, keyring: Keyring, rules: DeadlineRules
) -> tuple[list[_Prepared], list[RejectedRow]]:  # fmt: skip
    prepared: list[_Prepared] = []
    rejects = list(chunk.rejects)
    masked = {"": ("", 0), **annotated.masked}
    for voice, reading in zip(chunk.voices, annotated.readings, strict=True):
        if not reading.masked.strip():
            reason = "個人情報を除くと本文が残りません。原文を確かめてください。"
            rejects.append(RejectedRow(voice.row, "", "empty", reason, voice.cells))
            continue
        department = voice.department or reading.department[:LONGEST_LABEL]
        prepared.append(
            _Prepared(
                content_hash=voice.content_hash,
                fiscal_year=fiscal_year(voice.received_on),
                voice=_voice_row(voice, reading, masked, department=department, rules=rules),
                secrets=_sealed(voice, keyring),
                reading=reading,
                sender=(blind_sender(voice.contact, keyring),) if voice.contact else (),
                answer=_answer_row(voice, masked[voice.answer][0], department) if voice.answer else (),
            )
        )
    return prepared, rejects


_VOICE_COLUMNS = (
    "external_id", "row", "content_hash", "channel", "received_on", "received_at", "title", "text", "context", "attributes", "district",
    "theme", "subtheme", "kind", "urgency", "department", "confidence", "pii_count", "segments", "related", "reidentifying", "status",
    "is_open", "due_on", "publishable",
)  # fmt: skip
_COUNTED = tuple((name, _VOICE_COLUMNS.index(name)) for name in ("received_on", *facts.OWN))


def _voice_row(
    voice: IncomingVoice, reading: Reading, masked: dict[str, tuple[str, int]], *, department: str, rules: DeadlineRules
) -> tuple[Any, ...]:  # fmt: skip
    title, in_title = masked[voice.title]
    context = dict(voice.context)
    if choice := context.get("choice"):
        context["choice"] = masked[choice][0]
    theme = reading.theme[:LONGEST_LABEL]
    kind, urgency = _KINDS.get(reading.kind, Kind.OTHER), _URGENCIES.get(reading.urgency, Urgency.NORMAL)
    matter = Matter(voice.channel, kind, urgency, theme, department)
    due_on = rules.due_on(voice.received_on, voice.received_at, matter=matter) if voice.has_deadline else None
    return (
        voice.external_id,
        voice.row,
        voice.content_hash,
        voice.channel,
        voice.received_on,
        voice.received_at,
        _cut(title, _LONGEST_TITLE),
        reading.masked,
        context,
        {name: masked[value][0] if value in masked else value for name, value in voice.attributes.items()},
        voice.district,
        theme,
        reading.subtheme[:LONGEST_LABEL],
        kind,
        urgency,
        department,
        reading.confidence,
        reading.pii + in_title,
        RawJson(reading.segments),
        [name for name in reading.related if name != department],
        RawJson(reading.reidentifying),
        Status.ANSWERED if voice.answer else Status.RECEIVED,
        not voice.answer,
        due_on,
        voice.publishable,
    )


def _answer_row(voice: IncomingVoice, text: str, department: str) -> tuple[Any, ...]:
    published = (voice.answered_on or voice.received_on) if voice.publishable else None
    return text, department, voice.answered_on, published


def _sealed(voice: IncomingVoice, keyring: Keyring) -> tuple[tuple[str, str, bytes], ...]:
    contents = (("original", voice.original), ("contact", voice.contact))
    places = ((name, f"voice:{voice.content_hash}:{name}", content) for name, content in contents if content)
    return tuple((name, place, keyring.seal(_AS_JSON(dict(content)), place=place)) for name, place, content in places)


def _reject_row(reject: RejectedRow, batch_id: int, keyring: Keyring) -> dict[str, Any]:
    cells = json.dumps(list(reject.cells), ensure_ascii=False)
    return {
        "batch_id": batch_id,
        "row": reject.row,
        "column": _storable(reject.column)[:255],
        "code": reject.code,
        "reason": reject.reason,
        "sealed_row": keyring.seal(cells, place=f"reject:{batch_id}:{reject.row}"),
    }


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
