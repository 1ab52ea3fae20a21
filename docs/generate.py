"""Writes the reference pages that are made from the program itself: configuration, commands, metrics.

python docs/generate.py            write them
python docs/generate.py --check    exit 1 if one of them is not up to date
"""

import json
import sys
from collections.abc import Iterator
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
from secure_export.settings import Settings
from secure_export.telemetry.metrics import Metrics

REFERENCE = Path(__file__).parent / "reference"


def configuration() -> str:
    """Describe every setting, from the models that read them."""
    lines = [
        "# Configuration",
        "",
        "One TOML file, `secure-export.toml`; `secure-export init` writes one with comments. Every setting can also come "
        "from the environment, as `SECURE_EXPORT__SECTION__KEY` (two underscores between the parts), which then stands "
        "over the file. Unknown settings are errors that name the line and what was probably meant.",
    ]
    for name, field in Settings.model_fields.items():
        lines += _section(name, field)
    for kind, connector in sorted(connector_types().items()):
        title = f'`[connections.NAME]` with `type = "{kind}"`'
        lines += ["", f"## {title}", "", "Besides the settings of every connection:", *_table(connector.settings, "")]
    return "\n".join(lines) + "\n"


def _section(name: str, field: FieldInfo) -> list[str]:
    model = _model(field.annotation)
    title = "`[connections.NAME]`" if name == "connections" else f"`[{name}]`"
    about = field.description or (model.__doc__ or "").split("\n")[0]
    lines = ["", f"## {title}", "", about, *_table(model, "")]
    for inner, one in model.model_fields.items():
        nested = _nested(one.annotation)
        if nested is not None:
            path = f"{'connections.NAME' if name == 'connections' else name}.{inner}"
            lines += ["", f"### `[[{path}]]`", "", (nested.__doc__ or "").split("\n")[0], *_table(nested, "")]
    return lines


def _table(model: type[BaseModel], prefix: str) -> list[str]:
    if not model.model_fields:
        return ["", "It has no settings of its own."]
    rows = ["", "| setting | default | what it does |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{prefix}{name}` | {_default(field)} | {text} |")
    return rows


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    if isinstance(value, BaseModel) or (
        isinstance(value, list | tuple) and any(isinstance(v, BaseModel) for v in value)
    ):
        return "see below"
    if isinstance(value, tuple | list):
        return f"`{json.dumps([str(one) for one in value])}`"
    return f"`{json.dumps(value) if isinstance(value, bool | int | float) else json.dumps(str(value))}`"


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
    lines = ["# Commands", "", "Every command has `--help`. Errors are one line each and exit 1; wrong usage exits 2."]
    for path, command in _commands(typer.main.get_command(app), ("secure-export",)):
        lines += ["", f"## `{' '.join(path)}`", "", _plain(command.help or ""), *_parameters(command)]
    return "\n".join(lines) + "\n"


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from _commands(command.get_command(None, name), (*path, name))


def _parameters(command: click.Command) -> list[str]:
    rows = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_argument = parameter.param_type_name == "argument"
        names = (
            parameter.human_readable_name if is_argument else ", ".join([*parameter.opts, *parameter.secondary_opts])
        )
        rows.append(f"| `{names}` | {_plain(getattr(parameter, 'help', None) or '').replace('|', '\\|')} |")
    return ["", "| argument | meaning |", "| --- | --- |", *rows] if rows else []


def _plain(text: str) -> str:
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(str(render(part)) for part in paragraphs if part)


def metrics() -> str:
    """Describe every metric, from the registry."""
    lines = ["# Metrics", "", "`GET /metrics`, in the text format of Prometheus.", "", "| metric | kind | meaning |"]
    lines.append("| --- | --- | --- |")
    found: list[Metric] = sorted(Metrics().registry.collect(), key=lambda metric: metric.name)
    for metric in found:
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        lines.append(f"| `{name}` | {metric.type} | {metric.documentation} |")
    return "\n".join(lines) + "\n"


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
