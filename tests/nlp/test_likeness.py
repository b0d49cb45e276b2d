from __future__ import annotations

import csv
import io
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, text, update

from core import db
from core.crypto import Keyring, new_key
from core.errors import NotFoundError
from core.models import (
    AuditEntry,
    Campaign,
    CampaignMember,
    ReadingMark,
    SearchTerm,
    Sender,
    Voice,
    VoiceWording,
)
from core.settings import Settings
from nlp import campaigns, likeness, postings
from nlp.posting_blocks import BLOCK
from nlp.similar import Lookup, terms
from tests import factories

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample" / "voices_utf8bom.csv"
POOL = (
    "市営プールを廃止しないでください。市営プールは子どもから高齢者まで、年間四万人が利用している大切な施設です。"
    "廃止されれば、子どもたちが泳ぎを学ぶ場も、高齢者が健康を保つ場も失われます。修理して使いつづけることをお願いします。"
)
BUS = "通学のバスの本数が減って、朝は満員で乗れません。次のバスまで四十分も待つので学校に遅れます。増便してください。"
DRAIN = "家の前の側溝のふたが割れていて、夜に足を取られそうになります。子どもも通る道なので早く取りかえてください。"


def save(engine: Engine, *texts: str, indexed: bool = True, **values: object) -> list[int]:
    with db.writing(engine) as session:
        voices = [factories.create_voice(session, text=written, labelled=False, **values) for written in texts]
        if indexed:
            likeness.index(session, [(voice.id, terms(f"{voice.title}\n{voice.text}")) for voice in voices])
        return [voice.id for voice in voices]


def found(engine: Engine, *words: str, limit: int = 0) -> list[int]:
    """The voices that the index gives for these words together, in order of their ids."""
    with db.reading(engine) as session:
        (voices,) = postings.find(session, [Lookup(words, 1.0, limit)])
    return sorted(voices)


def groups(engine: Engine) -> set[frozenset[int]]:
    with db.reading(engine) as session:
        found = defaultdict(set)
        for voice, group in session.execute(select(CampaignMember.voice_id, CampaignMember.campaign_id)):
            found[group].add(voice)
    return {frozenset(voices) for voices in found.values()}


def update_in_chunks(engine: Engine, settings: Settings, size: int = 2000) -> likeness.CampaignReport:
    return likeness.update_campaigns(engine, settings, chunk_voices=size)


# --- the index


def test_the_index_is_part_of_what_drift_sees(engine: Engine) -> None:
    assert db.drift(engine) == []
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE voice_search"))
    assert any("voice_search" in difference for difference in db.drift(engine))


def test_words_are_found_whole_and_together(engine: Engine) -> None:
    first, second = save(engine, "歩道の段差が危ない。", "歩道橋の段差を直してほしい。")
    assert found(engine, "歩道") == [first]
    assert found(engine, "段差") == [first, second]
    assert found(engine, "段差", "歩道橋") == [second]
    assert found(engine, "段差", limit=1) == [second], "the newest"
    assert found(engine, "公園") == []


def test_the_same_words_are_read_back(engine: Engine) -> None:
    (voice,) = save(engine, BUS)
    with db.reading(engine) as session:
        assert set(postings.read(session, [voice, 999])[voice]) == set(terms(BUS))


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40))
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_word_of_any_text_finds_it(engine: Engine, written: str) -> None:
    words = terms(f"①バス停🚌𠮷野{written}")
    with db.writing(engine) as session:
        voice = factories.create_voice(session, text="文", labelled=False)
        likeness.index(session, [(voice.id, words)])
        assert set(postings.read(session, [voice.id])[voice.id]) == set(words)
        for voices in postings.find(session, [Lookup((word,), 1.0) for word in words]):
            assert voice.id in voices
        session.rollback()


def test_counts_follow_what_is_indexed_and_indexed_anew(engine: Engine) -> None:
    first, second = save(engine, "歩道の段差", "歩道の草")
    with db.writing(engine) as session:
        assert postings.documents(session, ["歩道", "段差", "草", "公園", ""]) == {"歩道": 2, "段差": 1, "草": 1, "": 2}
        likeness.index(session, [(second, ("公園",)), (first, terms("歩道の段差"))])
        assert postings.documents(session, ["歩道", "段差", "草", "公園", ""]) == {"歩道": 1, "段差": 1, "公園": 1, "": 2}
        assert session.scalar(select(func.min(SearchTerm.documents))) == 0
    assert found(engine, "草") == []
    assert found(engine, "歩道") == [first]
    assert found(engine, "公園") == [second]


@given(st.data())
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_lookups_find_what_a_search_through_all_voices_finds(engine: Engine, data: st.DataObject) -> None:
    """Whole and for the newest, after voices were indexed and some indexed anew, over ids that lie many blocks apart."""
    words = st.lists(st.sampled_from("あいうえ"), min_size=1, max_size=4, unique=True)
    ids = st.integers(1, 40 * BLOCK) | st.integers(1, 40).map(lambda block: block * BLOCK) | st.integers(1, 8)
    with db.writing(engine) as session:
        held: dict[int, list[str]] = {}
        for _ in range(3):
            given = data.draw(st.dictionaries(ids, words, min_size=1, max_size=12)) | {
                voice: data.draw(words) for voice in data.draw(st.lists(st.sampled_from(sorted(held) or [1]), max_size=4))
            }
            for voice in sorted(given.keys() - held.keys()):
                factories.create_voice(session, id=voice, text="文", labelled=False)
            likeness.index(session, list(given.items()))
            held |= given
        lookups = [Lookup(tuple(data.draw(words)), 1.0, data.draw(st.sampled_from([0, 1, 3, 100]))) for _ in range(6)]
        for lookup, voices in zip(lookups, postings.find(session, lookups), strict=True):
            wanted = sorted((voice for voice, own in held.items() if set(lookup.terms) <= set(own)), reverse=True)
            assert sorted(voices, reverse=True) == wanted[: lookup.limit or None]
        counts = Counter(word for own in held.values() for word in own)
        assert postings.documents(session, ["あ", "い", "う", "え", ""]) == {**counts, "": len(held)}
        session.rollback()


def test_two_that_index_the_same_voices_at_once_count_them_once(engine: Engine) -> None:
    ids = save(engine, BUS, DRAIN, POOL)
    barrier = threading.Barrier(2)

    def work(rows: list[tuple[int, tuple[str, ...]]]) -> None:
        for word in "あいう":
            barrier.wait(10)
            with db.writing(engine) as session:
                likeness.index(session, [(voice, (*words, word)) for voice, words in rows])

    rows = [(voice, terms(written)) for voice, written in zip(ids, (BUS, DRAIN, POOL), strict=True)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, rows), pool.submit(work, rows[::-1])]:
            done.result()
    with db.reading(engine) as session:
        held = Counter(word for words in postings.read(session, ids).values() for word in ("", *words))
        assert postings.documents(session, sorted({*held, "あ", "い"})) == held
    assert found(engine, "う") == ids
    assert found(engine, "い") == []


def test_voices_without_an_index_get_one(engine: Engine, settings: Settings, keyring: Keyring) -> None:
    save(engine, BUS)
    bare = save(engine, DRAIN, "バスの運転手さんが親切でした。", indexed=False)
    report = likeness.build_index(engine, settings, keyring)
    assert (report.voices, report.senders) == (2, 0)
    with db.reading(engine) as session:
        assert postings.missing(session, limit=10) == []
        assert likeness.similar(session, "側溝のふた")[0].voice_id == bare[0]
    assert likeness.build_index(engine, settings, keyring).voices == 0


def test_an_interrupted_build_goes_on(engine: Engine, settings: Settings, keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "_CHUNK", 2)
    save(engine, *(f"{BUS}{number}" for number in range(5)), indexed=False)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        likeness.build_index(engine, settings, keyring, progress=stop)
    assert likeness.build_index(engine, settings, keyring).voices == 3


def test_senders_are_made_from_sealed_contacts_and_anew_after_a_rotation(engine: Engine, settings: Settings) -> None:
    old, new = new_key(), new_key()
    before, after = Keyring({"k1": old}, current="k1"), Keyring({"k1": old, "k2": new}, current="k2")
    ids = save(engine, BUS, DRAIN, POOL)
    with db.writing(engine) as session:
        for voice, phone in zip(ids, ("090-0000-1234", "０９０ 0000 1234", "090-0000-9999"), strict=True):
            factories.create_secret(session, session.get_one(Voice, voice), before, text="a", phone=phone)
    assert likeness.build_index(engine, settings, before).senders == 3
    assert likeness.build_index(engine, settings, before).senders == 0
    with db.reading(engine) as session:
        first = session.scalars(select(Sender.sender).order_by(Sender.voice_id)).all()
    assert first[0] == first[1] != first[2]
    assert likeness.build_index(engine, settings, after).senders == 3
    with db.reading(engine) as session:
        assert set(session.scalars(select(Sender.key_id))) == {"k2"}
        assert not set(first) & set(session.scalars(select(Sender.sender)))
        acts = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(act.action, act.subject, act.detail) for act in acts] == [
        ("senders.blind", "key:k1", {"records": 3}),
        ("senders.blind", "key:k2", {"records": 3}),
    ]


# --- similar voices and past answers


def test_the_likest_come_first(engine: Engine) -> None:
    save(engine, DRAIN, "公園のブランコの鎖がさびています。", received_on=factories.NOON.date())
    same, near = save(engine, BUS, "朝のバスが満員で乗れないので、本数を増やしてほしい。")
    with db.reading(engine) as session:
        found = likeness.similar(session, BUS)
    assert [item.voice_id for item in found[:2]] == [same, near]
    assert found[0].score == pytest.approx(1.0)
    assert 0.25 <= found[1].score < 0.9
    assert all(item.score >= likeness.LEAST_LIKE for item in found)


def test_a_voice_is_not_like_itself(engine: Engine) -> None:
    first, second = save(engine, BUS, BUS + "お願いします。")
    with db.reading(engine) as session:
        assert [item.voice_id for item in likeness.similar(session, voice_id=first)] == [second]


def test_a_voice_that_is_not_indexed_yet_can_be_asked_for(engine: Engine) -> None:
    (known,) = save(engine, BUS)
    (bare,) = save(engine, BUS, indexed=False)
    with db.reading(engine) as session:
        assert [item.voice_id for item in likeness.similar(session, voice_id=bare)] == [known]


def test_an_unknown_voice_is_an_error_in_plain_words(engine: Engine) -> None:
    with db.reading(engine) as session, pytest.raises(NotFoundError):
        likeness.similar(session, voice_id=99)


def test_words_that_nobody_used_find_nothing(engine: Engine) -> None:
    save(engine, BUS)
    with db.reading(engine) as session:
        assert likeness.similar(session, "宇宙飛行士") == []
        assert likeness.similar(session, "") == []
        assert likeness.similar(session, "'); DROP TABLE voices; -- \" OR * NEAR(") == []


def test_past_answers_bring_the_answer_with_who_and_when(engine: Engine) -> None:
    save(engine, *[BUS] * 3)
    (answered,) = save(engine, "バスの本数を増やしてください。朝は満員です。", answered=True, department="交通政策課")
    with db.reading(engine) as session:
        (found,) = likeness.past_answers(session, BUS)
        day = session.get_one(Voice, answered).received_on
    assert found.voice_id == answered
    assert found.answer is not None
    assert found.answer.department == "交通政策課"
    assert found.answer.answered_on is not None
    assert found.answer.answered_on > day
    assert found.as_dict()["answer"]["text"] == found.answer.text


def test_an_answered_voice_is_found_behind_many_that_are_not(engine: Engine) -> None:
    (answered,) = save(engine, "次のバスまで四十分も待つので、増便してください。", answered=True)
    subject, *_ = save(engine, *(f"{BUS}その{number}" for number in range(130)))
    with db.reading(engine) as session:
        around = likeness.around(session, subject)
    assert len(around.similar) == 5
    assert [item.voice_id for item in around.answered] == [answered]


def test_of_a_campaign_one_stands_for_all_and_the_answered_one_first(engine: Engine, settings: Settings) -> None:
    copies = save(engine, POOL, POOL + "よろしく。", "港地区の者です。" + POOL)
    (other,) = save(engine, "市営プールの存続を願います。高齢者の健康のためです。")
    with db.writing(engine) as session:
        factories.create_answer(session, session.get_one(Voice, copies[1]))
    update_in_chunks(engine, settings)
    with db.reading(engine) as session:
        found = likeness.similar(session, voice_id=other)
        assert [(item.voice_id, item.copies) for item in found] == [(copies[1], 3)]
        assert [item.voice_id for item in likeness.similar(session, voice_id=copies[0])] == [other]


# --- campaigns


def test_near_copies_are_one_group_and_nothing_else_is(engine: Engine, settings: Settings) -> None:
    copies = save(engine, POOL, POOL, "山手地区の住民です。" + POOL, POOL.replace("修理", "改修"))
    save(engine, BUS, DRAIN, "バスを増やしてほしい。", "バスを増やしてほしい。")
    report = update_in_chunks(engine, settings)
    assert (report.voices, report.begun, report.joined) == (8, 1, 0)
    assert groups(engine) == {frozenset(copies)}
    with db.reading(engine) as session:
        (found,) = likeness.campaigns(session, least=2)
        assert (found.voices, found.texts, found.senders, found.unknown) == (4, 3, 0, 4)
        assert likeness.campaigns(session, least=5) == []
        assert likeness.campaign_of(session, copies[2]) == found
        assert likeness.campaign_of(session, 999) is None
    assert found.sample == POOL[:200]


def test_senders_are_counted_apart_from_voices(engine: Engine, settings: Settings) -> None:
    ids = save(engine, *(POOL + "お願いします。" * number for number in range(5)))
    with db.writing(engine) as session:
        session.add_all([Sender(voice_id=voice, key_id="k1", sender=who) for voice, who in zip(ids, ("a", "b", "a", None), strict=False)])
    update_in_chunks(engine, settings)
    with db.reading(engine) as session:
        found = likeness.campaign_of(session, ids[0])
    assert found is not None
    assert (found.voices, found.texts, found.senders, found.unknown) == (5, 5, 2, 2)


def test_a_bridge_joins_two_groups_under_the_older_id(engine: Engine, settings: Settings) -> None:
    head, tail = POOL, BUS + DRAIN
    left = save(engine, head, head + "よろしく。")
    update_in_chunks(engine, settings)
    right = save(engine, tail, tail + "よろしく。")
    update_in_chunks(engine, settings)
    with db.reading(engine) as session:
        older, younger = sorted(session.scalars(select(CampaignMember.campaign_id).distinct()))
    bridge = _bridge(engine, settings, head, tail)
    assert groups(engine) == {frozenset([*left, *right, *bridge])}
    with db.reading(engine) as session:
        assert set(session.scalars(select(CampaignMember.campaign_id))) == {older}
        assert session.get_one(Campaign, younger).merged_into == older
        assert session.get_one(Campaign, older).merged_into is None


def _bridge(engine: Engine, settings: Settings, head: str, tail: str) -> list[int]:
    """Texts that lead from one wording to the other, each close to the one before it."""
    ids: list[int] = []
    step = 8
    for cut in range(step, max(len(head), len(tail)) + step, step):
        ids += save(engine, tail[:cut] + head[cut:])
    update_in_chunks(engine, settings)
    return ids


def test_a_group_keeps_its_id_and_takes_in_what_comes_later(engine: Engine, settings: Settings) -> None:
    first = save(engine, POOL, POOL)
    update_in_chunks(engine, settings)
    with db.reading(engine) as session:
        group = session.scalar(select(CampaignMember.campaign_id).limit(1))
    later = save(engine, POOL, "初めてお便りします。" + POOL)
    report = update_in_chunks(engine, settings)
    assert (report.voices, report.begun) == (2, 0)
    assert groups(engine) == {frozenset([*first, *later])}
    with db.reading(engine) as session:
        assert set(session.scalars(select(CampaignMember.campaign_id))) == {group}


def _edited(rng: random.Random, base: str) -> str:
    head = rng.choice(("", "初めてお便りします。", "山手地区の住民です。", "いつもお世話になっております。"))
    tail = rng.choice(("", "よろしくお願いします。", "回答をお願いします。"))
    return head + base.replace("ください", rng.choice(("ください", "いただきたい", "ほしい"))) + tail


@given(seed=st.integers(0, 10_000), size=st.integers(1, 25), cuts=st.lists(st.integers(1, 39), max_size=4))
@hypothesis_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_chunks_in_any_order_give_the_groups_of_one_go(
    sqlite_engine: Engine, settings: Settings, seed: int, size: int, cuts: list[int]
) -> None:
    """Texts in another order, read in chunks of another size at other times, fall into the same groups."""
    rng = random.Random(seed)  # noqa: S311
    texts = [_edited(rng, rng.choice((POOL, BUS, DRAIN, POOL + BUS, BUS + DRAIN))) for _ in range(40)]
    _empty(sqlite_engine)
    ids = save(sqlite_engine, *texts, indexed=False)
    update_in_chunks(sqlite_engine, settings)
    at_once = _by_text(groups(sqlite_engine), dict(zip(ids, texts, strict=True)))
    _empty(sqlite_engine)
    shuffled = rng.sample(texts, len(texts))
    ids = []
    for start, end in zip([0, *sorted(set(cuts))], [*sorted(set(cuts)), len(texts)], strict=True):
        ids += save(sqlite_engine, *shuffled[start:end], indexed=False)
        update_in_chunks(sqlite_engine, settings, size)
    assert _by_text(groups(sqlite_engine), dict(zip(ids, shuffled, strict=True))) == at_once


def _by_text(found: Iterable[frozenset[int]], texts: dict[int, str]) -> list[list[str]]:
    return sorted(sorted(texts[voice] for voice in group) for group in found)


def _empty(engine: Engine) -> None:
    with db.writing(engine) as session:
        for model in (ReadingMark, CampaignMember, VoiceWording, Campaign, Voice):
            session.execute(delete(model))


def test_a_killed_update_goes_on(engine: Engine, settings: Settings) -> None:
    copies = save(engine, *(f"{POOL}{'お願いします。' * number}" for number in range(7)))

    def killed(done: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        likeness.update_campaigns(engine, settings, chunk_voices=2, progress=killed)
    with db.reading(engine) as session:
        assert session.get_one(ReadingMark, "campaigns").voice_id == copies[3]
    assert likeness.update_campaigns(engine, settings, chunk_voices=2).voices == 3
    assert groups(engine) == {frozenset(copies)}


def test_an_update_that_fails_in_a_chunk_leaves_that_chunk_undone(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = save(engine, *(f"{POOL}{'お願いします。' * number}" for number in range(4)))
    with monkeypatch.context() as broken:
        broken.setattr("nlp.grouping.Campaign", None)
        with pytest.raises(TypeError):
            update_in_chunks(engine, settings)
    with db.reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(CampaignMember)) == 0
        assert session.get_one(ReadingMark, "campaigns").voice_id == 0
    update_in_chunks(engine, settings)
    assert groups(engine) == {frozenset(copies)}


def test_two_updates_at_once_do_not_count_twice(engine: Engine, settings: Settings) -> None:
    save(engine, *(f"{POOL}{'お願いします。' * number}" for number in range(4)))

    def overtake(_: int) -> None:
        likeness.update_campaigns(engine, settings, chunk_voices=2)

    report = likeness.update_campaigns(engine, settings, chunk_voices=1, progress=overtake)
    assert report.voices == 1  # the rest was the other's
    assert [len(group) for group in groups(engine)] == [4]


def test_signatures_of_another_scheme_are_made_anew_and_groups_stay(engine: Engine, settings: Settings) -> None:
    copies = save(engine, POOL, POOL, POOL + "よろしく。")
    update_in_chunks(engine, settings)
    with db.writing(engine) as session:
        session.execute(update(ReadingMark).values(scheme="older"))
        session.execute(update(VoiceWording).values(key=VoiceWording.voice_id, signature=bytes(100)))
        group = session.scalar(select(CampaignMember.campaign_id).limit(1))
    report = update_in_chunks(engine, settings)
    assert (report.voices, report.begun, report.joined) == (3, 0, 0)
    later = save(engine, "港地区の者です。" + POOL)
    update_in_chunks(engine, settings)
    assert groups(engine) == {frozenset([*copies, *later])}
    with db.reading(engine) as session:
        assert set(session.scalars(select(CampaignMember.campaign_id))) == {group}


def test_a_stock_phrase_in_many_voices_makes_no_group(engine: Engine, settings: Settings) -> None:
    stock = "担当の課に伝える旨を説明し、ご了承をいただいた。折り返しの連絡は不要とのこと。"
    matters = (
        "バスの本数が減り通学に遅れるので朝の便を二本増やしてほしい。",
        "側溝のふたが割れて夜に足を取られるので早く取りかえてほしい。",
        "公園のブランコの鎖がさびて子どもの手が汚れるので直してほしい。",
        "図書館の開く時刻が遅く出勤前に返せないので早めてほしい。",
    )
    save(engine, *(matter + stock for matter in matters))
    update_in_chunks(engine, settings)
    assert groups(engine) == set()


def test_the_samples_campaign_is_found_and_nothing_else_is_big(sqlite_engine: Engine, settings: Settings) -> None:
    """60 near-copies from 45 senders among 2,000 voices (data/sample/README.md)."""
    rows = list(csv.DictReader(io.StringIO(SAMPLE.read_bytes().decode("utf-8-sig"), newline="")))
    senders = sorted({row["メール"] for row in rows})
    with db.writing(sqlite_engine) as session:
        for row in rows:
            voice = factories.create_voice(session, text=row["ご意見"], title=row["件名"], labelled=False)
            if row["メール"]:
                session.add(Sender(voice_id=voice.id, key_id="k1", sender=f"{senders.index(row['メール']):032x}"))
    update_in_chunks(sqlite_engine, settings, 300)
    with db.reading(sqlite_engine) as session:
        first, *others = likeness.campaigns(session, least=2)
    assert (first.voices, first.texts, first.senders, first.unknown) == (60, 60, 45, 0)
    assert "市営プール" in first.sample
    assert all(other.voices <= 5 for other in others)


def test_the_settled_voice_is_the_last(engine: Engine) -> None:
    assert campaigns._settled(engine) == 0
    ids = save(engine, BUS, DRAIN)
    assert campaigns._settled(engine) == ids[-1]


def test_a_voice_that_is_deleted_takes_its_rows_along(engine: Engine, settings: Settings) -> None:
    first, second = save(engine, POOL, POOL + "よろしく。")
    update_in_chunks(engine, settings)
    with db.writing(engine) as session:
        session.execute(delete(Voice).where(Voice.id == first))
    third = save(engine, POOL + "お願いします。")
    update_in_chunks(engine, settings)
    assert groups(engine) == {frozenset([second, *third])}
    with db.reading(engine) as session:
        assert [item.voice_id for item in likeness.similar(session, voice_id=second)] == []
