"""What became of a topic, in sentences: the newest first, runs in which nothing happened folded into one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.words import TOPIC_EVENT, percent
from core.clock import to_tokyo
from core.models import TopicEvent, TopicEventKind
from loop.topic_history import History, Quiet

Piece = str | tuple[int, str]
"""Words, or a topic's id and name."""


@dataclass(frozen=True, slots=True)
class Line:
    """What happened on a day, or from one to another. ``by``: who did it, where a person did."""

    label: str
    first: date
    last: date
    pieces: tuple[Piece, ...]
    by: str = ""


def lines(found: History) -> list[Line]:
    """The lines of a topic's history."""
    told = [_kept(found.quiet[0])] if 0 in found.quiet else []
    for event in found.events:
        told.append(_line(event, found))
        told += [_kept(found.quiet[event.id])] if event.id in found.quiet else []
    return told[::-1]


def _kept(runs: Quiet) -> Line:
    times = f"{runs.runs:,} 回の見直しで引き継ぎました" if runs.runs > 1 else "見直しで引き継ぎました"
    least = runs.least_kept
    or_more = "以上" if runs.runs > 1 and least is not None and least < 1 else ""
    stayed = "" if least is None else f"（前からの声の {percent(least)}{or_more}がそのまま）"
    return Line(TOPIC_EVENT[TopicEventKind.KEPT], _day(runs.first), _day(runs.last), (f"{times}{stayed}。",))


def _line(event: TopicEvent, found: History) -> Line:
    topics = _listed([(number, found.names.get(number, f"話題 {number}")) for number in event.others])
    by_person = event.run_id is None
    pieces = (_BY_PEOPLE if by_person else _BY_RUNS)[event.kind](event, topics)
    who = found.people.get(event.actor, event.actor) if by_person else ""
    return Line(TOPIC_EVENT[event.kind], _day(event.at), _day(event.at), tuple(pieces), who)


def _kept_with(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    return [*topics, f"がまとまりました{_sizes(event)}。"]


def _grew(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    stayed = "" if event.kept_share is None else f"前からの声の {percent(event.kept_share)}がそのままです。"
    return [*topics, *(["がまとまり、"] if topics else []), f"大きくなりました{_sizes(event)}。{stayed}"]


def _born(event: TopicEvent, _topics: list[Piece]) -> list[Piece]:
    return [f"声 {event.after:,} 件で、はじめて現れました。"]


def _split_off(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    return [*topics, f"から分かれて、声 {event.after:,} 件で現れました。"]


def _gone_into(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    return [*topics, f"と同じになり、そこにまとまりました（声 {event.before:,} 件）。"]


def _ended(event: TopicEvent, _topics: list[Piece]) -> list[Piece]:
    return [f"終わりました（それまでの声 {event.before:,} 件）。" if event.before else "終わりました。"]


def _split(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    is_new = not event.before
    if "taken_back" in event.detail:
        end = f"から出して、まとめる前に戻しました（声 {event.after:,} 件）。" if is_new else f"を、まとめる前に戻しました{_sizes(event)}。"
        return [*topics, end]
    if not is_new:
        return [*topics, f"を分けました{_sizes(event)}。"]
    words = event.detail.get("words") or []
    return [*topics, f"から{_quoted(words) + 'を含む声を' if words else ''}分けて作りました（声 {event.after:,} 件）。"]


def _merged(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    if "children" in event.detail:  # so it says of the one that went
        return [*topics, f"にまとめました（声 {event.before:,} 件）。"]
    return [*topics, f"をこの話題にまとめました{_sizes(event)}。"]


def _renamed(event: TopicEvent, _topics: list[Piece]) -> list[Piece]:
    name = event.detail["to"]
    to = f"機械の名前「{name}」に戻しました。" if event.detail["by"] == "machine" else f"「{name}」に変えました。"
    return [f"名前を「{event.detail['from']}」から{to}"]


def _moved(event: TopicEvent, topics: list[Piece]) -> list[Piece]:
    voices = f"声 {event.detail['voices']:,} 件を"
    back = "taken_back" in event.detail
    if not event.detail["voices"]:
        return ["この話題にある声を、人の手で留めました。"]
    if event.after < event.before:
        return [voices, *topics, f"へ{'戻しました' if back else '移しました'}{_sizes(event)}。"]
    if not topics:
        return [f"どの話題にもなかった{voices}入れました{_sizes(event)}。"]
    return [voices, *topics, f"から{'戻しました' if back else '移しました'}{_sizes(event)}。"]


def _pinned(event: TopicEvent, _topics: list[Piece]) -> list[Piece]:
    words = event.detail["to"]
    return [f"{_quoted(words)}で留めました。" if words else f"留めたことば{_quoted(event.detail['from'])}を外しました。"]


_Told = Callable[[TopicEvent, list[Piece]], list[Piece]]
_BY_RUNS: dict[TopicEventKind, _Told] = {
    TopicEventKind.KEPT: _kept_with,
    TopicEventKind.GREW: _grew,
    TopicEventKind.BORN: _born,
    TopicEventKind.SPLIT: _split_off,
    TopicEventKind.MERGED: _gone_into,
    TopicEventKind.ENDED: _ended,
}
_BY_PEOPLE: dict[TopicEventKind, _Told] = {
    TopicEventKind.SPLIT: _split,
    TopicEventKind.MERGED: _merged,
    TopicEventKind.ENDED: _ended,
    TopicEventKind.RENAMED: _renamed,
    TopicEventKind.MOVED: _moved,
    TopicEventKind.PINNED: _pinned,
}


def _listed(topics: Sequence[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for topic in topics:
        found += ["、", topic] if found else [topic]
    return found


def _sizes(event: TopicEvent) -> str:
    return f"（声 {event.before:,} 件 → {event.after:,} 件）"


def _quoted(words: Sequence[str]) -> str:
    return "".join(f"「{word}」" for word in words)


def _day(at: datetime) -> date:
    return to_tokyo(at).date()
