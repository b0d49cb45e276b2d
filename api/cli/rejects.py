"""koe rejects: rows that could not be taken are listed, written out to be mended, taken in, or given up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, note, ready_annotator, say, settings
from core.errors import InputError

commands = typer.Typer(help="取り込めなかった行の一覧・書き出し・取り込みなおし", no_args_is_help=True)
app.add_typer(commands, name="rejects")

Batch = Annotated[int, typer.Argument(help="取込番号（koe batches list で見る）", show_default=False)]
Reason = Annotated[str, typer.Option(help="理由。監査記録に残る")]
Actor = Annotated[str, typer.Option(help="行う人の名前。監査記録に残る")]

_PAGE = 500


@commands.command(name="list")
def show_list(
    batch: Batch,
    *,
    everything: Annotated[bool, typer.Option("--all", help="片付いたものも出す")] = False,
    as_json_lines: Annotated[bool, typer.Option("--json", help="1行を1行の JSON で出す")] = False,
) -> None:
    """取り込めなかった行を、理由とともに出す。内容は出さない。"""
    from core import db
    from ingest.rejects import list_rejects

    last = 0
    with db.reading(database(upgrade=True)) as session:
        while page := list_rejects(session, batch, limit=_PAGE, after_id=last, open_only=not everything):
            for reject in page:
                where = f"{reject.row} 行目" + (f"「{reject.column}」" if reject.column else "")
                state = {"imported": "取り込みずみ ", "duplicate": "重複 ", "discarded": "破棄 "}.get(reject.resolution, "")
                record = {
                    "reject": reject.id, "row": reject.row, "column": reject.column, "code": reject.code, "reason": reject.reason,
                    "resolution": reject.resolution,
                }  # fmt: skip
                say(as_json(record) if as_json_lines else f"{reject.id:>6}  {state}{where}  {reject.code}  {reject.reason}")
            last = page[-1].id
    if not last:
        note("取り込めなかった行はありません。" if everything else "片付いていない行はありません。片付いたものは --all で見られます。")


@commands.command()
def export(
    batch: Batch,
    file: Annotated[Path, typer.Argument(help="書き出す CSV。あってはいけない", show_default=False)],
    reason: Reason,
    actor: Actor = "cli",
) -> None:
    """取り込めなかった行を、内容とともに CSV に書き出す。個人情報が入るので、読めるのは書き出した人だけにする。"""
    from core import db
    from core.crypto import load_keyring
    from ingest.rejects import export_rejects

    engine, keyring = database(upgrade=True), load_keyring(settings())
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{file} はすでにあります。", hint="別の名前にするか、古いファイルを片付けてください。") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as stream, db.writing(engine) as session:
            count = export_rejects(session, stream, batch, keyring=keyring, actor=actor, reason=reason)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    say(f"{count:,} 行を {file} に書き出しました。")
    note(f"直したら: koe rejects retry {batch} {file}")
    note("個人情報が入っています。使いおわったら消してください。")


@commands.command()
def retry(
    batch: Batch,
    file: Annotated[Path, typer.Argument(help="書き出して直した CSV か Excel ブック", show_default=False)],
    actor: Actor = "cli",
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="結果を1行の JSON で出す")] = False,
) -> None:
    """直した行を取り込む。直していない行と、まだ取り込めない行は、そのまま残る。"""
    from core.crypto import load_keyring
    from ingest.retry import Tools, retry_file
    from nlp.annotate import Masker
    from nlp.likeness import update_campaigns

    if not file.exists():
        raise InputError(f"ファイルがありません: {file}", hint="パスを確かめてください。何も取り込んでいません。")
    current = settings()
    engine = database(upgrade=True)
    tools = Tools(current, load_keyring(current), ready_annotator(), Masker(current.taxonomy_dir))
    report = retry_file(engine, batch, file, tools=tools, actor=actor)
    if report.imported:
        update_campaigns(engine, current)
    if as_json_line:
        say(as_json(report.as_dict()))
        return
    say(f"取込 {report.imported:,}、重複 {report.duplicates:,}、まだ取込不可 {report.rejected:,}、直していない行 {report.unchanged:,}")
    if report.settled:
        say(f"すでに片付いていた行 {report.settled:,}")
    for outcome in report.sample:
        where = f"{outcome.row} 行目" + (f"「{outcome.column}」" if outcome.column else "")
        say(f"  まだ取込不可 {where}: {outcome.reason}")
    if report.unknown:
        lines = "、".join(map(str, report.unknown[:20])) + ("…" if len(report.unknown) > 20 else "")
        note(f"この取込の行とわからないので、とばしました: {file.name} の {lines} 行目（「番号」の列を書きかえていないか確かめてください）")


@commands.command()
def discard(
    rejects: Annotated[list[int], typer.Argument(help="取り込めなかった行の番号（koe rejects list で見る）", show_default=False)],
    reason: Reason,
    actor: Actor = "cli",
) -> None:
    """取り込めなかった行を、取り込まないものとして片付ける。行は消えず、取込不可のままに数える。"""
    from core import db
    from ingest.rejects import discard as close

    with db.writing(database(upgrade=True)) as session:
        count = close(session, rejects, actor=actor, reason=reason)
    say(f"{count:,} 行を破棄しました。")
