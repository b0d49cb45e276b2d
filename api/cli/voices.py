"""koe annotate, train, evaluate: labels of texts, and the models behind them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from api.cli import app
from api.cli.context import as_json, database, note, ready_annotator, say, settings
from core.errors import InputError

if TYPE_CHECKING:
    from nlp.annotate import Annotator
    from nlp.routing import Routing

_LINES = 500


@app.command()
def annotate(
    source: Annotated[Path | None, typer.Option("--input", help="JSON Lines {id, text, channel?, district?}。省くと標準入力")] = None,
    target: Annotated[Path | None, typer.Option("--output", help="書き出し先。省くと標準出力")] = None,
) -> None:
    """文章をマスキングし、分野・種別・緊急度・所管課を付ける（データベースは使わない）。市の振り分け規則も使う。"""
    from core import engine
    from nlp import routing_file

    if source and target and target.exists() and target.samefile(source):
        raise InputError("--input と --output が同じファイルです。", hint="書き出し先に別の名前を指定してください。")
    rules = routing_file.load(settings().taxonomy_dir)
    annotator = ready_annotator()
    with ExitStack() as stack:
        lines: Iterable[str] = stack.enter_context(_reading(source)) if source else _standard_input()
        out: IO[str] = stack.enter_context(target.open("w", encoding="utf-8")) if target else _standard_output()
        broken = 0
        chunks = _numbered_chunks(lines)
        first = next(chunks, None)
        if first is None:
            return
        # One chunk is done here: starting processes would take longer than the work.
        second = next(chunks, None)
        work = _AnnotateLines(annotator, rules)
        results: Iterable[tuple[list[str], list[int]]]
        results = [work(first)] if second is None else engine.map(work, _chain(first, second, chunks), settings=settings())
        for written, bad in results:
            out.write("".join(f"{line}\n" for line in written))
            for number in bad:
                note(f"{number} 行目: JSON の {{id, text}} として読めません。")
            broken += len(bad)
    if broken:
        raise InputError(f"{broken} 行が読めませんでした。", hint="その行には error を書き出しました。ほかの行は処理済みです。")


@app.command()
def train(
    *,
    examples: Annotated[
        Path | None, typer.Option(help="正解つきの JSON Lines {text, theme, kind?, urgency?}。職員の判断に加えて学ぶ")
    ] = None,
) -> None:
    """学習例・市の過去の事例・職員の判断から分類のモデルを作り、前より良ければ入れかえる。"""
    from core import db
    from nlp import artifacts, corpus, service
    from nlp.retrain import retrain

    current = settings()
    given = corpus.read(examples) if examples else []
    engine = database(upgrade=True)
    with db.reading(engine) as session:
        human = service.lessons(session, current)
    note("モデルを作っています…")
    result = retrain(current, human=[*human, *given])
    if result.old and result.new:
        right = f"前のモデル {result.old.right:,} 個正解、新しいモデル {result.new.right:,} 個正解"
        say(f"新しい判断 {result.new.labels:,} 個で比べました: {right}")
    if result.old_test and result.new_test:
        change = f"{result.old_test.macro_f1:.3f} → {result.new_test.macro_f1:.3f}"
        say(f"正解つきの声 {result.new_test.labels:,} 個で比べました: 分野のマクロ F1 {change}")
    say(f"{'モデルを入れかえました' if result.taken else '前のモデルのままにしました'}（{result.reason}）。")
    say((result.folder / "card.md").read_text("utf-8").rstrip())
    say(f"\nモデル: {artifacts.card(result.folder)['version']}（{result.folder}）")


@app.command()
def evaluate(
    gold: Annotated[
        list[Path] | None,
        typer.Option(help="正解つきの JSON Lines（声 {id, text, theme…} かマスキング {id, text, pii}）。省くと KOE_DATA/gold の全部"),
    ] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="結果を1行の JSON で出す")] = False,
    folder: Annotated[Path | None, typer.Option("--report", help="図と表の報告（HTML・Markdown・JSON）を書くフォルダ")] = None,
    answers: Annotated[
        bool | None,
        typer.Option("--answers/--no-answers", help="回答づくりも測る（見本の市を一時のデータベースに取り込む）。省くと --gold のないとき"),
    ] = None,
) -> None:
    """正解つきの文章で、分類・手紙の区切り・マスキング・回答づくりがどれだけ当たるかを測る。"""
    from api.sample_city import measure_answering, measured_on
    from nlp import gold as tests
    from nlp import taxonomy
    from nlp.evaluate import evaluate as measure
    from nlp.report import Study, save

    current = settings()
    given = tests.read(gold) if gold else tests.load(current.data / "gold")
    annotator = ready_annotator()
    report = measure(annotator, given.voices, masking=given.masking, words=taxonomy.load(current.taxonomy_dir))
    answering = measure_answering(current, annotator) if answers or (answers is None and not gold) else None
    say(as_json(Study(report, answering=answering).as_dict()) if as_json_line else report.as_text())
    if answering and not as_json_line and (told := answering.as_text()):
        say(told)
    for path in set(given.left_out) - set(measured_on(current) if answering else ()):
        note(f"{path} は別の測定のためのファイルなので使いませんでした。")
    if folder:
        from core.clock import today

        about = {
            "測定日": today().isoformat(),
            "モデル": annotator.models.name,
            "測った文章": "、".join(path.name for path in given.files),
            "判断保留の確信度": f"{current.low_confidence} 未満",
        }
        try:
            written = save(Study(report, about, answering=answering), folder)
        except OSError:
            raise InputError(f"{folder} に書けません。", hint="書き込めるフォルダを --report に指定してください。") from None
        for path in written:
            note(f"書き出しました: {path}")


class _AnnotateLines:
    """Numbered input lines to output lines, and the numbers of those that can't be read. Picklable."""

    def __init__(self, annotator: Annotator, rules: Routing) -> None:
        self.annotator, self.rules = annotator, rules

    def __call__(self, chunk: list[tuple[int, str]]) -> tuple[list[str], list[int]]:
        from nlp.routing import applied

        records = [_record(line) for _, line in chunk]
        read = [record for record in records if record]
        annotations = (
            applied(self.rules, annotation, channel=_given(record, "channel"), district=_given(record, "district"))
            for record, annotation in zip(read, self.annotator([record["text"] for record in read]), strict=True)
        )
        written = [
            as_json({"id": record["id"]} | next(annotations).as_dict())
            if record
            else as_json({"id": None, "error": "unreadable", "line": number})
            for record, (number, _) in zip(records, chunk, strict=True)
        ]
        return written, [number for record, (number, _) in zip(records, chunk, strict=True) if not record]


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
        json.dumps(record["id"], allow_nan=False)  # NaN and infinities can't be given back
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("text"), str) else None


def _given(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _numbered_chunks(lines: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    while chunk := list(islice(numbered, _LINES)):
        yield chunk


def _chain(first: Any, second: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield second
    yield from rest


def _reading(path: Path) -> IO[str]:
    try:
        # A stray byte becomes a lone surrogate: it is kept, counted as one character, and written back as its escape.
        return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n")
    except OSError:
        raise InputError(f"{path} が開けません。", hint="パスと権限を確かめてください。") from None


def _standard_input() -> IO[str]:
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape", newline="\n")  # type: ignore[union-attr]
    return sys.stdin


def _standard_output() -> IO[str]:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    return sys.stdout
