"""Rows of a JSON file: our own form, and what Azure Resource Graph gives.

The forms of Resource Graph (REST API ``Resources``, ``resultFormat``; Azure CLI ``az graph query``; the portal's
"Download as JSON"): a list of objects; an object with such a list as ``data``; an older one with ``data`` as a table of
``columns`` and ``rows``. Azure Resource Manager's own lists have it as ``value``.
"""

import json
from collections.abc import Mapping
from typing import Any

from secure_export.cmdb.drafts import Problem
from secure_export.cmdb.import_row import Row, snake_case

_LISTS = ("data", "value", "cis", "configuration_items", "items")
_CONTINUES = ("skip_token", "skiptoken", "next_link")

_Read = tuple[list[Row], list[Problem]]


def rows_of_json(text: str, name: str) -> _Read:
    """Read the objects of a JSON file.

    Args:
        text: The file's text.
        name: Its name, for messages.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        return [], [Problem(f"line {error.lineno}", f"this is not JSON at column {error.colno}: {error.msg}")]
    except (RecursionError, ValueError):
        return [], [Problem(name, "its JSON is nested too deeply or has a number that is too long")]
    if isinstance(document, dict):
        return _rows_of_object(document, name)
    return _rows_of_list(document)


def _rows_of_object(document: Mapping[str, Any], name: str) -> _Read:
    members = {snake_case(key): value for key, value in document.items()}
    inner = next((members[key] for key in _LISTS if isinstance(members.get(key), list | dict)), None)
    if inner is None and isinstance(members.get("name"), str):
        return _rows_of_list([document])
    if isinstance(inner, dict):
        rows, problems = _rows_of_table(inner, name)
    elif inner is not None:
        rows, problems = _rows_of_list(inner)
    else:
        found = ", ".join(document)[:200]
        return [], [Problem(name, f"it is no list of CIs and has none as data, value or cis; it has: {found}")]
    return rows, [*problems, *_incomplete(members, name)]


def _rows_of_list(objects: list[Any]) -> _Read:
    rows: list[Row] = []
    problems: list[Problem] = []
    for place, one in enumerate(objects, start=1):
        where = f"object {place}"
        if isinstance(one, dict):
            rows.append(Row(where, {snake_case(key): value for key, value in one.items()}))
        else:
            problems.append(Problem(where, "it is no JSON object with a name or a resource_id"))
    return rows, problems


def _rows_of_table(table: Mapping[str, Any], name: str) -> _Read:
    columns, lines = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(lines, list):
        return [], [Problem(name, "its data is neither a list of objects nor a table with columns and rows")]
    header = [str(column.get("name", "")) if isinstance(column, dict) else str(column) for column in columns]
    objects = [dict(zip(header, line, strict=False)) if isinstance(line, list) else line for line in lines]
    return _rows_of_list(objects)


def _incomplete(members: Mapping[str, Any], name: str) -> list[Problem]:
    """Tell of an export that is only its first page: a CMDB that lacks CIs without a word is worse than an error."""
    if any(members.get(key) for key in _CONTINUES):
        return [Problem(name, "the export is only one page of several; export the others too and import them as well")]
    return []
