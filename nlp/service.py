"""Staff's corrections out of the tables, for training."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.models import Facet, HumanLabel, Voice
from nlp.corpus import Example, recency

_CHUNK = 2000
_DAY = 86_400


def corrections(session: Session, *, now: datetime | None = None) -> list[Example]:
    """What staff decided, as training examples: each voice once, with the newest label of each facet; older ones weigh less."""
    labels: dict[int, dict[Facet, str]] = {}
    made: dict[int, datetime] = {}
    columns = (HumanLabel.voice_id, HumanLabel.facet, HumanLabel.value, HumanLabel.created_at)
    for voice_id, facet, value, created_at in session.execute(select(*columns).order_by(HumanLabel.id)):
        labels.setdefault(voice_id, {})[facet] = value
        made[voice_id] = created_at
    now = now or utc_now()
    ids = sorted(labels)
    examples = []
    for start in range(0, len(ids), _CHUNK):
        texts = session.execute(select(Voice.id, Voice.text).where(Voice.id.in_(ids[start : start + _CHUNK])).order_by(Voice.id))
        for voice_id, text in texts:
            decided = labels[voice_id]
            theme = decided.get(Facet.THEME, "")
            examples.append(
                Example(
                    text=text,
                    theme=theme,
                    subtheme=decided.get(Facet.SUBTHEME, "") if theme else "",
                    kind=decided.get(Facet.KIND, ""),
                    urgency=decided.get(Facet.URGENCY, ""),
                    id=str(voice_id),
                    weight=recency((now - made[voice_id]).total_seconds() / _DAY),
                )
            )
    return examples
