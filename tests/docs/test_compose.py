"""deploy/compose.yaml and the Containerfile name only what exists, and hold to what docs/operations.md promises of them."""

from __future__ import annotations

import copy
import json
import os
import re
import shlex
import tomllib
from graphlib import TopologicalSorter
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import ValidationError

from api.cli import app
from core.settings import PROJECT_ROOT, Settings
from tests.docs.compose_format import Compose

FOLDER = PROJECT_ROOT / "deploy"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("koenowa:")}
CONTAINERFILE = (FOLDER / "Containerfile").read_text("utf-8")
PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
# The variables of the programs that aren't ours.
FOREIGN = {
    "FORWARDED_ALLOW_IPS",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_INITDB_ARGS",
}

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
our_services = pytest.mark.parametrize("service", OURS.values(), ids=list(OURS))


def is_task(service: dict[str, Any]) -> bool:
    """Whether it ends by itself."""
    return service.get("restart") == "no"


def volumes(service: dict[str, Any]) -> list[list[str]]:
    return [volume.split(":") for volume in service.get("volumes", ())]


def parse(command: Any, words: list[str]) -> None:
    """Reads words as a command line does, without running it; an unknown option or command raises."""
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, list(words))


def test_the_walk_finds_the_services() -> None:
    assert set(OURS) == {"web", "worker", "upgrade", "models", "dask-scheduler", "dask-worker"}
    assert set(SERVICES) - set(OURS) == {"proxy", "postgres", "redis"}


def written(file: dict[str, Any]) -> dict[str, Any]:
    """A compose file without the parts that only its own anchors need."""
    return {name: part for name, part in file.items() if not name.startswith("x-")}


def test_the_file_is_in_the_compose_format() -> None:
    assert set(Compose.model_validate(written(COMPOSE)).services) == set(SERVICES)


SLIPS: dict[str, tuple[str, Any]] = {
    "a word that the format hasn't": ("healthchek", {}),
    "a switch that isn't one": ("read_only", "yes"),
    "what YAML makes of an unquoted no": ("restart", False),
    "a number that isn't text": ("environment", {"KOE_WORKERS": 0}),
    "a command in one line": ("command", "serve --port 8000"),
    "a time without its unit": ("stop_grace_period", "10"),
    "a condition that nothing meets": ("depends_on", {"redis": {"condition": "healthy"}}),
    "a port without the container's": ("ports", ["443"]),
    "a folder of the machine": ("volumes", ["./home:/srv/koenowa"]),
}


@pytest.mark.parametrize(("key", "value"), SLIPS.values(), ids=SLIPS)
def test_a_slip_in_the_file_would_be_seen(key: str, value: object) -> None:
    changed = copy.deepcopy(written(COMPOSE))
    changed["services"]["web"][key] = value
    with pytest.raises(ValidationError, match=rf"services\.web\.{key}"):
        Compose.model_validate(changed)


@every_service
def test_images_have_a_tag_and_no_registry(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z]+:[0-9][0-9a-z.-]*", service["image"])


def test_our_image_is_of_this_version() -> None:
    assert {service["image"] for service in OURS.values()} == {f"koenowa:{PROJECT['project']['version']}"}


@every_service
def test_nothing_runs_as_root_or_may_write_where_it_likes(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", ())) <= {"NET_BIND_SERVICE"}
    assert not service.get("privileged")


@every_service
def test_health_is_looked_at_unless_the_service_ends_by_itself(service: dict[str, Any]) -> None:
    assert ("healthcheck" in service) is not is_task(service)
    if "healthcheck" in service:
        kind, *words = service["healthcheck"]["test"]
        assert kind in {"CMD", "CMD-SHELL"}
        assert words
        if words[0] == "koe":
            parse(typer.main.get_command(app), words[1:])
        if words[:2] == ["python", "-c"]:
            compile(words[2], "healthcheck", "exec")


def test_the_address_that_the_health_check_asks_exists() -> None:
    routes = json.loads((PROJECT_ROOT / "tests/web/snapshots/routes.json").read_text("utf-8"))
    assert "127.0.0.1:8000/healthz" in SERVICES["web"]["healthcheck"]["test"][3]
    assert "/healthz" in json.dumps(routes)
    assert Settings.model_fields["port"].default == 8000


@our_services
def test_commands_exist_with_their_options(service: dict[str, Any]) -> None:
    program = service.get("entrypoint", ["koe"])
    if program == ["koe"]:
        parse(typer.main.get_command(app), service["command"])
        return
    assert program == ["dask"]
    kind, *words = service["command"]
    (command,) = entry_points(group="dask_cli", name=kind)
    parse(command.load(), words)


@every_service
def test_variables_are_settings_with_values_that_can_be_used(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: VARIABLE.sub(lambda match: match[2], value) for name, value in service.get("environment", {}).items()}
    ours = {name for name in given if name.startswith("KOE_")}
    assert given.keys() - ours <= FOREIGN
    assert {name.removeprefix("KOE_").lower() for name in ours} <= set(Settings.model_fields)
    for name in [name for name in os.environ if name.startswith("KOE_")]:
        monkeypatch.delenv(name)
    for name in ours:
        monkeypatch.setenv(name, given[name])
    found = Settings()
    assert str(found.home) in ({"/srv/koenowa"} if ours else {"var"})


def test_variables_of_the_file_are_settings_too() -> None:
    named = set(VARIABLE.findall((FOLDER / "compose.yaml").read_text("utf-8")))
    assert {name for name, _ in named} == {"KOE_ENGINE", "KOE_WORKERS"}
    assert all(default == str(Settings.model_fields[name.removeprefix("KOE_").lower()].default) for name, default in named)


@every_service
def test_what_a_service_needs_is_there(service: dict[str, Any]) -> None:
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert set(re.findall(r"/run/secrets/(\w+)", json.dumps(service))) <= set(service.get("secrets", ()))
    assert {config["source"] for config in service.get("configs", ())} <= set(COMPOSE["configs"])
    assert {name for name, *_ in volumes(service)} <= set(COMPOSE["volumes"])
    for name, how in service.get("depends_on", {}).items():
        assert name in SERVICES
        assert how["condition"] == ("service_completed_successfully" if is_task(SERVICES[name]) else "service_healthy")
        # What another profile starts may not be there.
        assert set(SERVICES[name].get("profiles", ())) <= set(service.get("profiles", ()))


def test_nothing_waits_for_itself() -> None:
    order = list(TopologicalSorter({name: service.get("depends_on", ()) for name, service in SERVICES.items()}).static_order())
    assert order.index("postgres") < order.index("upgrade") < order.index("models") < order.index("worker")


@pytest.mark.parametrize("kind", ["networks", "volumes", "secrets", "configs"])
def test_nothing_is_declared_that_nobody_uses(kind: str) -> None:
    items = [item for service in SERVICES.values() for item in service.get(kind, ())]
    assert {item["source"] if kind == "configs" else item.split(":")[0] for item in items} == set(COMPOSE[kind])


def test_files_that_are_put_into_a_service_are_there() -> None:
    assert [how["file"] for how in COMPOSE["configs"].values() if not (FOLDER / how["file"]).is_file()] == []


def test_addresses_in_commands_are_of_services_on_the_same_network() -> None:
    asked = re.findall(r"tcp://([\w-]+):8786", " ".join(SERVICES["dask-worker"]["command"]))
    assert asked == ["dask-scheduler"]
    assert set(SERVICES[asked[0]]["networks"]) & set(SERVICES["dask-worker"]["networks"])


def test_secrets_are_files_outside_the_repository_under_the_names_that_settings_have() -> None:
    ignored = (PROJECT_ROOT / ".gitignore").read_text("utf-8").splitlines()
    for name, how in COMPOSE["secrets"].items():
        assert how == {"file": f"secrets/{name}"}
        assert not name.startswith("koe_") or name.removeprefix("koe_") in Settings.model_fields
    assert "deploy/secrets/" in ignored
    assert not {"KOE_KEYS", "KOE_DATABASE_URL", "KOE_QUEUE"} & {
        name for service in OURS.values() for name in service.get("environment", {})
    }


def test_only_the_proxy_is_seen_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    outside = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    assert [name for name, service in SERVICES.items() if outside & set(service["networks"])] == ["proxy"]
    assert set(SERVICES["proxy"]["networks"]) & set(SERVICES["postgres"]["networks"]) == set()


def test_processes_that_only_compute_have_neither_database_nor_keys() -> None:
    for name in ("dask-scheduler", "dask-worker"):
        service = SERVICES[name]
        assert service["secrets"] == []
        assert set(service["networks"]) & set(SERVICES["postgres"]["networks"]) == set()
        assert all(mode == ["ro"] for _, _, *mode in volumes(service))


def test_web_and_worker_share_what_they_must_and_so_do_the_computing_processes() -> None:
    assert volumes(SERVICES["web"]) == volumes(SERVICES["worker"]) == [["home", "/srv/koenowa"], ["models", "/srv/koenowa/models"]]
    assert SERVICES["dask-worker"]["volumes"] == ["models:/srv/koenowa/models:ro"]
    assert Settings(home=Path("/srv/koenowa")).models_dir == Path("/srv/koenowa/models")


def instructions(name: str) -> list[list[str]]:
    joined = CONTAINERFILE.replace("\\\n", " ")
    return [shlex.split(line)[1:] for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_the_image_is_built_from_what_is_there() -> None:
    assert all(service["build"] == {"context": "..", "dockerfile": "deploy/Containerfile"} for service in OURS.values())
    copied = [source for *sources, _ in instructions("COPY") if not sources[0].startswith("--") for source in sources]
    assert [source for source in copied if not (PROJECT_ROOT / source).exists()] == []
    assert set(copied) >= {"requirements.lock", *PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    kept = {line.removeprefix("!") for line in (PROJECT_ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert kept == {*copied, "deploy/Containerfile"}


def test_the_image_takes_only_locked_parts_and_runs_as_nobody_in_particular() -> None:
    assert {image for image, *_ in instructions("FROM")} == {"python:3.12-slim"}
    assert any({"--no-deps", "--require-hashes", "--only-binary", "requirements.lock"} <= set(words) for words in instructions("RUN"))
    assert all("--no-deps" in words for words in instructions("RUN") if "pip" in words)
    assert instructions("USER") == [[SERVICES["web"]["user"]]]
    assert json.loads(" ".join(re.findall(r"^ENTRYPOINT (.*)$", CONTAINERFILE, re.MULTILINE))) == ["koe"]


def test_the_proxy_asks_the_port_that_the_web_service_has() -> None:
    caddyfile = (FOLDER / COMPOSE["configs"]["caddyfile"]["file"]).read_text("utf-8")
    assert f"dynamic a web {Settings.model_fields['port'].default}" in caddyfile
    assert set(re.findall(r"/run/secrets/(\w+)", caddyfile)) == set(SERVICES["proxy"]["secrets"])
    assert SERVICES["proxy"]["ports"] == ["443:8443"]
    assert ":8443 {" in caddyfile
    assert "127.0.0.1:2020" in caddyfile
