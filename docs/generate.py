"""Writes the reference pages that are made from the program itself: configuration, commands, metrics.

``python docs/generate.py`` writes them; with ``--check`` it exits 1 if one of them is not up to date.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import typer
from prometheus_client.metrics_core import Metric
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.markup import render

from secure_export.cli.main import app
from secure_export.itsm.registry import connector_types
from secure_export.secrets import Secret
from secure_export.settings import Settings
from secure_export.telemetry.metrics import Metrics

REFERENCE = Path(__file__).parent / "reference"
_GENERATED = "<!-- Written by docs/generate.py from the program itself; change the program, then run `make docs`. -->"
_ABOUT_CONFIGURATION = (
    "This page lists every setting with its default and its meaning. Settings stand in one TOML file, "
    "`secure-export.toml`; `secure-export init` writes one with comments. Every setting can also come from the "
    "environment, as `SECURE_EXPORT__SECTION__KEY` (two underscores between the parts), which then stands over the "
    "file. Unknown settings are errors that name the line and what was probably meant."
)
_ABOUT_SECRETS = (
    "The file never holds a password or key itself: a setting that needs one is a table that says where it is kept, "
    '`{ file = "/run/secrets/snow" }` or `{ env = "SNOW_PASSWORD" }`. From the environment it is '
    "`SECURE_EXPORT__CONNECTIONS__PROD__PASSWORD__FILE` or `…__ENV`. It is read when it is used, so that a renewed one "
    "needs no restart. Relative files of a connection lie beside the configuration."
)
_ABOUT_COMMANDS = (
    "This page lists every command with its arguments. `secure-export COMMAND --help` prints the same. Errors are one "
    "line each on standard error and exit 1; wrong usage exits 2. Commands that look and act read the store directly: "
    "no running service is needed."
)
_ABOUT_METRICS = (
    "This page lists what `GET /metrics` tells, in the text format of Prometheus. Labels are names out of the "
    "configuration or constants of the program, never what a caller sent. "
    "[Operate](../how-to/operate.md#what-to-alert-on) says which of them to watch."
)


def configuration() -> str:
    """Describe every setting, from the models that read them."""
    lines = ["# Configuration", "", _GENERATED, "", _ABOUT_CONFIGURATION]
    for name, field in Settings.model_fields.items():
        lines += _section(name, field)
    lines += ["", "## Secrets", "", _ABOUT_SECRETS]
    for kind, connector in sorted(connector_types().items()):
        title = f'`[connections.NAME]` with `type = "{kind}"`'
        lines += ["", f"## {title}", "", "Besides the settings of every connection:", *_table(connector.settings)]
        lines += _sections_within("connections.NAME", connector.settings, set())
    return "\n".join(lines) + "\n"


def _section(name: str, field: FieldInfo) -> list[str]:
    model = _model(field.annotation)
    path = "connections.NAME" if name == "connections" else name
    lines = ["", f"## `[{path}]`", "", _cell(field.description or _first_line(model)), *_table(model)]
    return lines + _sections_within(path, model, set())


def _sections_within(path: str, model: type[BaseModel], seen: set[type[BaseModel]]) -> list[str]:
    """Describe the sections within a section, each kind of them once."""
    lines: list[str] = []
    for name, field in model.model_fields.items():
        nested = _nested(field.annotation)
        if nested is None or nested is Secret or nested in seen:
            continue
        seen.add(nested)
        inner, title = _titled(f"{path}.{name}", field.annotation)
        lines += ["", f"### `{title}`", "", _first_line(nested), *_table(nested)]
        lines += _sections_within(inner, nested, seen)
    return lines


def _titled(path: str, annotation: Any) -> tuple[str, str]:
    """Give a section's path and its title: one, several by name, or a list of them."""
    holder = get_origin(annotation)
    if isinstance(holder, type) and issubclass(holder, Mapping):
        return f"{path}.KEY", f"[{path}.KEY]"
    is_list = isinstance(holder, type) and issubclass(holder, list | tuple)
    return path, f"[[{path}]]" if is_list else f"[{path}]"


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").split("\n")[0].replace("``", "`")


def _table(model: type[BaseModel]) -> list[str]:
    if not model.model_fields:
        return ["", "It has no settings of its own."]
    rows = ["", "| setting | default | what it does |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        rows.append(f"| `{name}` | {_default(field)} | {_cell((field.description or '') + _kept_elsewhere(field))} |")
    return rows


def _kept_elsewhere(field: FieldInfo) -> str:
    return " A [secret](#secrets)." if _nested(field.annotation) is Secret else ""


def _cell(text: str) -> str:
    """One line of text, as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ({}, (), []):
        return "none"
    if isinstance(value, BaseModel) or (isinstance(value, list | tuple) and isinstance(value[0], BaseModel)):
        return "see below"
    if isinstance(value, tuple | list):
        return f"`{json.dumps([str(one) for one in value])}`"
    return f"`{json.dumps(value if isinstance(value, bool | int | float) else str(value))}`"


def _model(annotation: Any) -> type[BaseModel]:
    found = _nested(annotation)
    if found is None:
        raise TypeError(f"{annotation} holds no section")
    return found


def _nested(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) is None and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _nested(inner)) is not None), None)


def commands() -> str:
    """Describe every command, from its help."""
    found = list(all_commands())
    lines = ["# Commands", "", _GENERATED, "", _ABOUT_COMMANDS, "", "| command | does |", "| --- | --- |"]
    lines += [
        f"| [`{' '.join(path[1:])}`](#{'-'.join(path)}) | {_cell(_summary(command))} |" for path, command in found
    ]
    for path, command in found:
        lines += ["", f"## `{' '.join(path)}`", "", *_help(command), *_parameters(command)]
    return "\n".join(lines) + "\n"


def all_commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give every command with its path, such as ``("secure-export", "alerts", "list")``."""
    yield from _commands(typer.main.get_command(app), ("secure-export",))


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from _commands(command.get_command(context, name), (*path, name))


def _summary(command: Any) -> str:
    return _plain(command.help or "").split("\n\n")[0]


def _help(command: Any) -> list[str]:
    """The help's paragraphs, with the example as code."""
    lines: list[str] = []
    for part in _plain(command.help or "").split("\n\n"):
        if part.startswith("Example: "):
            lines += ["```sh", part.removeprefix("Example: "), "```", ""]
        else:
            lines += [part, ""]
    return lines[:-1]


def _parameters(command: Any) -> list[str]:
    rows = []
    for one in command.params:
        if one.name == "help":
            continue
        if one.param_type_name == "argument":
            names = f"`{one.metavar or str(one.name).upper()}`"
        else:
            names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
        rows.append(f"| {names} | {_value(one)} | {_meaning(one)} |")
    return ["", "| argument | default | meaning |", "| --- | --- | --- |", *rows] if rows else []


def _meaning(one: Any) -> str:
    text = _cell(_plain(getattr(one, "help", None) or "As in the example above."))
    choices = _choices(one.type_descriptor.annotation)
    return f"{text} One of {', '.join(f'`{choice}`' for choice in choices)}.".strip() if choices else text


def _choices(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return next((found for inner in get_args(annotation) if (found := _choices(inner))), [])


def _value(one: Any) -> str:
    value = one.default
    if one.required:
        return "must be given"
    if value is False:
        return "off"
    if value in (None, ""):
        return "none"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _plain(text: str) -> str:
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(str(render(part)) for part in paragraphs if part)


def metrics() -> str:
    """Describe every metric, from the registry."""
    lines = ["# Metrics", "", _GENERATED, "", _ABOUT_METRICS, ""]
    lines += ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    found = Metrics()
    labels = _labels(found)
    for metric in sorted(found.registry.collect(), key=lambda one: one.name):
        named = ", ".join(f"`{label}`" for label in labels[metric.name]) or "none"
        lines.append(f"| `{exposed_name(metric)}` | {metric.type} | {named} | {metric.documentation} |")
    return "\n".join(lines) + "\n"


def exposed_name(metric: Metric) -> str:
    """Give the name that a query names; a histogram has `_bucket`, `_sum` and `_count` below it."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _labels(found: Metrics) -> Mapping[str, tuple[str, ...]]:
    """Which labels each metric has; one that has not happened yet shows none in the exposition."""
    collectors = found.registry._collector_to_names  # noqa: SLF001 - the library tells it nowhere else
    return {
        re.sub("_total$", "", min(names, key=len)): tuple(getattr(collector, "_labelnames", ()))
        for collector, names in collectors.items()
    }


PAGES = {"configuration.md": configuration, "commands.md": commands, "metrics.md": metrics}


def main() -> int:
    """Write the pages, or say which are out of date."""
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if "--check" in sys.argv:
            stale += [name] if not path.exists() or path.read_text(encoding="utf-8") != text else []
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run `make docs`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
