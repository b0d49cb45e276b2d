"""koe taxonomy check, koe routing try: the city's files checked, and its rules tried on the voices that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import EXIT_ERROR, app
from api.cli.context import as_json, database, day_of, note, say, settings

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from loop.rule_queries import Trial
    from nlp.routing import Routing

taxonomy = typer.Typer(help="分類・所管課・市のファイルの検査", no_args_is_help=True)
app.add_typer(taxonomy, name="taxonomy")
routing = typer.Typer(help="振り分け規則（routing.yaml）", no_args_is_help=True)
app.add_typer(routing, name="routing")

Since = Annotated[str | None, typer.Option(help="この日から後に受け付けた声で試す（例: 2026-04-01）。省くとすべて")]


@taxonomy.command()
def check(since: Since = None) -> None:
    """分類・所管課・市・決裁の順・振り分け規則のファイルを検査し、規則ごとに、取込済みの声の何件に当てはまるかを出す。"""
    from nlp import routing_file, taxonomy_check

    folder = settings().taxonomy_dir
    day = day_of(since, option="--since")
    found = taxonomy_check.problems(folder) or _approvals(folder)
    for problem in found:
        say(problem)
    if found:
        note(f"{len(found)} か所を直してください（{folder}）。")
        raise typer.Exit(EXIT_ERROR)
    rules = routing_file.load(folder)
    say(f"分類のファイルに誤りはありません（{folder}）。")
    trial = _trial(rules, day) if rules.rules else None
    if trial:
        say(_page(trial))
    else:
        say(f"振り分け規則 {len(rules.rules)} 件。{'取込済みの声はまだありません。' if rules.rules else ''}")


@routing.command(name="try")
def try_(since: Since = None, *, as_json_line: Annotated[bool, typer.Option("--json", help="JSON で出す")] = False) -> None:
    """規則を取込済みの声で試し、規則ごとの件数と、職員が決めた所管課との一致を出す。声の分類は変えない。"""
    from core.errors import InputError
    from nlp import routing_file

    rules = routing_file.load(settings().taxonomy_dir)
    if not rules.rules:
        path = settings().taxonomy_dir / routing_file.NAME
        raise InputError("振り分け規則がありません。", hint=f"{path} に規則を書いてください。")
    trial = _trial(rules, day_of(since, option="--since"))
    if trial is None:
        raise InputError("取込済みの声がありません。", hint="koe import で声を取り込んでから試してください。")
    say(as_json(trial.as_dict()) if as_json_line else _page(trial))


def _approvals(folder: Path) -> list[str]:
    from core.errors import InputError
    from loop import chains

    try:
        chains.load(folder)
    except InputError as error:
        return [str(error)]
    return []


def _trial(rules: Routing, day: date | None) -> Trial | None:
    """The rules on the voices that are there; ``None`` where there is no database yet."""
    from core import db
    from loop import rule_queries

    engine = database()
    if db.revision(engine) is None:
        return None
    with db.reading(database(upgrade=True)) as session:
        return rule_queries.try_rules(session, rules, since=day)


def _page(trial: Trial) -> str:
    lines = [f"声 {trial.voices:,} 件のうち {trial.matched:,} 件に規則が当てはまります。"]
    for number, rule in enumerate(trial.rules, start=1):
        staff = f"、職員の判断 {rule.decided:,} 件のうち {rule.agreed:,} 件が同じ" if rule.decided else ""
        elsewhere = f"、いまは別の課の声 {rule.elsewhere:,} 件" if rule.elsewhere else ""
        covered = f"、上の規則が先に当てはまる声 {rule.covered:,} 件" if rule.covered else ""
        shown = f"　例 {'、'.join(rule.examples)}" if rule.examples else ""
        lines.append(f"{number:>3}. {rule.rule} → {rule.department}：{rule.voices:,} 件{elsewhere}{staff}{covered}{shown}")
    return "\n".join(lines)
