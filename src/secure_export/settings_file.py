"""Reads the configuration: a TOML file, the environment over it, and errors that say where and what to do."""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from secure_export.errors import SettingsError
from secure_export.itsm.beside import placed
from secure_export.itsm.contract import ConnectorType
from secure_export.secrets import Secret
from secure_export.settings import ConnectionSettings, Settings
from secure_export.toml_lines import line_of

DEFAULT_FILE = Path("secure-export.toml")
ENVIRONMENT_PREFIX = "SECURE_EXPORT__"

Path_ = tuple[str | int, ...]
_PLACES_OF_A_SECRET = frozenset(Secret.model_fields)


def read_settings(
    path: Path, types: Mapping[str, ConnectorType], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Read the configuration.

    Args:
        path: The TOML file.
        types: The connectors there are, by the name that ``type`` gives them.
        environment: Variables ``SECURE_EXPORT__SECTION__KEY`` in it stand over the file.

    Raises:
        SettingsError: It cannot be used; the message names each fault with its line and what to do.
    """
    variables = _variables(environment)
    text = "" if variables and not path.exists() else _text(path)
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    values = _overlaid(written, variables)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_message(path, text, variables, error, Settings)) from None
    folder = path.absolute().parent
    connections: dict[str, ConnectionSettings] = {}
    for name, connection in settings.connections.items():
        own = _checked_own(path, text, variables, name, connection.type, connection.own, types)
        connections[name] = connection.model_copy(update=placed(connection.own, own, folder))
        if wrong := _not_settable(name, connection, types[connection.type]):
            faults = (f"{_where(path, text, variables, loc)}: {why}" for loc, why in wrong)
            raise SettingsError("\n".join(faults))
    return settings.model_copy(update={"connections": connections}).beside(folder)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"there is no {path}; `secure-export init` writes one, or name another with --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None


def _variables(environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """The settings in the environment, by their path in lower case."""
    return {
        tuple(name[len(ENVIRONMENT_PREFIX) :].lower().split("__")): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX)
    }


def _overlaid(written: dict[str, Any], variables: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    """The file's values with those of the environment over them."""
    values = dict(written)
    for path, value in variables.items():
        section = values
        for name in path[:-1]:
            inner = section.get(name)
            section[name] = dict(inner) if isinstance(inner, dict) else {}
            section = section[name]
        if path[-1] in _PLACES_OF_A_SECRET and not section.keys() - _PLACES_OF_A_SECRET:
            # Where a secret is, the variable says anew: the file's other place for it does not stand beside it.
            _forget(section, (key for key in _PLACES_OF_A_SECRET if (*path[:-1], key) not in variables))
        section[path[-1]] = _value(value)
    return values


def _forget(section: dict[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        section.pop(key, None)


def _value(text: str) -> Any:
    """A variable's value: lists and tables as TOML writes them; of a text the setting makes what it needs."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _checked_own(  # noqa: PLR0913, PLR0917 - what an error message names
    path: Path,
    text: str,
    variables: Mapping[tuple[str, ...], str],
    name: str,
    kind: str,
    own: Mapping[str, Any],
    types: Mapping[str, ConnectorType],
) -> BaseModel:
    """Check the settings that belong to a tool alone, and give them as the tool reads them."""
    if kind not in types:
        where = _where(path, text, variables, ("connections", name, "type"))
        raise SettingsError(f"{where}: there is no connector {kind!r}{_suggestion(kind, list(types))}")
    try:
        return types[kind].settings.model_validate(own)
    except ValidationError as error:
        at = ("connections", name)
        raise SettingsError(_message(path, text, variables, error, types[kind].settings, at)) from None


def _not_settable(name: str, connection: ConnectionSettings, kind: ConnectorType) -> list[tuple[Path_, str]]:
    """The fields of routes that the tool keeps for itself, with the place and the reason."""
    return [
        (("connections", name, "routes", number, "fields", field), why)
        for number, route in enumerate(connection.routes)
        for field in route.fields
        if (why := kind.why_not_settable(field)) is not None
    ]


def _message(  # noqa: PLR0913, PLR0917 - as above
    path: Path,
    text: str,
    variables: Mapping[tuple[str, ...], str],
    error: ValidationError,
    model: type[BaseModel],
    at: Path_ = (),
) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        where = _where(path, text, variables, at + fault["loc"])
        lines.append(f"{where}: {_sentence(fault['type'], fault['msg'], fault['loc'], model, at)}")
    return "\n".join(lines)


def _sentence(kind: str, message: str, loc: Path_, model: type[BaseModel], at: Path_) -> str:
    names = [part for part in at + loc if isinstance(part, str) and part != "[key]"]
    setting = ".".join(names)
    if kind == "extra_forbidden":
        owner = _model_at(model, loc[:-1])
        known = [*_names(owner), *(_common_names() if at and len(loc) == 1 else ())]
        return f"there is no setting {setting!r}{_suggestion(str(loc[-1]), known)}"
    if kind == "missing":
        return f"the setting {setting!r} is missing"
    if kind == "model_type":
        there_are = ", ".join(_names(_model_at(model, loc)))
        return f"{setting} is a section of its own, [{setting}]; in it there are: {there_are}"
    if kind in {"list_type", "tuple_type"}:
        return f"{setting} is a list: write it in square brackets, a list of sections as [[{setting}]]"
    return f"{setting}: {message.removeprefix('Value error, ')}"


def _names(model: type[BaseModel] | None) -> list[str]:
    """The names of settings, as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _common_names() -> list[str]:
    """What every connection can set; a tool's own settings stand beside these."""
    return _names(_model_at(Settings, ("connections", "any")))


def _suggestion(wrong: str, known: Sequence[str]) -> str:
    close = get_close_matches(wrong, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(known)}"


def _where(path: Path, text: str, variables: Mapping[tuple[str, ...], str], loc: Path_) -> str:
    """Where a fault is: the variable or the line that sets it, or that of its section."""
    names = tuple(str(part) for part in loc)
    for place in ((), *((key,) for key in sorted(_PLACES_OF_A_SECRET))):
        if (*names, *place) in variables:
            return f"{ENVIRONMENT_PREFIX}{'__'.join((*names, *place)).upper()}"
    line = line_of(text, loc)
    return f"{path}, line {line}" if line else str(path)


def _model_at(model: type[BaseModel], loc: Path_) -> type[BaseModel] | None:
    """The model that a path of keys leads to."""
    found: type[BaseModel] | None = model
    for part in loc:
        if isinstance(part, int) or found is None:
            continue
        field = found.model_fields.get(part)
        if field is not None:
            found = _model_in(field.annotation) or found
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model within an annotation such as ``list[Model]`` or ``dict[str, Model] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
