"""What people do to topics: name, join, divide, move voices, pin. Each act is written into the topics' history and the audit trail.

The caller commits. Every run leaves alone what was done here; what can be taken back says how.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.bulk import among
from core.errors import ConflictError, InputError
from core.models import Topic, TopicEvent, TopicEventKind, TopicMove, TopicStatus
from nlp.topic_places import (
    NOWHERE,
    Topics,
    active,
    carry,
    hold_topics,
    home_of,
    is_group,
    note,
    places_of,
    resize,
    unpacked,
    voices_of,
)
from nlp.topic_tree import above, below

LONGEST_NAME = 60
LONGEST_WORD = 30
MOST_WORDS = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def rename(session: Session, topic_id: int, name: str, *, user_id: int, actor: str) -> Topic:
    """Gives a topic a name that every run keeps; ``use_machine_name`` takes it back.

    Raises:
        InputError: there is no name, it is too long, or it is その他の声 that would get one.
        ConflictError: another topic has this name, or the topic is no longer in use.
        NotFoundError: there is no such topic.
    """
    topics = hold_topics(session)
    topic = active(topics, topic_id)
    _not_rest(topic, "の名前は変えられません")
    name = free_name(topics, name, but=topic_id)
    if topic.named_by is None and not topic.machine_name:
        topic.machine_name = topic.name
    return _named(session, topic, name, user_id=user_id, actor=actor)


def use_machine_name(session: Session, topic_id: int, *, actor: str) -> Topic:
    """Takes a person's name back: the topic is called what the machine calls it, and every run may change that.

    Raises:
        ConflictError: no person named it, the machine has no name for it, or another topic has that one.
        NotFoundError: there is no such topic.
    """
    topics = hold_topics(session)
    topic = active(topics, topic_id)
    if topic.named_by is None:
        raise ConflictError(f"話題 {topic_id}「{topic.name}」の名前は、機械が付けたものです。", hint="そのままお使いください。")
    if not topic.machine_name:
        raise ConflictError("機械が付けた名前が、まだありません。", hint="koe topics fit を実行してから、もう一度試してください。")
    return _named(session, topic, free_name(topics, topic.machine_name, but=topic_id), user_id=None, actor=actor)


def merge(session: Session, topic_ids: Sequence[int], into: int, *, actor: str) -> Topic:
    """Joins topics to another: their voices, or the topics below them, go there, and they never come back by themselves (``unmerge``).

    Raises:
        InputError: nothing to join, a topic to itself or to one below it, topics of two levels, or その他の声 would go.
        ConflictError: one of them is no longer in use.
        NotFoundError: there is no such topic.
    """
    topics = hold_topics(session)
    target = active(topics, into)
    given = [active(topics, number) for number in dict.fromkeys(topic_ids)]
    if not given:
        raise InputError("まとめる話題が選ばれていません。", hint="話題を1つ以上選んでください。")
    for topic in given:
        _may_join(topics, topic, target)
    before, carried = target.size, 0
    for topic in given:
        size, parent = topic.size, topic.parent_id
        if is_group(topics, topic.id):
            children = [child.id for child in below(topics, topic.id)]
            resize(topics, topic.id, -size)
            for child in children:
                topics[child].parent_id = into
            resize(topics, into, size)
            voices, by_hand = [], []
        else:
            children, voices = [], voices_of(session, topic.id)
            carry(session, topics, {topic.id: voices}, into)
            by_hand = _hand_over(session, topic.id, into)
        topic.status, topic.merged_into = TopicStatus.MERGED, into
        detail = {"children": children, "by_hand": by_hand}
        note(session, topic, TopicEventKind.MERGED, actor=actor, others=[into], before=size, voices=voices, detail=detail)
        _end_if_empty(session, topics, parent, actor=actor)
        carried += size
    note(session, target, TopicEventKind.MERGED, actor=actor, others=[topic.id for topic in given], before=before)
    joined = {"topics": [topic.id for topic in given], "voices": carried}
    audit.record(session, actor=actor, action="topics.merge", subject=f"topic:{into}", detail=joined)
    return target


def unmerge(session: Session, topic_id: int, *, actor: str) -> Topic:
    """Takes a topic out of the one that it was joined to; those of its voices that are still there go with it.

    Raises:
        ConflictError: it wasn't joined by a person, none of its voices is left there, or another topic has its name.
        NotFoundError: there is no such topic.
    """
    topics = hold_topics(session)
    topic = topics.get(topic_id) or active(topics, topic_id)
    event = joining(session, topic)
    if event is None or topic.merged_into is None:
        raise ConflictError(f"話題 {topic_id}「{topic.name}」は、人がまとめた話題ではありません。", hint="話題の履歴を確かめてください。")
    target = home_of(topics, topic.merged_into)
    held = places_of(session, unpacked(event.voices)).get(target.id, []) if target and event.voices else []
    children = [child for child in event.detail["children"] if target and topics[child].parent_id == target.id]
    if target is None or not (held or children):
        raise ConflictError("まとめた先に、この話題の声が残っていません。", hint="声を選んで、話題へ移してください。")
    free_name(topics, topic.name, but=topic_id)
    before = target.size
    topic.status, topic.merged_into = TopicStatus.ACTIVE, None
    _wake(topics, topic)
    if children:
        size = sum(topics[child].size for child in children)
        resize(topics, target.id, -size)
        for child in children:
            topics[child].parent_id = topic_id
        resize(topics, topic_id, size)
    carry(session, topics, {target.id: held}, topic_id)
    _hand_over(session, target.id, topic_id, only=event.detail["by_hand"])
    detail = {"taken_back": event.id}
    note(session, topic, TopicEventKind.SPLIT, actor=actor, others=[target.id], before=0, detail=detail)
    note(session, target, TopicEventKind.SPLIT, actor=actor, others=[topic_id], before=before, voices=held, detail=detail)
    audit.record(
        session, actor=actor, action="topics.unmerge", subject=f"topic:{topic_id}", detail={"from": target.id, "voices": topic.size}
    )
    return topic


def joining(session: Session, topic: Topic) -> TopicEvent | None:
    """The act by which a person joined a topic to another; ``None`` where no person did: it is in use or ended, or a run joined it."""
    if topic.status is not TopicStatus.MERGED:
        return None
    wanted = select(TopicEvent).where(TopicEvent.topic_id == topic.id, TopicEvent.kind == TopicEventKind.MERGED)
    event = session.scalars(wanted.order_by(TopicEvent.id.desc()).limit(1)).first()
    # A topic that others were joined to has such an event, too, and a run may have merged it away since.
    return event if event is not None and event.run_id is None and "children" in event.detail else None


def pin(session: Session, topic_id: int, words: Sequence[str], *, actor: str) -> Topic:
    """Holds a topic by example words: it doesn't end by itself, and voices with such words are drawn to it (``unpin``).

    Raises:
        InputError: no words, empty or too long ones, or a topic that can't be pinned.
        ConflictError: the topic is no longer in use.
        NotFoundError: there is no such topic.
    """
    topics = hold_topics(session)
    topic = active(topics, topic_id)
    _not_rest(topic, "は、ことばで留められません")
    if is_group(topics, topic_id):
        raise InputError(f"話題 {topic_id}「{topic.name}」は、ほかの話題のまとまりです。", hint="その下にある話題を選んでください。")
    return _pinned(session, topic, clean_words(words), actor=actor)


def unpin(session: Session, topic_id: int, *, actor: str) -> Topic:
    """Lets a topic go again.

    Raises:
        ConflictError: it isn't pinned.
        NotFoundError: there is no such topic.
    """
    topic = active(hold_topics(session), topic_id)
    if not topic.seeds:
        raise ConflictError(f"話題 {topic_id}「{topic.name}」は、ことばで留められていません。", hint="話題の履歴を確かめてください。")
    return _pinned(session, topic, [], actor=actor)


def clean_words(words: Sequence[str]) -> list[str]:
    """Words as they are kept: each once, without spaces around them.

    Raises:
        InputError: there is none, too many, an empty or too long one.
    """
    found = list(dict.fromkeys(_plain(word) for word in words))
    if not found:
        raise InputError("ことばが指定されていません。", hint="声に出てくることばを1つ以上指定してください。")
    if not all(found):
        raise InputError("空のことばがあります。", hint="空のことばを除いてください。")
    if len(found) > MOST_WORDS:
        raise InputError(f"ことばが {len(found)} 個あります。", hint=f"{MOST_WORDS} 個までにしてください。")
    if longest := next((word for word in found if len(word) > LONGEST_WORD), ""):
        raise InputError(f"「{longest[:LONGEST_WORD]}…」は長すぎます。", hint=f"1つのことばを {LONGEST_WORD} 文字までにしてください。")
    return found


def free_name(topics: Topics, name: str, *, but: int = NOWHERE) -> str:
    """A name as it is kept.

    Raises:
        InputError: it is empty or too long.
        ConflictError: another topic in use than ``but`` has it.
    """
    name = _plain(name)
    if not name:
        raise InputError("話題の名前が空です。", hint="どんな声の集まりかが分かる名前を付けてください。")
    if len(name) > LONGEST_NAME:
        raise InputError(f"話題の名前が長すぎます（{len(name)} 文字）。", hint=f"{LONGEST_NAME} 文字までにしてください。")
    for topic in topics.values():
        if topic.name == name and topic.id != but and topic.status is TopicStatus.ACTIVE:
            raise ConflictError(
                f"「{name}」という名前の話題（番号 {topic.id}）が、すでにあります。", hint="別の名前にするか、2つの話題をまとめてください。"
            )
    return name


def _plain(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def _not_rest(topic: Topic, may_not: str) -> None:
    if topic.is_rest:
        raise InputError(f"「{topic.name}」{may_not}。", hint="どの話題にも近くない声が入るところです。ほかの話題を選んでください。")


def _named(session: Session, topic: Topic, name: str, *, user_id: int | None, actor: str) -> Topic:
    detail = {"from": topic.name, "to": name, "by": "machine" if user_id is None else "person"}
    topic.name, topic.named_by = name, user_id
    note(session, topic, TopicEventKind.RENAMED, actor=actor, detail=detail)
    audit.record(session, actor=actor, action="topics.rename", subject=f"topic:{topic.id}", detail=detail)
    return topic


def _pinned(session: Session, topic: Topic, words: list[str], *, actor: str) -> Topic:
    detail = {"from": list(topic.seeds), "to": words}
    topic.seeds = words
    note(session, topic, TopicEventKind.PINNED, actor=actor, detail=detail)
    audit.record(session, actor=actor, action="topics.pin" if words else "topics.unpin", subject=f"topic:{topic.id}", detail=detail)
    return topic


def _may_join(topics: Topics, topic: Topic, target: Topic) -> None:
    _not_rest(topic, "を、ほかの話題にまとめることはできません")
    named = f"話題 {topic.id}「{topic.name}」"
    if topic.id == target.id:
        raise InputError(f"{named}を、その話題自身にまとめることはできません。", hint="まとめる先に、別の話題を選んでください。")
    if topic in above(topics, target.id):
        raise InputError(f"{named}を、その下にある話題にまとめることはできません。", hint="まとめる先に、別の話題を選んでください。")
    if is_group(topics, topic.id) != is_group(topics, target.id):
        raise InputError(
            f"{named}と話題 {target.id}「{target.name}」は、段がちがいます。",
            hint="まとまりどうし、または細かい話題どうしを選んでください。",
        )


def _hand_over(session: Session, source: int, into: int, *, only: Sequence[int] | None = None) -> list[int]:
    """Voices that a person had put into one topic are kept in another from now on; gives their ids."""
    wanted = select(TopicMove.voice_id).where(TopicMove.topic_id == source)
    if only is not None:
        wanted = wanted.where(among(session, TopicMove.voice_id, only))
    voices = list(session.scalars(wanted.order_by(TopicMove.voice_id)))
    moved = update(TopicMove).where(among(session, TopicMove.voice_id, voices)).values(topic_id=into)
    session.execute(moved.execution_options(synchronize_session=False))
    return voices


def _end_if_empty(session: Session, topics: Topics, parent_id: int | None, *, actor: str) -> None:
    """A topic above that lost the last one below it has nothing to hold together any more."""
    for topic in above(topics, parent_id) if parent_id is not None else ():
        if is_group(topics, topic.id) or topic.status is not TopicStatus.ACTIVE:
            return
        topic.status = TopicStatus.ENDED
        note(session, topic, TopicEventKind.ENDED, actor=actor)


def _wake(topics: Topics, topic: Topic) -> None:
    """The topics above one that is back are back too, or it lies below what they were joined to."""
    for lower in list(above(topics, topic.id)):
        parent = topics.get(lower.parent_id or NOWHERE)
        if parent is not None and parent.status is not TopicStatus.ACTIVE:
            home = home_of(topics, parent.id)
            if home is not None and home.id != topic.id:
                lower.parent_id = home.id
            else:
                parent.status = TopicStatus.ACTIVE
