"""Voices that go: index, groups of near-copies and topics are left as if they had never come. The caller deletes the voices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from core.bulk import among
from core.clock import utc_now
from core.models import Campaign, CampaignMember, DistinctText, ReadingMark, TextBand, Topic, TopicMembership, Voice
from nlp import postings
from nlp.grouping import Parts
from nlp.similar import NEAR, grams, overlap, plain_text, wording


def hold_marks(session: Session) -> None:
    """Takes turns with those who bring groups up to date, until the transaction ends."""
    session.execute(select(ReadingMark.voice_id).with_for_update()).all()


def forget(session: Session, voices: Sequence[int], *, leaving: ColumnElement[bool]) -> None:
    """Takes voices out of groups, index and topics. What else hangs on them goes with their rows.

    ``leaving`` is a condition on ``Voice`` that holds for all that will go: a group that loses one of them loses them all at once.
    """
    groups = select(CampaignMember.campaign_id).where(among(session, CampaignMember.voice_id, voices)).distinct()
    for group in session.scalars(groups.order_by(CampaignMember.campaign_id)).all():
        _leave_group(session, group, leaving)
    postings.remove(session, voices)
    known = session.scalars(select(DistinctText.text_id).where(among(session, DistinctText.text_id, voices))).all()
    for text_id, text in _texts(session, known).items():
        _drop_bands(session, text_id, text)
    _leave_topics(session, voices)


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
            _rename(session, text_id, voices)
        voices_of[voices[0]] = voices
    lost = {text_id for _, text_id, _ in rows} - staying.keys()
    parts = _connected(_texts(session, sorted(voices_of))) if lost else [sorted(voices_of)]
    for place, part in enumerate(sorted(parts)):
        _settle(session, [voice for text_id in part for voice in voices_of[text_id]], group if place == 0 else None)


def _rename(session: Session, text_id: int, voices: Sequence[int]) -> None:
    """A wording's first voice goes: the next one that uses it stands for it."""
    heir = voices[0]
    key = session.scalar(select(DistinctText.text_key).where(DistinctText.text_id == text_id))
    session.execute(delete(DistinctText).where(DistinctText.text_id == text_id))
    if key is not None:
        session.add(DistinctText(text_id=heir, text_key=key))
        session.flush()
        text = _texts(session, [heir])[heir]
        found = wording(text)
        _drop_bands(session, text_id, text)
        session.add_all([TextBand(band=band, text_id=heir) for band in sorted(set(found.bands if found else ()))])
        session.flush()
    renamed = update(CampaignMember).where(among(session, CampaignMember.voice_id, voices)).values(text_id=heir)
    session.execute(renamed.execution_options(synchronize_session=False))


def _drop_bands(session: Session, text_id: int, text: str) -> None:
    found = wording(text)
    if found:
        session.execute(delete(TextBand).where(TextBand.text_id == text_id, TextBand.band.in_(found.bands)))


def _texts(session: Session, voices: Sequence[int]) -> dict[int, str]:
    return dict(session.execute(select(Voice.id, Voice.text).where(among(session, Voice.id, voices))).all())


def _connected(texts: Mapping[int, str]) -> list[list[int]]:
    """The wordings that are joined by near-copies, as ``nlp.grouping`` joins them."""
    parts = Parts()
    buckets: dict[int, list[int]] = defaultdict(list)
    own = {text_id: grams(plain_text(text)) for text_id, text in texts.items()}
    for text_id, text in sorted(texts.items()):
        parts.find(text_id)
        found = wording(text)
        for band in found.bands if found else ():
            for other in buckets[band]:
                if parts.find(text_id) != parts.find(other) and overlap(own[text_id], own[other]) >= NEAR:
                    parts.join(text_id, other)
            buckets[band].append(text_id)
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


def _leave_topics(session: Session, voices: Sequence[int]) -> None:
    counts: Counter[int] = Counter()
    held = select(TopicMembership.topic_id, func.count()).where(among(session, TopicMembership.voice_id, voices))
    for topic_id, number in session.execute(held.group_by(TopicMembership.topic_id)):
        counts[topic_id] += number
    gone = set(voices)
    leaves = session.scalars(select(Topic).where(Topic.id.in_(counts)).order_by(Topic.id)).all()
    for leaf in leaves:
        if leaf.parent_id is not None:
            counts[leaf.parent_id] += counts[leaf.id]
    for topic in session.scalars(select(Topic).where(Topic.id.in_(counts)).order_by(Topic.id).with_for_update()):
        topic.size = max(topic.size - counts[topic.id], 0)
        topic.examples = [voice for voice in topic.examples if voice not in gone]
    session.execute(delete(TopicMembership).where(among(session, TopicMembership.voice_id, voices)))
    session.flush()
