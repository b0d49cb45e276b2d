"""koe topics: fit, update, list, export, history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import app
from api.cli.context import as_json, database, note, say, settings

if TYPE_CHECKING:
    from core.models import TopicEvent
    from nlp.topics.service import FitReport

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
    from nlp.topics import service

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
    from nlp.topics import service

    try:
        with db.reading(database()) as session, file.open("w", encoding="utf-8") as out:
            count = 0
            for record in service.export_topics(session):
                out.write(as_json(record) + "\n")
                count += 1
    except OSError:
        raise InputError(f"{file} に書けません。", hint="フォルダと権限を確かめてください。") from None
    say(f"{count:,} 件を {file} に書き出しました。")


@topics.command(name="history")
def tell(
    topic: Annotated[int | None, typer.Argument(metavar="[ID]", help="話題の番号。省くと、すべての話題", show_default=False)] = None,
    *,
    as_json_lines: JsonFlag = False,
) -> None:
    """話題に起きたこと（継続・増加・誕生・分かれた・まとまった・終了、人がしたこと）を、古い順に出す。"""
    from core import db
    from nlp.topics import service

    with db.reading(database()) as session:
        events = service.history(session, topic)
        if not events:
            note("話題の記録はまだありません。koe topics fit で話題を作ると残ります。")
        for name, event in events:
            say(as_json(_event(name, event)) if as_json_lines else _told(name, event))


def _event(name: str, event: TopicEvent) -> dict[str, Any]:
    return {
        "topic_id": event.topic_id, "topic": name, "event": event.kind.value, "run": event.run_id, "before": event.before,
        "after": event.after, "others": event.others, "kept_share": event.kept_share, "drift": event.drift, "actor": event.actor,
        "at": event.at.isoformat(),
    }  # fmt: skip


def _told(name: str, event: TopicEvent) -> str:
    from api.words import TOPIC_EVENT
    from core.clock import to_tokyo

    kind = TOPIC_EVENT[event.kind]
    figures = [f"{event.before:,} → {event.after:,} 件"]
    if event.others:
        figures.append(f"相手の話題 {'・'.join(map(str, event.others))}")
    if event.kept_share is not None:
        figures.append(f"前からの声の {event.kept_share:.1%} が残る")
    if event.drift is not None:
        figures.append(f"中身の変わり方 {event.drift:.3f}")
    return f"{to_tokyo(event.at):%Y-%m-%d %H:%M}  {event.topic_id:>5} {name}  {kind}（{'、'.join(figures)}）"


def _run(mode: str, *, as_json_line: bool) -> None:
    from nlp.topics import service

    made = service.fit_topics if mode == "fit" else service.update_topics
    note("話題を作っています…（初回は準備に1分ほどかかります）" if mode == "fit" else "声を話題に入れています…")
    report = made(database(upgrade=True), settings(), progress=Steps())
    say(as_json(report.as_dict()) if as_json_line else summary(report))


class Steps:
    """Tells each step of a run once, on standard error."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, done: int, total: int, message: str) -> None:
        if message != self._last:
            self._last = message
            note(f"  {message}")


def summary(report: FitReport) -> str:
    """One sentence about a run."""
    if report.mode == "update":
        total = f"全部で {report.voices:,} 件、{report.seconds:.1f} 秒"
        return f"新しい声 {report.placed:,} 件を {report.topics} の話題に入れました（{total}）。"
    changes = [("継続", report.kept), ("新しい話題", report.born), ("分かれた話題", report.split), ("まとまった話題", report.merged)]
    told = "、".join(f"{word} {len(ids)}" for word, ids in [*changes, ("終了", report.ended)])
    return f"{report.voices:,} 件の声を {report.topics} の話題に分けました（{told}、{report.seconds:.1f} 秒）。"
