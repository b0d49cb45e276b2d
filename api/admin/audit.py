"""The audit trail for administrators: who did what, to what and when, page by page, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import audit_words, exports
from api.deps import EXPORTS, MAY_ADMINISTER, SEARCHES, Administrator, EngineOf, KeyringOf, PagesOf, Reading
from api.exports import Export, Format, Sheet, Value
from api.fields import Address, Day, Name, Number, Text
from core import audit_trail
from core.audit_trail import AuditFilter
from core.clock import to_tokyo
from core.crypto import Keyring
from core.models import AuditEntry
from loop import searches
from loop.filters import words_of

router = APIRouter(include_in_schema=False)
PAGE = 50
EXPORTED = 50_000


class AuditQuery(Address):
    """The page's address. ``word``: whether somebody searched for it, though the trail doesn't hold what was searched for."""

    who: Name = ""
    action: Name = ""
    subject: Text = ""
    since: Day = None
    until: Day = None
    word: Text = ""
    before: Number = None

    def filter(self, keyring: Keyring) -> AuditFilter:
        """The filter in the trail's words."""
        marks = tuple(searches.marks_of(keyring, words_of(self.word)))
        action = searches.ACTION if marks else self.action
        return AuditFilter(actor=self.who, action=action, subject=self.subject, since=self.since, until=self.until, marks=marks)

    def address(self, **changes: object) -> str:
        """The page with some fields changed."""
        return "/admin/audit" + self.query(**changes)


class AuditFileQuery(AuditQuery):
    """The page's address, and the file that is wanted of it."""

    format: Format | None = None


@router.get("/admin/audit", dependencies=[Depends(MAY_ADMINISTER), Depends(SEARCHES), Depends(EXPORTS)])
def audit_page(
    request: Request,
    query: Annotated[AuditFileQuery, Query()],
    signed_in: Administrator,
    session: Reading,
    engine: EngineOf,
    keyring: KeyringOf,
    pages: PagesOf,
) -> Response:
    """The newest acts under a filter; as a file at most ``EXPORTED``."""
    wanted = query.filter(keyring)
    if query.format:
        entries = audit_trail.listing(session, wanted, limit=EXPORTED)
        return exports.respond(engine, _export(query, entries), query.format, actor=signed_in.actor.username)
    found = audit_trail.listing(session, wanted, before=query.before, limit=PAGE + 1)
    shown = found[:PAGE]
    context = {
        "query": query,
        "entries": shown,
        "newest": query.address(before="") if query.before else None,
        "older": query.address(before=shown[-1].id) if len(found) > PAGE else None,
        "verified": audit_trail.last_verification(session),
        "words": audit_words,
        "most": EXPORTED,
    }
    return pages.page(request, "admin/audit.html", context)


def _export(query: AuditQuery, entries: Sequence[AuditEntry]) -> Export:
    columns = ("番号", "日時", "だれが", "何を", "行いの記号", "対象", "くわしく", "ハッシュ")
    rows: list[list[Value]] = [
        [
            entry.id,
            to_tokyo(entry.at).isoformat(sep=" ", timespec="seconds"),
            entry.actor,
            audit_words.action(entry.action),
            entry.action,
            entry.subject,
            " / ".join(f"{name}: {value}" for name, value in audit_words.detail(entry.detail, entry.action)),
            entry.digest,
        ]
        for entry in entries
    ]
    conditions: list[tuple[str, Value]] = [
        ("だれが", query.who),
        ("何を", audit_words.action(query.action) if query.action else ""),
        ("対象", query.subject),
        ("日（から）", query.since),
        ("日（まで）", query.until),
        ("検索語", query.word),
    ]
    return Export("admin.audit", "監査記録", conditions, [Sheet("監査記録", columns, rows)], typed=("検索語",))
