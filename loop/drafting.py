"""A first draft of an answer: a template, and sentences of the city's own past answers, each with its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core import city
from core.clock import wareki
from core.errors import InputError
from core.models import Disposition, Voice
from core.settings import Settings
from loop.past_answers import Source, sources
from nlp import taxonomy
from nlp.answering import files, substance, templates
from nlp.answering.composing import Quotable, compose
from nlp.answering.templates import Stage
from nlp.vectors import Sif

__all__ = ["FirstDraft", "Quoted", "Source", "draft", "fields", "sources"]

# What fits less well is offered to the person who writes, and not quoted for them.
_LEAST_QUOTED = 0.25


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence of a first draft at [start, end), and where it is from."""

    start: int
    end: int
    source: Source


@dataclass(frozen=True, slots=True)
class FirstDraft:
    """A draft before anybody has touched it.

    Attributes:
        text: a template's words with quoted sentences; what must be looked at stands in 【要確認：…】 or as {欄}.
        template: the template's name.
        quotes: the quoted sentences, in the text's order; nothing else in it is from a source.
        sources: what was quoted, each once.
        offered: all sources that were found, quoted or not.
        left_over: the fields of the template for which nothing was known.
        to_check: how many dates, figures and places are marked.
    """

    text: str
    template: str
    quotes: tuple[Quoted, ...]
    sources: tuple[Source, ...]
    offered: tuple[Source, ...]
    left_over: tuple[str, ...]
    to_check: int


def draft(
    session: Session,
    voice: Voice,
    *,
    settings: Settings,
    sif: Sif | None,
    template: str = "",
    disposition: Disposition | None = None,
    stage: Stage = "final",
    values: Mapping[str, str] | None = None,
    before: date | None = None,
) -> FirstDraft:
    """A first draft of an answer: the closest template (or the one named), and the sentences of the best source for each question.

    ``values`` go before what is known of the voice itself (``fields``). Templates and lists are those of KOE_DATA/answers.

    Raises:
        InputError: there is no template of that name, or none that suits; or a list is damaged.
    """
    folder = files.folder_of(settings.data)
    known = templates.load(folder)
    found = sources(session, voice, sif=sif, before=before, folder=folder)
    suiting = templates.choose(known, kind=voice.kind.value, theme=voice.theme, disposition=(disposition or ""), stage=stage)
    if not template and (not suiting or suiting[0].by_hand):
        raise InputError("この声に合うひな形がありません。", hint="templates.yaml に、種別も分野も限らないひな形を1つ書いてください。")
    chosen = templates.get(known, template) if template else suiting[0]
    quoted = _quoted(found) if chosen.stage == "final" else ()
    made = compose(
        chosen,
        {**fields(voice, settings=settings), **(values or {})},
        [Quotable(place, found[place].text) for place in quoted],
        courtesy=substance.load(folder),
        places=city.load(settings.taxonomy_dir).places,
        voice=voice.text,
    )
    return FirstDraft(
        made.text,
        chosen.name,
        tuple(Quoted(one.start, one.end, found[one.key]) for one in made.quotes),
        tuple(found[key] for key in dict.fromkeys(one.key for one in made.quotes)),
        tuple(found),
        made.left_over,
        made.to_check,
    )


def fields(voice: Voice, *, settings: Settings) -> dict[str, str]:
    """What a template can be told of a voice: days in 和暦, the department with its line, the city."""
    place = city.load(settings.taxonomy_dir)
    lines = {one.name: one.extension for one in taxonomy.load(settings.taxonomy_dir).departments}
    extension = lines.get(voice.department, "")
    return {
        "市": place.name,
        "受付日": wareki(voice.received_on),
        "受付番号": voice.receipt_number,
        "件名": voice.title,
        "所管課": voice.department,
        "電話": f"{place.phone}（内線{extension}）" if place.phone and extension else place.phone,
        "内線": extension,
        "回答期限": wareki(voice.due_on) if voice.due_on else "",
    }


def _quoted(found: Sequence[Source]) -> tuple[int, ...]:
    """Which sources are quoted: for each question the best one that fits it, else the best of all; none that fits badly."""
    best: dict[str, int] = {}
    for place, source in enumerate(found):
        if source.score >= _LEAST_QUOTED:
            best.setdefault(source.question, place)
    return tuple(sorted(place for question, place in best.items() if question)) or tuple(best.values())
