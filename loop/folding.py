"""Campaigns (同文・一斉投稿) as cases: what came as one is handled as one, and a person may take it apart again."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from core import db
from core.models import CampaignMember, Voice
from loop import merging

FEWEST = 3  # near-copies: two of them may be one person who sent twice


def fold_campaigns(engine: Engine, *, fewest: int = FEWEST) -> int:
    """Puts the open voices of every campaign that are in no case yet into its case; gives how many cases were begun or grew.

    Each campaign in a transaction of its own. Voices that a person took out of one have a case of their own, and stay there.
    """
    waiting = (
        select(CampaignMember.campaign_id)
        .join(Voice, Voice.id == CampaignMember.voice_id)
        .where(Voice.is_open.is_(True), Voice.case_id.is_(None))
        .group_by(CampaignMember.campaign_id)
    )
    large = select(CampaignMember.campaign_id).group_by(CampaignMember.campaign_id).having(func.count() >= fewest)
    with db.reading(engine) as session:
        found = session.scalars(waiting.where(CampaignMember.campaign_id.in_(large)).order_by(CampaignMember.campaign_id)).all()
    folded = 0
    for campaign in found:
        with db.writing(engine) as session:
            members = session.scalars(select(CampaignMember.voice_id).where(CampaignMember.campaign_id == campaign)).all()
            folded += merging.fold_campaign(session, members) is not None
    return folded
