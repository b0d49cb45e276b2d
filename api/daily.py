"""What is done once a day: workers look at the clock, and the first one that sees the time asks for the job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError

from api.job_kinds import TITLES
from api.jobs import submit
from core import city, db, mailer
from core.clock import TOKYO, to_tokyo, utc_now
from core.models import DailyRun
from core.settings import Settings

ACTOR = "timer"
_REMEMBERED = timedelta(days=60)
_MORNING = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Task:
    """A job kind, and from what moment of a day on it is wanted."""

    kind: str
    wanted: Callable[[Settings, datetime], bool]


def _morning(settings: Settings, now: datetime) -> bool:
    """From the hour that the city chose, on open days; not when the workers begin so late that it is no morning any more."""
    if settings.digest_time == "none" or not mailer.is_on(settings):
        return False
    begins = datetime.combine(now.date(), time.fromisoformat(settings.digest_time), TOKYO)
    return begins <= now < begins + _MORNING and city.load(settings.taxonomy_dir).calendar.is_open(now.date())


# What the morning's mails tell is learnt before they are sent.
TASKS = (Task("forecast", lambda _settings, _now: True), Task("digest", _morning))


def begin(engine: Engine, settings: Settings, *, now: datetime | None = None) -> list[str]:
    """Asks for the jobs whose time has come today and that nobody has asked for; gives their kinds. Many workers may call it at once."""
    moment = to_tokyo(now or utc_now())
    wanted = [task.kind for task in TASKS if task.wanted(settings, moment)]
    with db.reading(engine) as session:
        begun = set(session.scalars(select(DailyRun.task).where(DailyRun.day == moment.date())))
    return [kind for kind in wanted if kind not in begun and _ask(engine, settings, kind, moment.date())]


def _ask(engine: Engine, settings: Settings, kind: str, day: date) -> bool:
    try:
        with db.writing(engine) as session:
            if session.get(DailyRun, (day, kind)) is not None:
                return False
            session.add(DailyRun(day=day, task=kind, begun_at=utc_now()))
            session.flush()
            session.execute(delete(DailyRun).where(DailyRun.day < day - _REMEMBERED))
            submit(session, settings, kind=kind, title=TITLES[kind], arguments={}, actor=ACTOR)
    except IntegrityError:
        return False  # another worker was quicker
    return True
