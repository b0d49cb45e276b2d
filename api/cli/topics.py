"""koe topics: fit, update, list, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, note, say, settings

if TYPE_CHECKING:
    from nlp.service import FitReport

topics = typer.Typer(help="話題を作る・見る・書き出す", no_args_is_help=True)
app.add_typer(topics, name="topics")

JsonFlag = Annotated[bool, typer.Option("--json", help="JSON で出す")]


@topics.command()
def fit(*, as_json_line: JsonFlag = False) -> None:
    """すべての声から話題を作る。すでにある話題は番号と名前を保つ。"""
    _run("fit", as_json_line=as_json_line)


@topics.command()
def update(*, as_json_line: JsonFlag = False) -> None:
    """新しい声を、いまある話題に入れる（話題は増やさない）。"""
    _run("update", as_json_line=as_json_line)


@topics.command(name="list")
def show(
    *,
    as_json_lines: JsonFlag = False,
    ended: Annotated[bool, typer.Option("--ended", help="終わった話題も出す")] = False,
) -> None:
    """話題を、件数の多いまとまりから順に出す。"""
    from core import db
    from nlp import service

    with db.reading(database()) as session:
        lines = service.list_topics(session, ended=ended)
    if not lines:
        note("話題はまだありません。koe topics fit で作ってください。")
    for line in lines:
        if as_json_lines:
            say(
                as_json(
                    {"topic_id": line.id, "topic": line.name, "parent_id": line.parent_id, "size": line.size, "keywords": line.keywords}
                )
            )
        else:
            say(f"{'  ' if line.parent_id else ''}{line.id:>5}  {line.size:>7,} 件  {line.name}　［{' '.join(line.keywords[:8])}］")


@topics.command()
def export(file: Annotated[Path, typer.Argument(help="書き出し先（JSON Lines）", show_default=False)]) -> None:
    """声ごとの話題を書き出す。"""
    from core import db
    from core.errors import InputError
    from nlp import service

    try:
        with db.reading(database()) as session, file.open("w", encoding="utf-8") as out:
            count = 0
            for record in service.export_topics(session):
                out.write(as_json(record) + "\n")
                count += 1
    except OSError:
        raise InputError(f"{file} に書けません。", hint="フォルダと権限を確かめてください。") from None
    say(f"{count:,} 件を {file} に書き出しました。")


def _run(mode: str, *, as_json_line: bool) -> None:
    from nlp import service

    note("話題を作っています…（初回は準備に1分ほどかかります）" if mode == "fit" else "声を話題に入れています…")
    report = service.fit_topics(database(upgrade=True), settings(), mode=mode)
    say(as_json(report.as_dict()) if as_json_line else summary(report))


def summary(report: FitReport) -> str:
    """One sentence about a run."""
    return (
        f"{report.voices:,} 件の声を {report.topics} の話題に分けました"
        f"（継続 {len(report.kept)}、新しい話題 {len(report.born)}、終了 {len(report.ended)}、{report.seconds:.1f} 秒）。"
    )
