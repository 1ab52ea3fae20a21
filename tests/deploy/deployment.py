"""What the tests of the deployment files share: where they are, and how the program itself judges them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from secure_export.cli.main import app
from secure_export.itsm.registry import connector_types
from secure_export.secrets import Secret
from secure_export.settings import Settings
from secure_export.settings_file import read_settings
from secure_export.store.open import is_postgresql
from secure_export.store.postgresql.place import Place, place_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PREFIX = "SECURE_EXPORT__"
PROBES = {"/healthz", "/readyz"}


def accepted(arguments: Sequence[str]) -> dict[str, Any]:
    """Have the program's own command line read arguments, without running anything; its parameters."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    context = command.make_context("secure-export", rest, resilient_parsing=False)
    while hasattr(command, "get_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    return dict(context.params)


def settings_of(configuration: str, environment: Mapping[str, str], folder: Path) -> Settings:
    """Read a configuration as the program does, with what the deployment sets in the environment."""
    path = folder / "secure-export.toml"
    path.write_text(configuration, encoding="utf-8")
    return read_settings(path, connector_types(), environment)


def place_in(settings: Settings) -> Place:
    """Give the database that settings name, as the program reads the URL."""
    assert is_postgresql(settings.store.url), settings.store.url
    return place_of(settings.store.url, password=settings.store.password_now)


def secret_files(settings: Settings) -> set[str]:
    """List the files that settings expect secrets in."""
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, Secret):
            assert value.file is not None, "a secret of a deployment comes from a file"
            found.add(str(value.file))
        elif isinstance(value, Mapping):
            for one in value.values():
                walk(one)

    walk(settings.store.__dict__)
    for connection in settings.connections.values():
        walk({**connection.__dict__, **(connection.model_extra or {})})
    return found


def loaded(path: Path) -> Any:
    """Read one YAML document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def texts(value: object) -> Iterator[str]:
    """Give every text within a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from (str(key), *texts(one))
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def needs(module: str, package: str) -> None:
    """Skip, and say so, where a tool is not installed."""
    if find_spec(module) is None:
        pytest.skip(f"{package} is not installed: pip install {package}")


def deployed_files() -> list[Path]:
    """List every file of the deployment."""
    return sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts)


def probed_paths(document: object) -> set[str]:
    """List the paths that probes of a document ask."""
    return set(re.findall(r'"path": "(/(?:health|ready)z[^"]*)"', json.dumps(document)))
