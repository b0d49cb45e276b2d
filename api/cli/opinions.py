"""koe opinions: what voices hold of what, for and against, requests and questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import app
from api.cli.context import as_json, database, note, say, settings

if TYPE_CHECKING:
    from nlp.opinions.service import PairCount, TopicOpinions

_STEP = 500


@app.command()
def opinions(
    topic: Annotated[int | None, typer.Option(min=1, help="この番号の話題の声だけ（koe topics list で番号を見る）")] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="新しく読み取る声の数の上限。0 なら読み取らずに出す")] = None,
    *,
    as_json_line: Annotated[bool, typer.Option("--json", help="JSON で出す")] = False,
) -> None:
    """声から「主題 → 評価」の係り受け、賛否、要望、問いを読み取り、まとめて出す。読み取った声は二度読まない。"""
    from core import db
    from loop import topic_queries
    from nlp.opinions import service as opinion_service

    engine = database(upgrade=True)
    if limit != 0:
        report = opinion_service.update(engine, settings(), topic=topic, limit=limit, progress=_progress)
        note(f"{report.read:,} 件の声を新しく読み取りました。")
    with db.reading(engine) as session:
        found = opinion_service.summary(session, topic)
        name = topic_queries.topic_name(session, topic) if topic else "すべての声"
    say(as_json(_record(topic, name, found)) if as_json_line else _page(name, found))


def _progress(done: int, waiting: int) -> None:
    if done == waiting or done % _STEP < 64:
        note(f"  {done:,} / {waiting:,} 件")


def _record(topic: int | None, name: str, found: TopicOpinions) -> dict[str, Any]:
    return {
        "topic_id": topic,
        "topic": name,
        "voices": found.voices,
        "read": found.read,
        "stances": {side.value: count for side, count in found.stances.items()},
        "requests": found.requests,
        "questions": found.questions,
        "pairs": [
            {
                "topic": pair.topic,
                "predicate": pair.predicate,
                "polarity": pair.polarity.value,
                "count": pair.count,
                "voice_ids": list(pair.voice_ids),
            }
            for pair in found.pairs
        ],
    }


def _page(name: str, found: TopicOpinions) -> str:
    sides = "、".join(f"{side.value} {count:,}" for side, count in found.stances.items())
    head = f"{name}：{found.voices:,} 件のうち {found.read:,} 件を読み取り済み"
    shares = f"要望のある声 {found.request_share:.0%}、問いのある声 {found.question_share:.0%}"
    lines = [f"{pair.count:>5,} 件  {pair.topic} → {pair.predicate}（{_sense(pair)}）" for pair in found.pairs]
    return "\n".join([head, sides, shares, *lines])


def _sense(pair: PairCount) -> str:
    return "要望" if pair.predicate.endswith(("ほしい", "べき")) else _SENSE[pair.polarity.value]


_SENSE = {"positive": "良い", "negative": "悪い", "neutral": "中立"}
