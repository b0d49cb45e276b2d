"""Noting searches over voices in the audit trail, for the pages and JSON routes that look for words."""

from __future__ import annotations

from sqlalchemy import Engine

from api.desk.view import VoiceQuery
from core import db
from core.crypto import Keyring
from loop.actors import Actor
from loop.filters import words_of
from loop.searches import record_search


def note_search(engine: Engine, keyring: Keyring, query: VoiceQuery, *, actor: Actor, found: int) -> None:
    """Notes who looked for words on the desk, before what was found is sent; without words nothing is noted.

    A short transaction of its own: reading the list holds no lock, and a search that can't be noted gives nothing.
    """
    words = words_of(query.q)
    if words:
        conditions = {name: value for name, value in query.active().items() if name != "q"}
        with db.writing(engine) as session:
            record_search(session, keyring, actor=actor.username, place="desk", words=words, conditions=conditions, found=found)
