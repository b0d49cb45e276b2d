"""Voices that a person puts into another topic, by hand or as a part that becomes a topic of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import audit
from core.bulk import among
from core.errors import ConflictError, InputError, NotFoundError
from core.models import Topic, TopicEvent, TopicEventKind, TopicMembership, TopicMove, TopicStatus, Voice
from nlp.topic_edits import LONGEST_NAME, free_name
from nlp.topic_parts import Part
from nlp.topic_places import NOWHERE, SURE, Topics, carry, hold_topics, home_of, is_group, keep_there, leaf, note, places_of, unpacked


def split(session: Session, topic_id: int, parts: Sequence[Part], *, name: str = "", user_id: int | None = None, actor: str) -> list[Topic]:
    """Makes topics of parts of a topic (``nlp.topic_parts``); the rest keeps id and name. ``merge`` takes it back.

    With ``name`` the one new topic is called so, by the person ``user_id``.

    Raises:
        InputError: a name for several topics, or one that can't be taken.
        ConflictError: the voices aren't in the topic any more, or none would stay; the topic is no longer in use.
        NotFoundError: there is no such topic.
    """
    topics = hold_topics(session)
    topic = leaf(topics, topic_id)
    if name and len(parts) != 1:
        raise InputError(
            "分けてできる話題が2つ以上あるため、1つの名前は付けられません。", hint="分けたあとで、それぞれに名前を付けてください。"
        )
    if name:
        name = free_name(topics, name)
    made = []
    for part in parts:
        voices = places_of(session, part.voices).get(topic_id, [])
        if not voices or len(voices) == topic.size:
            raise ConflictError("話題の声が、ほかで移されました。", hint="画面を開きなおして、もう一度試してください。")
        new = _born(session, topics, topic, part, name=name or _untaken(topics, part.name), user_id=user_id if name else None)
        before = topic.size
        carry(session, topics, {topic_id: voices}, new.id)
        by_hand = update(TopicMove).where(TopicMove.topic_id == topic_id, among(session, TopicMove.voice_id, voices))
        session.execute(by_hand.values(topic_id=new.id).execution_options(synchronize_session=False))
        note(session, topic, TopicEventKind.SPLIT, actor=actor, others=[new.id], before=before, voices=voices)
        note(session, new, TopicEventKind.SPLIT, actor=actor, others=[topic_id], before=0, detail={"words": list(part.words)})
        made.append(new)
    detail = {"topics": [new.id for new in made], "voices": sum(new.size for new in made)}
    audit.record(session, actor=actor, action="topics.split", subject=f"topic:{topic_id}", detail=detail)
    return made


def move(session: Session, voice_ids: Sequence[int], topic_id: int, *, actor: str) -> Topic:
    """Puts voices into a topic, where every run leaves them (``unmove``).

    Raises:
        InputError: no voices, or a topic that only holds others together.
        ConflictError: the topic is no longer in use.
        NotFoundError: there is no such topic, or a voice isn't there.
    """
    voices = sorted(set(voice_ids))
    # Locked as what is written of them below locks them, but before the topics: an undo of their import holds them first, too.
    wanted = select(Voice.id).where(among(session, Voice.id, voices)).order_by(Voice.id)
    there = session.scalars(wanted.with_for_update(read=True, key_share=True)).all()
    topics = hold_topics(session)
    topic = leaf(topics, topic_id)
    if not voices:
        raise InputError("移す声が選ばれていません。", hint="声を1件以上選んでください。")
    if len(there) < len(voices):
        raise NotFoundError(
            f"選んだ声のうち {len(voices) - len(there)} 件が見つかりません。", hint="一覧を開きなおして、選びなおしてください。"
        )
    places = {place: some for place, some in places_of(session, voices).items() if place != topic_id}
    _carry(session, topics, places, topic, actor=actor)
    sure = update(TopicMembership).where(among(session, TopicMembership.voice_id, voices)).values(probability=SURE)
    session.execute(sure.execution_options(synchronize_session=False))
    keep_there(session, voices, topic_id, actor=actor)
    detail = {"voices": len(voices), "from": sorted(places)}
    audit.record(session, actor=actor, action="topics.move", subject=f"topic:{topic_id}", detail=detail)
    return topic


def unmove(session: Session, voice_ids: Sequence[int], *, only: int | None = None, actor: str) -> list[Topic]:
    """Takes the hand off voices: back to the topics that they were moved from, where these are still in use, and runs may place them.

    ``only``: all of them must have been put into this topic. Gives the topics that they are in now.

    Raises:
        ConflictError: a voice wasn't put where it is by a person.
    """
    topics = hold_topics(session)
    held = select(TopicMove.voice_id, TopicMove.topic_id).where(among(session, TopicMove.voice_id, sorted(set(voice_ids))))
    put = dict(session.execute(held).all())
    if not put or len(put) < len(set(voice_ids)) or (only is not None and set(put.values()) != {only}):
        raise ConflictError("手で移した声でないものがあります。", hint="手で移した声だけを選んでください。")
    back: dict[int, list[int]] = {}
    for voice, source in _sources(session, put).items():
        home = home_of(topics, source)
        if home is not None and not is_group(topics, home.id):
            back.setdefault(home.id, []).append(voice)
    session.execute(delete(TopicMove).where(among(session, TopicMove.voice_id, sorted(put))).execution_options(synchronize_session=False))
    for target, voices in sorted(back.items()):
        places = {place: some for place, some in places_of(session, sorted(voices)).items() if place not in (target, NOWHERE)}
        _carry(session, topics, places, topics[target], actor=actor, taken_back=True)
    audit.record(session, actor=actor, action="topics.unmove", subject="topics", detail={"voices": len(put), "to": sorted(back)})
    return [topics[number] for number in sorted(places_of(session, sorted(put))) if number != NOWHERE]


def _carry(
    session: Session, topics: Topics, places: dict[int, list[int]], into: Topic, *, actor: str, taken_back: bool = False
) -> None:  # fmt: skip
    sizes = {number: topics[number].size for number in (*places, into.id) if number in topics}
    carry(session, topics, places, into.id)
    mark = {"taken_back": True} if taken_back else {}
    for source, voices in sorted(places.items()):
        if source != NOWHERE:
            detail = {"voices": len(voices), **mark}
            note(
                session,
                topics[source],
                TopicEventKind.MOVED,
                actor=actor,
                others=[into.id],
                before=sizes[source],
                voices=voices,
                detail=detail,
            )
    sources = [source for source in places if source != NOWHERE]
    detail = {"voices": sum(map(len, places.values())), **mark}
    note(session, into, TopicEventKind.MOVED, actor=actor, others=sources, before=sizes[into.id], detail=detail)


def _sources(session: Session, put: dict[int, int]) -> dict[int, int]:
    """The topics that voices were moved from when they came to where a person put them; without those that were in none."""
    wanted = select(TopicEvent.topic_id, TopicEvent.others, TopicEvent.voices).where(
        TopicEvent.kind == TopicEventKind.MOVED, TopicEvent.voices.is_not(None)
    )
    found: dict[int, int] = {}
    lacking = set(put)
    with session.execute(wanted.order_by(TopicEvent.id.desc()).execution_options(yield_per=50)) as events:
        for source, others, stored in events:
            came = {voice for voice in lacking.intersection(unpacked(stored)) if put[voice] in others}
            found |= dict.fromkeys(came, source)
            lacking -= came
            if not lacking:
                break
    return found


def _born(session: Session, topics: Topics, source: Topic, part: Part, *, name: str, user_id: int | None) -> Topic:
    new = Topic(
        name=name,
        machine_name=part.name,
        named_by=user_id,
        seeds=list(part.words),
        parent_id=source.parent_id,
        size=0,
        keywords=[{"word": word, "weight": weight} for word, weight in part.keywords],
        examples=list(part.examples),
        born_run_id=source.last_run_id,
        last_run_id=source.last_run_id,
    )
    session.add(new)
    session.flush()
    topics[new.id] = new
    return new


def _untaken(topics: Topics, name: str) -> str:
    taken: Collection[str] = {topic.name for topic in topics.values() if topic.status is TopicStatus.ACTIVE}
    further = (f"{name[: LONGEST_NAME - 5]}（{number}）" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in further if other not in taken)
