"""The Atom feed of surges (RFC 4287) for members of staff who are signed in: an entry a surge, renewed as long as it goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.deps import STAFF, CityOf, Reading, Staff
from api.trends.surges import desk, places, sentence, title
from loop import surge_queries
from loop.surge_queries import Episode

router = APIRouter(include_in_schema=False)
_ATOM = "http://www.w3.org/2005/Atom"
_ENTRIES = 50
_LONGEST = 200
# XML has no way to write these.
_UNWRITABLE = {code: " " for code in (*range(0x20), 0x7F, 0xFFFE, 0xFFFF) if code not in (0x9, 0xA, 0xD)}


@router.get("/trends/surges.atom", dependencies=[Depends(STAFF)])
def surges_feed(request: Request, signed_in: Staff, session: Reading, city: CityOf) -> Response:
    """The surges of the last months, the one that was told last first."""
    site = str(request.base_url).rstrip("/")
    body = feed(surge_queries.episodes(session, seen_by=signed_in.actor, limit=_ENTRIES), site=site, city=city.name)
    return Response(body, media_type="application/atom+xml; charset=utf-8", headers={"Cache-Control": "private, no-cache"})


def feed(episodes: list[Episode], *, site: str, city: str) -> bytes:
    """The feed as XML. An entry's id is made from the surge alone, so that it is the same under every address of the server."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "id", _identifier("feed"))
    _add(root, "title", f"急増（{city or '声環'}）")
    _add(root, "updated", _moment(max((episode.updated for episode in episodes), default=datetime(2026, 1, 1, tzinfo=UTC))))
    _link(root, f"{site}/trends/surges.atom", rel="self", kind="application/atom+xml")
    _link(root, f"{site}/trends", rel="alternate", kind="text/html")
    _add(_add(root, "author"), "name", city or "声環")
    for episode in episodes:
        _entry(root, episode, site)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(root: ET.Element, episode: Episode, site: str) -> None:
    line = episode.line
    entry = _add(root, "entry")
    _add(entry, "id", _identifier(episode.key))
    _add(entry, "title", ("一斉投稿: " if line.surge.is_campaign else "急増: ") + title(line))
    _add(entry, "published", _moment(episode.published))
    _add(entry, "updated", _moment(episode.updated))
    _link(entry, site + desk(line), rel="alternate", kind="text/html")
    where = [f"{name}: " + "、".join(f"{place['name']} {place['observed']:,}件" for place in found) for name, found in places(line).items()]
    voices = [f"「{example.text[:_LONGEST]}」" for example in line.examples]
    _add(entry, "content", "\n".join([f"{sentence(line)}。", *where, *voices])).set("type", "text")


def _add(parent: ET.Element, name: str, text: str = "") -> ET.Element:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}")
    if text:
        element.text = text.translate(_UNWRITABLE)
    return element


def _link(parent: ET.Element, address: str, *, rel: str, kind: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}link", {"rel": rel, "type": kind, "href": address})


def _identifier(key: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'koenowa:surges/{key}')}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
