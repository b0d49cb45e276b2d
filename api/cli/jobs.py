"""koe worker, koe jobs: background jobs and the processes that do them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import app
from api.cli.context import as_json, database, note, say, settings
from core.errors import InputError

if TYPE_CHECKING:
    from core.models import Job

jobs = typer.Typer(help="裏で動く処理の一覧・やり直し・取り消し", no_args_is_help=True)
app.add_typer(jobs, name="jobs")

Number = Annotated[int, typer.Argument(help="処理の番号（koe jobs list で見る）", show_default=False)]
JsonFlag = Annotated[bool, typer.Option("--json", help="JSON で出す")]
_ACTOR = "cli"
_KINDS = "import・topics_fit・topics_update・surges・forecast・digest・train・campaigns・opinions"


@app.command()
def worker(
    processes: Annotated[int, typer.Option(min=1, max=64, help="同時に行う処理の数（プロセスの数）")] = 1,
    *,
    once: Annotated[bool, typer.Option("--once", help="待っている処理をすべて行い、なくなったら終わる")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True, help="この番号のプロセスが終わったら終わる")] = None,
) -> None:
    """裏で動く処理（取込・話題・学習など）を行う。止めると、取込は区切りのよいところで止まり、次に動かしたときに続きから進む。"""
    from api import worker as processing
    from core import db

    current = settings()
    engine = database()
    if db.revision(engine) is None:
        db.upgrade(engine)
    engine.dispose()
    if once:
        processing.run_once(current)
        return
    if parent is None:
        note("処理を待っています。止めるには Ctrl+C。")
    processing.run(current, processes=processes, parent=parent)


@jobs.command(name="list")
def show_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="出す件数")] = 20,
    before: Annotated[int | None, typer.Option(min=1, help="この番号より前の処理を出す")] = None,
    *,
    as_json_lines: JsonFlag = False,
) -> None:
    """処理を、新しい順に出す。"""
    from core import db
    from core import jobs as table

    with db.reading(database(upgrade=True)) as session:
        found = table.listing(session, limit=limit, before_id=before)
    if as_json_lines:
        for job in found:
            say(as_json(_record(job)))
    elif not found:
        note("処理はありません。koe jobs add で頼めます。")
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for job in found:
            say(_line(job))


@jobs.command()
def show(number: Number, *, as_json_line: JsonFlag = False) -> None:
    """処理を1つ、くわしく出す。"""
    from core import db
    from core import jobs as table

    with db.reading(database(upgrade=True)) as session:
        job = table.find(session, number)
    say(as_json(_record(job)) if as_json_line else _details(job))


@jobs.command()
def retry(number: Number) -> None:
    """失敗した処理か取り消した処理を、もう一度待ち行列に入れる。"""
    from api.jobs import submit_again
    from core import db

    with db.writing(database(upgrade=True)) as session:
        job = submit_again(session, settings(), number, actor=_ACTOR)
    say(f"処理 {job.id}（{job.title}）をもう一度待ち行列に入れました。")


@jobs.command()
def cancel(number: Number) -> None:
    """処理を取り消す。実行中のものは、区切りのよいところで止まる。"""
    from core import db
    from core import jobs as table
    from core.models import JobState

    with db.writing(database(upgrade=True)) as session:
        job = table.request_cancel(session, number, actor=_ACTOR)
    done = job.state is JobState.CANCELLED
    say(f"処理 {job.id}（{job.title}）を取り消しました。" if done else f"処理 {job.id}（{job.title}）に、止まるよう伝えました。")


@jobs.command()
def add(
    kind: Annotated[str, typer.Argument(help=f"種類（{_KINDS}）", show_default=False)],
    file: Annotated[Path | None, typer.Argument(help="import のとき、取り込むファイル", show_default=False)] = None,
    mapping: Annotated[str, typer.Option(help="import のとき、列の対応表の名前かファイル")] = "auto",
) -> None:
    """処理を頼む。行うのは koe worker。"""
    from api.job_kinds import KINDS, TITLES
    from api.jobs import submit
    from core import db

    if kind not in KINDS:
        raise InputError(f"処理の種類「{kind}」がわかりません。", hint=f"{'・'.join(KINDS)} から選んでください。")
    if (kind == "import") != (file is not None):
        raise InputError(
            "取り込むファイルは、種類が import のときに1つ指定します。",
            hint="例: koe jobs add import 応答記録.csv、koe jobs add topics_fit",
        )
    arguments: dict[str, Any] = {}
    title = TITLES[kind]
    if file is not None:
        if not file.is_file():
            raise InputError(f"ファイルがありません: {file}", hint="パスを確かめてください。")
        # The worker may run in another folder.
        arguments = {"path": str(file.resolve()), "mapping": str(Path(mapping).resolve()) if Path(mapping).is_file() else mapping}
        title = f"{file.name} の取込"
    with db.writing(database(upgrade=True)) as session:
        job = submit(session, settings(), kind=kind, title=title, arguments=arguments, actor=_ACTOR)
    say(f"処理 {job.id}（{job.title}）を頼みました。進み具合は koe jobs show {job.id} で見られます。")


def _record(job: Job) -> dict[str, Any]:
    plain = ("id", "kind", "title", "done", "total", "message", "result", "error", "hint", "attempts", "cancel_requested", "batch_id")
    moments = ("created_at", "started_at", "finished_at")
    return (
        {name: getattr(job, name) for name in plain}
        | {"state": job.state.value, "created_by": job.created_by}
        | {name: (moment.isoformat() if (moment := getattr(job, name)) else None) for name in moments}
    )


def _print_table(found: list[Job]) -> None:
    from rich.console import Console
    from rich.table import Table

    from api import words

    # Folded: there are no spaces at which a Japanese sentence could be divided.
    table = Table()
    for name, whole in (("番号", True), ("処理", False), ("状態", True), ("進み", True), ("頼んだ人・時刻", False), ("説明", False)):
        table.add_column(name, no_wrap=whole, overflow="fold")
    for job in found:
        asked = f"{job.created_by}\n{words.moment(job.created_at)}"
        table.add_row(str(job.id), job.title, words.JOB_STATE[job.state], words.progress(job), asked, job.error or job.message)
    Console().print(table)


def _line(job: Job) -> str:
    from api import words

    return f"{job.id:>6}  {words.JOB_STATE[job.state]}  {job.title}　{words.progress(job)}　{_remark(job)}".rstrip("　 ")


def _details(job: Job) -> str:
    from api import words

    rows = (
        ("処理", f"{job.id}（{job.title}）"),
        ("状態", words.JOB_STATE[job.state] + ("（取り消しを依頼済み）" if job.cancel_requested and not job.finished_at else "")),
        ("進み", words.progress(job)),
        ("いま", job.message),
        ("結果", as_json(job.result) if job.result else ""),
        ("エラー", job.error),
        ("対処", job.hint),
        ("頼んだ人", f"{job.created_by}（{words.moment(job.created_at)}）"),
        ("始め", words.moment(job.started_at) if job.started_at else ""),
        ("終わり", words.moment(job.finished_at) if job.finished_at else ""),
    )
    return "\n".join(f"{name}: {value}" for name, value in rows if value)


def _remark(job: Job) -> str:
    return " ".join(filter(None, (job.error, job.hint))) or job.message
