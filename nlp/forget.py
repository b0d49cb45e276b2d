"""Voices that go: index, groups of near-copies and topics are left as if they had never come. The caller deletes the voices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from core.bulk import among
from core.clock import utc_now
from core.models import Campaign, CampaignMember, ReadingMark, Topic, TopicMembership, Voice, VoiceWording
from nlp import postings
from nlp.grouping import Parts
from nlp.topic_tree import above
from nlp.wordings import NEAR, VALUES, grams, near, overlap, plain_text


def hold_marks(session: Session) -> None:
    """Takes turns with those who bring groups up to date, until the transaction ends."""
    session.execute(select(ReadingMark.voice_id).with_for_update()).all()


def forget(session: Session, voices: Sequence[int], *, leaving: ColumnElement[bool]) -> dict[int, int]:
    """Takes voices out of groups, index and topics, and gives the topic that each was in. What else hangs on them goes with their rows.

    ``leaving`` is a condition on ``Voice`` that holds for all that will go: a group that loses one of them loses them all at once.
    """
    groups = select(CampaignMember.campaign_id).where(among(session, CampaignMember.voice_id, voices)).distinct()
    for group in session.scalars(groups.order_by(CampaignMember.campaign_id)).all():
        _leave_group(session, group, leaving)
    postings.remove(session, voices)
    return _leave_topics(session, voices)


def lower_marks(session: Session) -> None:
    """After voices were deleted: SQLite gives the highest ids out again, and marks must not stand above them."""
    last = session.scalar(select(func.max(Voice.id))) or 0
    marks = update(ReadingMark).where(ReadingMark.voice_id > last).values(voice_id=last)
    session.execute(marks.execution_options(synchronize_session=False))


def _leave_group(session: Session, group: int, leaving: ColumnElement[bool]) -> None:
    """Takes the voices that will go out of a group, and divides what stays by what still joins it.

    The part with the group's first voice keeps its id, the others begin groups of their own; a voice that is left alone is in none.
    """
    goes = case((leaving, 1), else_=0)
    members = select(CampaignMember.voice_id, CampaignMember.text_id, goes).join(Voice, Voice.id == CampaignMember.voice_id)
    rows = session.execute(members.where(CampaignMember.campaign_id == group).order_by(CampaignMember.voice_id)).all()
    gone = [voice for voice, _, going in rows if going]
    staying: dict[int, list[int]] = defaultdict(list)
    for voice, text_id, going in rows:
        if not going:
            staying[text_id].append(voice)
    session.execute(delete(CampaignMember).where(among(session, CampaignMember.voice_id, gone)))
    voices_of: dict[int, list[int]] = {}
    for text_id, voices in staying.items():
        if text_id not in voices:
            _rename(session, voices)
        voices_of[voices[0]] = voices
    lost = {text_id for _, text_id, _ in rows} - staying.keys()
    parts = _connected(session, sorted(voices_of)) if lost else [sorted(voices_of)]
    for place, part in enumerate(sorted(parts)):
        _settle(session, [voice for text_id in part for voice in voices_of[text_id]], group if place == 0 else None)


def _rename(session: Session, voices: Sequence[int]) -> None:
    """A wording's first voice goes: the next one that uses it stands for it."""
    renamed = update(CampaignMember).where(among(session, CampaignMember.voice_id, voices)).values(text_id=voices[0])
    session.execute(renamed.execution_options(synchronize_session=False))


def _connected(session: Session, firsts: Sequence[int]) -> list[list[int]]:
    """The wordings that are joined by near-copies, as ``nlp.grouping`` joins them; each under its first voice."""
    signed = select(VoiceWording.voice_id, VoiceWording.signature).where(among(session, VoiceWording.voice_id, firsts))
    rows = session.execute(signed.order_by(VoiceWording.voice_id)).all()
    signatures = np.frombuffer(b"".join(row.signature for row in rows), "<u2").reshape(-1, VALUES)
    pairs = [(rows[older].voice_id, rows[newer].voice_id) for older, newer in near(signatures, since=0).tolist()]
    wanted = among(session, Voice.id, sorted({voice for pair in pairs for voice in pair}))
    texts = {row.id: grams(plain_text(row.text)) for row in session.execute(select(Voice.id, Voice.text).where(wanted))}
    parts = Parts()
    for voice in firsts:
        parts.find(voice)
    for older, newer in pairs:
        if parts.find(older) != parts.find(newer) and overlap(texts[older], texts[newer]) >= NEAR:
            parts.join(newer, older)
    return [sorted(part) for part in parts.all()]


def _settle(session: Session, voices: Sequence[int], group: int | None) -> None:
    members = among(session, CampaignMember.voice_id, voices)
    if len(voices) < 2:
        session.execute(delete(CampaignMember).where(members))
    elif group is None:
        begun = Campaign(created_at=utc_now())
        session.add(begun)
        session.flush()
        moved = update(CampaignMember).where(members).values(campaign_id=begun.id)
        session.execute(moved.execution_options(synchronize_session=False))


def _leave_topics(session: Session, voices: Sequence[int]) -> dict[int, int]:
    # All of them, in one order: whoever moves voices between topics does so too.
    topics = {topic.id: topic for topic in session.scalars(select(Topic).order_by(Topic.id).with_for_update())}
    held = delete(TopicMembership).where(among(session, TopicMembership.voice_id, voices))
    left = held.returning(TopicMembership.voice_id, TopicMembership.topic_id).execution_options(synchronize_session=False)
    topic_of = dict(session.execute(left).all())
    counts = Counter(topic_of.values())
    for leaf, number in sorted(counts.items()):
        for topic in above(topics, leaf):
            topic.size = max(topic.size - number, 0)
    gone = set(voices)
    for topic in topics.values():
        if gone.intersection(topic.examples):
            topic.examples = [voice for voice in topic.examples if voice not in gone]
    session.flush()
    return topic_of
