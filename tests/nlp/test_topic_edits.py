"""What people do to topics: whatever they do, sizes, counts and memberships agree, and what can be taken back is as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from core import audit, db, facts
from core.errors import ConflictError, InputError, KoeError, NotFoundError
from core.models import AuditEntry, Topic, TopicEvent, TopicEventKind, TopicMembership, TopicMove, TopicStatus, User, Voice
from core.settings import Settings
from nlp import topic_edits, topic_moves, topic_parts
from nlp.topic_parts import Part
from nlp.topic_places import packed, unpacked
from nlp.topics.service import fit_topics
from tests import factories

WHO = "tanaka"
MANY = "いろはにほへとちりぬるをわかよたれそつねなら"
FIRST = date(2026, 1, 20)
TEXTS = {
    "歩道の段差": ["歩道の段差で車いすが止まります。", "歩道が狭くて通れません。", "歩道に段差があります。", "車いすで渡れません。"],
    "街灯の球切れ": ["街灯が切れています。", "夜道が暗いです。", "街灯を増やしてください。"],
    "公園の遊具": ["ブランコがさびています。", "すべり台が割れています。"],
}


def found(engine: Engine) -> dict[str, int]:
    """Two groups: 道路 over 歩道の段差 and 街灯の球切れ, 公園 over 公園の遊具; その他の声; two voices in none. Gives the ids."""
    with db.writing(engine) as session:
        ids = {}
        for parent, children in {"道路": ["歩道の段差", "街灯の球切れ"], "公園": ["公園の遊具"]}.items():
            group = factories.create_topic(session, name=parent)
            ids[parent] = group.id
            for name in children:
                voices = [
                    factories.create_voice(session, text=text, received_on=FIRST + timedelta(days=9 * place), labelled=False)
                    for place, text in enumerate(TEXTS[name])
                ]
                ids[name] = factories.create_topic(session, name=name, voices=voices, parent_id=group.id).id
                group.size += len(voices)
        rest = [factories.create_voice(session, text="ありがとうございました。", labelled=False)]
        ids["その他の声"] = factories.create_topic(session, name="その他の声", is_rest=True, voices=rest).id
        for _ in range(2):
            factories.create_voice(session, received_on=FIRST, labelled=False)
    return ids


@pytest.fixture
def city(engine: Engine) -> dict[str, int]:
    return found(engine)


@pytest.fixture
def sqlite_city(sqlite_engine: Engine) -> tuple[Engine, dict[str, int]]:
    return sqlite_engine, found(sqlite_engine)


def state(session: Session) -> dict[str, Any]:
    """All that an act may change, but history."""
    topics = select(Topic.id, Topic.name, Topic.named_by, Topic.seeds, Topic.parent_id, Topic.status, Topic.merged_into, Topic.size)
    return {
        "topics": [tuple(row) for row in session.execute(topics.order_by(Topic.id))],
        "members": dict(session.execute(select(TopicMembership.voice_id, TopicMembership.topic_id)).all()),
        "moves": dict(session.execute(select(TopicMove.voice_id, TopicMove.topic_id)).all()),
        "counts": facts.cross(session, "topic", "channel"),
    }


def check(session: Session) -> None:
    """Sizes and counts are those of the memberships, and voices are in topics that are in use and have none below."""
    assert facts.differences(session) == []
    held = dict(session.execute(select(TopicMembership.topic_id, func.count()).group_by(TopicMembership.topic_id)).all())
    topics = {topic.id: topic for topic in session.scalars(select(Topic))}
    children: dict[int, list[Topic]] = {number: [] for number in topics}
    for topic in topics.values():
        if topic.parent_id and topic.status is TopicStatus.ACTIVE:
            children[topic.parent_id].append(topic)
    for topic in topics.values():
        own = held.get(topic.id, 0)
        assert topic.size == own + sum(child.size for child in children[topic.id]), topic.name
        assert not own or (topic.status is TopicStatus.ACTIVE and not children[topic.id])
        assert topic.status is TopicStatus.ACTIVE or not children[topic.id]
        assert (
            set(topic.examples) <= set(session.scalars(select(TopicMembership.voice_id).where(TopicMembership.topic_id == topic.id)))
            or children[topic.id]
        )
    assert set(session.scalars(select(TopicMove.topic_id))) <= {topic.id for topic in topics.values() if topic.status is TopicStatus.ACTIVE}
    assert audit.verify(session).broken_at is None


def voices_in(session: Session, topic: int) -> list[int]:
    return list(
        session.scalars(select(TopicMembership.voice_id).where(TopicMembership.topic_id == topic).order_by(TopicMembership.voice_id))
    )


def history(session: Session, topic: int) -> list[tuple[TopicEventKind, list[int], int, int]]:
    rows = session.scalars(select(TopicEvent).where(TopicEvent.topic_id == topic).order_by(TopicEvent.id))
    return [(event.kind, event.others, event.before, event.after) for event in rows]


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("topics.%")).order_by(AuditEntry.id)))


def part(voices: list[int], name: str = "新しい話題", words: tuple[str, ...] = ()) -> Part:
    return Part(tuple(voices), name, (("段差", 0.3),), tuple(voices[:1]), words)


def test_a_person_s_name_and_back_to_the_machine_s(engine: Engine, city: dict[str, int]) -> None:
    with db.writing(engine) as session:
        user: User = factories.create_user(session)
        topic = topic_edits.rename(session, city["歩道の段差"], "  歩道の\n通りにくさ ", user_id=user.id, actor=user.username)
        assert (topic.name, topic.named_by, topic.machine_name) == ("歩道の 通りにくさ", user.id, "歩道の段差")
        topic_edits.use_machine_name(session, topic.id, actor=user.username)
        assert (topic.name, topic.named_by) == ("歩道の段差", None)
        assert [kind for kind, *_ in history(session, topic.id)] == [TopicEventKind.RENAMED] * 2
        assert actions(session) == ["topics.rename"] * 2
        with pytest.raises(ConflictError, match="機械が付けたもの"):
            topic_edits.use_machine_name(session, topic.id, actor=WHO)


def test_joining_two_topics_and_parting_them_again(engine: Engine, city: dict[str, int]) -> None:
    walk, lamp = city["歩道の段差"], city["街灯の球切れ"]
    with db.writing(engine) as session:
        topic_moves.move(session, voices_in(session, city["公園の遊具"])[:1], lamp, actor=WHO)
        before = state(session)
        carried = voices_in(session, lamp)
        topic_edits.merge(session, [lamp], walk, actor=WHO)
    with db.writing(engine) as session:
        check(session)
        joined = session.get_one(Topic, lamp)
        assert (joined.status, joined.merged_into, joined.size) == (TopicStatus.MERGED, walk, 0)
        assert set(carried) < set(voices_in(session, walk))
        assert history(session, walk) == [(TopicEventKind.MERGED, [lamp], 4, 8)]
        assert history(session, lamp)[-1] == (TopicEventKind.MERGED, [walk], 4, 0)
        # What comes to the joined topic later stays there.
        topic_moves.move(session, voices_in(session, city["その他の声"]), walk, actor=WHO)
        topic_moves.unmove(session, list(session.scalars(select(TopicMove.voice_id).where(TopicMove.topic_id == walk)))[-1:], actor=WHO)
        topic_edits.unmerge(session, lamp, actor=WHO)
    with db.reading(engine) as session:
        check(session)
        assert state(session) == before
        assert history(session, lamp)[-1] == (TopicEventKind.SPLIT, [walk], 0, 4)


def test_a_group_that_lost_its_last_topic_ends_and_comes_back(engine: Engine, city: dict[str, int]) -> None:
    with db.writing(engine) as session:
        before = state(session)
        topic_edits.merge(session, [city["公園の遊具"]], city["歩道の段差"], actor=WHO)
        assert session.get_one(Topic, city["公園"]).status is TopicStatus.ENDED
        check(session)
        topic_edits.unmerge(session, city["公園の遊具"], actor=WHO)
        check(session)
        assert state(session) == before


def test_joining_groups_joins_what_lies_below(engine: Engine, city: dict[str, int]) -> None:
    with db.writing(engine) as session:
        before = state(session)
        topic_edits.merge(session, [city["公園"]], city["道路"], actor=WHO)
        check(session)
        assert session.get_one(Topic, city["公園の遊具"]).parent_id == city["道路"]
        assert session.get_one(Topic, city["道路"]).size == 9
        topic_edits.unmerge(session, city["公園"], actor=WHO)
        check(session)
        assert state(session) == before


def test_a_topic_parted_after_its_target_was_joined_to_a_third(engine: Engine, city: dict[str, int]) -> None:
    walk, lamp, park = city["歩道の段差"], city["街灯の球切れ"], city["公園の遊具"]
    with db.writing(engine) as session:
        carried = voices_in(session, lamp)
        topic_edits.merge(session, [lamp], park, actor=WHO)
        topic_edits.merge(session, [park], walk, actor=WHO)
        topic_edits.unmerge(session, lamp, actor=WHO)
        check(session)
        assert voices_in(session, lamp) == carried
        assert session.get_one(Topic, walk).size == 6


def test_voices_moved_by_hand_and_back(engine: Engine, city: dict[str, int]) -> None:
    walk, lamp, park = city["歩道の段差"], city["街灯の球切れ"], city["公園の遊具"]
    with db.writing(engine) as session:
        before = state(session)
        outside = session.scalars(select(Voice.id).where(Voice.id.not_in(select(TopicMembership.voice_id)))).first()
        assert outside is not None
        voices = [*voices_in(session, lamp)[:1], *voices_in(session, park), outside]
        topic_moves.move(session, voices, walk, actor=WHO)
        check(session)
        assert set(voices) < set(voices_in(session, walk))
        assert set(session.scalars(select(TopicMembership.probability).where(TopicMembership.voice_id.in_(voices)))) == {1.0}
        assert [row.moved_by for row in session.scalars(select(TopicMove))] == [WHO] * 4
        assert history(session, walk) == [(TopicEventKind.MOVED, sorted([lamp, park]), 4, 8)]
        assert history(session, park) == [(TopicEventKind.MOVED, [walk], 2, 0)]
        kept = topic_moves.unmove(session, voices, actor=WHO)
        check(session)
        after = state(session)
        # A voice that was in no topic stays where it was put, but the next run may place it.
        assert after["members"] == before["members"] | {outside: walk}
        assert after["moves"] == {}
        assert {topic.id for topic in kept} == {walk, lamp, park}
        with pytest.raises(ConflictError, match="手で移した声でない"):
            topic_moves.unmove(session, voices[:1], actor=WHO)


def test_a_part_becomes_a_topic_of_its_own(engine: Engine, city: dict[str, int]) -> None:
    walk = city["歩道の段差"]
    with db.writing(engine) as session:
        before = state(session)
        topic_moves.move(session, voices_in(session, walk)[:1], walk, actor=WHO)
        voices = voices_in(session, walk)[:2]
        (new,) = topic_moves.split(session, walk, [part(voices, "街灯の球切れ", ("車いす",))], actor=WHO)
        check(session)
        assert (new.name, new.parent_id, new.size, new.seeds, new.named_by) == ("街灯の球切れ（2）", city["道路"], 2, ["車いす"], None)
        assert voices_in(session, new.id) == voices
        assert session.scalars(select(TopicMove.topic_id)).all() == [new.id]
        assert history(session, walk)[-1] == (TopicEventKind.SPLIT, [new.id], 4, 2)
        assert history(session, new.id) == [(TopicEventKind.SPLIT, [walk], 0, 2)]
        topic_edits.merge(session, [new.id], walk, actor=WHO)
        check(session)
        assert state(session)["members"] == before["members"]


def test_words_hold_a_topic(engine: Engine, city: dict[str, int]) -> None:
    with db.writing(engine) as session:
        topic = topic_edits.pin(session, city["歩道の段差"], [" 段差", "車いす", "段差"], actor=WHO)
        assert topic.seeds == ["段差", "車いす"]
        topic_edits.unpin(session, topic.id, actor=WHO)
        assert topic.seeds == []
        assert [kind for kind, *_ in history(session, topic.id)] == [TopicEventKind.PINNED] * 2
        assert actions(session) == ["topics.pin", "topics.unpin"]
        with pytest.raises(ConflictError, match="留められていません"):
            topic_edits.unpin(session, topic.id, actor=WHO)


def test_what_a_run_joined_is_not_taken_back_as_if_a_person_had(engine: Engine, city: dict[str, int]) -> None:
    with db.writing(engine) as session:
        walk = topic_edits.merge(session, [city["街灯の球切れ"]], city["歩道の段差"], actor=WHO)
        walk.status, walk.merged_into = TopicStatus.MERGED, city["公園の遊具"]
        session.flush()
        assert topic_edits.joining(session, walk) is None
        with pytest.raises(ConflictError, match="人がまとめた話題ではありません"):
            topic_edits.unmerge(session, walk.id, actor=WHO)
        lamp = session.get_one(Topic, city["街灯の球切れ"])
        assert topic_edits.joining(session, lamp) is not None


Act = Callable[[Session, dict[str, int]], object]
NONSENSE: dict[str, tuple[Act, type[KoeError], str]] = {
    "rename unknown": (lambda s, _: topic_edits.rename(s, 999, "名前", user_id=1, actor=WHO), NotFoundError, "話題 999 は見つかりません"),
    "rename empty": (lambda s, c: topic_edits.rename(s, c["道路"], " \n ", user_id=1, actor=WHO), InputError, "名前が空です"),
    "rename long": (lambda s, c: topic_edits.rename(s, c["道路"], "長" * 61, user_id=1, actor=WHO), InputError, "61 文字"),
    "rename taken": (lambda s, c: topic_edits.rename(s, c["道路"], "公園の遊具", user_id=1, actor=WHO), ConflictError, "すでにあります"),
    "rename rest": (lambda s, c: topic_edits.rename(s, c["その他の声"], "雑多", user_id=1, actor=WHO), InputError, "変えられません"),
    "merge nothing": (lambda s, c: topic_edits.merge(s, [], c["道路"], actor=WHO), InputError, "選ばれていません"),
    "merge unknown": (lambda s, c: topic_edits.merge(s, [999], c["道路"], actor=WHO), NotFoundError, "999"),
    "merge itself": (lambda s, c: topic_edits.merge(s, [c["道路"]], c["道路"], actor=WHO), InputError, "その話題自身"),
    "merge its child": (lambda s, c: topic_edits.merge(s, [c["道路"]], c["歩道の段差"], actor=WHO), InputError, "その下にある"),
    "merge its parent": (lambda s, c: topic_edits.merge(s, [c["歩道の段差"]], c["道路"], actor=WHO), InputError, "段がちがいます"),
    "merge rest": (lambda s, c: topic_edits.merge(s, [c["その他の声"]], c["歩道の段差"], actor=WHO), InputError, "その他の声"),
    "unmerge": (lambda s, c: topic_edits.unmerge(s, c["道路"], actor=WHO), ConflictError, "人がまとめた話題ではありません"),
    "unmerge unknown": (lambda s, _: topic_edits.unmerge(s, 999, actor=WHO), NotFoundError, "999"),
    "move nothing": (lambda s, c: topic_moves.move(s, [], c["歩道の段差"], actor=WHO), InputError, "選ばれていません"),
    "move unknown": (lambda s, c: topic_moves.move(s, [99999], c["歩道の段差"], actor=WHO), NotFoundError, "1 件が見つかりません"),
    "move to a group": (lambda s, c: topic_moves.move(s, [1], c["道路"], actor=WHO), InputError, "まとまり"),
    "pin nothing": (lambda s, c: topic_edits.pin(s, c["歩道の段差"], [], actor=WHO), InputError, "指定されていません"),
    "pin empty": (lambda s, c: topic_edits.pin(s, c["歩道の段差"], ["段差", " "], actor=WHO), InputError, "空のことば"),
    "pin long": (lambda s, c: topic_edits.pin(s, c["歩道の段差"], ["長" * 31], actor=WHO), InputError, "長すぎます"),
    "pin many": (lambda s, c: topic_edits.pin(s, c["歩道の段差"], list(MANY), actor=WHO), InputError, "個まで"),
    "pin a group": (lambda s, c: topic_edits.pin(s, c["道路"], ["道"], actor=WHO), InputError, "まとまり"),
    "pin rest": (lambda s, c: topic_edits.pin(s, c["その他の声"], ["声"], actor=WHO), InputError, "留められません"),
    "split off nothing": (lambda s, c: topic_moves.split(s, c["歩道の段差"], [part([])], actor=WHO), ConflictError, "ほかで移されました"),
    "split a group": (lambda s, c: topic_moves.split(s, c["道路"], [part([1])], actor=WHO), InputError, "まとまり"),
    "split to two of a name": (
        lambda s, c: topic_moves.split(s, c["歩道の段差"], [part([1]), part([2])], name="名前", actor=WHO), InputError, "1つの名前",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_told_and_changes_nothing(sqlite_city: tuple[Engine, dict[str, int]], name: str) -> None:
    engine, city = sqlite_city
    act, error, words = NONSENSE[name]
    with db.reading(engine) as session:
        before = state(session)
        with pytest.raises(error, match=words) as told:
            act(session, city)
        assert told.value.hint
        assert state(session) == before


def test_what_was_joined_or_has_ended_can_t_be_used(sqlite_city: tuple[Engine, dict[str, int]]) -> None:
    engine, city = sqlite_city
    with db.writing(engine) as session:
        topic_edits.merge(session, [city["公園の遊具"]], city["歩道の段差"], actor=WHO)
        for act in (
            lambda: topic_edits.rename(session, city["公園の遊具"], "名前", user_id=1, actor=WHO),
            lambda: topic_edits.merge(session, [city["街灯の球切れ"]], city["公園の遊具"], actor=WHO),
            lambda: topic_moves.move(session, [1], city["公園の遊具"], actor=WHO),
        ):
            with pytest.raises(ConflictError, match="まとめられています"):
                act()
        with pytest.raises(ConflictError, match="終わっています"):
            topic_edits.pin(session, city["公園"], ["公園"], actor=WHO)
        # Its name is free, and then it can't come back under it.
        user = factories.create_user(session)
        topic_edits.rename(session, city["街灯の球切れ"], "公園の遊具", user_id=user.id, actor=WHO)
        with pytest.raises(ConflictError, match="すでにあります"):
            topic_edits.unmerge(session, city["公園の遊具"], actor=WHO)


def test_the_words_that_part_a_topic(engine: Engine, city: dict[str, int], trained_settings: Settings) -> None:
    walk = city["歩道の段差"]
    with db.reading(engine) as session:
        (found,) = topic_parts.by_words(session, walk, ["車いす", "渡れ"], settings=trained_settings)
        texts = session.execute(select(Voice.id, Voice.text).where(Voice.id.in_(voices_in(session, walk))).order_by(Voice.id))
        says = [voice for voice, text in texts if "車いす" in text]
        assert (list(found.voices), found.name, found.words) == (says, "車いす・渡れ", ("車いす", "渡れ"))
        assert found.keywords
        assert set(found.examples) <= set(found.voices)
        with pytest.raises(ConflictError, match="ありません"):
            topic_parts.by_words(session, walk, ["%"], settings=trained_settings)
        with pytest.raises(ConflictError, match="すべての声"):
            topic_parts.by_words(session, walk, ["。"], settings=trained_settings)
        with pytest.raises(ConflictError, match="少なすぎる"):
            topic_parts.by_likeness(session, walk, 2, settings=trained_settings)
        with pytest.raises(InputError, match="9 つには"):
            topic_parts.by_likeness(session, walk, 9, settings=trained_settings)


def test_voices_that_are_alike_become_a_part(sqlite_engine: Engine, trained_settings: Settings) -> None:
    places = ("駅前", "本町", "港", "山手", "川北", "汐浜", "学校の前", "坂の下")
    snow, nursery = "{}の除雪が遅くて歩道に雪が残っています", "{}の保育園に入園できず待機児童のままです"
    with db.writing(sqlite_engine) as session:
        voices = {
            text: [factories.create_voice(session, text=text.format(place), labelled=False) for place in places] for text in (snow, nursery)
        }
        voices[nursery] = voices[nursery][:6]
        topic = factories.create_topic(session, name="除雪と保育", voices=[voice for some in voices.values() for voice in some]).id
        wanted = sorted(voice.id for voice in voices[nursery])
        session.execute(delete(Voice).where(Voice.id.not_in(select(TopicMembership.voice_id))))
    with db.reading(sqlite_engine) as session:
        found = topic_parts.by_likeness(session, topic, 2, settings=trained_settings)
        assert found == topic_parts.by_likeness(session, topic, 2, settings=trained_settings)
    assert [list(one.voices) for one in found] == [wanted]
    assert any(word in found[0].name for word in ("保育", "入園", "待機", "児童"))


def test_a_run_counts_topics_anew(sqlite_engine: Engine, trained_settings: Settings) -> None:
    with db.writing(sqlite_engine) as session:
        for text in ("{}の除雪が遅いです", "{}の街灯が暗いです"):
            for place in ("駅前", "本町", "港", "山手"):
                factories.create_voice(session, text=text.format(place), labelled=False)
    fit_topics(sqlite_engine, trained_settings)
    with db.reading(sqlite_engine) as session:
        assert facts.differences(session) == []
        assert sum(facts.totals(session, "topic").values()) == 8
        assert "" not in facts.totals(session, "topic")


@given(st.sets(st.integers(1, 2**31 - 1), max_size=300))
def test_ids_are_packed_and_unpacked(ids: set[int]) -> None:
    assert unpacked(packed(list(ids))) == sorted(ids)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.just("unmerge"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("move"), st.integers(0, 11), st.integers(0, 9)),
        st.tuples(st.just("unmove"), st.integers(0, 11), st.just(0)),
        st.tuples(st.just("split"), st.integers(0, 9), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=8,
)


@given(acts=ACTS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_people_do_sizes_counts_and_memberships_agree(
    sqlite_city: tuple[Engine, dict[str, int]], acts: list[tuple[str, int, int]]
) -> None:
    engine, _ = sqlite_city
    with db.reading(engine) as session:  # nothing is committed: each example begins alike
        for kind, first, second in acts:
            topics = list(session.scalars(select(Topic.id).order_by(Topic.id)))
            voices = list(session.scalars(select(Voice.id).order_by(Voice.id)))
            one, other = topics[first % len(topics)], topics[second % len(topics)]
            several = voices[first : first + 2]
            try:
                with session.begin_nested():
                    if kind == "merge":
                        topic_edits.merge(session, [one], other, actor=WHO)
                    elif kind == "unmerge":
                        topic_edits.unmerge(session, one, actor=WHO)
                    elif kind == "move":
                        topic_moves.move(session, several, other, actor=WHO)
                    elif kind == "unmove":
                        topic_moves.unmove(session, several[:1], actor=WHO)
                    else:
                        topic_moves.split(session, one, [part(voices_in(session, one)[:second])], actor=WHO)
            except KoeError:
                pass
            check(session)
        session.rollback()
