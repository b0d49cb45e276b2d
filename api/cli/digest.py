"""koe digest: the morning digest by mail."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import EXIT_ERROR, app
from api.cli.context import database, day_of, note, say, settings


@app.command()
def digest(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="送らずに、送る内容を出す")] = False,
    as_of: Annotated[str | None, typer.Option(help="この日の朝のメール（例: 2026-06-30）。省くと今日")] = None,
) -> None:
    """朝のメール（今日が期限・期限間近・超過・遅れそう・新しく届いた・返事待ち）を送る。休庁日と、もう送った宛先には送らない。"""
    from api import digest_mail
    from core.clock import today

    day = day_of(as_of, option="--as-of") or today()
    report = digest_mail.send(database(upgrade=True), settings(), day=day, actor="cli", dry_run=dry_run)
    if not report.is_open:
        say(f"{report.day} は休庁日なので、送りません。")
        return
    for recipient, mail in report.shown:
        say(f"宛先: {recipient.key}\n件名: {mail.subject}\n\n{mail.body}")
    if dry_run:
        say(f"{len(report.shown):,} 通（知らせることのない宛先 {report.empty:,}）。送っていません。")
        return
    for key, why in report.failed:
        note(f"送れませんでした: {key}　{why}")
    said = f"{report.sent:,} 通を送りました（送ってあった宛先 {report.before:,}、知らせることのない宛先 {report.empty:,}）。"
    say(said)
    if report.failed:
        raise typer.Exit(EXIT_ERROR)
