"""Templates: one environment, the words and shapes that pages use, and addresses of static files that change with their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments.fastapi import Jinja2Blocks

from api import words
from api.graphics import bar, kinds_bar, sparkline, weeks_chart
from core.city import City
from core.clock import today, wareki
from core.models import Channel, Facet, Kind, Urgency
from ingest.batches import STATES

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Pages:
    """Renders pages, or one block of a page when htmx asks for it."""

    def __init__(self, *, city: City) -> None:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals |= {"city": city, "static": _versioned(STATIC), "today": today, **_GLOBALS}
        environment.filters |= _FILTERS
        self._templates = Jinja2Blocks(env=environment)

    def page(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any],
        *,
        block: str = "",
        alone: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page. When htmx asks for the element whose id is ``block``, the block ``alone`` is sent by itself; as a rule that of the id."""
        signed_in = getattr(request.state, "signed_in", None)
        full = {**context, "actor": signed_in and signed_in.actor, "csrf_token": signed_in and signed_in.csrf_token}
        full["by_city"] = bool(signed_in and signed_in.by_city)
        by_itself = {"block_name": alone or block} if block and _wants(request, block) else {}
        vary = {"Vary": "HX-Request"} if block else {}
        response: Response = self._templates.TemplateResponse(
            request, name, full, status_code=status, headers={**vary, **(headers or {})}, **by_itself
        )
        return response


def _wants(request: Request, block: str) -> bool:
    headers = request.headers
    restores = headers.get("HX-History-Restore-Request") == "true"
    return headers.get("HX-Request") == "true" and headers.get("HX-Target") == block and not restores


def _versioned(folder: Path) -> Any:
    versions: dict[str, str] = {}

    def static(name: str) -> str:
        if name not in versions:
            versions[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]
        return f"/static/{name}?v={versions[name]}"

    return static


def _iso(value: Any) -> str:
    return str(value.isoformat())


_FILTERS = {
    "num": words.number,
    "bytes": words.size,
    "pct": words.percent,
    "pct1": partial(words.percent, digits=1),
    "change": words.change,
    "headline": words.headline,
    "short_date": words.short_date,
    "moment": words.moment,
    "wareki": wareki,
    "iso": _iso,
    "due": words.due,
    "progress": words.progress,
    "result_words": words.result,
    "age": words.age,
}
_GLOBALS = {
    "STATUS": words.STATUS,
    "STEP_NAME": words.STEP_NAME,
    "PART_STATE": words.PART_STATE,
    "PART_TONE": words.PART_TONE,
    "DISPOSITION": words.DISPOSITION,
    "JOB_STATE": words.JOB_STATE,
    "JOB_TONE": words.JOB_TONE,
    "ROLE": words.ROLE,
    "FACET": words.FACET,
    "KIND_TONE": words.KIND_TONE,
    "URGENCY_TONE": words.URGENCY_TONE,
    "ATTRIBUTE": words.ATTRIBUTE,
    "ORIGINAL": words.ORIGINAL,
    "BATCH_STATE": STATES,
    "BATCH_TONE": words.BATCH_TONE,
    "REJECT_CODE": words.REJECT_CODE,
    "RESOLUTION": words.RESOLUTION,
    "Kind": Kind,
    "Channel": Channel,
    "Urgency": Urgency,
    "Facet": Facet,
    "sparkline": sparkline,
    "bar": bar,
    "kinds_bar": kinds_bar,
    "weeks_chart": weeks_chart,
}
