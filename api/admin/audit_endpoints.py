"""The audit trail for programs that keep a copy of it elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.admin.audit import AuditQuery
from api.deps import AUDIT_READ, SEARCHES, KeyringOf, Reading
from core import audit_trail

router = APIRouter(prefix="/api/v1", tags=["audit"])


class AuditItem(BaseModel):
    """One act. ``digest`` covers the row and ``previous``, the digest of the row before it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    previous: str
    digest: str


class AuditAnswer(BaseModel):
    """Acts, the newest first. ``next``: give it as ``before`` for those that come after them; empty at the end."""

    items: list[AuditItem]
    next: int | None


class AuditListQuery(AuditQuery):
    """The filters of the page, and how many acts at once."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("/audit", summary="監査記録", dependencies=[Depends(AUDIT_READ), Depends(SEARCHES)])
def entries(query: Annotated[AuditListQuery, Query()], session: Reading, keyring: KeyringOf) -> AuditAnswer:
    """A page of the trail under a filter."""
    found = audit_trail.listing(session, query.filter(keyring), before=query.before, limit=query.limit + 1)
    shown = found[: query.limit]
    items = [AuditItem.model_validate(entry) for entry in shown]
    return AuditAnswer(items=items, next=shown[-1].id if len(found) > query.limit else None)
