"""What a run says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a run did: over how many voices and topics, how many voices it placed, and the ids of the topics by what became of them.

    ``kept`` are all that go on, those that ``grew`` among them; ``split`` were born out of another topic, ``born`` out of none.
    """

    run: int
    mode: str
    voices: int
    placed: int
    topics: int
    kept: tuple[int, ...]
    grew: tuple[int, ...]
    born: tuple[int, ...]
    split: tuple[int, ...]
    merged: tuple[int, ...]
    ended: tuple[int, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The line of ``koe topics fit --json``."""
        counts = {name: len(getattr(self, name)) for name in ("kept", "grew", "born", "split", "merged", "ended")}
        return {
            "run": self.run, "mode": self.mode, "voices": self.voices, "placed": self.placed, "topics": self.topics, **counts,
            "seconds": round(self.seconds, 2),
        }  # fmt: skip
