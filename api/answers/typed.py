"""What stands in the editor of an answer, as it was typed: whatever is wrong with it, it comes back to the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from fastapi import Form

from core.errors import InputError
from core.models import Delivery, Disposition, Draft, DraftKind
from loop.answers import DELIVERIES, DISPOSITIONS, KINDS


@dataclass(frozen=True, slots=True)
class Typed:
    """The editor's fields as strings. ``sources`` are ``answer:R08-000001-1`` and the like, ``version`` the draft's that was shown."""

    text: str = ""
    kind: str = DraftKind.FINAL.value
    disposition: str = ""
    delivery: str = ""
    review_on: str = ""
    sources: tuple[str, ...] = ()
    version: int = 0
    acknowledged: bool = False

    @classmethod
    def of(cls, draft: Draft) -> Typed:
        """What a saved draft says."""
        return cls(
            text=draft.text,
            kind=draft.kind.value,
            disposition=draft.disposition.value if draft.disposition else "",
            delivery=draft.delivery.value if draft.delivery else "",
            review_on=draft.review_on.isoformat() if draft.review_on else "",
            sources=tuple(f"{source['kind']}:{source['number']}" for source in draft.sources),
            version=draft.version,
        )

    def using(self, text: str, source: str) -> Typed:
        """With a past answer or a template put in below what is there, and named as a source."""
        joined = f"{self.text.rstrip()}\n\n{text}" if self.text.strip() else text
        return replace(self, text=joined, sources=(*self.sources, source) if source not in self.sources else self.sources)

    @property
    def named_sources(self) -> list[dict[str, str]]:
        """The sources as a draft keeps them."""
        return [{"kind": kind, "number": number} for kind, _, number in (source.partition(":") for source in self.sources)]

    def chosen_kind(self) -> DraftKind:
        """回答 or 中間回答. Raises ``InputError`` for anything else."""
        if self.kind not in {kind.value for kind in KINDS}:
            raise InputError("回答の種類が読めません。", hint="回答か中間回答を選んでください。")
        return DraftKind(self.kind)

    def chosen_disposition(self) -> Disposition | None:
        """The 対応区分, if one is chosen. Raises ``InputError`` for one that isn't in the list."""
        if self.disposition and self.disposition not in {name.value for name in DISPOSITIONS}:
            raise InputError("対応区分が読めません。", hint="一覧から選んでください。")
        return Disposition(self.disposition) if self.disposition else None

    def chosen_delivery(self) -> Delivery | None:
        """How it goes, if that is chosen. Raises ``InputError`` for a way that isn't in the list."""
        if self.delivery and self.delivery not in {name.value for name in DELIVERIES}:
            raise InputError("送り方が読めません。", hint="一覧から選んでください。")
        return Delivery(self.delivery) if self.delivery else None

    def chosen_review(self) -> date | None:
        """The day on which a promise is looked at again. Raises ``InputError`` for what is no day."""
        if not self.review_on.strip():
            return None
        try:
            return date.fromisoformat(self.review_on.strip())
        except ValueError:
            raise InputError("見直す日が日付として読めません。", hint="2026-12-01 のように書いてください。") from None


def typed_form(
    *,
    text: Annotated[str, Form(max_length=200_000)] = "",
    kind: Annotated[str, Form(max_length=32)] = DraftKind.FINAL.value,
    disposition: Annotated[str, Form(max_length=32)] = "",
    delivery: Annotated[str, Form(max_length=32)] = "",
    review_on: Annotated[str, Form(max_length=32)] = "",
    source: Annotated[list[str] | None, Form(max_length=50)] = None,
    version: Annotated[int, Form(ge=0, lt=2**31)] = 0,
    acknowledged: Annotated[bool, Form()] = False,
) -> Typed:
    """The editor's fields of a form."""
    return Typed(text, kind, disposition, delivery, review_on, tuple((source or [])[:20]), version, acknowledged)
