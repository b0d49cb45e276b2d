"""What is looked at before an answer goes to approval: questions, personal data, promises, plain words, substance, blanks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from nlp import pii
from nlp.annotation import PLACEHOLDERS, PiiSpan
from nlp.answering import files, lists
from nlp.answering.commitments import Severity, commitments
from nlp.answering.lists import Lists
from nlp.answering.plainness import double_negations, kanji_runs, kanji_share, readability
from nlp.answering.substance import substance
from nlp.answering.unanswered import unanswered
from nlp.japanese import tokenize
from nlp.opinions.sentences import sentences
from nlp.vectors import Sif

_MASK = re.compile("|".join(map(re.escape, PLACEHOLDERS.values())) + "|〔[^〔〕]{1,12}〕")
_FIELD = re.compile(r"[{｛][^{}｛｝\n]{0,20}[}｝]")
_TO_CHECK = re.compile(r"【要確認[：:]?([^【】]*)】")
_LEAST_SENTENCE = 20
_NEAR = 8
_SHOWN = 30


class Code(StrEnum):
    """What was found."""

    EMPTY = "empty"
    UNANSWERED = "unanswered"
    PERSONAL = "personal"
    STAFF_NAME = "staff_name"
    MASK_LEFT = "mask_left"
    FIELD_LEFT = "field_left"
    TO_CHECK = "to_check"
    COMMITMENT = "commitment"
    REVIEW_PAST = "review_past"
    ONLY_THANKS = "only_thanks"
    LONG_SENTENCE = "long_sentence"
    DOUBLE_NEGATION = "double_negation"
    HARD_WORD = "hard_word"
    KANJI = "kanji"
    HARD_TO_READ = "hard_to_read"
    PART_OPEN = "part_open"
    NOBODYS = "nobodys"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend (``stop``: before it may be put forward) or to think about (``warn``).

    ``start`` and ``end`` are places in the answer, or where ``where`` says so in the voice. ``message`` says what, ``hint`` what to do.
    """

    code: Code
    severity: Severity
    start: int
    end: int
    message: str
    hint: str
    where: Literal["answer", "voice"] = "answer"

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(self), "code": self.code.value}


@dataclass(frozen=True, slots=True)
class _Case:
    """What a check looks at."""

    answer: str
    voice: str
    review_on: date | None
    today: date | None
    places: Collection[str]
    sif: Sif | None
    thanks: bool
    by: Lists


def check(
    answer: str,
    voice: str,
    *,
    review_on: date | None = None,
    today: date | None = None,
    places: Collection[str] = (),
    thanks: bool = False,
    sif: Sif | None = None,
    folder: Path = files.FOLDER,
) -> list[Finding]:
    """What is to be mended in an answer to a masked voice: stops first, then in the answer's order.

    Args:
        answer: the draft, as it would be sent.
        voice: the masked voice; of a case with several, their texts with a blank line between them.
        review_on: when a promise in the answer is looked at again.
        today: with it, a review day that is past is found.
        places: the city's own place names (``core.city``), which are no persons.
        thanks: the voice only thanks (種別 感謝), so that thanks are answer enough.
        sif: adds meaning to words where questions are compared with the answer.
        folder: the lists (``nlp.answering.lists``).

    Raises:
        InputError: a list is damaged; says where.
    """
    if not answer.strip():
        return [_finding(Code.EMPTY, "stop", 0, 0, "回答が書かれていません。", "回答を書いてから進めてください。")]
    case = _Case(answer, voice, review_on, today, places, sif, thanks, lists.load(folder))
    found = [one for look in _LOOKS for one in look(case)]
    return sorted(found, key=lambda one: (one.severity != "stop", one.where != "voice", one.start, one.end))


def may_go_on(findings: Collection[Finding]) -> bool:
    """Whether nothing that stops was found."""
    return not any(one.severity == "stop" for one in findings)


def _questions(case: _Case) -> Iterator[Finding]:
    open_ones = unanswered(case.voice, case.answer, courtesy=case.by.courtesy, sif=case.sif, below=case.by.limits.unanswered)
    for one in open_ones:
        message = f"この問いに答えた文が見あたりません: 「{_short(one.question.text(case.voice))}」"
        hint = "答えを書き足してください。別の言い方で答えているときは、そのままで構いません。"
        yield Finding(Code.UNANSWERED, "warn", one.question.start, one.question.end, message, hint, "voice")


def _personal(case: _Case) -> Iterator[Finding]:
    allowed = [match.span() for pattern in case.by.allowed for match in pattern.finditer(case.answer)]
    for span in pii.find(case.answer, tokenize(case.answer), places=case.places):
        if any(start <= span.start and span.end <= end for start, end in allowed):
            continue
        if span.type == "NAME" and _of_staff(case, span):
            message, hint = "職員の氏名らしい言葉があります。", "名前を出す決まりがなければ、課の名前だけにしてください。"
            yield _finding(Code.STAFF_NAME, "warn", span.start, span.end, message, hint)
            continue
        name = PLACEHOLDERS[span.type].strip("〔〕")
        message, hint = f"個人情報らしい言葉（{name}）があります。", "消すか、個人が分からない書き方に直してください。"
        yield _finding(Code.PERSONAL, "stop", span.start, span.end, message, hint)


def _of_staff(case: _Case, span: PiiSpan) -> bool:
    around = case.answer[max(0, span.start - _NEAR) : span.start] + "\n" + case.answer[span.end : span.end + _NEAR]
    return any(pattern.search(around) for pattern in case.by.staff)


def _left_over(case: _Case) -> Iterator[Finding]:
    for match in _MASK.finditer(case.answer):
        message, hint = f"伏せ字「{match[0]}」が残っています。", "宛名は発送のときに入ります。本文からは消してください。"
        yield _finding(Code.MASK_LEFT, "stop", *match.span(), message, hint)
    for match in _FIELD.finditer(case.answer):
        message, hint = f"ひな形の欄「{match[0]}」が埋まっていません。", "内容を書くか、欄を消してください。"
        yield _finding(Code.FIELD_LEFT, "stop", *match.span(), message, hint)
    for match in _TO_CHECK.finditer(case.answer):
        message = f"確かめていない所があります: 「{_short(match[1]) or '要確認'}」"
        yield _finding(Code.TO_CHECK, "stop", *match.span(), message, "今の日付・数字・場所に直し、【要確認】の印を消してください。")


def _promises(case: _Case) -> Iterator[Finding]:
    found = commitments(case.answer, case.by.commitments)
    if case.review_on is None:
        for one in found:
            message = f"約束になる言い方（{one.name}）があります: 「{_short(one.text(case.answer))}」"
            hint = "いつ見直すか、見直し日を決めてください。約束しないなら、できない理由を書いてください。"
            yield _finding(Code.COMMITMENT, one.severity, one.start, one.end, message, hint)
    elif found and case.today is not None and case.review_on < case.today:
        message, hint = "見直し日が過ぎています。", "今日より後の日にしてください。"
        yield _finding(Code.REVIEW_PAST, "stop", found[0].start, found[0].end, message, hint)


def _thanks(case: _Case) -> Iterator[Finding]:
    if not case.thanks and not substance(case.answer, case.by.courtesy):
        message = "お礼や「承ります」だけで、市の考えや対応が書かれていません。"
        hint = "調べたこと、することとしないこと、その理由を書いてください。"
        yield _finding(Code.ONLY_THANKS, "stop", 0, len(case.answer), message, hint)


def _long(case: _Case) -> Iterator[Finding]:
    limits = case.by.limits
    for start, end in sentences(case.answer):
        if end - start > limits.sentence and not case.by.courtesy.holds(case.answer[start:end]):
            word = "かなり長い" if end - start > limits.sentence_too_long else "長い"
            message, hint = f"{word}文です（{end - start}字）。", f"{limits.sentence:.0f}字までに分けると読みやすくなります。"
            yield _finding(Code.LONG_SENTENCE, "warn", start, end, message, hint)
    for start, end in double_negations(case.answer):
        message = f"二重の打ち消しです: 「{_short(case.answer[start:end])}」"
        yield _finding(Code.DOUBLE_NEGATION, "warn", start, end, message, "「できます」「できません」のように言い切ってください。")


def _words(case: _Case) -> Iterator[Finding]:
    for start, end, one in case.by.plain_words.find(case.answer):
        message = f"「{one.word}」は分かりにくい言葉です。"
        yield _finding(Code.HARD_WORD, "warn", start, end, message, f"「{one.plain}」などに言いかえてください。{one.note}")
    limits = case.by.limits
    for start, end in kanji_runs(case.answer, longer_than=int(limits.kanji_run)):
        if not any(match.start() <= start and end <= match.end() for pattern in case.by.allowed for match in pattern.finditer(case.answer)):
            message, hint = f"漢字が{end - start}字続いています。", "言葉を分けるか、ひらがなをはさんでください。"
            yield _finding(Code.KANJI, "warn", start, end, message, hint)
    for start, end in substance(case.answer, case.by.courtesy):
        share = kanji_share(case.answer[start:end])
        if end - start >= _LEAST_SENTENCE and share > limits.kanji_share:
            message, hint = f"漢字の多い文です（{share:.0%}）。", "漢語を和語に言いかえると読みやすくなります。"
            yield _finding(Code.KANJI, "warn", start, end, message, hint)
    whole = readability(case.answer)
    if whole and whole.score < limits.readability:
        message = f"全体に読みにくい文章です（読みやすさ {whole.score:.0f}、目安は {limits.readability:.0f} 以上）。"
        yield _finding(Code.HARD_TO_READ, "warn", 0, len(case.answer), message, "文を短くし、漢字の続きと読点を減らしてください。")


_LOOKS: tuple[Callable[[_Case], Iterator[Finding]], ...] = (_questions, _personal, _left_over, _promises, _thanks, _long, _words)


def _finding(code: Code, severity: Severity, start: int, end: int, message: str, hint: str) -> Finding:
    return Finding(code, severity, start, end, message, hint)


def _short(text: str) -> str:
    plain = text.strip()
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 1]}…"
