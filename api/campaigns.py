"""Near-copies after voices came in: grouped by ``nlp``, then handled as one by ``loop``."""

from __future__ import annotations

from sqlalchemy import Engine

from core.settings import Settings
from loop.folding import fold_campaigns
from nlp.campaigns import CampaignReport


def update_campaigns(engine: Engine, settings: Settings) -> CampaignReport:
    """Puts new near-copies into their groups, and the open ones of each group into one case."""
    from nlp import likeness

    report = likeness.update_campaigns(engine, settings)
    fold_campaigns(engine)
    return report
