"""koe key: keys with which programs use the JSON API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from api.cli import app
from api.cli.context import database, note, say

key_commands = typer.Typer(help="API キー（ほかのシステムが API を使う鍵）", no_args_is_help=True)
app.add_typer(key_commands, name="key")
_Name = Annotated[str, typer.Argument(help="キーの名前", show_default=False)]


@key_commands.command()
def add(
    name: _Name,
    scope: Annotated[list[str], typer.Option(help="できること。voices:read のように、いくつでも", show_default=False)],
    expires: Annotated[datetime | None, typer.Option(help="この日まで使える。省くと期限なし", formats=["%Y-%m-%d"])] = None,
) -> None:
    """キーを作り、1度だけ出す。"""
    from api import keys
    from core import db

    with db.writing(database(upgrade=True)) as session:
        token = keys.add_key(session, name=name, scopes=scope, expires_on=expires.date() if expires else None, actor="cli")
    note("このキーが出るのは、いまだけです。")
    say(token)


@key_commands.command("list")
def list_keys() -> None:
    """キーを並べる。"""
    from api import keys
    from core import db

    with db.reading(database()) as session:
        for key in keys.list_keys(session):
            state = "停止" if key.revoked_at else "使用中" if keys.is_open(key) else "期限切れ"
            used = key.last_used_on.isoformat() if key.last_used_on else "まだ"
            until = key.expires_on.isoformat() if key.expires_on else "なし"
            say(f"{key.name:<20} {state}　期限 {until}　最後に使った日 {used}　{' '.join(key.scopes)}")


@key_commands.command()
def revoke(name: _Name) -> None:
    """キーを止める。"""
    from api import keys
    from core import db

    with db.writing(database()) as session:
        keys.revoke_key(session, name, actor="cli")
    say(f"API キー「{name}」を止めました。")
