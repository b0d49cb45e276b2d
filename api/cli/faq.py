"""koe faq: what residents look up, from the FAQ logs that were taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import app
from api.cli.context import as_json, database, say
from core.errors import InputError

if TYPE_CHECKING:
    from ingest.faq_periods import Span
    from ingest.faq_queries import FaqLine, FaqListing, ThemeLine

faq = typer.Typer(help="よくある質問（FAQ）の参照回数", no_args_is_help=True)
app.add_typer(faq, name="faq")


@faq.command(name="list")
def list_entries(
    since: Annotated[str | None, typer.Option(help="この日・月から。省くと、いちばん新しい期間")] = None,
    until: Annotated[str | None, typer.Option(help="この日・月まで（含む）")] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="1行の JSON で出す")] = False,
) -> None:
    """質問ごとの参照回数と、前の期間からの増減、分野ごとの合計を出す。"""
    from core import db
    from ingest import faq_queries

    first, last = _given(since, "--since"), _given(until, "--until")
    with db.reading(database(upgrade=True)) as session:
        found = faq_queries.list_faq(session, since=first.since if first else None, until=last.until if last else None)
    say(as_json(_record(found)) if as_json_line else _page(found))


def _given(text: str | None, option: str) -> Span | None:
    from ingest.dates import DateError
    from ingest.faq_periods import parse_period

    if not text:
        return None
    try:
        return parse_period(text)
    except DateError as error:
        raise InputError(f"{option}「{text}」が読めません。{error}", hint="2026-04 や 2026-04-01 の形にしてください。") from None


def _record(found: FaqListing) -> dict[str, Any]:
    return {
        "since": found.span and found.span.since.isoformat(),
        "until": found.span and found.span.until.isoformat(),
        "compared_with": {"since": found.before.since.isoformat(), "until": found.before.until.isoformat()} if found.before else None,
        "views": found.views,
        "themes": [{"theme": line.theme, "entries": line.entries} | _figures(line) for line in found.themes],
        "entries": [
            {"number": line.number, "question": line.question, "theme": line.theme, "department": line.department} | _figures(line)
            for line in found.entries
        ],
    }


def _figures(line: FaqLine | ThemeLine) -> dict[str, int | None]:
    return {"views": line.views, "previous": line.previous, "change": line.change}


def _page(found: FaqListing) -> str:
    if not (found.span and found.before):
        return "この期間の FAQ の参照回数はありません。koe import で取り込めます。"
    span, before = found.span, found.before
    lines = [f"{span.since} から {span.until} まで　{found.views:,} 回（増減は {before.since} から {before.until} までと比べて）"]
    lines.append("\n分野ごと")
    lines += [f"{line.views:>9,} 回 {_change(line):>9}  {line.theme}（{line.entries:,} 問）" for line in found.themes]
    lines.append("\n質問ごと")
    lines += [f"{line.views:>9,} 回 {_change(line):>9}  {line.number}  {line.question}（{line.department}）" for line in found.entries]
    return "\n".join(lines)


def _change(line: FaqLine | ThemeLine) -> str:
    return "" if line.change is None else f"{line.change:+,}"
