"""What the JSON API says of imports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from api.admin.import_view import UNDO_REASONS
from core.errors import InputError
from core.models import BatchContent, BatchStatus, Channel, JobState
from core.settings import Settings
from ingest.look import MOST_COLUMNS, Choices
from ingest.mapping_choices import CHOICES
from ingest.mapping_files import AUTO, mapping_names
from ingest.readers import TEXT_ENCODINGS


class BatchItem(BaseModel):
    """One import; ``read = imported + duplicates + rejected``."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    source_name: str
    content: BatchContent
    encoding: str
    mapping: str
    status: BatchStatus
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    read: int = Field(validation_alias=AliasChoices("read", "rows_read"))
    imported: int
    duplicates: int
    rejected: int
    blank: int


class BatchesAnswer(BaseModel):
    """A page of imports, the newest first; ``next`` is what ``before`` must be for the page after it, or empty."""

    items: list[BatchItem]
    next: int | None


class BatchAnswer(BatchItem):
    """One import with its open rejects by code."""

    open_rejects: dict[str, int]


class RejectItem(BaseModel):
    """A row that was not taken, without its content. ``resolution``: imported, duplicate or discarded; empty while it is open."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    row: int
    column: str
    code: str
    reason: str
    resolution: str


class RejectsAnswer(BaseModel):
    """A page of rejects; ``next`` is what ``after`` must be for the page after it, or empty."""

    items: list[RejectItem]
    next: int | None


class UploadAnswer(BaseModel):
    """A file that was sent and not taken in yet."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int
    sha256: str
    uploaded_by: str
    created_at: datetime


class LookAnswer(BaseModel):
    """How a file would be read. ``columns``: for each heading a field's key, ``attribute``, ``reason``, ``question``, or empty.

    Those of an FAQ log are ``number``, ``question``, ``answer``, ``theme``, ``department``, ``period``, ``views``, or empty.
    """

    upload: UploadAnswer
    content: BatchContent
    encoding: str
    headings: list[str]
    columns: list[str]
    notes: list[str]
    voices: int = Field(description="that the first rows would give")
    counts: int = Field(description="of an FAQ log that the first rows would give")
    rejects: int = Field(description="of the first rows")
    problem: str = Field(description="in Japanese; empty when the file can be taken in")


class ChoicesInput(BaseModel):
    """How a file is to be read; what is left out is found out from the file."""

    encoding: str = ""
    mapping: str = Field(default=AUTO, max_length=64)
    columns: list[str] | None = Field(default=None, max_length=MOST_COLUMNS)
    channel: Channel | None = None
    received_on: date | None = None
    period: str = Field(default="", max_length=64, description="of an FAQ log's counts that don't say theirs: 2026-04, 2026年度")
    content: Literal[BatchContent.VOICES] | None = Field(default=None, description="voices: what looks like an FAQ log is none")

    def choices(self, settings: Settings) -> Choices:
        """The same for ``ingest.look``.

        Raises:
            InputError: an encoding, a mapping or a column's choice that there isn't.
        """
        if self.encoding not in ("", *TEXT_ENCODINGS):
            raise InputError(
                f"文字コード「{self.encoding[:32]}」がわかりません。", hint=f"{'、'.join(TEXT_ENCODINGS)} から選んでください。"
            )
        names = (AUTO, *mapping_names(settings))
        if self.mapping not in names:
            raise InputError(f"対応表「{self.mapping}」はありません。", hint=f"使えるもの: {'、'.join(names)}。")
        unknown = [name for name in self.columns or () if name not in CHOICES]
        if unknown:
            raise InputError(
                f"列の項目「{unknown[0][:32]}」がわかりません。", hint=f"{'、'.join(filter(None, CHOICES))} から選んでください。"
            )
        columns = None if self.columns is None else tuple(self.columns)
        as_voices = self.content is BatchContent.VOICES
        return Choices(self.encoding, self.mapping, columns, self.channel, self.received_on, self.period.strip(), as_voices)


class JobAnswer(BaseModel):
    """A background job of an import."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    state: JobState
    done: int
    total: int
    message: str
    result: dict[str, Any]
    error: str
    hint: str
    batch_id: int | None


class UndoInput(BaseModel):
    """Why a batch is taken back. ``force``: also when staff have worked on its voices."""

    reason: Literal["file", "mapping", "twice", "trial", "request"]
    force: bool = False

    @property
    def words(self) -> str:
        return UNDO_REASONS[self.reason]
