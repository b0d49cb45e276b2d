"""People's words on labels: accept, change, take back. Each is a new row; nothing that was said before is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit, facts
from core.bulk import among, insert_rows
from core.clock import utc_now
from core.errors import ConflictError, ForbiddenError, InputError
from core.models import AuditEntry, Facet, HumanLabel, Kind, MachineLabel, MachineReading, Status, Urgency, Voice
from loop.actors import Actor
from nlp.taxonomy import Taxonomy

_SET = "label.set"


def in_force(voice: Voice, facet: Facet) -> str:
    """The label that counts now."""
    return str(getattr(voice, facet.value))


def choices(taxonomy: Taxonomy, facet: Facet, *, theme: str) -> tuple[str, ...]:
    """What a person may choose for a facet; the 中分類 are those of ``theme``, and "" stands for none."""
    if facet is Facet.THEME:
        return taxonomy.theme_names
    if facet is Facet.SUBTHEME:
        return ("", *next((entry.subthemes for entry in taxonomy.themes if entry.name == theme), ()))
    if facet is Facet.KIND:
        return tuple(kind.value for kind in Kind)
    if facet is Facet.URGENCY:
        return tuple(urgency.value for urgency in Urgency)
    return ("", *(department.name for department in taxonomy.departments))


def decide(
    session: Session, voice: Voice, facet: Facet, value: str, *, actor: Actor, taxonomy: Taxonomy, seen: int | None = None
) -> list[HumanLabel]:
    """A person sets a facet, or confirms what stands there. A new theme clears a 中分類 that isn't its own.

    ``seen`` is the id of the newest decision that the person had before their eyes (0 for none); ``None`` doesn't ask.

    Raises:
        ForbiddenError: this person may not label, or would take another department's voice.
        InputError: the value is not one of the taxonomy's.
        ConflictError: somebody decided in the meantime.
    """
    _require_labeller(actor)
    if facet is Facet.DEPARTMENT:
        require_handing_over(actor, [voice])
    if value not in choices(taxonomy, facet, theme=voice.theme) and value != in_force(voice, facet):
        raise InputError(f"「{value[:64]}」は選べません。", hint="一覧にあるものから選んでください。")
    newest, machine = _newest(session, voice), _machine(session, voice)
    if seen is not None and seen != newest.get(facet, 0):
        raise ConflictError("ほかの職員が先に変更しました。", hint="画面を開きなおして、いまの内容を確かめてください。")
    before, counted = {facet: in_force(voice, facet)}, facts.attributes_of(session, voice)
    made = [_write(session, voice, facet, value, actor=actor, machine=machine)]
    if facet is Facet.THEME and voice.subtheme not in choices(taxonomy, Facet.SUBTHEME, theme=value):
        before[Facet.SUBTHEME] = voice.subtheme
        made.append(_write(session, voice, Facet.SUBTHEME, "", actor=actor, machine=machine))
    session.flush()
    facts.move(session, before=[counted], after=[facts.attributes_of(session, voice)])
    detail = {"from": _plain(before), "to": _plain({label.facet: label.value for label in made}), "ids": [label.id for label in made]}
    audit.record(session, actor=actor.username, action=_SET, subject=f"voice:{voice.id}", detail=detail)
    _mark_triaged(voice, decided=_decided(session, voice), machine=machine)
    return made


def undecided(session: Session, voices: Sequence[Voice]) -> list[tuple[Voice, Facet, str]]:
    """What ``put`` takes to confirm every label in force of these voices that nobody has decided yet."""
    numbers = [voice.id for voice in voices]
    theirs = select(HumanLabel.voice_id, HumanLabel.facet).where(among(session, HumanLabel.voice_id, numbers), ~HumanLabel.undone)
    decided = set(session.execute(theirs).all())
    readings = session.scalars(select(MachineReading).where(among(session, MachineReading.voice_id, numbers)))
    said = {reading.voice_id: reading.labels() for reading in readings}
    return [
        (voice, facet, in_force(voice, facet)) for voice in voices for facet in said.get(voice.id, ()) if (voice.id, facet) not in decided
    ]


def put(session: Session, wanted: Sequence[tuple[Voice, Facet, str]], *, actor: Actor, undone: bool = False) -> None:
    """Writes a person's labels on many voices and moves their counts at once; the caller holds the voices, and writes the trail.

    A theme clears a 中分類 that was of another one, unless one is given with it. ``undone``: they put back what stood before.

    Raises:
        ForbiddenError: this person may not label.
    """
    _require_labeller(actor)
    if not wanted:
        return
    voices = {voice.id: voice for voice, _, _ in wanted}
    readings = session.scalars(select(MachineReading).where(among(session, MachineReading.voice_id, list(voices))))
    machine = {reading.voice_id: reading.labels() for reading in readings}
    facts.share(session)
    before = facts.rows_of(session, list(voices))
    named = {(voice.id, facet) for voice, facet, _ in wanted}
    rows = []
    for voice, facet, value in wanted:
        said = machine.get(voice.id, {})
        changed = value != in_force(voice, facet)
        rows.append(_put_on(voice, facet, value, actor=actor, machine=said) | {"undone": undone})
        if facet is Facet.THEME and changed and voice.subtheme and (voice.id, Facet.SUBTHEME) not in named:
            rows.append(_put_on(voice, Facet.SUBTHEME, "", actor=actor, machine=said) | {"undone": undone})
    session.flush()
    insert_rows(session, HumanLabel.__table__, rows)
    facts.move(session, before=before, after=facts.rows_of(session, list(voices)))


def take_back(session: Session, voices: Sequence[int], *, since: datetime) -> None:
    """Says of everything decided on these voices since then that it was taken back; what stands there is ``put`` by the caller."""
    theirs = update(HumanLabel).where(among(session, HumanLabel.voice_id, voices), HumanLabel.created_at >= since)
    session.execute(theirs.values(undone=True))


def undo(session: Session, voice: Voice, label_ids: Sequence[int], *, actor: Actor) -> list[HumanLabel]:
    """Takes decisions back: for each a further row with what stood there before it.

    Raises:
        ForbiddenError: this person may not label.
        ConflictError: a decision isn't this voice's, or a newer one of its facet exists.
    """
    _require_labeller(actor)
    machine, newest = _machine(session, voice), _newest(session, voice)
    rows = session.scalars(select(HumanLabel).where(HumanLabel.id.in_(label_ids), HumanLabel.voice_id == voice.id)).all()
    if not rows or len(rows) != len(set(label_ids)) or any(newest[row.facet] != row.id for row in rows):
        raise ConflictError("この変更は、もう取り消せません。", hint="あとから別の変更がありました。履歴を確かめてください。")
    before, counted = _stood_before(session, voice), facts.attributes_of(session, voice)
    made = []
    for row in sorted(rows, key=lambda row: row.id):
        value = before.get((row.id, row.facet), row.machine_value)
        made.append(_write(session, voice, row.facet, value, actor=actor, machine=machine, undone=True))
        row.undone = True
        if row.facet is Facet.THEME and row.facet in machine and _is_first(session, row):
            voice.confidence = machine[row.facet].confidence
    session.flush()
    facts.move(session, before=[counted], after=[facts.attributes_of(session, voice)])
    detail = {"undone": sorted(label_ids), "to": _plain({label.facet: label.value for label in made})}
    audit.record(session, actor=actor.username, action="label.undo", subject=f"voice:{voice.id}", detail=detail)
    return made


def _stood_before(session: Session, voice: Voice) -> dict[tuple[int, Facet], str]:
    # The trail knows what a decision replaced, also where that was neither a machine's word nor a person's but the source file's.
    entries = session.scalars(select(AuditEntry.detail).where(AuditEntry.subject == f"voice:{voice.id}", AuditEntry.action == _SET))
    return {(label, Facet(facet)): value for detail in entries for label in detail["ids"] for facet, value in detail["from"].items()}


def _is_first(session: Session, row: HumanLabel) -> bool:
    earlier = select(HumanLabel.id).where(HumanLabel.voice_id == row.voice_id, HumanLabel.facet == row.facet, HumanLabel.id < row.id)
    return session.scalar(earlier.limit(1)) is None


def _plain(labels: dict[Facet, str]) -> dict[str, str]:
    return {facet.value: value for facet, value in labels.items()}


def require_handing_over(actor: Actor, voices: Sequence[Voice]) -> None:
    """Raises ``ForbiddenError`` where a department would say to whom another one's voices belong."""
    if not all(actor.may_hand_over(voice) for voice in voices):
        raise ForbiddenError("ほかの課の声を自分の課に移すことはできません。", hint="移してほしいときは広聴課に頼んでください。")


def _require_labeller(actor: Actor) -> None:
    if not actor.may_label:
        raise ForbiddenError("分類を変える権限がありません。", hint="広聴課か所管課の職員に依頼してください。")


def _machine(session: Session, voice: Voice) -> dict[Facet, MachineLabel]:
    reading = session.get(MachineReading, voice.id)
    return reading.labels() if reading else {}


def _newest(session: Session, voice: Voice) -> dict[Facet, int]:
    statement = select(HumanLabel.facet, func.max(HumanLabel.id)).where(HumanLabel.voice_id == voice.id).group_by(HumanLabel.facet)
    return dict(session.execute(statement).all())


def _decided(session: Session, voice: Voice) -> set[Facet]:
    return set(session.scalars(select(HumanLabel.facet).where(HumanLabel.voice_id == voice.id, ~HumanLabel.undone)))


def _write(
    session: Session,
    voice: Voice,
    facet: Facet,
    value: str,
    *,
    actor: Actor,
    machine: dict[Facet, MachineLabel],
    undone: bool = False,
) -> HumanLabel:
    label = HumanLabel(**_put_on(voice, facet, value, actor=actor, machine=machine), undone=undone)
    session.add(label)
    return label


def _put_on(voice: Voice, facet: Facet, value: str, *, actor: Actor, machine: dict[Facet, MachineLabel]) -> dict[str, Any]:
    """Gives the voice the label, and what stands in the row that says who did."""
    typed: str = Kind(value) if facet is Facet.KIND else Urgency(value) if facet is Facet.URGENCY else value
    setattr(voice, facet.value, typed)
    if facet is Facet.THEME:
        voice.confidence = 1.0
    said = machine[facet].value if facet in machine else ""
    return {
        "voice_id": voice.id,
        "facet": facet,
        "value": value,
        "machine_value": said,
        "user_id": actor.user_id,
        "created_at": utc_now(),
    }


def _mark_triaged(voice: Voice, *, decided: set[Facet], machine: dict[Facet, MachineLabel]) -> None:
    # A voice that is in a case has been handled already.
    if voice.status is Status.RECEIVED and voice.case_id is None and decided.issuperset(machine or Facet):
        voice.status = Status.TRIAGED
