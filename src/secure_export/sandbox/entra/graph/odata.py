"""The query options of Graph that are imitated: $filter, $select, $top, $count, and pages."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from secure_export.sandbox.entra.graph.errors import bad_request
from secure_export.sandbox.entra.graph.tenant import Row
from secure_export.sandbox.reply import Reply, json_reply
from secure_export.sandbox.rest_call import Call

MOST_ON_A_PAGE: Final = 999
_KNOWN: Final = frozenset({"$filter", "$select", "$top", "$count", "$skiptoken", "$orderby", "$search"})
_TEXT = r"'(?P<text>(?:[^']|'')*)'"
_EQUALS: Final = re.compile(rf"(?P<name>\w+) eq (?:{_TEXT}|(?P<word>[\w-]+))")
_ANY: Final = re.compile(rf"(?P<name>\w+)/any\((?P<x>\w+):\s*(?P=x) eq {_TEXT}\)")
_STARTS: Final = re.compile(rf"startswith\((?P<name>\w+),\s*{_TEXT}\)", re.IGNORECASE)
_IN: Final = re.compile(r"(?P<name>\w+) in \((?P<list>'[^']*'(?:,\s*'[^']*')*)\)")
_ADVANCED: Final = re.compile(r"\b(ne|not|endswith)\b|/\$count", re.IGNORECASE)
_UNSUPPORTED: Final = "Request_UnsupportedQuery"
_WORDS: Final = {"true": True, "false": False, "null": None}

Test = Callable[[Row], bool]


def page(  # noqa: PLR0913 - what a list is made of
    call: Call, rows: Iterable[Row], *, kind: str, names: frozenset[str], filters: frozenset[str], size: int
) -> Reply:
    """Answer with a page of a list.

    Args:
        call: The request, with its query options.
        rows: The whole list.
        kind: The set that it is, as ``@odata.context`` names it.
        names: The properties that objects have.
        filters: Those that ``$filter`` takes.
        size: How many are on a page if the client does not say.
    """
    options = _options(call)
    test, asked = _filter(options.get("$filter", ""), filters), _asked(call, names, kind)
    found = [one for one in rows if test(one)]
    start, top = _start(options), _top(options, size)
    shown = [_chosen(one, asked) for one in found[start : start + top]]
    document: dict[str, Any] = {"@odata.context": f"{call.base}/v1.0/$metadata#{kind}"}
    if options.get("$count") == "true":
        document["@odata.count"] = len(found)
    if start + top < len(found):
        token = base64.urlsafe_b64encode(f"p:{start + top}".encode()).decode()
        document["@odata.nextLink"] = f"{call.url}?{urlencode({**options, '$skiptoken': token}, safe='$')}"
    return json_reply(200, {**document, "value": shown})


def single(call: Call, row: Row, *, kind: str, names: frozenset[str], status: int = 200) -> Reply:
    """Answer with one object."""
    context = {"@odata.context": f"{call.base}/v1.0/$metadata#{kind}/$entity"}
    return json_reply(status, {**context, **select(call, row, names=names, kind=kind)})


def select(call: Call, row: Row, *, names: frozenset[str], kind: str) -> Row:
    """Give those properties of an object that the request asks for.

    Raises:
        RestError: It asks for one that there is not.
    """
    return _chosen(row, _asked(call, names, kind))


def _asked(call: Call, names: frozenset[str], kind: str) -> list[str]:
    asked = [one.strip() for one in call.parameters.get("$select", "").split(",") if one.strip()]
    for one in asked:
        if one not in names:
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{one}' on type "
                f"'microsoft.graph.{kind.rstrip('s')}'.",
                "BadRequest",
            )
    return asked


def _chosen(row: Row, asked: list[str]) -> Row:
    return {one: row.get(one) for one in asked} if asked else row


def _options(call: Call) -> Mapping[str, str]:
    options = {name: value for name, value in call.parameters.items() if name.startswith("$")}
    if unknown := options.keys() - _KNOWN:
        raise bad_request(f"Unrecognized query option: {min(unknown)}.", "BadRequest")
    advanced = "$count" in options or "$search" in options or ("$orderby" in options and "$filter" in options)
    if advanced or _ADVANCED.search(re.sub(_TEXT.replace("?P<text>", "?:"), "", options.get("$filter", ""))):
        _must_be_eventual(call, options)
    return options


def _must_be_eventual(call: Call, options: Mapping[str, str]) -> None:
    """Advanced queries are answered from an index, and only to those who say that they know."""
    if call.headers.get("consistencylevel", "").lower() != "eventual" or options.get("$count") != "true":
        raise bad_request(
            "Operator, function or $count needs the header ConsistencyLevel: eventual and $count=true.", _UNSUPPORTED
        )
    if "$search" in options or "$orderby" in options or ("$filter" in options and _ADVANCED.search(options["$filter"])):
        raise bad_request("The sandbox imitates no advanced queries but $count.", _UNSUPPORTED)


def _top(options: Mapping[str, str], size: int) -> int:
    text = options.get("$top")
    if text is None:
        return size
    if not text.isdigit() or not 0 < int(text) <= MOST_ON_A_PAGE:
        raise bad_request(
            "Invalid page size specified: '" + text + "'. Must be between 1 and 999 inclusive.", _UNSUPPORTED
        )
    return int(text)


def _start(options: Mapping[str, str]) -> int:
    if (token := options.get("$skiptoken")) is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("p:"))
    except (ValueError, binascii.Error):
        raise bad_request("The provided skip token is not valid.", "Directory_ExpiredPageToken") from None


def _filter(text: str, filters: frozenset[str]) -> Test:
    """Read a filter: clauses joined by ``and``, those by ``or``; brackets are not imitated."""
    if not text:
        return lambda _: True
    either = [[_clause(one, filters) for one in _split(part, " and ")] for part in _split(text, " or ")]
    return lambda row: any(all(test(row) for test in tests) for tests in either)


def _split(text: str, word: str) -> list[str]:
    parts, quoted, start, at = [], False, 0, 0
    while at < len(text):
        quoted ^= text[at] == "'"
        if not quoted and text[at : at + len(word)].lower() == word:
            parts.append(text[start:at])
            at = start = at + len(word)
            continue
        at += 1
    return [*parts, text[start:]]


def _clause(text: str, filters: frozenset[str]) -> Test:
    text = text.strip()
    for pattern, make in ((_EQUALS, _equals), (_ANY, _any), (_STARTS, _starts), (_IN, _in)):
        if (found := pattern.fullmatch(text)) is not None:
            name = found["name"]
            if name not in filters:
                raise bad_request(
                    f"Unsupported or invalid query filter clause specified for property '{name}'.", _UNSUPPORTED
                )
            return make(name, found)
    raise bad_request(f"Invalid filter clause: Syntax error in '{text}'.", "BadRequest")


def _equals(name: str, found: re.Match[str]) -> Test:
    if found["text"] is None:
        word = found["word"]
        wanted = _WORDS.get(word, word)
        return lambda row: row.get(name) == wanted
    return lambda row: _same(row.get(name), _plain(found["text"]))


def _any(name: str, found: re.Match[str]) -> Test:
    return lambda row: any(_same(one, _plain(found["text"])) for one in row.get(name) or ())


def _starts(name: str, found: re.Match[str]) -> Test:
    return lambda row: str(row.get(name) or "").lower().startswith(_plain(found["text"]).lower())


def _in(name: str, found: re.Match[str]) -> Test:
    wanted = [one.strip(" '") for one in found["list"].split(",")]
    return lambda row: any(_same(row.get(name), one) for one in wanted)


def _plain(text: str) -> str:
    return text.replace("''", "'")


def _same(value: Any, text: str) -> bool:
    return isinstance(value, str) and value.lower() == text.lower()
