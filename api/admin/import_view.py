"""What the import pages show of jobs and batches: words, shares, rates, time left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.models import Job, JobState
from ingest.headings import CONTACT_FIELDS, FIELD_NAMES
from ingest.mapping_choices import ATTRIBUTE, CHOICES, QUESTION, REASON, UNUSED
from ingest.readers import ENCODING_NAMES, TEXT_ENCODINGS

OPEN_REASONS: Mapping[str, str] = {
    "mend": "直して取り込むため",
    "compare": "もとの記録と照らし合わせるため",
    "report": "送り元に誤りを知らせるため",
}
"""Why a person opens rows that were not taken. A closed list: free text could carry personal data into the trail."""

DISCARD_REASONS: Mapping[str, str] = {
    "empty": "声ではない行（集計・空の行など）",
    "elsewhere": "別のファイルで取り込む",
    "withdrawn": "送り元から取り下げの依頼があった",
}
"""Why a row is left out for good."""

UNDO_REASONS: Mapping[str, str] = {
    "file": "違うファイルを取り込んだ",
    "mapping": "列の対応や文字コードが誤っていた",
    "twice": "同じ記録を別の形で取り込んでいた",
    "trial": "試しに取り込んだ",
    "request": "送り元から取り下げの依頼があった",
}
"""Why a person takes a whole batch back."""

ENCODINGS: Mapping[str, str] = {name: ENCODING_NAMES[name] for name in TEXT_ENCODINGS if name != "utf-8-sig"}

_TELLS = ("age", "sex", "district", "kind", "theme")
CHOICE_GROUPS: Mapping[str, Mapping[str, str]] = {
    "": {UNUSED: CHOICES[UNUSED]},
    "声": {name: text for name, text in FIELD_NAMES.items() if name not in (*CONTACT_FIELDS, *_TELLS)},
    "連絡先（暗号化してしまう）": {name: FIELD_NAMES[name] for name in CONTACT_FIELDS},
    "属性": {**{name: FIELD_NAMES[name] for name in _TELLS}, ATTRIBUTE: CHOICES[ATTRIBUTE]},
    "アンケート": {REASON: CHOICES[REASON], QUESTION: CHOICES[QUESTION]},
}
"""The choices for a column, as its list groups them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, in a person's terms."""

    job: Job
    share: float | None
    """0 to 1; ``None`` while nobody knows how much there is to do."""

    @classmethod
    def of(cls, job: Job) -> Progress:
        """A job's progress at this moment."""
        return cls(job, min(job.done / job.total, 1.0) if job.total else None)

    @property
    def open(self) -> bool:
        """Whether it waits or runs, so that the page looks again."""
        return self.job.state in (JobState.QUEUED, JobState.RUNNING)
