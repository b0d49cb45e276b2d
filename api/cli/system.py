"""koe db, user, keys, audit, serve: what an operator needs."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli import app
from api.cli.context import database, note, say, settings
from core.errors import InputError

db_commands = typer.Typer(help="データベースの準備と点検", no_args_is_help=True)
user_commands = typer.Typer(help="職員の利用者", no_args_is_help=True)
key_commands = typer.Typer(help="暗号鍵", no_args_is_help=True)
audit_commands = typer.Typer(help="監査記録", no_args_is_help=True)
app.add_typer(db_commands, name="db")
app.add_typer(user_commands, name="user")
app.add_typer(key_commands, name="keys")
app.add_typer(audit_commands, name="audit")

_Username = Annotated[str, typer.Argument(help="ログインに使う名前", show_default=False)]
_NewPassword = Annotated[
    str,
    typer.Option(prompt="パスワード", confirmation_prompt="もう一度", hide_input=True, help="省くと尋ねる", envvar="KOE_NEW_PASSWORD"),
]
_MustChange = Annotated[bool, typer.Option("--must-change/--keep-password", help="最初のログインで、本人にパスワードを変えさせる")]
_ROLES = "admin（管理者）・kocho（広聴課）・department（所管課）・manager（管理職）"


@db_commands.command()
def upgrade() -> None:
    """データベースを今の版の形にする。"""
    from core import db

    engine = database(upgrade=True)
    say(f"データベースは版 {db.revision(engine)} です。")


@db_commands.command()
def check() -> None:
    """データベースの形がプログラムと合っているかを調べる。"""
    from core import db

    engine = database()
    db.ping(engine)
    differences = db.drift(engine)
    for difference in differences:
        note(f"ちがい: {difference}")
    if differences:
        say(f"{len(differences)} か所がちがいます。koe db upgrade を実行してください。")
        raise typer.Exit(code=1)
    say(f"データベースの形は合っています（版 {db.revision(engine)}）。")


@user_commands.command()
def add(
    username: _Username,
    role: Annotated[str, typer.Option(help=_ROLES)],
    name: Annotated[str, typer.Option(help="画面に出る名前。省くと利用者名")] = "",
    department: Annotated[str, typer.Option(help="所管課の名前（role が department のとき）")] = "",
    position: Annotated[str, typer.Option(help="職位（係長・課長など）。決裁の順番に使う")] = "",
    email: Annotated[str, typer.Option(help="メールアドレス")] = "",
    password: _NewPassword = "",
    *,
    must_change: _MustChange = True,
) -> None:
    """職員の利用者を加える。"""
    from api import accounts
    from core import db

    with db.writing(database(upgrade=True)) as session:
        person = accounts.Person(role=role, display_name=name, department=department, position=position, email=email)
        accounts.add_user(session, username=username, person=person, password=password, actor="cli", must_change=must_change)
    say(f"利用者「{username}」を加えました。")


@user_commands.command("list")
def list_users() -> None:
    """利用者を並べる。"""
    from api import accounts
    from core import db

    with db.reading(database()) as session:
        for user in accounts.list_users(session):
            state = "停止" if not user.active else "ログイン停止中" if accounts.is_locked(user) else "利用中"
            more = "　".join(part for part in (user.department, user.position, "市の認証" * (user.sign_in_by == "city")) if part)
            say(f"{user.username:<16} {user.role.value:<10} {state}　{user.display_name}{'　' + more if more else ''}")


@user_commands.command()
def close(username: _Username) -> None:
    """利用を止める。ログイン中の画面も終わる。最後の管理者は止められない。"""
    from api import accounts
    from core import db

    with db.writing(database()) as session:
        accounts.close_user(session, accounts.named_user(session, username), actor="cli")
    say(f"利用者「{username}」の利用を止めました。")


@user_commands.command()
def reopen(username: _Username) -> None:
    """止めた利用を再開する。"""
    from api import accounts
    from core import db

    with db.writing(database()) as session:
        accounts.reopen_user(session, accounts.named_user(session, username), actor="cli")
    say(f"利用者「{username}」の利用を再開しました。")


@user_commands.command()
def unlock(username: _Username) -> None:
    """パスワードの間違いで止まったログインを、時間を待たずに解く。"""
    from api import accounts
    from core import db

    with db.writing(database()) as session:
        accounts.unlock_user(session, accounts.named_user(session, username), actor="cli")
    say(f"利用者「{username}」のログインの停止を解きました。")


@user_commands.command()
def password(username: _Username, password: _NewPassword = "", *, must_change: _MustChange = True) -> None:
    """新しいパスワードを付ける。ログイン中の画面は終わる。"""
    from api import accounts
    from core import db

    with db.writing(database()) as session:
        accounts.set_password(session, accounts.named_user(session, username), password, actor="cli", must_change=must_change)
    say(f"利用者「{username}」のパスワードを変えました。")


@user_commands.command()
def city(username: _Username) -> None:
    """市の認証（OpenID Connect）でログインするように変える。パスワードは使えなくなる。戻すには koe user password。"""
    from api import accounts
    from core import db

    if not settings().oidc_issuer:
        raise InputError("市の認証は、設定されていません。", hint="先に KOE_OIDC_ISSUER などを設定してください（docs/operations.md）。")
    with db.writing(database()) as session:
        accounts.give_to_city(session, accounts.named_user(session, username), actor="cli")
    say(f"利用者「{username}」は、市の認証でログインします。次にこの利用者名で来た人と結びつきます。")


@key_commands.command()
def rotate() -> None:
    """新しい暗号鍵を作り、すべての原文を新しい鍵で包み直す。KOE_KEYS を使うときは、その先頭の鍵で包み直す。"""
    from core import db, secrets_store
    from core.crypto import add_key, load_keyring

    current = settings()
    engine = database(upgrade=True)
    keyring = load_keyring(current) if current.keys else add_key(current)
    with db.writing(engine) as session:
        count = secrets_store.reseal_all(session, keyring, actor="cli")
    say(f"鍵 {keyring.current} で {count:,} 件を包み直しました。")


@audit_commands.command()
def verify() -> None:
    """監査記録のつながりを最初から確かめ、結果を記録する（画面の「監査記録」に出る）。"""
    from core import audit, audit_trail, db

    engine = database()
    # Looked through without a lock; only the note of how it ended is written.
    with db.reading(engine) as session:
        verdict = audit.verify(session)
    with db.writing(engine) as session:
        audit_trail.record_verdict(session, verdict, actor="cli")
    if verdict.broken_at is not None:
        raise InputError(
            f"監査記録 {verdict.broken_at} 番が、前の記録とつながりません（{verdict.checked:,} 件目までは正しい）。",
            hint="データベースの控えと比べてください。",
            code="audit_broken",
        )
    say(f"監査記録 {verdict.checked:,} 件はすべてつながっています。")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="待ち受けるアドレス。省くと KOE_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="待ち受けるポート。省くと KOE_PORT")] = None,
    *,
    worker: Annotated[bool, typer.Option("--worker", help="裏で動く処理を行う koe worker も、いっしょに始めて、いっしょに終わる")] = False,
) -> None:
    """画面と API を出す。"""
    run_server(host=host, port=port, worker=worker)


def run_server(*, host: str | None = None, port: int | None = None, worker: bool = False) -> None:
    """Serves until stopped, with ``worker`` beside a process that does the background jobs."""
    import socket
    from contextlib import nullcontext

    import uvicorn

    from api.app import create_app
    from api.beside import worker_beside
    from core import db

    current = settings()
    host, port = host or current.host, port or current.port
    engine = database()
    if db.revision(engine) is None:
        db.upgrade(engine)
    engine.dispose()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise InputError(
                f"{host}:{port} は使えません（ほかのプログラムが使っているか、権限がありません）。",
                hint="--port で別の番号を指定してください。",
            ) from None
    note(f"http://{host}:{port} で待ち受けます。止めるには Ctrl+C。")
    if not worker:
        note("画面から頼んだ取込などは、koe worker が行います。別に動かしていなければ、koe serve --worker でいっしょに始められます。")
    with worker_beside() if worker else nullcontext():
        # No access log: an address may hold what somebody searched for.
        uvicorn.run(create_app(current), host=host, port=port, log_level=current.log_level, server_header=False, access_log=False)
