"""Puts sections into the text of a configuration file: comments and everything else in it stay as they are; pure."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item, Table

from secure_export.azure.itsmc.sections import Section
from secure_export.errors import SettingsError

Plain = dict[str, Any]
Path = tuple[str, ...]
_BY_HAND = "it cannot be changed in place; write it by hand as 'secure-export itsmc plan' shows it"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A section that is there and says something else.

    Attributes:
        section: Its name.
        keys: What is otherwise in it.
    """

    section: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A configuration with the sections in it.

    Attributes:
        text: Its text.
        plain: What it says.
        added: The sections that were not there.
        changed: The sections that were, and were changed.
        conflicts: The sections that say something else, and were left as they are.
    """

    text: str
    plain: Plain
    added: tuple[str, ...]
    changed: tuple[str, ...]
    conflicts: tuple[Conflict, ...]


def written(text: str, sections: Iterable[Section], *, public_url: str | None = None, force: bool = False) -> Written:
    """Put sections into a configuration.

    Args:
        text: The file as it is.
        sections: What is to be in it. What a person wrote in place of a placeholder is never touched.
        public_url: ``server.public_url`` to write; None: as it is.
        force: Whether a section that says something else is overwritten; without it, it is left as it is.

    Raises:
        SettingsError: The file cannot be changed without a person.
    """
    plain = _plain(text)
    wanted = deepcopy(plain)
    added: list[str] = []
    changed: list[Path] = []
    conflicts: list[Conflict] = []
    new: list[Section] = []
    for section in sections:
        there = _at(plain, section.path)
        if there is None:
            added.append(section.name)
            new.append(section)
            _set(wanted, section.path, {**section.values, **section.for_people})
            continue
        differing = tuple(key for key, value in section.values.items() if not _is_same(key, there.get(key), value))
        if differing and not force and not _only_grows(section, there, differing):
            conflicts.append(Conflict(section.name, differing))
        elif differing:
            changed.append(section.path)
            _set(wanted, section.path, {**there, **{key: _grown(key, there, section) for key in differing}})
    server = _at(plain, ("server",)) or {}
    if public_url is not None and server.get("public_url") != public_url:
        changed.append(("server",))
        _set(wanted, ("server",), {**server, "public_url": public_url})
    edited = _edited(text, plain, wanted, changed) + rendered(new)
    if _plain(edited) != wanted:
        raise SettingsError(f"the configuration: {_BY_HAND}")
    return Written(edited, wanted, tuple(added), tuple(".".join(path) for path in changed), tuple(conflicts))


def rendered(sections: Sequence[Section]) -> str:
    """Write sections as they stand in the file."""
    return "".join(_rendered(section) for section in sections)


def _rendered(section: Section) -> str:
    document = tomlkit.document()
    inner: Any = document
    for name in section.path[:-1]:
        inner.add(name, tomlkit.table(is_super_table=True))
        inner = inner[name]
    table = tomlkit.table()
    for key, value in {**section.values, **section.for_people}.items():
        if key != "routes":
            table.add(key, _item(key, value))
            if key in section.for_people:
                table[key].comment("fill in" if key != "password" else "the variable that holds it")
    if "routes" in section.values:
        table.add("routes", _item("routes", section.values["routes"]))
    inner.add(section.path[-1], table)
    comment = f"# {section.comment}".replace("\n", " ").replace("\r", " ") + "\n" if section.comment else ""
    return "\n" + comment + tomlkit.dumps(document).lstrip("\n")


def _item(key: str, value: Any) -> Item:
    """Make what a value is written as: routes as ``[[…]]``, other tables in a line."""
    if key == "routes":
        routes: AoT = tomlkit.aot()
        for route in value:
            table: Table = tomlkit.table()
            for name, one in route.items():
                table.add(name, _item(name, one))
            routes.append(table)
        return routes
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    # Conditions are full of quotation marks; in apostrophes they stand as they are.
    is_plain = isinstance(value, str) and '"' in value and "'" not in value and value.isprintable()
    item: Item = tomlkit.string(value, literal=True) if is_plain else tomlkit.item(value)
    return item


def _edited(text: str, plain: Plain, wanted: Plain, changed: Sequence[Path]) -> str:
    """Change sections in place, and make sure that new ones begin on a line of their own."""
    if not changed:
        return text if not text or text.endswith("\n") else f"{text}\n"
    document = tomlkit.parse(text)
    try:
        for path in changed:
            _change(document, path, plain, wanted)
        edited = tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise SettingsError(f"the section {'.'.join(changed[-1])}: {_BY_HAND} ({error})") from None
    return edited if edited.endswith("\n") else f"{edited}\n"


def _change(document: Any, path: Path, plain: Plain, wanted: Plain) -> None:
    inner = document
    for name in path:
        if name not in inner:
            inner.add(name, tomlkit.table())
        inner = inner[name]
    before, after = _at(plain, path) or {}, _at(wanted, path) or {}
    for key, value in after.items():
        if before.get(key) != value:
            if key == "routes" and key in inner:
                del inner[key]
            inner[key] = _item(key, value)


def _plain(text: str) -> Plain:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the configuration: {_BY_HAND} ({error})") from None


def _at(plain: Mapping[str, Any], path: Path) -> Plain | None:
    inner: Any = plain
    for name in path:
        if not isinstance(inner, Mapping) or name not in inner:
            return None
        inner = inner[name]
    return dict(inner) if isinstance(inner, Mapping) else None


def _set(plain: Plain, path: Path, value: Plain) -> None:
    inner = plain
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = deepcopy(value)


def _is_same(key: str, there: Any, wanted: Any) -> bool:
    """Tell whether a setting says what it should; a connection may take more subscriptions than it needs to."""
    if key == "subscriptions" and isinstance(there, list):
        return "*" in there or {str(one).lower() for one in there} >= set(wanted)
    if key in {"subscription", "resource_group"} and isinstance(there, str):
        return there.lower() == str(wanted).lower()
    return bool(there == wanted)


def _only_grows(section: Section, there: Mapping[str, Any], differing: Sequence[str]) -> bool:
    """Tell whether nothing a person wrote would be lost: only subscriptions that are found later are added."""
    return section.path[0] == "connections" and list(differing) == ["subscriptions"] and "subscriptions" in there


def _grown(key: str, there: Mapping[str, Any], section: Section) -> Any:
    value = section.values[key]
    if key != "subscriptions" or not isinstance(there.get(key), list):
        return value
    return [*there[key], *(one for one in value if one not in {str(known).lower() for known in there[key]})]
