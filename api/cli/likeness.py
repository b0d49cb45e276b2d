"""koe similar, campaigns, index: voices like a voice, groups of near-copies, and what is derived from voices made anew."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, note, say, settings
from core.errors import InputError

if TYPE_CHECKING:
    from nlp.likeness import Campaign, Similar

_TEXT_WIDTH = 60
_MANY = 1000  # differences of the counts that are counted


@app.command()
def similar(
    text: Annotated[str, typer.Argument(help="さがす文章。- で標準入力から読む", show_default=False)] = "",
    voice: Annotated[str, typer.Option(help="この受付番号の声に似た声をさがす")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="出す件数")] = 10,
    *,
    answered: Annotated[bool, typer.Option("--answered", help="回答のある声だけを、回答とともに出す")] = False,
    as_json_lines: Annotated[bool, typer.Option("--json", help="1件を1行の JSON で出す")] = False,
) -> None:
    """文章か声に似た声を、似ている順に出す。文章はどこにも残さない。"""
    from core import db
    from loop import queries
    from nlp import likeness
    from nlp.similar import load_sif

    if bool(text.strip()) == bool(voice):
        raise InputError("さがす文章か --voice のどちらか一つを指定してください。", hint="例: koe similar 歩道の段差が危ない")
    words = sys.stdin.read() if text == "-" else text
    with db.reading(database()) as session:
        voice_id = queries.get_voice(session, voice, seen_by=None).id if voice else None
        found = likeness.similar(
            session, words, voice_id=voice_id, limit=limit, answered_only=answered, sif=load_sif(settings())
        )  # fmt: skip
    if not found:
        note("似た声は見つかりませんでした。声を取り込んだあとなら、koe index で索引を確かめてください。")
    for item in found:
        say(as_json(item.as_dict()) if as_json_lines else _line(item))


@app.command()
def campaigns(
    least: Annotated[int, typer.Option("--min", min=2, help="この件数より少ないまとまりは出さない")] = 5,
    *,
    update: Annotated[bool, typer.Option("--update", help="新しい声をまとめてから出す")] = False,
    as_json_lines: Annotated[bool, typer.Option("--json", help="1つを1行の JSON で出す")] = False,
) -> None:
    """同文・一斉投稿のまとまりを、件数の多い順に出す。"""
    from api.campaigns import update_campaigns
    from core import db
    from nlp import likeness

    engine = database(upgrade=update)
    if update:
        report = update_campaigns(engine, settings())
        note(f"{report.voices:,} 件の声を調べました（新しいまとまり {report.begun}、合わさったまとまり {report.joined}）。")
    with db.reading(engine) as session:
        found = likeness.campaigns(session, least=least)
    if not found:
        note(f"{least} 件以上のまとまりはありません。新しい声を調べるには koe campaigns --update を実行してください。")
    for campaign in found:
        say(as_json(campaign.as_dict()) if as_json_lines else _group(campaign))


@app.command()
def index() -> None:
    """索引のない声を索引に入れ、連絡先の照合の印がないか古い鍵のものを作り直し、日ごと・月ごとの件数を数え直す。"""
    from core import db, facts
    from core.crypto import load_keyring
    from nlp import likeness

    current = settings()
    engine = database(upgrade=True)
    report = likeness.build_index(engine, current, load_keyring(current))
    say(f"索引に {report.voices:,} 件を入れ、送り主の印を {report.senders:,} 件作りました。")
    with db.reading(engine) as session:
        wrong = len(facts.differences(session, limit=_MANY))
    if wrong:  # only then does anybody who writes have to wait
        facts.rebuild(engine)
    found = f"ちがっていた {wrong:,} か所{'以上' if wrong == _MANY else ''}を直しました" if wrong else "ちがいはありませんでした"
    say(f"日ごと・月ごとの件数を数え直しました。{found}。")


def _line(item: Similar) -> str:
    first = " ".join(f"{item.title} {item.snippet}".split())[:_TEXT_WIDTH]
    copies = f"　同文 ×{item.copies:,}" if item.copies > 1 else ""
    line = f"{item.score:>4.0%}  {item.receipt_number}  {item.received_on}  {item.department or '未定'}{copies}\n      {first}"
    if item.answer is None:
        return line
    source = "、".join(filter(None, (item.answer.department, str(item.answer.answered_on or ""))))
    return f"{line}\n      回答（{source}）: {' '.join(item.answer.text.split())[:_TEXT_WIDTH]}"


def _group(campaign: Campaign) -> str:
    unknown = f"、送り主不明 {campaign.unknown:,} 件" if campaign.unknown else ""
    counts = f"×{campaign.voices:,}（文面 {campaign.texts:,} 種、送り主 {campaign.senders:,} 人{unknown}）"
    return f"{campaign.id:>5}  {counts}  {campaign.first_on}〜{campaign.last_on}\n       {' '.join(campaign.sample.split())[:_TEXT_WIDTH]}"
