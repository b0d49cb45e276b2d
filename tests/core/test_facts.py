"""The daily counts say what counting the voices says, whatever happened to the voices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, func, select
from sqlalchemy.orm import Session

from core import db, facts
from core.models import Channel, DailyCount, Kind, MonthlyCount, Topic, TopicMembership, TopicRun, Urgency, Voice
from tests import factories

FIRST = date(2026, 12, 28)
TOPICS = 3
ATTRIBUTES = {
    "channel": list(Channel)[:3],
    "department": ["", "保育課", '"一課", {二課}\\'],
    "district": ["", "港地区", "本町\n地区", "山手'地区", "NULL", "null"],
    "kind": list(Kind)[:3],
    "subtheme": ["", "保育園・入園"],
    "theme": ["道路・交通", "子育て・保育"],
    "urgency": list(Urgency),
}
VOICES = st.fixed_dictionaries(
    {"received_on": st.integers(0, 70).map(lambda days: FIRST + timedelta(days=days)), "topic": st.integers(0, TOPICS)}
    | {name: st.sampled_from(values) for name, values in ATTRIBUTES.items()}
)
# What happens to the voices, one transaction each: some come in, some are labelled anew, some go.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(VOICES, min_size=1, max_size=6)),
        st.tuples(st.just("move"), st.lists(st.tuples(st.integers(0, 99), VOICES), min_size=1, max_size=4)),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 99), min_size=1, max_size=4)),
        st.tuples(st.just("place"), st.lists(st.tuples(st.integers(0, 99), st.integers(0, TOPICS)), min_size=1, max_size=9)),
    ),
    min_size=1,
    max_size=8,
)


def save(session: Session, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        voice = factories.create_voice(session, labelled=False, **{name: value for name, value in row.items() if name != "topic"})
        if row.get("topic"):
            before = facts.attributes_of(session, voice)
            place(session, voice, row["topic"])
            facts.move(session, before=[before], after=[facts.attributes_of(session, voice)])


def place(session: Session, voice: Voice, number: int) -> None:
    """Puts a voice into a topic, 0: into none, without a word to the counts."""
    session.execute(delete(TopicMembership).where(TopicMembership.voice_id == voice.id))
    if number:
        if session.get(Topic, number) is None:
            run = TopicRun(mode="fit", voices=0, started_at=factories.NOON)
            session.add(run)
            session.flush()
            session.add(Topic(id=number, name=str(number), born_run_id=run.id, last_run_id=run.id))
            session.flush()
        run_id = session.get_one(Topic, number).last_run_id
        session.add(TopicMembership(voice_id=voice.id, topic_id=number, received_on=voice.received_on, probability=0.5, run_id=run_id))
    session.flush()
    session.expunge_all()


def some(session: Session, numbers: list[int]) -> list[Voice]:
    voices = session.scalars(select(Voice).order_by(Voice.id)).all()
    return [voices[place] for place in dict.fromkeys(number % len(voices) for number in numbers)] if voices else []


def take(session: Session, kind: str, given: list[Any]) -> None:
    """One step, as the import, the desk and an undo do it."""
    if kind == "add":
        save(session, given)
    elif kind == "move":
        voices = some(session, [number for number, _ in given])
        before = [facts.attributes_of(session, voice) for voice in voices]
        for voice, (_, values) in zip(voices, given, strict=False):
            for name in ("theme", "subtheme", "kind", "urgency", "department"):
                setattr(voice, name, values[name])
        session.flush()
        facts.move(session, before=before, after=[facts.attributes_of(session, voice) for voice in voices])
    elif kind == "place":
        # As a run does it: everything anew.
        for voice, (_, number) in zip(some(session, [number for number, _ in given]), given, strict=False):
            place(session, voice, number)
        facts.recount_topics(session)
    else:
        gone = Voice.id.in_([voice.id for voice in some(session, given)])
        facts.remove(session, session.execute(select(*facts.COLUMNS).where(gone)).mappings().all())
        session.execute(delete(Voice).where(gone))


def kept(session: Session) -> list[tuple[Any, ...]]:
    tables = (DailyCount.__table__, MonthlyCount.__table__)
    return [tuple(row) for table in tables for row in session.execute(select(*table.columns).order_by(*table.primary_key))]


def by_hand(session: Session, *names: str, since: date | None = None, until: date | None = None) -> Counter[Any]:
    """How many voices have which values, counted one by one."""
    rows = session.execute(select(*facts.COLUMNS)).mappings()
    return Counter(
        tuple(str(row[name]) for name in names)
        for row in rows
        if (since is None or row["received_on"] >= since) and (until is None or row["received_on"] <= until)
    )


PERIODS = [
    (None, None),
    (FIRST + timedelta(days=2), FIRST + timedelta(days=7)),
    (date(2027, 1, 1), date(2027, 1, 31)),
    (FIRST + timedelta(days=1), date(2027, 2, 27)),
    (date(2027, 1, 3), None),
    (None, date(2027, 2, 28)),
    (date(2027, 1, 15), date(2027, 2, 10)),
    (date(2027, 2, 10), date(2027, 1, 15)),
    (date.min, date.max),
]


def check(session: Session) -> None:
    for name in facts.ATTRIBUTES:
        for since, until in PERIODS:
            expected = {value: number for (value,), number in by_hand(session, name, since=since, until=until).items()}
            assert facts.totals(session, name, since=since, until=until) == expected
    for name in facts.ATTRIBUTES:
        for place, other in enumerate(facts.ATTRIBUTES):
            if facts.is_counted([name, other]) and name != other:
                since, until = PERIODS[place % len(PERIODS)]
                assert facts.cross(session, name, other, since=since, until=until) == by_hand(
                    session, name, other, since=since, until=until
                )
    for since, until in PERIODS[3:5]:
        days = by_hand(session, "received_on", "topic", "district", since=since, until=until)
        found = facts.daily(session, "topic", by_facet="district", since=since, until=until)
        assert found == sorted((date.fromisoformat(day), *rest, number) for (day, *rest), number in days.items())
    assert sum(facts.totals(session, "").values()) == session.scalar(select(func.count()).select_from(Voice))
    assert not [row for row in kept(session) if row[-1] <= 0]
    assert facts.differences(session) == []


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_counts_are_right_after_any_sequence_of_imports_relabels_and_removals(engine: Engine, steps: list[tuple[str, list[Any]]]) -> None:
    with db.writing(engine) as session:  # what the example before left goes first
        take(session, "remove", list(range(100)))
        assert kept(session) == []
    for kind, what in steps:
        with db.writing(engine) as session:
            take(session, kind, what)
    with db.reading(engine) as session:
        check(session)
        before = kept(session)
    facts.rebuild(engine)
    with db.reading(engine) as session:
        assert kept(session) == before


@pytest.fixture
def day_by_day(engine: Engine) -> Iterator[Session]:
    """One voice on the first day, two on the second and so on, over the turn of a year."""
    with db.writing(engine) as session:
        save(session, [{"received_on": FIRST + timedelta(days=day), "theme": "防災・防犯"} for day in range(10) for _ in range(day + 1)])
    with db.reading(engine) as session:
        yield session


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("day", {FIRST + timedelta(days=day): day + 1 for day in range(10)}),
        ("week", {date(2026, 12, 28): 28, date(2027, 1, 4): 27}),
        ("month", {date(2026, 12, 1): 10, date(2027, 1, 1): 45}),
    ],
)
def test_series_by_step(day_by_day: Session, by: facts.Step, expected: dict[date, int]) -> None:
    assert facts.series(day_by_day, "theme", by=by) == {step: {"防災・防犯": number} for step, number in expected.items()}
    assert facts.series(day_by_day, "", by=by) == {step: {"": number} for step, number in expected.items()}


def test_a_series_of_one_value_and_of_a_period_s_months(day_by_day: Session) -> None:
    third, last = FIRST + timedelta(days=2), FIRST + timedelta(days=8)
    assert facts.series_of(day_by_day, "theme", "防災・防犯", since=third, until=last, by="month") == {
        date(2026, 12, 1): 3 + 4,
        date(2027, 1, 1): 5 + 6 + 7 + 8 + 9,
    }
    assert facts.series_of(day_by_day, "theme", "防災・防犯", until=FIRST) == {FIRST: 1}
    assert facts.series_of(day_by_day, "theme", "税") == {}
    assert facts.totals(day_by_day, "theme", values=["税"]) == facts.cross(day_by_day, "topic", "theme", values=["1"]) == {}
    assert facts.cross(day_by_day, "theme", "topic", values=["防災・防犯"]) == {("防災・防犯", ""): 55}


def test_series_of_a_part(day_by_day: Session) -> None:
    second, third = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
    assert facts.series(day_by_day, "", since=second, until=third) == {second: {"": 2}, third: {"": 3}}


def test_no_voice_at_all(engine: Engine) -> None:
    with db.writing(engine) as session:
        facts.add(session, [])
        assert facts.span(session) is None
        assert facts.totals(session, "") == facts.series(session, "theme") == facts.cross(session, "kind", "theme") == {}
        assert session.scalar(facts.voices_with({})) == 0


def test_a_day_that_is_put_right_within_its_month(engine: Engine) -> None:
    with db.writing(engine) as session:
        voice = factories.create_voice(session, labelled=False, received_on=FIRST)
        before = facts.attributes_of(session, voice)
        voice.received_on = FIRST + timedelta(days=1)
        session.flush()
        facts.move(session, before=[before], after=[facts.attributes_of(session, voice)])
        check(session)


def test_how_many_have_none_one_or_two_values(day_by_day: Session) -> None:
    assert facts.span(day_by_day) == (FIRST, FIRST + timedelta(days=9))
    assert day_by_day.scalar(facts.voices_with({})) == 55
    assert day_by_day.scalar(facts.voices_with({"theme": "防災・防犯"}, since=FIRST + timedelta(days=9))) == 10
    assert day_by_day.scalar(facts.voices_with({"theme": "防災・防犯", "department": "くらし安全課"}, until=FIRST)) == 1
    assert day_by_day.scalar(facts.voices_with({"urgency": Urgency.LIFE})) == 0


@pytest.mark.parametrize("names", [("title",), ("subtheme", "theme"), ("theme", "theme"), ("kind", "theme", "urgency")])
def test_what_is_not_counted_is_refused(engine: Engine, names: tuple[str, ...]) -> None:
    assert facts.is_counted(names) is False
    with db.reading(engine) as session:
        if len(names) == 2:
            with pytest.raises(ValueError, match="not counted"):
                facts.cross(session, *names)
        if len(set(names)) == len(names):
            with pytest.raises(ValueError, match="not counted"):
                facts.voices_with(dict.fromkeys(names, "x"))


def test_a_voice_that_was_not_counted_is_told(engine: Engine) -> None:
    with db.writing(engine) as session:
        save(session, [{"theme": "防災・防犯", "received_on": FIRST, "channel": Channel.PHONE}])
        by_topic = (MonthlyCount.facet == "channel", MonthlyCount.by_facet == "topic")
        session.execute(MonthlyCount.__table__.update().where(*by_topic).values(voices=7))
        session.execute(delete(DailyCount).where(DailyCount.facet == "theme", DailyCount.by_facet == ""))
        session.execute(DailyCount.__table__.update().where(DailyCount.facet == "").values(voices=3))
    with db.reading(engine) as session:
        assert facts.differences(session) == [
            facts.Difference("", "", FIRST, "", "", kept=3, counted=1),
            facts.Difference("theme", "", FIRST, "防災・防犯", "", kept=0, counted=1),
            facts.Difference("channel", "topic", date(2026, 12, 1), Channel.PHONE, "", kept=7, counted=1, monthly=True),
        ]
    facts.rebuild(engine)
    with db.reading(engine) as session:
        assert facts.differences(session) == []


def test_many_write_and_one_counts_anew_at_the_same_time(engine: Engine) -> None:
    with db.writing(engine) as session:
        batch = factories.create_batch(session).id
    rows = [
        {"received_on": FIRST + timedelta(days=number % 7), "batch_id": batch}
        | {name: values[number % len(values)] for name, values in ATTRIBUTES.items()}
        for number in range(40)
    ]

    def write(turn: int) -> None:
        if turn == 3:
            facts.rebuild(engine)
            return
        # Each brings the same days and values in an order of its own; the counts of all are the same rows.
        mixed = rows[turn:] + rows[:turn]
        with db.writing(engine) as session:
            saved = [factories.create_voice(session, labelled=False, counted=False, **row) for row in mixed[:: 1 - turn % 2 * 2]]
            facts.add(session, [facts.attributes_of(session, voice) for voice in saved])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(8)))
    with db.reading(engine) as session:
        assert facts.totals(session, "") == {"": 7 * 40}
        check(session)


def test_rows_are_written_in_the_order_of_their_keys(sqlite_engine: Engine) -> None:
    """Two writers on PostgreSQL who lock the same rows in two orders would stop each other."""
    written: list[list[tuple[Any, ...]]] = []

    @event.listens_for(sqlite_engine, "before_cursor_execute")
    def _see(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("INSERT INTO daily_counts", "INSERT INTO monthly_counts")):
            written.append([row[:5] for row in parameters])

    with db.writing(sqlite_engine) as session:
        batch = factories.create_batch(session).id
        rows = [{name: values[-number % len(values)] for name, values in ATTRIBUTES.items()} for number in range(7)]
        voices = [factories.create_voice(session, counted=False, batch_id=batch, **row) for row in rows]
        before = [facts.attributes_of(session, voice) for voice in voices]
        facts.add(session, before)
        facts.move(session, before=before, after=[row | {"theme": row["theme"][:2], "kind": Kind.THANKS} for row in before[::-1]])
        facts.remove(session, before)
    assert len(written) == 6
    assert all(keys == sorted(keys) and len(keys) > 9 for keys in written)


def test_the_migration_counts_the_voices_that_are_there(engine: Engine) -> None:
    with db.writing(engine) as session:
        rows = [{name: values[number % len(values)] for name, values in ATTRIBUTES.items()} for number in range(30)]
        save(session, [row | {"topic": number % 3} for number, row in enumerate(rows)])
        counted = kept(session)
    with engine.begin() as connection:
        command.downgrade(db._alembic_config(connection), "0004")
    db.upgrade(engine)
    with db.reading(engine) as session:
        assert kept(session) == counted
