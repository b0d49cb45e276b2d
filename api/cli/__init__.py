"""The command ``koe``. Heavy libraries are imported inside the commands, so that ``koe --help`` answers at once."""

from __future__ import annotations

import sys

import typer

from core.errors import KoeError

EXIT_ERROR = 1


class _Group(typer.core.TyperGroup):
    """Turns our errors into a Japanese sentence and an exit code; no traceback reaches a person."""

    def main(self, *args: object, **kwargs: object) -> object:
        try:
            return super().main(*args, **kwargs)  # type: ignore[arg-type]
        except KoeError as error:
            _tell(error.message, error.hint)
            raise SystemExit(EXIT_ERROR) from None
        except OSError as error:
            _tell(f"{error.filename or 'ファイル'} を読み書きできません（{error.strerror}）。", "場所・権限・空き容量を確かめてください。")
            raise SystemExit(EXIT_ERROR) from None


def _tell(message: str, hint: str) -> None:
    sys.stderr.write(f"エラー: {message}\n")
    if hint:
        sys.stderr.write(f"　対処: {hint}\n")


app = typer.Typer(
    name="koe",
    cls=_Group,
    help="声環（こえのわ）— 市民の声の取込・マスキング・分類・話題・公開",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Each registers its commands on ``app``, in the order in which they are listed.
from api.cli import intake, mailbox, batches, rejects, faq, voices, routing, answers, topics, topic_edits, surges, forecast, deadlines  # noqa: E402, I001
from api.cli import opinions, likeness, digest, jobs, demo, system, keys  # noqa: E402

__all__ = [
    "answers",
    "app",
    "batches",
    "deadlines",
    "demo",
    "digest",
    "faq",
    "forecast",
    "intake",
    "jobs",
    "keys",
    "likeness",
    "mailbox",
    "opinions",
    "rejects",
    "routing",
    "surges",
    "system",
    "topic_edits",
    "topics",
    "voices",
]
