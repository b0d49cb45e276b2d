"""What must not leave in an answer: somebody's personal data, a masked item, a template's empty field, a promise without a date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from nlp.annotation import PLACEHOLDERS

_MASKED = re.compile("|".join(map(re.escape, PLACEHOLDERS.values())))
_FIELD = re.compile(r"[{｛][^{}｛｝\n]{1,30}[}｝]")
_PROMISE = re.compile(r"検討(?:します|いたします|してまい|していき|を進め)|今後の参考|前向きに|努めてまい")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to look at, at ``[start, end)`` of the answer."""

    code: str
    severity: str
    start: int
    end: int
    message: str
    hint: str


def check(answer: str, _voice: str, *, review_on: date | None) -> list[Found]:
    """What is to be looked at in an answer, by place."""
    return sorted(_all(answer, review_on), key=lambda found: found.start)


def _all(answer: str, review_on: date | None) -> Iterator[Found]:
    from nlp import pii
    from nlp.japanese import tokenize

    for match in _MASKED.finditer(answer):
        yield Found("masked", "stop", *match.span(), f"伏せ字の印「{match[0]}」が残っています。", "印を消すか、言いかえてください。")
    for match in _FIELD.finditer(answer):
        yield Found("field", "stop", *match.span(), f"ひな形の欄「{match[0]}」が空いています。", "欄をうめるか、消してください。")
    for span in pii.find(answer, tokenize(answer)):
        yield Found("personal", "stop", span.start, span.end, "個人情報らしいところがあります。", "回答には個人情報を書かないでください。")
    if review_on is None and (promise := _PROMISE.search(answer)):
        hint = "見直す日を入れるか、言いかえてください。"
        yield Found("review", "stop", *promise.span(), f"「{promise[0]}」と約束していますが、見直す日がありません。", hint)
