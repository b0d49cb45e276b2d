"""koe import: files in, voices out, or a rehearsal that writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, day_of, note, ready_annotator, say, settings
from api.cli.progress import Interrupt, watched
from core.errors import InputError

if TYPE_CHECKING:
    from core.models import Channel
    from ingest.options import FileOptions
    from ingest.reports import CheckReport, FileReport, ImportReport, RejectNote

STOPPED = 130  # what a shell expects of a program that Ctrl+C ended


@app.command(name="import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV・TSV・Excel・メール・JSON Lines のファイル", show_default=False)],
    mapping: Annotated[str, typer.Option(help="列の対応表の名前かファイル。auto は見出しから推定")] = "auto",
    channel: Annotated[str | None, typer.Option(help="受付媒体（電話・Webフォーム・アンケート など）")] = None,
    received_on: Annotated[str | None, typer.Option(help="受付日の列がないファイルの受付日")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="CSV・TSV の文字コード（utf-8・cp932・utf-16・euc_jp）。省くとファイルから判断")
    ] = None,
    period: Annotated[str | None, typer.Option(help="FAQ の参照回数の期間（2026-04・令和8年度 など）。期間の列がないとき")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="取り込まずに、取り込んだときの件数と理由を調べる")] = False,
    as_json_lines: Annotated[bool, typer.Option("--json", help="結果をファイルごとに1行の JSON で出す（途中経過は標準エラー）")] = False,
) -> None:
    """ファイルの声を取り込む。同じ声は2度入らず、取り込めない行は理由とともに残る。Ctrl+C で止め、同じ命令で続きから進む。"""
    from ingest.options import FileOptions

    options = FileOptions(mapping, encoding, _channel(channel), day_of(received_on, option="--received-on"), period)
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        raise InputError(f"ファイルがありません: {'、'.join(missing)}", hint="パスを確かめてください。何も取り込んでいません。")
    try:
        with Interrupt() as interrupt:
            failed = (_check if dry_run else _take)(files, options, interrupt, json_lines=as_json_lines)
        if not (dry_run or interrupt.asked):
            _group()
    except KeyboardInterrupt:
        note("止めました。同じ命令をもう一度実行すると、続きから進みます。")
        raise typer.Exit(code=STOPPED) from None
    if interrupt.asked:
        raise typer.Exit(code=STOPPED)
    if failed:
        raise typer.Exit(code=1)


def _take(files: list[Path], options: FileOptions, interrupt: Interrupt, *, json_lines: bool) -> int:
    from core.crypto import load_keyring
    from ingest.pipeline import import_file
    from nlp.annotate import Masker

    current = settings()
    engine = database(upgrade=True)
    annotator = ready_annotator()
    keyring = load_keyring(current)

    def one(path: Path) -> bool:
        with watched(path.name, json_lines=json_lines) as tell:
            report = import_file(
                engine, path, settings=current, keyring=keyring, annotate=annotator, mask=Masker(current.taxonomy_dir),
                progress=tell, stop=interrupt, options=options,
            )  # fmt: skip
        say(as_json(report.as_dict())) if json_lines else _print_report(path, report)
        if report.cancelled:
            note(f"{path}: 途中で止めました（取込番号 {report.batch}）。同じ命令をもう一度実行すると、続きから進みます。")
        return not report.nothing_taken

    return _each(files, one, interrupt)


def _check(files: list[Path], options: FileOptions, interrupt: Interrupt, *, json_lines: bool) -> int:
    from ingest.check import check_file

    current = settings()
    engine = database(upgrade=True)

    def one(path: Path) -> bool:
        with watched(path.name, json_lines=json_lines) as tell:
            report = check_file(engine, path, settings=current, progress=tell, stop=interrupt, options=options)
        say(as_json(report.as_dict())) if json_lines else _print_check(path, report)
        if report.cancelled:
            note(f"{path}: 途中で止めました。件数はそこまでのものです。")
        return not report.nothing_taken

    return _each(files, one, interrupt)


def _each(files: list[Path], one: Callable[[Path], bool], interrupt: Interrupt) -> int:
    """How many files nothing could be taken from; one that is no use doesn't keep the others back."""
    failed = 0
    for path in files:
        if interrupt.asked:
            note(f"{path}: 取り込んでいません。")
            continue
        try:
            failed += not one(path)
        except InputError as error:
            failed += 1
            note(f"エラー: {path}: {error.message}")
            note(f"　対処: {error.hint}")
    return failed


def _group() -> None:
    from api.campaigns import update_campaigns

    update_campaigns(database(), settings())


def _channel(given: str | None) -> Channel | None:
    from ingest import normalize

    found = normalize.parse_channel(given) if given else None
    if given and found is None:
        raise InputError(
            f"受付媒体「{given}」がわかりません。",
            hint="電話・Webフォーム・電子メール・手紙・FAX・来庁・面談・アンケート・その他 から選んでください。",
        )
    return found


def _print_report(path: Path, report: ImportReport) -> None:
    _print_understood(path, report)
    say(f"  {sums(report)}　（{report.seconds:.1f} 秒、取込番号 {report.batch}）")
    _print_rejects(report.rejects_sample)
    if report.rejected > len(report.rejects_sample):
        say(f"  ほかの取り込めなかった行は: koe rejects list {report.batch}")


def _print_check(path: Path, report: CheckReport) -> None:
    _print_understood(path, report)
    say(f"  {sums(report)}　（{report.seconds:.1f} 秒、調べただけで取り込んでいません）")
    if report.codes:
        say("  取込不可の内わけ: " + "、".join(f"{code} {number:,}" for code, number in report.codes.items()))
    _print_rejects(report.rejects_sample)


def _print_understood(path: Path, report: FileReport) -> None:
    say(f"{path}（{report.encoding}、対応表 {report.mapping}）")
    for line in report.guessed:
        say(f"  {line}")


def _print_rejects(sample: tuple[RejectNote, ...]) -> None:
    for reject in sample:
        where = f"{reject.row} 行目" + (f"「{reject.column}」" if reject.column else "")
        say(f"  取込不可 {where}: {reject.reason}")


def sums(report: FileReport) -> str:
    """What was read and what became of it, as an equation that a reader can check."""
    return f"読込 {report.read:,} ＝ 取込 {report.imported:,} ＋ 重複 {report.duplicates:,} ＋ 取込不可 {report.rejected:,}"
