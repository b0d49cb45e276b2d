"""koe surges: what came in more often than its own past explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, day_of, note, say, settings

if TYPE_CHECKING:
    from datetime import date

    from loop.surge_queries import SurgeLine


@app.command()
def surges(
    as_of: Annotated[str | None, typer.Option(help="この日の終わりに見えたこと（例: 2026-06-30）。省くと最後の声の日")] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="JSON で出す")] = False,
    save: Annotated[bool, typer.Option("--save", help="画面と API に出すため、保存する")] = False,
) -> None:
    """話題と分野の急増（過去・季節・曜日では説明できない増え方）を、確かなものから順に出す。"""
    from api.trends.surges import record, too_little
    from core import city, db
    from loop import surge_queries
    from nlp.surge import service

    day = day_of(as_of, option="--as-of")
    engine = database(upgrade=True)
    with db.reading(engine) as session:
        report = service.look(session, city.load(settings().taxonomy_dir).calendar, as_of=day)
        lines = surge_queries.named(session, report.surges, seen_by=None)
    if save:
        with db.writing(engine) as session:
            service.save(session, report)
    if not report.enough:
        note(too_little(report.past, service.NEEDED))
    if as_json_line:
        head = {"as_of": report.as_of.isoformat(), "series": report.series, "enough": report.enough}
        say(as_json({**head, "surges": [record(line) for line in lines]}))
    elif report.enough:
        say(_page(report.as_of, report.series, lines))


def _page(day: date, series: int, lines: list[SurgeLine]) -> str:
    from api.trends.surges import FACET, places, sentence, title

    if not lines:
        return f"{day} 現在、めだった増加はありません（{series:,} 系列を調べました）。"
    out = [f"{day} 現在の急増（{series:,} 系列を調べました）"]
    for number, line in enumerate(lines, start=1):
        kind = "一斉投稿" if line.surge.is_campaign else FACET[line.surge.facet]
        out.append(f"{number:>3}. ［{kind}］{title(line)}　{sentence(line)}")
        for name, found in places(line).items():
            out.append(f"       {name}：" + "、".join(f"{place['name']} {place['observed']:,}件" for place in found))
    return "\n".join(out)
