"""Short names for long URLs: ``/api/now/tinyurl`` and ``sysparm_tiny`` (servicenow-facts 7.5).

Only the Table API understands ``sysparm_tiny`` here: ``expanded`` gives the query string that a short name stands for.
"""

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.dictionary import Column, Table
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import json_object, result, versioned

PARAMETER: Final = "sysparm_tiny"
_TABLE: Final = "sys_tiny_url"
_LONGEST: Final = 1_000_000


def routes(instance: Instance) -> list[Route]:
    """Give the route of the tinyurl API."""
    if _TABLE not in instance.dictionary:
        url = Column("url", "URL", max_length=_LONGEST)
        instance.add_table(Table(_TABLE, "Tiny URL", columns={"url": url}))

    async def shorten(request: Request) -> Response:
        user = caller(request)
        url = (await json_object(request)).get("url")
        if not isinstance(url, str) or not url:
            raise SnowError(400, "Invalid request", "url is required.")
        row = instance.insert(_TABLE, {"url": url})
        instance.tables.put(_TABLE, {**row, "sys_created_by": user.user_name})
        return result(f"{urlsplit(url).path.lstrip('/')}?{PARAMETER}={row['sys_id']}", 201)

    return versioned("now", "tinyurl", shorten, "POST")


def expanded(instance: Instance, query: str) -> str:
    """Give the query string that one with a short name stands for; one without, or with an unknown one, stays."""
    if PARAMETER not in query:
        return query
    given = parse_qsl(query, keep_blank_values=True)
    sys_id = dict(given).get(PARAMETER, "")
    row = instance.tables.get(_TABLE, sys_id) if _TABLE in instance.dictionary else None
    if row is None:
        return query
    others = [one for one in given if one[0] != PARAMETER]
    return urlencode([*parse_qsl(urlsplit(row["url"]).query, keep_blank_values=True), *others])
