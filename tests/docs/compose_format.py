"""The compose format, as far as deploy/compose.yaml uses it. What isn't named here is refused, so that a slip of the pen is seen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]+$")]
Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]+(us|ms|s|m|h))+$")]
Size = Annotated[str, StringConstraints(pattern=r"^[0-9]+[bkmg]$")]
Words = Annotated[list[str], Field(min_length=1)]


class Part(BaseModel):
    """Text is text and a number is a number: what YAML would make of an unquoted ``no`` or ``22:22`` is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Build(Part):
    context: str
    dockerfile: str


class ConfigOf(Part):
    source: Name
    target: Annotated[str, StringConstraints(pattern="^/")]


class Dependency(Part):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Deploy(Part):
    replicas: Annotated[int, Field(ge=1)]


class Healthcheck(Part):
    test: Annotated[list[str], Field(min_length=2)]
    interval: Duration
    timeout: Duration
    retries: Annotated[int, Field(ge=1)]
    start_period: Duration | None = None


class Service(Part):
    image: str
    build: Build | None = None
    entrypoint: Words | None = None
    command: Words | None = None
    user: str
    read_only: bool
    cap_add: list[str] = []
    cap_drop: list[str]
    security_opt: list[str]
    init: bool
    restart: Literal["no", "always", "on-failure", "unless-stopped"]
    stop_grace_period: Duration | None = None
    shm_size: Size | None = None
    tmpfs: list[Annotated[str, StringConstraints(pattern=r"^/[a-z/]+(:mode=[0-7]{4})?$")]] = []
    volumes: list[Annotated[str, StringConstraints(pattern=r"^[a-z]+:/[a-z/]+(:ro)?$")]] = []
    ports: list[Annotated[str, StringConstraints(pattern=r"^[0-9]+:[0-9]+$")]] = []
    networks: list[Name]
    secrets: list[Name] = []
    configs: list[ConfigOf] = []
    environment: dict[Annotated[str, StringConstraints(pattern="^[A-Z][A-Z0-9_]*$")], str] = {}
    depends_on: dict[Name, Dependency] = {}
    deploy: Deploy | None = None
    healthcheck: Healthcheck | None = None
    profiles: list[Name] = []


class Network(Part):
    internal: bool


class File(Part):
    file: str


class Compose(Part):
    name: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]*$")]
    services: dict[Name, Service]
    networks: dict[Name, Network | None]
    volumes: dict[Name, None]
    configs: dict[Name, File]
    secrets: dict[Name, File]
