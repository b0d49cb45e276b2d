"""The city's own rules for which department answers a voice (routing.yaml): asked before the model's suggestion, the first that fits wins.

A rule says what a clerk can check with the eyes: labels, channel, district, and words that stand in the title or the text. A word fits
where its letters stand, whatever the width or case. Not Sudachi's tokens: nobody can tell from a file where those begin and end, so a rule
would fail for reasons that can't be seen; what a word fits too widely is taken out again by ``not_words``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nlp.annotation import PLACEHOLDERS, Annotation, Evidence, Label, Ruling

CONDITIONS = ("theme", "subtheme", "kind", "urgency", "channel", "district")
"""What a rule may ask for beside words: each with the values of which one must be there."""

_MASKS = re.compile("|".join(map(re.escape, PLACEHOLDERS.values())))
# Of a word that a text says again and again, so many places are told.
_PLACES = 3


class Circumstances(NamedTuple):
    """What a rule may look at. ``title`` and ``text`` are masked; what isn't known is empty, and fits no condition."""

    text: str
    title: str = ""
    theme: str = ""
    subtheme: str = ""
    kind: str = ""
    urgency: str = ""
    channel: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the file: every condition must fit, of ``words`` one must stand there, of ``not_words`` none.

    Attributes:
        name: what people call it.
        department: the one that answers.
        also: departments that the voice concerns too (関係課).
        conditions: the place in ``CONDITIONS`` and the values that fit, one pair each.
        words: folded as ``fold`` does.
        not_words: likewise.
        line: where it begins in the file.
    """

    name: str
    department: str
    also: tuple[str, ...] = ()
    conditions: tuple[tuple[int, frozenset[str]], ...] = ()
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()
    line: int = 0


class Routed(NamedTuple):
    """The rule that fits, and what decided it: places in the masked text of its words (of those in the title only, none)."""

    rule: str
    department: str
    also: tuple[str, ...] = ()
    words: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """The rules of a city, in their order. Picklable: worker processes get them with their work."""

    rules: tuple[Rule, ...] = ()

    def route(self, given: Circumstances) -> Routed | None:
        """The first rule that fits, ``None`` where none does."""
        text = title = None
        labels = given[2:]
        for rule in self.rules:
            if any(labels[place] not in values for place, values in rule.conditions):
                continue
            found: list[str] = []
            if rule.words or rule.not_words:
                if text is None or title is None:
                    text, title = _searchable(given.text), _searchable(given.title)
                found = [word for word in rule.words if word in text or word in title]
                if (rule.words and not found) or any(word in text or word in title for word in rule.not_words):
                    continue
            return Routed(rule.name, rule.department, rule.also, _places(found, text or "", given.text))
        return None


NO_RULES = Routing()


def route(rules: Routing, given: Circumstances) -> Routed | None:
    """The first rule that fits, ``None`` where none does."""
    return rules.route(given)


def applied(rules: Routing, annotation: Annotation, *, title: str = "", channel: str = "", district: str = "") -> Annotation:
    """An annotation with the rule's department in place of the model's, which stays first among the alternatives."""
    label = annotation.department
    given = Circumstances(
        annotation.masked,
        title,
        annotation.theme.label,
        annotation.subtheme.label,
        annotation.kind.label,
        annotation.urgency.label,
        channel,
        district,
    )
    routed = rules.route(given)
    if routed is None:
        return annotation
    others = [(label.label, label.confidence), *label.alternatives] if label.label else []
    ruled = Label(
        routed.department,
        1.0,
        tuple([other for other in others if other[0] != routed.department][:_PLACES]),
        routed.words,
        ruling=Ruling(routed.rule, label.label, label.confidence),
    )
    related = dict.fromkeys((*routed.also, *annotation.related))
    return annotation._replace(department=ruled, related=tuple(name for name in related if name != routed.department))


def fold(text: str) -> str:
    """A text for comparing, of the same length: full and half width, capital and small letters are one."""
    if text.isascii():
        return text.lower()
    whole = text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)
    lower = whole.lower()
    if len(lower) == len(text):
        return lower
    # A sign that becomes several letters (㈱) stays as it is: places in the text must hold.
    return "".join([plain if len(plain := unicodedata.normalize("NFKC", letter).lower()) == 1 else letter for letter in text])


def _searchable(text: str) -> str:
    """Folded, and without the words of the masks: 〔住所〕 is none of the writer's."""
    return fold(_MASKS.sub(lambda mask: " " * len(mask[0]), text) if "〔" in text else text)


def _places(words: Sequence[str], folded: str, text: str) -> tuple[Evidence, ...]:
    spans: list[tuple[int, int]] = []
    for word in words:
        at = -1
        for _ in range(_PLACES):
            at = folded.find(word, at + 1)
            if at < 0:
                break
            spans.append((at, at + len(word)))
    share = 1 / len(spans) if spans else 0.0
    return tuple(Evidence(text[start:end], share, start, end) for start, end in sorted(spans))
