"""What the page shows on which a topic is put in order: the forms that it has, and what has just been done by one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.fields import Address, Text
from api.rendering import Pages
from api.trends.topic_routes import joined_to
from core.errors import KoeError, NotFoundError
from core.models import Topic, TopicStatus
from loop import topic_choices
from loop.actors import Actor
from loop.filters import words_of
from nlp import topic_edits, topic_parts

_NOTHING_SPLIT = {"split_words": "", "split_name": "", "parts": None}
_SHOWN = 100  # voices moved by hand, the last ones


class Done(StrEnum):
    """What has just been done. The value stands in the address that a form leads to."""

    RENAMED = "renamed"
    MACHINE = "machine"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SPLIT = "split"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    UNMOVED = "unmoved"


class EditQuery(Address):
    """``q`` looks for topics to be joined; ``done`` and ``topics`` say what has just been done, and to which topics."""

    q: Text = ""
    done: Done | None = None
    topics: Annotated[str, Field(max_length=2000, pattern=r"^(\d{1,9}(\.\d{1,9})*)?$")] = ""

    @property
    def made(self) -> list[int]:
        return [int(number) for number in self.topics.split(".") if number]


def edit_page(
    request: Request,
    session: Session,
    topic_id: int,
    query: EditQuery,
    *,
    actor: Actor,
    wrong: KoeError | None = None,
    form: str = "",
    typed: Mapping[str, Any] | None = None,
    pages: Pages,
) -> Response:
    """The page; ``wrong`` is what was wrong with a form, ``typed`` what had been written in it.

    Raises:
        NotFoundError: there is no such topic.
    """
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise NotFoundError("この話題は見つかりません。", hint="話題の一覧から選びなおしてください。")
    told: dict[str, Any] = {"name": topic.name, "words": "\n".join(topic.seeds), "topics": [], **_NOTHING_SPLIT, **(typed or {})}
    in_use, below = topic.status is TopicStatus.ACTIVE, topic_choices.below(session, topic_id)
    forms = _forms(topic, is_group=bool(below)) if in_use else frozenset()
    total, moved = topic_choices.moved_here(session, topic_id, seen_by=actor, limit=_SHOWN)
    context = {
        "topic": topic,
        "in_use": in_use,
        "below": below,
        "forms": forms,
        "joined_to": joined_to(session, topic),
        "joined": topic_choices.joined(session, topic_id),
        "families": topic_choices.to_join(session, topic, words=words_of(query.q), chosen=told["topics"]),
        "moved": moved,
        "moved_total": total,
        "query": query,
        "made": topic_choices.named(session, query.made),
        "wrong": wrong,
        "wrong_form": form if form in forms else "",  # what was sent may not fit the topic as it has become
        "typed": told,
        "most_parts": topic_parts.MOST_PARTS,
        "longest_name": topic_edits.LONGEST_NAME,
        "most_words": topic_edits.MOST_WORDS,
    }
    return pages.page(request, "trends/edit.html", context, status=wrong.status if wrong else 200)


def _forms(topic: Topic, *, is_group: bool) -> frozenset[str]:
    """The forms that a topic in use has."""
    named = frozenset() if topic.is_rest else frozenset({"rename", "merge"})
    held = frozenset() if topic.is_rest or is_group else frozenset({"pin"})
    return named | held | (frozenset() if is_group else frozenset({"split", "divide", "moved"}))


def edited(topic_id: int, done: Done, topics: Sequence[int] = ()) -> str:
    """The address that tells what has just been done."""
    # With its own fragment, or the browser would keep the form's and pass over what is told at the top.
    return f"/trends/topics/{topic_id}/edit{EditQuery().query(done=done, topics='.'.join(map(str, topics)))}#done"
