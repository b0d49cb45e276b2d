"""Objects for tests: random but seeded, sensible without arguments, saved in the session that is given."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.auth import hash_password, open_session
from core import facts
from core.crypto import Keyring
from core.models import (
    Answer,
    Batch,
    BatchContent,
    BatchStatus,
    Case,
    CaseFile,
    CaseNote,
    Channel,
    Facet,
    FaqCount,
    FaqEntry,
    HumanLabel,
    Kind,
    MachineReading,
    Role,
    SavedView,
    Secret,
    Status,
    Surge,
    SurgeRun,
    Topic,
    TopicEvent,
    TopicEventKind,
    TopicMembership,
    TopicRun,
    Urgency,
    User,
    Voice,
)

PASSWORD = "しおみ-12345"
NOON = datetime(2026, 10, 1, 3, tzinfo=UTC)

_random = random.Random(20261001)  # noqa: S311  (nothing secret)
_numbers = itertools.count(1)

THEMES = {
    "道路・交通": ("道路・歩道の傷み", "道路維持課", "歩道の段差が大きく、車いすで通れません。", "歩道"),
    "公園・緑地": ("遊具・設備", "公園緑地課", "公園のブランコの鎖がさびていて、子どもの手が汚れます。", "公園"),
    "ごみ・環境": ("収集・分別", "ごみ減量課", "ごみの収集が昼すぎになり、カラスが散らかしています。", "ごみ"),
    "防災・防犯": ("街灯・防犯カメラ", "くらし安全課", "駅前の街灯が切れていて、夜は足もとが見えません。", "街灯"),
    "子育て・保育": ("保育園・入園", "保育課", "保育園の入園の案内が分かりにくく、何度も電話しました。", "保育園"),
}
DISTRICTS = ("本町地区", "港地区", "山手地区", "川北地区", "汐浜地区")
CONTACTS = ("name", "phone", "email", "address", "postal_code", "contact")


@lru_cache(maxsize=1)
def password_hash() -> str:
    """The hash of ``PASSWORD``, made once: argon2 is slow on purpose."""
    return hash_password(PASSWORD)


def create_user(session: Session, *, role: Role = Role.KOCHO, **values: Any) -> User:
    number = next(_numbers)
    department = {Role.KOCHO: "広聴課", Role.DEPARTMENT: "道路維持課"}.get(role, "")
    defaults = {
        "username": f"user{number}",
        "display_name": _random.choice(("潮見 花子", "港 一郎", "川北 葉子", "山手 次郎")),
        "password_hash": password_hash(),
        "department": department,
        "created_at": NOON,
    }
    return _save(session, User(role=role, **{**defaults, **values}))


def create_token(session: Session, user: User) -> str:
    """The token of a new sign-in of this user, for the session cookie."""
    token = open_session(session, user, hours=10)
    session.flush()
    return token


def create_batch(session: Session, **values: Any) -> Batch:
    defaults = {
        "source_name": "call_log.csv",
        "source_sha256": f"{next(_numbers):064x}",
        "mapping": "auto",
        "encoding": "cp932",
        "status": BatchStatus.DONE,
        "started_at": NOON,
    }
    return _save(session, Batch(**{**defaults, **values}))


def create_faq_entry(session: Session, *, counts: Mapping[tuple[date, date], int], **values: Any) -> FaqEntry:
    """An FAQ entry with how often it was looked at in which periods."""
    number = f"F-{next(_numbers)}"
    defaults = {"number": number, "question": f"{number} の手続きを教えてください。", "department": "ごみ減量課", "created_at": NOON}
    entry: FaqEntry = _save(session, FaqEntry(**{"theme": "ごみ・環境", **defaults, **values}))
    log = select(Batch.id).where(Batch.content == BatchContent.FAQ).limit(1)
    batch_id = session.scalar(log) or create_batch(session, source_name="faq.csv", content=BatchContent.FAQ).id
    for (since, until), views in counts.items():
        _save(session, FaqCount(entry_id=entry.id, batch_id=batch_id, since=since, until=until, views=views))
    return entry


def create_voice(
    session: Session, *, labelled: bool = True, answered: bool = False, published: bool = False, counted: bool = True, **values: Any
) -> Voice:
    """A voice with the machine's labels; with ``answered`` also an answer, with ``published`` a public one."""
    number = next(_numbers)
    theme = values.get("theme") or _random.choice(list(THEMES))
    subtheme, department, text, word = THEMES.get(theme, ("", "", "市の仕事について伺います。", "市"))
    received_on = values.get("received_on") or date(2026, 10, 1) - timedelta(days=_random.randrange(60))
    answered = answered or published
    defaults: dict[str, Any] = {
        "receipt_number": f"R08-{number:06d}-{number % 10}",
        "external_id": f"T-{number}",
        "row": number,
        "content_hash": f"{number:064x}",
        "channel": _random.choice((Channel.PHONE, Channel.WEB_FORM, Channel.EMAIL, Channel.LETTER)),
        "received_on": received_on,
        "text": f"{text}\n〔氏名〕と申します。〔住所〕の近くです。早めの対応をお願いします。",
        "district": _random.choice(DISTRICTS),
        "theme": theme,
        "subtheme": subtheme,
        "kind": _random.choice((Kind.REQUEST, Kind.COMPLAINT, Kind.QUESTION)),
        "urgency": Urgency.NORMAL,
        "department": department,
        "confidence": round(_random.uniform(0.62, 0.97), 3),
        "pii_count": 2,
        "status": Status.ANSWERED if answered else Status.RECEIVED,
        "due_on": received_on + timedelta(days=14),
        "created_at": NOON,
    }
    status = values.get("status", defaults["status"])
    defaults["is_open"] = status not in (Status.ANSWERED, Status.CLOSED)
    if "batch_id" not in values:
        values["batch_id"] = session.scalar(select(Batch.id).limit(1)) or create_batch(session).id
    voice = _save(session, Voice(**{**defaults, **values}))
    if counted:
        facts.add(session, [facts.attributes_of(session, voice)])
    if labelled:
        _create_labels(session, voice, word)
    if answered:
        create_answer(session, voice, published_on=received_on + timedelta(days=12) if published else None)
    return voice


def create_answer(session: Session, voice: Voice, **values: Any) -> Answer:
    defaults = {
        "text": "ご意見をいただき、ありがとうございます。現地を確かめ、今月中に応急の補修を行います。",
        "department": voice.department,
        "answered_on": voice.received_on + timedelta(days=8),
    }
    return _save(session, Answer(voice_id=voice.id, **{**defaults, **values}))


def create_secret(session: Session, voice: Voice, keyring: Keyring, **parts: str) -> Secret:
    """A sealed original and, with one of ``CONTACTS``, sealed contacts."""
    contacts = {name: parts.pop(name) for name in CONTACTS if name in parts}
    sealed = None
    for field, content in (("original", parts or {"text": "港町一郎と申します。"}), ("contact", contacts)):
        if content:
            place = f"{voice.content_hash}:{field}"
            body = keyring.seal(json.dumps(content, ensure_ascii=False), place=place)
            sealed = _save(session, Secret(voice_id=voice.id, field=field, key_id=keyring.current, place=place, sealed=body))
    assert sealed is not None
    return sealed


def create_case(session: Session, voice: Voice, **values: Any) -> Case:
    """The case that a voice is in; begun when there is none."""
    if voice.case_id is not None:
        return session.get_one(Case, voice.case_id)
    case: Case = _save(session, Case(**{"lead_id": voice.id, "status": voice.status, "opened_at": NOON, "changed_at": NOON, **values}))
    voice.case_id = case.id
    session.flush()
    return case


def create_note(session: Session, voice: Voice, user: User, keyring: Keyring, *, written: str = "", **values: Any) -> CaseNote:
    """A note on a voice's case; with ``written`` a sealed one."""
    number = next(_numbers)
    place = f"note:{number}"
    sealed = keyring.seal(written, place=place) if written else None
    defaults = {"case_id": create_case(session, voice).id, "user_id": user.id, "at": NOON, "text": "〔氏名〕に電話した。", "place": place}
    kept = {"sealed": sealed, "key_id": keyring.current if written else ""}
    note: CaseNote = _save(session, CaseNote(**{**defaults, **kept, **values}))
    return note


def create_file(session: Session, voice: Voice, user: User, keyring: Keyring, *, content: bytes = b"%PDF-1.7", **values: Any) -> CaseFile:
    """An attachment of a voice's case."""
    place = f"file:{next(_numbers)}"
    defaults = {"case_id": create_case(session, voice).id, "user_id": user.id, "at": NOON, "name": "地図.pdf", "size": len(content)}
    sealed = {"key_id": keyring.current, "place": place, "sealed": keyring.seal_bytes(content, place=place)}
    file: CaseFile = _save(session, CaseFile(**{"content_type": "application/pdf", **defaults, **sealed, **values}))
    return file


def create_view(session: Session, user: User, **values: Any) -> SavedView:
    """A saved view of the desk; with ``department`` the department's."""
    view: SavedView = _save(session, SavedView(**{"user_id": user.id, "name": "段差の声", "query": "q=段差", "created_at": NOON, **values}))
    return view


def create_human_label(
    session: Session, voice: Voice, user: User, *, facet: Facet = Facet.THEME, value: str = "", **values: Any
) -> HumanLabel:
    return _save(
        session,
        HumanLabel(voice_id=voice.id, user_id=user.id, facet=facet, value=value, created_at=values.pop("created_at", NOON), **values),
    )


def create_topic(session: Session, *, voices: list[Voice] | None = None, **values: Any) -> Topic:
    """A topic with its run; ``voices`` become its members."""
    run = _save(session, TopicRun(mode="fit", voices=len(voices or ()), started_at=NOON))
    defaults = {
        "name": _random.choice(("歩道の段差", "街灯の球切れ", "遊具の傷み", "収集の時刻", "入園の案内")),
        "size": len(voices or ()),
        "keywords": [{"word": word, "weight": 0.2} for word in ("歩道", "段差", "車いす")],
        "examples": [voice.id for voice in (voices or [])[:3]],
        "born_run_id": run.id,
        "last_run_id": run.id,
    }
    topic = _save(session, Topic(**{**defaults, **values}))
    join_topic(session, topic, voices or [])
    return topic


def join_topic(session: Session, topic: Topic, voices: list[Voice]) -> None:
    """Makes voices members of a topic, each with a place on the map that its id gives."""
    before = [facts.attributes_of(session, voice) for voice in voices]
    common = {"topic_id": topic.id, "probability": 0.8, "run_id": topic.last_run_id}
    for voice in voices:
        place = {"x": voice.id * 37 % 100 / 100, "y": voice.id * 61 % 100 / 100}
        session.add(TopicMembership(voice_id=voice.id, received_on=voice.received_on, **place, **common))
    session.flush()
    facts.move(session, before=before, after=[row | {"topic": str(topic.id)} for row in before])


def create_topic_event(session: Session, topic: Topic, kind: TopicEventKind, **values: Any) -> TopicEvent:
    """What became of a topic at its last run, or by a person's hand (``actor``)."""
    run = None if values.get("actor") else topic.last_run_id
    return _save(session, TopicEvent(topic_id=topic.id, run_id=run, kind=kind, **{"others": [], "at": NOON, **values}))


def create_look(session: Session, *surges: Mapping[str, Any], as_of: date, enough: bool = True, created_at: datetime = NOON) -> SurgeRun:
    """A stored look with surges, the one to look at first first, each of 19 voices of seven days in place of 8."""
    settings = {"enough": enough, "past": 700 if enough else 12, "needed": 70}
    run: SurgeRun = _save(session, SurgeRun(as_of=as_of, series=60, settings=settings, created_at=created_at))
    weeks = [
        {"begins_on": (as_of - timedelta(days=7 * ago + 6)).isoformat(), "observed": 7 if ago else 19, "expected": 8.2, "upper": 16}
        for ago in reversed(range(26))
    ]
    for rank, values in enumerate(surges, start=1):
        common = {"facet": "topic", "since": as_of - timedelta(days=6), "until": as_of, "observed": 19, "expected": 8.2, "upper": 16.0}
        _save(session, Surge(run_id=run.id, rank=rank, **{**common, "p": 1e-5, "q": 0.001, "weeks": weeks, **values}))
    return run


def _create_labels(session: Session, voice: Voice, word: str) -> None:
    others = [theme for theme in THEMES if theme != voice.theme]
    said = {
        Facet.THEME: (voice.theme, [[theme, 0.1] for theme in others[:2]]),
        Facet.SUBTHEME: (voice.subtheme, []),
        Facet.KIND: (voice.kind.value, [[Kind.PROPOSAL.value, 0.15]]),
        Facet.URGENCY: (voice.urgency.value, []),
        Facet.DEPARTMENT: (voice.department, []),
    }
    start = voice.text.find(word)
    evidence = [[word, 0.6, start, start + len(word)]] if start >= 0 else []
    labels = {
        facet.value: [value, voice.confidence, others, evidence if facet in (Facet.THEME, Facet.DEPARTMENT) else []]
        for facet, (value, others) in said.items()
    }
    session.add(MachineReading(voice_id=voice.id, model="test-1", created_at=NOON, **labels))
    session.flush()


def _save(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row
