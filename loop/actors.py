"""Who acts, which voices that person sees, and what that person may do to one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, select

from core.models import Role, Voice, VoiceConcern

LABELLERS = frozenset({Role.ADMIN, Role.KOCHO, Role.DEPARTMENT})
OPERATORS = frozenset({Role.ADMIN, Role.KOCHO})
ADMINISTRATORS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff who is signed in."""

    user_id: int
    username: str
    display_name: str
    role: Role
    department: str

    @property
    def may_label(self) -> bool:
        """Whether this person may accept and change labels; a manager reads only."""
        return self.role in LABELLERS

    @property
    def may_operate(self) -> bool:
        """Whether this person may take files in and see to the background jobs."""
        return self.role in OPERATORS

    @property
    def may_administer(self) -> bool:
        """Whether this person may look after accounts and keys and read the audit trail."""
        return self.role in ADMINISTRATORS

    def may_see(self, voice: Voice) -> bool:
        """Whether a voice is there for this person: for a department only if it answers for it or is concerned (関係課).

        The same rule as ``visible_to``, for a voice that has been read.
        """
        if self.role is not Role.DEPARTMENT:
            return True
        return bool(self.department) and (voice.department == self.department or self.department in voice.related)

    def may_hand_over(self, voice: Voice) -> bool:
        """Whether this person may say which department a voice belongs to; a department only of its own, or it could open any original."""
        return self.may_label and (self.role is not Role.DEPARTMENT or self.may_read_original(voice))

    def may_read_original(self, voice: Voice) -> bool:
        """広聴課 and administrators may read every original, a department only those of its own voices, a manager none."""
        if self.role is Role.DEPARTMENT:
            return bool(self.department) and voice.department == self.department
        return self.role in LABELLERS


def visible_to(actor: Actor | None) -> list[ColumnElement[bool]]:
    """The conditions, to be joined by AND, under which a voice is there for a person: ``Actor.may_see`` in SQL.

    ``None`` stands for the system itself and for whoever runs ``koe``, who reach the database anyway.
    """
    if actor is None or actor.role is not Role.DEPARTMENT:
        return []
    if not actor.department:
        return [false()]
    concerned = select(VoiceConcern.voice_id).where(VoiceConcern.department == actor.department)
    return [or_(Voice.department == actor.department, Voice.id.in_(concerned))]
