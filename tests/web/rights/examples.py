"""What the walk over all routes sends: an example of every parameter that stands in an address, and of every body that a route takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api import keys as api_keys
from core import db
from core.crypto import Keyring
from core.models import Approval, Batch, Delivery, Disposition, Job, Reject, Role, Upload, Voice
from loop import answers, approvals, cases, chains
from loop.answers import Checks
from tests import factories
from tests.loop.people import member, somebody, target
from tests.web.browser import Browser, TestClient
from tests.web.imports.pages import CSV, choices, sent, work

OWN, OTHER = "道路維持課", "公園緑地課"
WITH_FILES = {
    "POST /admin/import/uploads",
    "POST /admin/import/batches/{batch_id}/mended",
    "POST /desk/{receipt_number}/files",
}
"""Forms that browsers send in parts, the token first."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value for a parameter. ``other`` is one that belongs to another department; empty where whose it is makes no difference."""

    own: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """What the application holds before each request: an example of each parameter, and what bodies name."""

    parameters: Mapping[str, Example]
    names: Mapping[str, str]


def build(app: FastAPI, keyring: Keyring) -> World:
    """A city with a voice of two departments, a topic, an import with rows that couldn't be taken, and a file that waits."""
    with db.writing(app.state.engine) as session:
        clerk = factories.create_user(session, role=Role.KOCHO)
        token = factories.create_token(session, clerk)
    browser = Browser(TestClient(app))
    browser.client.cookies.set("koe_session", token)
    address = sent(browser)
    browser.post(f"{address}/start", choices(browser.get(address)))
    work(app)
    tried = sent(browser, CSV.replace(b"T-", b"U-"))
    browser.post(f"{tried}/check", choices(browser.get(tried)))
    work(app)
    with db.writing(app.state.engine) as session:
        voices = [factories.create_voice(session, theme=theme, published=True) for theme in ("道路・交通", "公園・緑地")]
        assert [voice.department for voice in voices] == [OWN, OTHER]
        for voice in voices:
            factories.create_secret(session, voice, keyring)
        attached = [factories.create_file(session, voice, clerk, keyring) for voice in voices]
        topic = factories.create_topic(session, voices=voices, name="歩道の段差")
        second = factories.create_topic(session, voices=[factories.create_voice(session, theme="道路・交通")], name="街灯の球切れ")
        waiting, theirs = (factories.create_voice(session, theme=voice.theme) for voice in voices)
        act, act_of_other = (_accepted(session, voice) for voice in (waiting, theirs))
        steps = [_withdrawn(session, factories.create_voice(session, theme=theme)) for theme in ("道路・交通", "公園・緑地")]
        parameters = {
            "approval_id": Example(str(steps[0]), str(steps[1])),
            "act_id": Example(str(act), str(act_of_other)),
            "receipt_number": Example(voices[0].receipt_number, voices[1].receipt_number),
            "voice_id": Example(str(voices[0].id), str(voices[1].id)),
            "file_id": Example(str(attached[0].id), str(attached[1].id)),
            "note_id": Example(*(str(factories.create_note(session, voice, clerk, keyring, written="電話した。").id) for voice in voices)),
            "view_id": Example(*(str(factories.create_view(session, clerk, department=name).id) for name in (OWN, OTHER))),
            "topic_id": Example(str(topic.id)),
            "batch_id": Example(str(session.scalar(select(func.min(Batch.id))))),
            "reject_id": Example(str(session.scalar(select(func.min(Reject.id))))),
            "upload_id": Example(str(session.scalar(select(Upload.id).order_by(Upload.created_at.desc()).limit(1)))),
            "job_id": Example(str(session.scalar(select(Job.id).where(Job.kind == "import_check")))),
        }
        parameters["name"] = Example("open311")
        api_keys.add_key(session, name="open311", scopes=["voices:read"], expires_on=None, actor="test")
        parameters["user_id"] = Example(str(clerk.id))
        names = {
            "second_topic": str(second.id),
            "own": voices[0].receipt_number,
            "waiting": waiting.receipt_number,
            "other": voices[1].receipt_number,
        }
        return World(parameters, names)


def _accepted(session: Session, voice: Voice) -> int:
    """An act of a member of the voice's department."""
    return cases.accept(session, [target(voice)], actor=member(session, department=voice.department)).id


def _withdrawn(session: Session, voice: Voice) -> int:
    """The step of an approval that was taken back: whoever may see it is told so, and nobody can decide it any more."""
    who, letter = somebody(session), target(voice)
    member(session, department=voice.department, position="課長")
    answers.save(
        session,
        letter,
        actor=who,
        text="歩道の段差もブランコの鎖も、昨日直しました。",
        disposition=Disposition.DONE,
        delivery=Delivery.NONE,
    )
    approvals.submit(session, letter, actor=who, chains=(chains.DEFAULT,), checks=Checks(), version=1, acknowledged=True)
    approvals.withdraw(session, letter, actor=who)
    return session.scalar(select(func.max(Approval.id))) or 0


def form(name: str, world: World) -> dict[str, Any]:
    """The fields of a route's form beside the token; most forms can be sent empty."""
    fields: dict[str, dict[str, Any]] = {
        "POST /desk/acts": {"act": "accept", "chosen": [world.names["waiting"]]},
        "POST /desk/{receipt_number}/labels": {"facet": "kind", "value": "要望"},
        "POST /desk/{receipt_number}/undo": {"labels": "1"},
        "POST /desk/{receipt_number}/original": {"reason": "reply"},
        "POST /trends/topics/{topic_id}/rename": {"name": "段差"},
        "POST /trends/topics/{topic_id}/merge": {"topics": [world.names["second_topic"]]},
        "POST /trends/topics/{topic_id}/move": {"voice": [world.names["own"]], "to": world.names["second_topic"]},
        "POST /admin/import/rejects/{reject_id}/mend": {"cell": ["T-2", "2026-09-02", "窓口", "駅前の街灯が切れています。", "", ""]},
        "POST /desk/{receipt_number}/notes": {"text": "電話した。"},
        "POST /desk/{receipt_number}/notes/{note_id}/original": {"reason": "reply"},
        "POST /desk/{receipt_number}/parts": {"department": "ごみ減量課", "number": ["1"]},
        "POST /desk/{receipt_number}/parts/reply": {"text": "来月替えます。"},
        "POST /desk/{receipt_number}/parts/return": {"department": "ごみ減量課", "reason": "何日か書いてください。"},
        "POST /desk/views": {"name": "段差", "query": "theme=道路・交通"},
        "POST /admin/users": {"username": "taro", "role": "kocho"},
        "POST /admin/users/{user_id}": {"role": "kocho", "display_name": "潮見 花子"},
        "POST /admin/keys": {"name": "line", "scope": ["voices:read"]},
        "POST /sign-in": {"username": "nobody", "password": "x"},
    }
    return fields.get(name, {})


def body(name: str, world: World) -> dict[str, Any]:
    """The keywords with which a JSON route's request is sent; many take none."""
    bodies: dict[str, dict[str, Any]] = {
        "POST /api/v1/acts": {"json": {"act": "accept", "targets": [{"receipt_number": world.names["waiting"]}]}},
        "POST /api/v1/voices/{receipt_number}/labels": {"json": {"facet": "kind", "value": "要望"}},
        "POST /api/v1/cases/{receipt_number}/notes": {"json": {"text": "現地を見た。"}},
        "POST /api/v1/cases/{receipt_number}/notes/{note_id}/original": {"json": {"reason": "reply"}},
        "POST /api/v1/cases/{receipt_number}/files": {"content": b"%PDF-1.7", "params": {"name": "図.pdf"}},
        "POST /api/v1/cases/{receipt_number}/parts": {"json": {"department": "ごみ減量課", "numbers": [1]}},
        "POST /api/v1/cases/{receipt_number}/parts/reply": {"json": {"text": "来月替えます。"}},
        "POST /api/v1/cases/{receipt_number}/parts/return": {"json": {"department": "ごみ減量課", "reason": "何日か書いてください。"}},
        "POST /api/v1/cases/{receipt_number}/draft": {"json": {"text": "直しました。"}},
        "POST /api/v1/cases/{receipt_number}/draft/check": {"json": {"text": "直しました。"}},
        "POST /api/v1/cases/{receipt_number}/draft/submit": {"json": {"version": 1}},
        "POST /api/v1/cases/{receipt_number}/dispatches": {"json": {"act": "posted", "dispatches": [1]}},
        "POST /api/v1/cases/{receipt_number}/letters": {"json": {"dispatches": [1]}},
        "POST /api/v1/approvals/{approval_id}/approve": {"json": {}},
        "POST /api/v1/approvals/{approval_id}/return": {"json": {}},
        "POST /api/v1/approvals/{approval_id}/delegate": {"json": {"username": "nobody"}},
        "POST /api/v1/views": {"json": {"name": "段差", "query": "theme=道路・交通"}},
        "POST /api/v1/topics/{topic_id}/rename": {"json": {"name": "段差"}},
        "POST /api/v1/topics/{topic_id}/merge": {"json": {"topics": [int(world.names["second_topic"])]}},
        "POST /api/v1/topics/{topic_id}/split": {"json": {"words": ["段差"]}},
        "POST /api/v1/topics/{topic_id}/move": {"json": {"receipt_numbers": [world.names["own"]]}},
        "POST /api/v1/topics/{topic_id}/unmove": {"json": {"receipt_numbers": [world.names["own"]]}},
        "POST /api/v1/topics/{topic_id}/pin": {"json": {"words": ["段差"]}},
        "POST /api/v1/imports/uploads": {"content": CSV, "params": {"name": "記録.csv"}},
        "POST /api/v1/imports/uploads/{upload_id}/check": {"json": {}},
        "POST /api/v1/imports/uploads/{upload_id}/start": {"json": {}},
        "POST /api/v1/imports/{batch_id}/undo": {"json": {"reason": "twice"}},
    }
    return bodies.get(name, {})
