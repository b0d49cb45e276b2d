"""A first draft: a template's words, and sentences of past answers that speak to the voice's questions. Nothing else is written.

Dates, figures and places of a past answer are likely wrong today: they stand in 【要確認：…】, which a check finds until it is gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nlp.answering.substance import Courtesy, substance
from nlp.answering.templates import BODY, Template, fill

TO_CHECK = "【要確認"
# Of a past answer so many sentences are taken at most, in their order.
_MOST_SENTENCES = 5
_DIGIT = "[0-9０-９]"
_UNIT = (
    "円|人|件|か所|箇所|カ所|台|％|%|パーセント|割|回|基|冊|校|本|区画|床|社|団体|メートル|キロ|センチ|トン|世帯|歳|日間|日|週間|か月|カ月|"
    "時間|時|分|階|枚|袋|丁目|号|番"
)
_FIGURE = re.compile(
    rf"(?:令和|平成|R)?(?:{_DIGIT}{{1,4}}|元)年度?(?:{_DIGIT}{{1,2}}月(?:{_DIGIT}{{1,2}}日)?)?(?:上旬|中旬|下旬|末|ごろ|頃)?|"
    rf"{_DIGIT}{{1,2}}月(?:{_DIGIT}{{1,2}}日)?(?:上旬|中旬|下旬|末|ごろ|頃)?|"
    r"(?:今|来|昨|本|翌|次)年度|(?:今|来|昨|翌)年(?!齢)|(?:今|来|先|翌)月(?:上旬|中旬|下旬|末)?|(?:今|来)(?:春|夏|秋|冬)|"
    rf"(?:午前|午後|朝|夜){_DIGIT}{{1,2}}時(?:半|{_DIGIT}{{1,2}}分)?|"
    rf"(?:内線|電話)[：:　 ]?{_DIGIT}[0-9０-９\-]+|0{_DIGIT}{{1,4}}-{_DIGIT}{{1,4}}-{_DIGIT}{{3,4}}|"
    rf"{_DIGIT}[0-9０-９,，.．]*(?:万|億|千|百)?(?:{_UNIT})?"
)
# A shorter place name stands inside other words (港 in 空港).
_SHORTEST_PLACE = 3


@dataclass(frozen=True, slots=True)
class Quotable:
    """A source of a draft. ``key`` is the caller's own."""

    key: int
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a draft at [start, end) of its text, and the source that it is from."""

    start: int
    end: int
    key: int


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft's text, where each quoted sentence stands, the fields that are left over, and how many places are to be checked."""

    text: str
    quotes: tuple[Quote, ...]
    left_over: tuple[str, ...]
    to_check: int


def compose(
    template: Template,
    values: Mapping[str, str],
    sources: Sequence[Quotable],
    *,
    courtesy: Courtesy,
    places: Collection[str] = (),
    voice: str = "",
) -> Composed:
    """A draft from a template and the sources, in their order, each sentence once; a paragraph for each source.

    ``places`` are the city's own place names: one that the voice doesn't name is marked as a figure is. A template without {本文}
    takes no quotes.
    """
    mark = _marker([place for place in places if place not in voice])
    paragraphs = list(_once([(mark(sentence), source.key) for sentence in _sentences(source.text, courtesy)] for source in sources))
    head, body, tail = template.text.partition("{" + BODY + "}")
    text, left_over = fill(head, values)
    quotes: list[Quote] = []
    for number, paragraph in enumerate(paragraphs if body else []):
        text += "\n\n" if number else ""
        for sentence, key in paragraph:
            quotes.append(Quote(len(text), len(text) + len(sentence), key))
            text += sentence
    end, more = fill(tail if quotes else body + tail, values)
    checked = sum(text[one.start : one.end].count(TO_CHECK) for one in quotes)
    return Composed(text + end, tuple(quotes), tuple(dict.fromkeys((*left_over, *more))), checked)


def _sentences(answer: str, courtesy: Courtesy) -> Iterator[str]:
    """What an answer says, without greeting and signature."""
    for start, end in substance(answer, courtesy)[:_MOST_SENTENCES]:
        yield answer[start:end]


def _marker(places: Collection[str]) -> Callable[[str], str]:
    """What puts dates, figures and these places in marks."""
    names = "|".join(map(re.escape, sorted((place for place in places if len(place) >= _SHORTEST_PLACE), key=len, reverse=True)))
    pattern = re.compile(f"{_FIGURE.pattern}|{names}") if names else _FIGURE
    return lambda sentence: pattern.sub(lambda match: f"{TO_CHECK}：{match[0]}】", sentence)


def _once(paragraphs: Iterable[Sequence[tuple[str, int]]]) -> Iterator[list[tuple[str, int]]]:
    """Without sentences that stand already, and paragraphs that have no others."""
    seen: set[str] = set()
    for paragraph in paragraphs:
        new = [pair for pair in dict(paragraph).items() if pair[0] not in seen]
        seen.update(sentence for sentence, _ in new)
        if new:
            yield new
