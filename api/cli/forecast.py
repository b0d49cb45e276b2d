"""koe forecast: what of the open voices will be late, from each department's past pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, day_of, note, say, settings

if TYPE_CHECKING:
    from loop.forecast import Outlook

_SHOWN = (0, 3, 5, 10)


@app.command()
def forecast(
    as_of: Annotated[str | None, typer.Option(help="この日に立てる見通し（例: 2026-06-30）。省くと今日")] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="JSON で出す")] = False,
) -> None:
    """期限に遅れそうな件数の見通しを、課ごとの過去1年の回答の速さから立てて保存し、遅れが多そうな課から順に出す。"""
    from dataclasses import asdict

    from core import city, db
    from loop import forecast as forecasts
    from loop.pace import LEAST

    day = day_of(as_of, option="--as-of")
    engine = database(upgrade=True)
    learnt = forecasts.update(engine, city.load(settings().taxonomy_dir).calendar, today=day)
    with db.reading(engine) as session:
        found = forecasts.outlooks(session)
    if as_json_line:
        outlooks = [{**asdict(item), "as_of": item.as_of.isoformat()} for item in found]
        say(as_json({"learnt": learnt, "outlooks": outlooks}))
    elif learnt:
        say(_page(learnt, found))
    if not learnt:
        note(f"見通しには、回答か完了の日が分かる声が {LEAST} 件以上要ります。まだ足りません。")


def _page(learnt: int, found: list[Outlook]) -> str:
    if not found:
        return "期限のある未対応の声はありません。"
    days = "　".join("今日が期限" if number == 0 else f"{number}開庁日以内" for number in _SHOWN)
    out = [f"{found[0].as_of} の見通し（{learnt:,} 件の過去から）", f"課　未対応　超過　遅れる見込み（{days}　すべて）"]
    for item in found:
        expected = "　".join(f"{item.expected_late[number]:,.1f}" for number in _SHOWN)
        out.append(f"{item.department or '全体'}　{item.open:,}　{item.overdue:,}　{expected}　{item.expected_in_all:,.1f}")
    return "\n".join(out)
