"""Cases that were merged: whatever hangs on one of them belongs to the case that has its voices now."""

from __future__ import annotations

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import Session

from core.models import Case


def members(case_id: int) -> Select[int]:
    """The ids of a case and of all that were merged into it, as a subquery."""
    family = select(literal(case_id).label("id")).cte(recursive=True)
    family = family.union(select(Case.id).join(family, Case.merged_into == family.c.id))
    return select(family.c.id)


def current(session: Session, case_id: int) -> int:
    """The id of the case that has the voices of this one now."""
    above = select(Case.id, Case.merged_into).where(Case.id == case_id).cte(recursive=True)
    above = above.union(select(Case.id, Case.merged_into).join(above, Case.id == above.c.merged_into))
    return session.scalar(select(above.c.id).where(above.c.merged_into.is_(None))) or case_id
