"""The desk's pages: the list, a voice, what stands around it, and its original."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.deps import (
    MAY_LABEL,
    SEARCHES,
    STAFF,
    EngineOf,
    KeyringOf,
    Labeller,
    PagesOf,
    Reading,
    RoutingOf,
    RulesOf,
    SettingsOf,
    Staff,
    TaxonomyOf,
    Writing,
    form_token,
)
from api.desk import part_view
from api.desk.highlight import pieces
from api.desk.marks import Marks
from api.desk.outlook import week_for
from api.desk.view import FILTERS, ORDERS, DeskQuery, DeskView, tabs_of
from api.searching import note_search
from core import db
from core.models import DeskAct, Facet, Voice
from core.settings import Settings
from loop import (
    case_queries,
    cases,
    clock,
    interim,
    labels,
    looks,
    originals,
    queries,
    rule_queries,
    sought,
    topic_queries,
    views,
)
from loop.actors import Actor
from loop.filters import Tab
from loop.steps import possible
from nlp import likeness
from nlp.opinions import service as opinion_service
from nlp.routing import Routing
from nlp.similar import load_sif
from nlp.taxonomy import Taxonomy

router = APIRouter(include_in_schema=False)
ReceiptNumber = Annotated[str, Path(max_length=20, pattern=r"^[0-9A-Za-z-]+$")]
ViewQuery = Annotated[DeskQuery, Query()]


@router.get("/desk", dependencies=[Depends(STAFF), Depends(SEARCHES)])
def desk(
    request: Request,
    query: ViewQuery,
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    keyring: KeyringOf,
    rules: RulesOf,
    taxonomy: TaxonomyOf,
    settings: SettingsOf,
    pages: PagesOf,
) -> Response:
    """The list with its tabs and filters."""
    view = DeskView.of(query, actor=signed_in.actor, rules=rules)
    scope = queries.looked_up(session, view.scope)
    page = queries.list_voices(session, scope, order=view.order, after=view.after, before=view.before)
    counts = queries.count_tabs(session, scope)
    marks = Marks.of(session, page.rows, rules=rules, deadlines=view.deadlines)
    asked_of = signed_in.actor.department if query.tab is Tab.ASKED else ""
    note_search(engine, keyring, query, actor=signed_in.actor, found=counts[query.tab])
    context = {
        "view": view,
        "page": page,
        "sought": scope.sought,
        "sought_in": sought.MOST,
        "lines": case_queries.lines(session, [row.id for row in page.rows], asked_of=asked_of),
        "no_case": case_queries.NO_CASE,
        "marks": marks,
        "week": week_for(session, rules, actor=signed_in.actor, chosen=query.department),
        "unread": looks.unread(session, [row.id for row in page.rows], actor=signed_in.actor),
        "saved_views": views.views_of(session, actor=signed_in.actor),
        "act": _done(session, query, signed_in.actor),
        "colleagues": case_queries.colleagues(session),
        "close_reasons": cases.CLOSE_REASONS,
        "counts": counts,
        "tabs": tabs_of(signed_in.actor, query.tab),
        "orders": ORDERS,
        "filters": FILTERS,
        "topic": topic_queries.topic_name(session, query.topic) if query.topic else "",
        "choices": _filter_choices(session, taxonomy),
        "low_confidence": settings.low_confidence,
    }
    return pages.page(request, "desk/list.html", context, block="results")


@router.get("/desk/{receipt_number}", dependencies=[Depends(STAFF)])
def voice_page(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    rules: RulesOf,
    taxonomy: TaxonomyOf,
    routing: RoutingOf,
    settings: SettingsOf,
    pages: PagesOf,
    changed: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """One voice: what was said, what the machine and people made of it, and what the city answered."""
    view = DeskView.of(query, actor=signed_in.actor, rules=rules)
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    if looks.due(session, voice, actor=signed_in.actor):
        with db.writing(engine) as noting:
            looks.see(noting, voice.id, actor=signed_in.actor)
    previous, following = queries.neighbours(session, view.scope, order=view.order, voice=voice)
    said = queries.labels_of(session, voice.id)
    case = case_queries.case_view(session, voice)
    context = {
        "view": view,
        "voice": voice,
        "pieces": pieces(
            voice.text,
            {facet: label.evidence for facet, label in said.machine.items()},
            passages=case.marks,
        ),
        "previous": previous,
        "following": following,
        "topic": topic_queries.topic_of(session, voice.id),
        "case": case,
        "interim_by": interim.of_voices(session, rules, [voice.id]).get(voice.id),
        **part_view.shown(case, voice, signed_in.actor),
        "names": looks.beside(session, voice.id, actor=signed_in.actor),
        "lead_number": case_queries.number_of_lead(session, voice),
        "steps": {step.name for step in possible(voice.status)},
        "act": _done(session, query, signed_in.actor),
        "colleagues": case_queries.colleagues(session),
        "departments": tuple(department.name for department in taxonomy.departments),
        "close_reasons": cases.CLOSE_REASONS,
        "back_reasons": cases.BACK_REASONS,
        "reopen_reasons": cases.REOPEN_REASONS,
        "pause_reasons": clock.PAUSE_REASONS,
        "may_read_original": signed_in.actor.may_read_original(voice),
        "reasons": originals.REASONS,
        **_suggestions(voice, said, taxonomy=taxonomy, routing=routing, settings=settings, changed=changed),
    }
    return pages.page(request, "desk/voice.html", context, block="main", alone="in_place")


@router.get("/desk/{receipt_number}/similar", dependencies=[Depends(STAFF)])
def similar_voices(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Staff,
    session: Reading,
    rules: RulesOf,
    settings: SettingsOf,
    pages: PagesOf,
) -> Response:
    """What stands around a voice: similar ones, answers to them, its campaign. A block of the voice's page, or a page of its own."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    around = likeness.around(session, voice.id, sif=load_sif(settings))
    shown = [found.voice_id for found in (*around.similar, *around.answered)]
    context = {
        "view": DeskView.of(query, actor=signed_in.actor, rules=rules),
        "voice": voice,
        "around": around,
        # Other departments' voices show how such a thing was answered, but lead nowhere.
        "may_open": set(queries.seen(session, shown, seen_by=signed_in.actor)),
    }
    return pages.page(request, "desk/similar.html", context, block="similar")


@router.get("/desk/{receipt_number}/opinions", dependencies=[Depends(STAFF)])
def voice_opinions(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Staff,
    session: Reading,
    engine: EngineOf,
    rules: RulesOf,
    pages: PagesOf,
) -> Response:
    """What was read of a voice; at the first look it is read and kept. A block of the voice's page, or a page of its own."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor)
    said = opinion_service.opinions_of(session, [voice.id]).get(voice.id)
    if said is None:
        with db.writing(engine) as keeping:
            said = opinion_service.read_now(keeping, voice)
    context = {"view": DeskView.of(query, actor=signed_in.actor, rules=rules), "voice": voice, "said": said}
    return pages.page(request, "desk/opinions.html", context, block="opinions")


@router.post("/desk/{receipt_number}/original", dependencies=[Depends(MAY_LABEL), Depends(form_token)])
def original(
    request: Request,
    receipt_number: ReceiptNumber,
    query: ViewQuery,
    signed_in: Labeller,
    session: Writing,
    keyring: KeyringOf,
    rules: RulesOf,
    pages: PagesOf,
    reason: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """The sealed original, once, in this response alone."""
    voice = queries.get_voice(session, receipt_number, seen_by=signed_in.actor, lock=True)
    opened = originals.read_original(session, keyring, voice, actor=signed_in.actor, reason=reason)
    view = DeskView.of(query, actor=signed_in.actor, rules=rules)
    context = {"view": view, "voice": voice, "original": opened, "reason": originals.REASONS[reason]}
    return pages.page(request, "desk/original.html", context, headers={"Cache-Control": "no-store"})


def _done(session: Session, query: DeskQuery, actor: Actor) -> DeskAct | None:
    return case_queries.act_of(session, query.done, actor.user_id) if query.done else None


def _filter_choices(session: Session, taxonomy: Taxonomy) -> dict[str, Any]:
    return {
        "theme": taxonomy.theme_names,
        "department": tuple(department.name for department in taxonomy.departments),
        "district": queries.districts(session),
    }


def _suggestions(
    voice: Voice, said: queries.Labels, *, taxonomy: Taxonomy, routing: Routing, settings: Settings, changed: str
) -> dict[str, Any]:
    newest = {facet: made[0].id for facet, made in said.decisions.items() if made}
    undoable = [number for part in changed.split(".") if part.isdecimal() and (number := int(part)) in newest.values()]
    return {
        "said": said,
        "choices": {facet: labels.choices(taxonomy, facet, theme=voice.theme) for facet in Facet},
        "in_force": {facet: labels.in_force(voice, facet) for facet in Facet},
        "newest": newest,
        "by_rule": rule_queries.offered(voice, routing, taxonomy),
        "low_confidence": settings.low_confidence,
        "changed": changed,
        "undoable": ".".join(map(str, undoable)),
        "pending": any(facet in said.machine and all(made.undone for made in said.decisions[facet]) for facet in Facet),
    }
