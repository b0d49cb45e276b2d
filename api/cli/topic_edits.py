"""koe topics rename, merge, unmerge, split, move, unmove, pin, unpin: what people do to topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.context import as_json, database, note, say, settings
from api.cli.topics import JsonFlag, topics
from core.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.models import Topic

TopicId = Annotated[int, typer.Argument(help="話題の番号（koe topics list で見る）", show_default=False)]
Receipts = Annotated[list[str], typer.Argument(help="声の受付番号", show_default=False)]
Words = Annotated[list[str], typer.Argument(help="声に出てくることば", show_default=False)]
Actor = Annotated[str, typer.Option(help="行う人の名前。監査記録に残る")]


@topics.command()
def rename(
    topic: TopicId,
    name: Annotated[str, typer.Argument(help="新しい名前", show_default=False)] = "",
    user: Annotated[str, typer.Option(help="名前を付ける人の利用者名")] = "",
    *,
    machine: Annotated[bool, typer.Option("--machine", help="人の付けた名前をやめ、機械の付けた名前に戻す")] = False,
    as_json_lines: JsonFlag = False,
) -> None:
    """話題に名前を付ける。作り直しても変わらない。"""
    from core import db
    from nlp import topic_edits

    if bool(name) is machine:
        raise InputError(
            "新しい名前か --machine のどちらか一つを指定してください。", hint="例: koe topics rename 12 歩道の段差 --user tanaka"
        )
    with db.writing(database(upgrade=True)) as session:
        user_id = _user(session, user)
        if machine:
            found = topic_edits.use_machine_name(session, topic, actor=user)
        else:
            found = topic_edits.rename(session, topic, name, user_id=user_id, actor=user)
    _tell([found], as_json_lines=as_json_lines)


@topics.command()
def merge(
    topic: Annotated[list[int], typer.Argument(help="まとめられる話題の番号", show_default=False)],
    into: Annotated[int, typer.Option(help="まとめる先の話題の番号", show_default=False)],
    actor: Actor = "cli",
    *,
    as_json_lines: JsonFlag = False,
) -> None:
    """話題を、ほかの話題にまとめる。声もそこへ移る。"""
    from core import db
    from nlp import topic_edits

    with db.writing(database(upgrade=True)) as session:
        found = topic_edits.merge(session, topic, into, actor=actor)
    _tell([found], as_json_lines=as_json_lines)


@topics.command()
def unmerge(topic: TopicId, actor: Actor = "cli", *, as_json_lines: JsonFlag = False) -> None:
    """まとめた話題を、まとめる前に戻す。"""
    from core import db
    from nlp import topic_edits

    with db.writing(database(upgrade=True)) as session:
        found = topic_edits.unmerge(session, topic, actor=actor)
    _tell([found], as_json_lines=as_json_lines)


@topics.command()
def split(
    topic: TopicId,
    word: Annotated[list[str] | None, typer.Option(help="このことばを含む声を分ける。いくつでも", show_default=False)] = None,
    parts: Annotated[int | None, typer.Option(help="似た声どうしで、この数に分ける", show_default=False)] = None,
    actor: Actor = "cli",
    *,
    as_json_lines: JsonFlag = False,
) -> None:
    """話題を分ける。いちばん大きい残りが、番号と名前を保つ。"""
    from core import db
    from nlp import topic_moves, topic_parts

    if bool(word) is (parts is not None):
        raise InputError("--word か --parts のどちらか一つを指定してください。", hint="例: koe topics split 12 --word 除雪 --word 雪かき")
    engine = database(upgrade=True)
    note("話題の声を読んでいます…")
    with db.reading(engine) as session:
        if word:
            given = topic_parts.by_words(session, topic, word, settings=settings())
        else:
            given = topic_parts.by_likeness(session, topic, parts or 0, settings=settings())
    with db.writing(engine) as session:
        made = topic_moves.split(session, topic, given, actor=actor)
    _tell(made, as_json_lines=as_json_lines)


@topics.command()
def move(
    voice: Receipts,
    to: Annotated[int, typer.Option(help="移す先の話題の番号", show_default=False)],
    actor: Actor = "cli",
    *,
    as_json_lines: JsonFlag = False,
) -> None:
    """声を話題に入れる。作り直しても、そこに残る。"""
    from core import db
    from loop import queries
    from nlp import topic_moves

    with db.writing(database(upgrade=True)) as session:
        found = topic_moves.move(session, queries.ids_of(session, voice, seen_by=None), to, actor=actor)
    _tell([found], as_json_lines=as_json_lines)


@topics.command()
def unmove(voice: Receipts, actor: Actor = "cli", *, as_json_lines: JsonFlag = False) -> None:
    """手で移した声を、もとの話題に戻す。"""
    from core import db
    from loop import queries
    from nlp import topic_moves

    with db.writing(database(upgrade=True)) as session:
        found = topic_moves.unmove(session, queries.ids_of(session, voice, seen_by=None), actor=actor)
    _tell(found, as_json_lines=as_json_lines)


@topics.command()
def pin(topic: TopicId, word: Words, actor: Actor = "cli", *, as_json_lines: JsonFlag = False) -> None:
    """話題をことばで留める。ひとりでには終わらず、そのことばの声が集まりやすくなる。"""
    from core import db
    from nlp import topic_edits

    with db.writing(database(upgrade=True)) as session:
        found = topic_edits.pin(session, topic, word, actor=actor)
    _tell([found], as_json_lines=as_json_lines)


@topics.command()
def unpin(topic: TopicId, actor: Actor = "cli", *, as_json_lines: JsonFlag = False) -> None:
    """話題を留めたことばを外す。"""
    from core import db
    from nlp import topic_edits

    with db.writing(database(upgrade=True)) as session:
        found = topic_edits.unpin(session, topic, actor=actor)
    _tell([found], as_json_lines=as_json_lines)


def _user(session: Session, username: str) -> int:
    from sqlalchemy import select

    from core.models import User

    number = session.scalar(select(User.id).where(User.username == username))
    if number is None:
        raise NotFoundError(f"利用者「{username}」がいません。", hint="--user に、名前を付ける人の利用者名を指定してください。")
    return number


def _tell(found: Sequence[Topic], *, as_json_lines: bool) -> None:
    for topic in found:
        if as_json_lines:
            say(
                as_json(
                    {
                        "topic_id": topic.id, "topic": topic.name, "parent_id": topic.parent_id, "size": topic.size, "pinned": topic.seeds,
                        "named_by_person": topic.named_by is not None,
                    }
                )
            )  # fmt: skip
        else:
            pinned = f"　［留めたことば: {' '.join(topic.seeds)}］" if topic.seeds else ""
            say(f"{topic.id:>5}  {topic.size:>7,} 件  {topic.name}{pinned}")
