"""koe answers check: the lists that answers are written and checked by, and an answer checked by them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import EXIT_ERROR, app
from api.cli.context import as_json, day_of, note, say, settings
from core.errors import InputError

answers = typer.Typer(help="回答のひな形と点検", no_args_is_help=True)
app.add_typer(answers, name="answers")


@answers.command()
def check(
    answer: Annotated[
        Path | None, typer.Argument(help="点検する回答の文書（UTF-8）。省くとひな形と一覧だけを検査する", show_default=False)
    ] = None,
    *,
    voice: Annotated[Path | None, typer.Option(help="答える声の文書（UTF-8）。問いに答えているかも見る")] = None,
    review_on: Annotated[str | None, typer.Option(help="約束を見直す日（例: 2027-04-01）")] = None,
    as_json_lines: Annotated[bool, typer.Option("--json", help="見つけたもの1つを1行の JSON で出す")] = False,
) -> None:
    """ひな形・言いかえの一覧・点検の境目のファイルを検査し、回答の文書があれば点検する。"""
    from core import city
    from core.clock import today
    from nlp import taxonomy
    from nlp.answering import checks, files, lists, templates
    from nlp.similar import load_sif

    current = settings()
    folder = files.folder_of(current.data)
    known, by = templates.load(folder), lists.load(folder)
    words = taxonomy.load(current.taxonomy_dir)
    if wrong := templates.unknown(known, kinds=words.kinds, themes=words.theme_names):
        for problem in wrong:
            say(problem)
        note(f"{len(wrong)} か所を直してください（{folder}）。")
        raise typer.Exit(EXIT_ERROR)
    if answer is None:
        say(f"回答のファイルに誤りはありません（{folder}）。")
        say(f"ひな形 {len(known)}、言いかえ {len(by.plain_words)}、約束の言い方 {len(by.commitments)}。")
        return
    found = checks.check(
        _read(answer),
        _read(voice) if voice else "",
        review_on=day_of(review_on, option="--review-on"),
        today=today(),
        places=city.load(current.taxonomy_dir).places,
        sif=load_sif(current),
        folder=folder,
    )
    for one in found:
        say(as_json(one.as_dict()) if as_json_lines else f"{'止める' if one.severity == 'stop' else '知らせる'}　{one.message}{one.hint}")
    if not found and not as_json_lines:
        say("直すところはありません。")
    if not checks.may_go_on(found):
        raise typer.Exit(EXIT_ERROR)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path} が読めません。", hint="UTF-8 の文書を指定してください。") from None
