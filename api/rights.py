"""Every route states who may use it: its right is read here as data, and an application with a route that states none doesn't start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from api.deps import Right, public
from core.models import Role

OPEN_MOUNTS = frozenset({"/static"})
"""Folders of files that are everybody's: a mount has no dependency that could state it."""


class UnstatedRightError(Exception):
    """A route doesn't say who may use it: a fault in the program, told to who wrote it."""


@dataclass(frozen=True, slots=True)
class StatedRight:
    """A route with its right. ``roles`` is ``None`` where it is everybody's; ``scope`` is what a key needs, "" where none opens it."""

    method: str
    path: str
    roles: frozenset[Role] | None
    scope: str

    @property
    def name(self) -> str:
        """As in the committed tables: ``GET /desk``."""
        return f"{self.method} {self.path}"


def stated(routes: Iterable[BaseRoute]) -> list[StatedRight]:
    """All routes, those of included routers too, each with its right.

    Raises:
        UnstatedRightError: a route doesn't have ``public`` or a ``Right`` as its first dependency. The first: nothing may be
            read for somebody before it is known who that is.
    """
    found, silent = [], []
    for route in _all(routes):
        first = next((each.call for each in route.dependant.dependencies), None) if isinstance(route, APIRoute) else None
        if isinstance(route, APIRoute) and route.methods and (first is public or isinstance(first, Right)):
            roles, scope = (first.roles, first.scope) if isinstance(first, Right) else (None, "")
            found += [StatedRight(method, route.path, roles, scope) for method in sorted(route.methods)]
        elif not (isinstance(route, Mount) and route.path in OPEN_MOUNTS):
            silent.append(f"{'/'.join(sorted(getattr(route, 'methods', None) or ('*',)))} {getattr(route, 'path', type(route).__name__)}")
    if silent:
        raise UnstatedRightError(f"no right is stated first by: {', '.join(silent)}; give each public or a Right (api.deps)")
    return found


def _all(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        if (router := getattr(route, "original_router", None)) is not None:  # how FastAPI keeps a router that was included
            yield from _all(router.routes)
        else:
            yield route
