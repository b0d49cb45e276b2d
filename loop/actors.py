"""Who acts, and what that person may do to a voice."""

from __future__ import annotations

from dataclasses import dataclass

from core.models import Role, Voice

LABELLERS = frozenset({Role.ADMIN, Role.KOCHO, Role.DEPARTMENT})
OPERATORS = frozenset({Role.ADMIN, Role.KOCHO})


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
