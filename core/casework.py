"""What ties voices to their cases: which voice leads, and what of a case stands on its voices. No rights, no trail: the caller's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.bulk import among
from core.models import Case, Status, Voice

DONE = (Status.ANSWERED, Status.CLOSED)


def tie(case: Case, voices: Sequence[Voice]) -> None:
    """Makes the voices the case's own: its state on each, and the one with the nearest deadline in front."""
    lead = min(voices, key=lambda voice: (voice.due_on or date.max, voice.id))
    case.lead_id = lead.id
    for voice in voices:
        voice.case_id = case.id
        voice.folded = voice is not lead
        mark(voice, case.status)


def mark(voice: Voice, status: Status) -> None:
    """Sets a voice's state, and whether that is open work."""
    voice.status = status
    voice.is_open = status not in DONE


def release(session: Session, leaving: Sequence[int]) -> None:
    """Takes voices that will be deleted out of their cases: what stays is led by another voice, a case that is left empty goes."""
    touched = select(Voice.case_id).where(among(session, Voice.id, leaving), Voice.case_id.is_not(None)).distinct()
    cases = session.scalars(select(Case).where(Case.id.in_(touched)).order_by(Case.id).with_for_update()).all()
    if not cases:
        return
    gone = set(leaving)
    staying: dict[int, list[Voice]] = defaultdict(list)
    numbers = [case.id for case in cases]
    for voice in session.scalars(select(Voice).where(among(session, Voice.case_id, numbers)).order_by(Voice.id).with_for_update()):
        if voice.id not in gone and voice.case_id is not None:
            staying[voice.case_id].append(voice)
    empty = [case.id for case in cases if not staying[case.id]]
    for case in cases:
        if staying[case.id]:
            tie(case, staying[case.id])
            case.version += 1
    session.flush()
    session.execute(
        update(Voice).where(among(session, Voice.case_id, empty)).values(case_id=None).execution_options(synchronize_session=False)
    )
    # Cases that were merged into one that goes have no voices either.
    family = list(empty)
    while family:
        below = session.scalars(select(Case.id).where(among(session, Case.merged_into, family))).all()
        family = [number for number in below if number not in empty]
        empty += family
    session.execute(
        update(Case).where(among(session, Case.id, empty)).values(merged_into=None).execution_options(synchronize_session=False)
    )
    session.execute(delete(Case).where(among(session, Case.id, empty)).execution_options(synchronize_session=False))
