"""Types of query and form fields: forms send "" for what nobody filled in, and addresses hold whatever somebody typed."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from core.models import Channel, Kind, Urgency
from loop.filters import Cursor

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _nothing(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _clean(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()


def _cursor(value: str) -> str:
    if value:
        Cursor.parse(value)
    return value


Text = Annotated[str, Field(max_length=200), AfterValidator(_clean)]
Name = Annotated[str, Field(max_length=64), AfterValidator(_clean)]
Day = Annotated[date | None, BeforeValidator(_nothing)]
Number = Annotated[int | None, Field(ge=0, lt=2**31), BeforeValidator(_nothing)]
AnyKind = Annotated[Kind | None, BeforeValidator(_nothing)]
AnyChannel = Annotated[Channel | None, BeforeValidator(_nothing)]
AnyUrgency = Annotated[Urgency | None, BeforeValidator(_nothing)]
Place = Annotated[str, Field(max_length=32), AfterValidator(_cursor)]


class Address(BaseModel):
    """Query parameters that can be written back into an address."""

    def query(self, **changes: Any) -> str:
        """The query string with some fields changed; defaults and empty fields are left out."""
        values = {**self.model_dump(mode="json"), **{name: _plain(value) for name, value in changes.items()}}
        defaults = type(self)().model_dump(mode="json")
        kept = {name: value for name, value in values.items() if value not in (None, "") and value != defaults.get(name)}
        return f"?{urlencode(kept)}" if kept else ""


def _plain(value: Any) -> Any:
    return value if value is None else str(value)
