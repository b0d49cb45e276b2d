"""koe mailbox: mails straight from an IMAP server."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, ready_annotator, say, settings
from api.cli.intake import sums

mailbox = typer.Typer(help="IMAP のメールを取り込む", no_args_is_help=True)
app.add_typer(mailbox, name="mailbox")


@mailbox.command()
def fetch(
    folder: Annotated[str | None, typer.Option(help="読むフォルダー。省くと KOE_IMAP_URL のもの")] = None,
    move_to: Annotated[str | None, typer.Option(help="取り込んだメールを移すフォルダー。省くと、サーバーのメールに何もしない")] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="結果を1行の JSON で出す")] = False,
) -> None:
    """前に読んだあとに届いたメールを取り込む。サーバーのメールは未読のまま残る。"""
    from api.campaigns import update_campaigns
    from core.crypto import load_keyring
    from ingest.imap import server_of
    from ingest.mailbox import fetch_mailbox
    from nlp.annotate import Masker

    current = settings()
    server_of(current, folder=folder)
    engine = database(upgrade=True)
    keyring = load_keyring(current)
    visit = fetch_mailbox(
        engine, settings=current, keyring=keyring, annotate=ready_annotator(), mask=Masker(current.taxonomy_dir), folder=folder,
        move_to=move_to,
    )  # fmt: skip
    if visit.report:
        update_campaigns(engine, current)
    if as_json_line:
        say(as_json(visit.as_dict()))
    elif visit.report is None:
        say(f"{visit.mailbox}: 新しいメールはありません。")
    else:
        say(f"{visit.mailbox}: {sums(visit.report)}　（取込番号 {visit.report.batch}）")
        for reject in visit.report.rejects_sample:
            say(f"  取込不可 {reject.row} 通目: {reject.reason}")
        if move_to is not None:
            say(f"  {visit.moved:,} 通を「{move_to}」に移しました。")
