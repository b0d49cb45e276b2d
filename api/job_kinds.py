"""What background jobs do: one function a kind, each calling what the command of the same name calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from api.answers import acts as answer_acts
from api.intake_jobs import check_file, import_file, retry_rejects, undo_batch
from api.jobs import JobContext, JobFunction, JobStopped, submit
from core import db, facts
from core.models import Job, JobState


def fit_topics(context: JobContext) -> dict[str, Any]:
    """Topics over all voices."""
    from nlp.topics import service

    return service.fit_topics(context.engine, context.settings, actor=context.actor, progress=_steps(context)).as_dict()


def update_topics(context: JobContext) -> dict[str, Any]:
    """New voices into the topics that exist."""
    from nlp.topics import service

    return service.update_topics(context.engine, context.settings, actor=context.actor, progress=_steps(context)).as_dict()


def train(context: JobContext) -> dict[str, Any]:
    """The models, from examples, past cases and what staff decided."""
    from nlp import artifacts, service
    from nlp.retrain import retrain

    context.report(0, 0, "モデルを作っています")
    with db.reading(context.engine) as session:
        human = service.lessons(session, context.settings)
    trained = retrain(context.settings, human=human)
    return {**trained.as_dict(), "model": artifacts.card(trained.folder)["version"]}


def update_campaigns(context: JobContext) -> dict[str, Any]:
    """Groups of near-copies among the voices that are new."""
    from api import campaigns

    context.report(0, 0, "同文・一斉投稿をまとめています")
    report = campaigns.update_campaigns(context.engine, context.settings)
    return {"voices": report.voices, "begun": report.begun, "joined": report.joined}


def read_opinions(context: JobContext) -> dict[str, Any]:
    """Judgements, requests and questions of the voices that weren't read yet. Arguments: ``topic``, ``limit``."""
    from nlp.opinions import service

    def progress(done: int, waiting: int) -> None:
        context.report(done, waiting, "声を読み取っています")
        if context.stop() and done < waiting:
            raise JobStopped({"read": done})  # what was read is stored

    topic, limit = context.arguments.get("topic"), context.arguments.get("limit")
    report = service.update(context.engine, context.settings, topic=topic, limit=limit, progress=progress)
    return {"read": report.read}


def look_for_surges(context: JobContext) -> dict[str, Any]:
    """What came in more often than its past explains, as it stands after the newest voice."""
    from core import city
    from nlp.surge import service

    context.report(0, 0, "急増を調べています")
    report = service.update(context.engine, city.load(context.settings.taxonomy_dir).calendar)
    return {"as_of": report.as_of.isoformat(), "series": report.series, "surges": len(report.surges)}


def send_answers(context: JobContext) -> dict[str, Any]:
    """The mails of an answer that was sent, one after the other. Arguments: ``draft``."""
    from core import city, mailer
    from loop import mailing

    draft = int(context.arguments["draft"])
    total = mailing.count_waiting(context.engine, draft)

    def progress(done: int) -> None:
        context.report(done, total, "回答のメールを送っています")
        context.check()

    def post(to: str, subject: str, body: str) -> str:
        return mailer.send(context.settings, to=to, subject=subject, body=body)

    at = city.load(context.settings.taxonomy_dir)
    return mailing.deliver(context.engine, context.keyring, at, draft, who=context.actor, post=post, progress=progress)


def forecast(context: JobContext) -> dict[str, Any]:
    """How fast departments answer, and what of the open voices is likely to be late, as of today."""
    from core import city
    from loop import forecast as forecasts

    context.report(0, 0, "期限の見通しを立てています")
    learnt = forecasts.update(context.engine, city.load(context.settings.taxonomy_dir).calendar)
    return {"learnt": learnt}


def send_digests(context: JobContext) -> dict[str, Any]:
    """The morning digest of today to everybody who hasn't had it."""
    from api import digest_mail
    from core.clock import today

    context.report(0, 0, "朝のメールを送っています")
    report = digest_mail.send(context.engine, context.settings, day=today(), actor=context.actor, stop=context.stop)
    if context.stop():
        raise JobStopped({"sent": report.sent})
    found: dict[str, Any] = {"sent": report.sent, "failed": len(report.failed)}
    if report.failed:
        found["reason"] = "送れなかった宛先: " + "、".join(f"{key}（{why}）" for key, why in report.failed)
    return found


def then_surges(function: JobFunction) -> JobFunction:
    """The function, and after it a look for surges as a job of its own, unless one waits already or there are no voices (an FAQ log)."""

    def both(context: JobContext) -> dict[str, Any]:
        result = function(context)
        with db.writing(context.engine) as session:
            waiting = select(Job.id).where(Job.kind == "surges", Job.state == JobState.QUEUED).limit(1)
            if session.scalar(waiting) is None and facts.span(session):
                submit(session, context.settings, kind="surges", title=TITLES["surges"], arguments={}, actor=context.actor)
        return result

    return both


def _steps(context: JobContext) -> Callable[[int, int, str], None]:
    """Tells how far a run of topics is, and stops it between two steps; it has written nothing until its end."""

    def tell(done: int, total: int, message: str) -> None:
        context.report(done, total, message)
        context.check()

    context.report(0, 0, "準備しています")
    return tell


KINDS: dict[str, JobFunction] = {
    "import": then_surges(import_file),
    "import_check": check_file,
    "retry_rejects": retry_rejects,
    "undo_batch": undo_batch,
    "topics_fit": then_surges(fit_topics),
    "topics_update": then_surges(update_topics),
    "surges": look_for_surges,
    "forecast": forecast,
    "digest": send_digests,
    "train": train,
    "campaigns": update_campaigns,
    "opinions": read_opinions,
    answer_acts.JOB: send_answers,
}
TITLES = {
    "import": "ファイルの取込",
    "import_check": "取込の試し",
    "retry_rejects": "直した行の取込",
    "undo_batch": "取込の取り消し",
    "topics_fit": "話題を作る",
    "topics_update": "新しい声を話題に入れる",
    "surges": "急増を調べる",
    "forecast": "期限の見通しを立てる",
    "digest": "朝のメールを送る",
    "train": "訂正から学び直す",
    "campaigns": "同文・一斉投稿をまとめる",
    "opinions": "意見を読み取る",
    answer_acts.JOB: answer_acts.JOB_TITLE,
}
