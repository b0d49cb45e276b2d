"""koe batches, koe reconcile: what was imported, a whole import taken back, and the proof that nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, note, say, settings
from core.errors import InputError

if TYPE_CHECKING:
    from ingest.reconcile import BatchLine, FileLine, Reconciliation

commands = typer.Typer(help="取込の一覧と取り消し", no_args_is_help=True)
app.add_typer(commands, name="batches")

_TOLD_EVERY = 10_000


@commands.command(name="list")
def show_list(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="出す件数")] = 50,
    *,
    as_json_lines: Annotated[bool, typer.Option("--json", help="1つの取込を1行の JSON で出す")] = False,
) -> None:
    """取込を、新しい順に出す。"""
    from core import db
    from core.clock import to_tokyo
    from ingest.batches import STATES, list_batches

    with db.reading(database(upgrade=True)) as session:
        found = list_batches(session, limit=limit)
    for batch in found:
        if as_json_lines:
            say(as_json(batch.as_dict()))
            continue
        began = f"{to_tokyo(batch.started_at):%Y-%m-%d %H:%M}"
        sums = f"読込 {batch.read:,} ＝ 取込 {batch.imported:,} ＋ 重複 {batch.duplicates:,} ＋ 取込不可 {batch.rejected:,}"
        by = f"　{batch.started_by}" if batch.started_by else ""
        say(f"{batch.id:>5}  {began}  {STATES[batch.status]}  {batch.source_name}{by}\n       {sums}")
    if not found:
        note("取込はまだありません。")


@commands.command()
def undo(
    batch: Annotated[int, typer.Argument(help="取込番号（koe batches list で見る）", show_default=False)],
    reason: Annotated[str, typer.Option(help="理由。監査記録に残る")],
    actor: Annotated[str, typer.Option(help="行う人の名前。監査記録に残る")] = "cli",
    *,
    force: Annotated[bool, typer.Option("--force", help="職員が手を加えた声も、その内容とともに消す")] = False,
    as_json_line: Annotated[bool, typer.Option("--json", help="結果を1行の JSON で出す")] = False,
) -> None:
    """取込を1つ、声もろとも取り消す。途中で止まったら、同じ命令で続きから進む。受付番号は使いまわさない。"""
    from ingest.undo import undo_batch

    def tell(done: int, total: int) -> None:
        if done % _TOLD_EVERY == 0 or done == total:
            note(f"{done:,} / {total:,} 件を消しました。")

    report = undo_batch(database(upgrade=True), batch, actor=actor, reason=reason, force=force, progress=tell)
    if as_json_line:
        say(as_json(report.as_dict()))
        return
    rest = "（前の続き）" if report.resumed else ""
    kept = f"参照回数 {report.counts:,}" if report.counts else f"声 {report.voices:,}"
    say(f"取込 {batch}「{report.name}」を取り消しました{rest}。{kept} 件、取り込めなかった行 {report.rejects:,} 行。")
    if report.overlapping:
        note("次の取込には、重複と数えたものがあります。取り消したものと同じだったときは、ファイルをもう一度取り込んでください:")
        for other in report.overlapping:
            note(f"  取込 {other.batch}「{other.name}」（重複 {other.duplicates:,}）")


@app.command()
def reconcile(
    file: Annotated[Path | None, typer.Option(help="このファイルの記録が1件ずつ、声か取込不可の行にあるかも調べる")] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="結果を1行の JSON で出す")] = False,
) -> None:
    """読んだ記録のすべてに行き先があり、表どうしの件数が合うことを確かめる（全件照合）。合わなければ 1 で終わる。"""
    from dataclasses import replace

    from ingest.reconcile import reconcile as compare
    from ingest.reconcile import reconcile_file

    if file and not file.exists():
        raise InputError(f"ファイルがありません: {file}", hint="パスを確かめてください。")
    engine = database(upgrade=True)
    result = compare(engine)
    if file:
        result = replace(result, file=reconcile_file(engine, file, settings=settings()))
    if as_json_line:
        say(as_json(result.as_dict()))
    else:
        _print(result)
    if not result.agrees:
        raise typer.Exit(code=1)


def _print(result: Reconciliation) -> None:
    for line in result.batches:
        _print_batch(line)
    for total in result.sums:
        mark = "合う　　" if total.agrees else "合わない"
        say(f"{mark}  {total.name}: {total.found:,}" + ("" if total.agrees else f"（正しくは {total.expected:,}）"))
        if total.remedy and not total.agrees:
            say(f"          {total.remedy}")
    if result.file:
        _print_file(result.file)
    say("すべて合っています。" if result.agrees else "合わないところがあります。上の「合わない」の行を確かめてください。")


def _print_batch(line: BatchLine) -> None:
    from ingest.batches import STATES

    mark = "合わない" if line.wrong else "合う　　"
    sums = f"読込 {line.read:,} ＝ 取込 {line.imported:,} ＋ 重複 {line.duplicates:,} ＋ 取込不可 {line.rejected:,}"
    given_up = f"（うち破棄 {line.discarded:,}）" if line.discarded else ""
    mended = f"、直して取り込んだ行 {line.mended:,}" if line.mended else ""
    say(f"{mark}  取込 {line.batch}（{STATES[line.status]}）{line.name}: {sums}{given_up}{mended}")
    if line.wrong:
        say(f"          {line.wrong}")


def _print_file(file: FileLine) -> None:
    mark = "合わない" if file.missing else "合う　　"
    found = f"声 {file.in_voices:,} ＋ 取込不可の行 {file.in_rejects:,} ＋ 記入のない行 {file.blank:,} ＋ 行き先のない行 {file.missing:,}"
    by = f"取込 {file.batch}" if file.batch else "取り込まれていないファイル"
    say(f"{mark}  {file.name}（{by}）: 記録 {file.records:,} ＝ {found}")
    if file.lines:
        more = "…" if file.missing > len(file.lines) else ""
        say(f"          行き先のない行: {'、'.join(map(str, file.lines))}{more}")
