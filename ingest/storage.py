"""A chunk into the tables, in one transaction: voices, secrets, labels, answers, search index, rejects, and how far the batch is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Engine, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import db, facts
from core.bulk import RawJson, among, insert_rows
from core.clock import fiscal_year, utc_now
from core.crypto import Keyring
from core.errors import ConflictError
from core.models import Answer, Batch, BatchStatus, Facet, Kind, MachineLabel, Reject, Secret, Sender, Status, Urgency, Voice
from core.senders import blind_sender
from ingest.chunks import Annotated, Chunk, StoredLabel, known_hashes
from ingest.deadlines import DeadlineRule
from ingest.incoming import IncomingVoice, RejectedRow
from ingest.receipts import lock_counters, receipt_number, set_counter
from nlp import likeness
from nlp.annotation import Annotation

Member = TypeVar("Member", bound=StrEnum)

_ATTEMPTS = 5
_LONGEST_TITLE = 500
_LONGEST_LABEL = 64


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
    voice: dict[str, Any]
    secrets: list[dict[str, Any]]
    labels: list[dict[str, Any]]
    terms: tuple[str, ...]
    sender: dict[str, Any] | None = field(default=None)
    answer: dict[str, Any] | None = field(default=None)


def save_chunk(
    engine: Engine,
    chunk: Chunk,
    annotated: Annotated,
    *,
    batch_id: int,
    keyring: Keyring,
    rule: DeadlineRule,
    move: Move | None = None,
) -> Sums:
    """Saves a chunk wholly or not at all, and moves the batch's checkpoint and sums with it.

    ``move`` moves something else in their place, in the same transaction.

    Raises:
        ConflictError: another import of the same file has moved the checkpoint meanwhile.
    """
    now = utc_now()
    prepared, rejects = _prepare(chunk, annotated, batch_id=batch_id, keyring=keyring, rule=rule, now=now)
    sealed = [_reject_row(reject, batch_id, keyring) for reject in rejects]
    for attempt in range(_ATTEMPTS):
        try:
            with db.writing(engine) as session:
                return _write(session, chunk, prepared, sealed, batch_id=batch_id, move=move or move_batch)
        except IntegrityError:
            # Another import brought in the same voice between the look and the insert; it will be seen now.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _write(
    session: Session, chunk: Chunk, prepared: Sequence[_Prepared], rejects: Sequence[dict[str, Any]], *, batch_id: int, move: Move
) -> Sums:  # fmt: skip
    serials = lock_counters(session, {item.fiscal_year for item in prepared})
    known = known_hashes(session, [item.content_hash for item in prepared])
    fresh = [item for item in prepared if item.content_hash not in known]
    sums = Sums(len(fresh), chunk.duplicates + len(prepared) - len(fresh), len(rejects))
    move(session, chunk, sums, batch_id)
    for item in fresh:
        serials[item.fiscal_year] += 1
        item.voice["receipt_number"] = receipt_number(item.fiscal_year, serials[item.fiscal_year])
    for year, last in serials.items():
        set_counter(session, year, last)
    if fresh:
        _insert(session, Voice, (item.voice for item in fresh))
        inserted = select(Voice.content_hash, Voice.id).where(among(session, Voice.content_hash, [item.content_hash for item in fresh]))
        ids = dict(session.execute(inserted).all())
        _insert(session, Secret, ({"voice_id": ids[item.content_hash], **row} for item in fresh for row in item.secrets))
        _insert(session, MachineLabel, ({"voice_id": ids[item.content_hash], **row} for item in fresh for row in item.labels))
        _insert(session, Answer, ({"voice_id": ids[item.content_hash], **item.answer} for item in fresh if item.answer))
        _insert(session, Sender, ({"voice_id": ids[item.content_hash], **item.sender} for item in fresh if item.sender))
        likeness.index(session, [(ids[item.content_hash], item.terms) for item in fresh])
        facts.add(session, [item.voice for item in fresh])
    _insert(session, Reject, iter(rejects))
    return sums


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


def _insert(session: Session, model: type[Any], rows: Iterator[dict[str, Any]]) -> None:
    insert_rows(session, model.__table__, list(rows))


def _prepare(
    chunk: Chunk, annotated: Annotated, *, batch_id: int, keyring: Keyring, rule: DeadlineRule, now: datetime
) -> tuple[list[_Prepared], list[RejectedRow]]:  # fmt: skip
    prepared: list[_Prepared] = []
    rejects = list(chunk.rejects)
    masked = {"": ("", 0), **annotated.masked}
    for voice, annotation, labels, terms in zip(chunk.voices, annotated.annotations, annotated.labels, annotated.terms, strict=True):
        if not annotation.masked.strip():
            reason = "個人情報を除くと本文が残りません。原文を確かめてください。"
            rejects.append(RejectedRow(voice.row, "", "empty", reason, voice.cells))
            continue
        department = voice.department or annotation.department.label[:_LONGEST_LABEL]
        row = _voice_row(voice, annotation, masked, department=department, rule=rule, now=now)
        prepared.append(
            _Prepared(
                voice.content_hash,
                fiscal_year(voice.received_on),
                {"batch_id": batch_id, **row},
                _secret_rows(voice, keyring),
                [_label_row(label, annotation.model, now) for label in labels],
                terms,
                _sender_row(voice, keyring),
                _answer_row(voice, masked[voice.answer][0], department) if voice.answer else None,
            )
        )
    return prepared, rejects


def _voice_row(
    voice: IncomingVoice, annotation: Annotation, masked: dict[str, tuple[str, int]], *, department: str, rule: DeadlineRule, now: datetime
) -> dict[str, Any]:  # fmt: skip
    title, in_title = masked[voice.title]
    context = dict(voice.context)
    if choice := context.get("choice"):
        context["choice"] = masked[choice][0]
    return {
        "external_id": voice.external_id,
        "row": voice.row,
        "content_hash": voice.content_hash,
        "channel": voice.channel,
        "received_on": voice.received_on,
        "received_at": voice.received_at,
        "title": _cut(title, _LONGEST_TITLE),
        "text": annotation.masked,
        "context": context,
        "attributes": {name: masked[value][0] if value in masked else value for name, value in voice.attributes.items()},
        "district": voice.district,
        "theme": annotation.theme.label[:_LONGEST_LABEL],
        "subtheme": annotation.subtheme.label[:_LONGEST_LABEL],
        "kind": _member(Kind, annotation.kind.label, Kind.OTHER),
        "urgency": _member(Urgency, annotation.urgency.label, Urgency.NORMAL),
        "department": department,
        "confidence": annotation.theme.confidence,
        "pii_count": len(annotation.pii) + in_title,
        "segments": [segment.in_masked() for segment in annotation.segments] if len(annotation.segments) > 1 else [],
        "related": [name for name in annotation.related if name != department],
        "reidentifying": list(annotation.reidentifying),
        "status": Status.ANSWERED if voice.answer else Status.RECEIVED,
        "due_on": rule.due_on(voice.received_on) if voice.has_deadline else None,
        "publishable": voice.publishable,
        "created_at": now,
    }


def _answer_row(voice: IncomingVoice, text: str, department: str) -> dict[str, Any]:
    published = (voice.answered_on or voice.received_on) if voice.publishable else None
    return {"text": text, "department": department, "answered_on": voice.answered_on, "published_on": published}


def _secret_rows(voice: IncomingVoice, keyring: Keyring) -> list[dict[str, Any]]:
    contents = {"original": voice.original, "contact": voice.contact}
    rows = []
    for name, content in contents.items():
        if content:
            place = f"voice:{voice.content_hash}:{name}"
            sealed = keyring.seal(json.dumps(dict(content), ensure_ascii=False), place=place)
            rows.append({"field": name, "key_id": keyring.current, "place": place, "sealed": sealed})
    return rows


def _sender_row(voice: IncomingVoice, keyring: Keyring) -> dict[str, Any] | None:
    return {"key_id": keyring.current, "sender": blind_sender(voice.contact, keyring)} if voice.contact else None


def _label_row(label: StoredLabel, model: str, now: datetime) -> dict[str, Any]:
    return {
        "facet": Facet(label.facet),
        "value": label.value[:_LONGEST_LABEL],
        "confidence": label.confidence,
        "alternatives": RawJson(label.alternatives),
        "evidence": RawJson(label.evidence),
        "model": model[:_LONGEST_LABEL],
        "created_at": now,
    }


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


def _member(enum: type[Member], value: str, otherwise: Member) -> Member:
    return next((member for member in enum if member.value == value), otherwise)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
