"""A plain page for people: what arrived, newest first, and every field of a record. No script, no sign-in."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from secure_export.sandbox.page import HEADERS, Pages
from secure_export.sandbox.servicenow.errors import SnowError
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.tables import Row

_SHOWN_TABLES: Final = ("incident", "em_alert", "em_event", "problem", "change_request")
_ROWS: Final = 100
_MOST_ROWS: Final = 1_000
_JOURNALS: Final = "sys_journal_field"
_LIST_SUFFIX: Final = "_list"

_TABLE: Final = """{% extends "base" %}{% block main %}<h1>What arrived</h1>
<p>{% for one in lists %}<a href="#{{ one.table }}">{{ one.label }}</a> {{ one.total }}{{ " · " if not loop.last }}
{% endfor %}</p>
{% for one in lists %}
<h2 id="{{ one.table }}"><a href="/{{ one.table }}_list.do">{{ one.label }}</a>
<small>{{ one.total }} in all, newest first</small></h2>
{% if one.rows %}<div class="wide"><table><thead><tr><th>Number</th><th>State</th><th>Short description</th>
<th>Configuration item</th><th>Correlation id</th><th>Created</th></tr></thead><tbody>
{% for row in one.rows %}<tr><td><a href="/record/{{ row.table }}/{{ row.sys_id }}">{{ row.number }}</a></td>
<td class="short">{{ row.state }}</td><td class="text">{{ row.text }}</td><td class="text">{{ row.ci }}</td>
<td class="id">{{ row.key }}</td><td class="short">{{ row.created }}</td></tr>
{% endfor %}</tbody></table></div>{% else %}<p class="dim">None.</p>{% endif %}
{% endfor %}{% endblock %}"""
_RECORD: Final = """{% extends "base" %}{% block title %}{{ title }}{% endblock %}{% block main %}
<h1>{{ title }} <small class="dim">{{ label }}</small></h1>
{% if journals %}<h2>Journal <small>newest first</small></h2>
{% for one in journals %}<div class="note"><span class="dim">{{ one.at }} · {{ one.by }} · {{ one.element }}</span>
<p>{{ one.text }}</p></div>{% endfor %}{% endif %}
<h2>Fields <small>those that hold something</small></h2><div class="wide"><table class="fields"><tbody>
{% for one in fields %}<tr><th title="{{ one.name }}">{{ one.label }}<br><span class="dim">{{ one.name }}</span></th>
<td>{% if one.link %}<a href="{{ one.link }}">{{ one.shown }}</a>{% else %}{{ one.shown }}{% endif %}{{ " " }}
{%- if one.shown != one.value %}<span class="dim">({{ one.value }})</span>{% endif %}</td></tr>
{% endfor %}</tbody></table></div>{% endblock %}"""
_PAGES: Final = Pages("ServiceNow", {"/": "Records"}, {"table": _TABLE, "record": _RECORD})


def page_routes(instance: Instance) -> list[Route]:
    """Give the routes of the page, and of the links into ServiceNow's own interface that lead to it."""
    pages = _Pages(instance)
    return [
        Route("/", pages.overview),
        Route("/record/{table}/{sys_id}", pages.record),
        Route("/nav_to.do", pages.navigate),
        Route("/{name}.do", pages.classic),
    ]


class _Pages:
    """One method a page."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def overview(self, _: Request) -> Response:
        tables = [table for table in _SHOWN_TABLES if table in self._instance.dictionary]
        return self._page("table", lists=[self._list(table, "", _ROWS) for table in tables])

    async def record(self, request: Request) -> Response:
        return self._record(request.path_params["table"], request.path_params["sys_id"])

    async def navigate(self, request: Request) -> Response:
        """Lead on to what ``nav_to.do?uri=`` names, if that is a page here; never to another site."""
        target = request.query_params.get("uri", "")
        name = target.lstrip("/").partition("?")[0]
        if not name.endswith(".do") or not name.removesuffix(".do").replace("_", "").isalnum():
            return self._missing("This link names no page of a record.")
        return RedirectResponse("/" + target.lstrip("/"), 302, headers=HEADERS)

    async def classic(self, request: Request) -> Response:
        """Show ``{table}.do?sys_id=`` and ``{table}_list.do?sysparm_query=`` as the classic interface does."""
        name, query = request.path_params["name"], request.query_params
        if name.endswith(_LIST_SUFFIX) and name.removesuffix(_LIST_SUFFIX) in self._instance.dictionary:
            table = name.removesuffix(_LIST_SUFFIX)
            return self._page("table", lists=[self._list(table, query.get("sysparm_query", ""), _MOST_ROWS)])
        if "sys_id" not in query and "sysparm_query" in query and name in self._instance.dictionary:
            row = self._instance.first(name, query["sysparm_query"])
            return self._record(name, row["sys_id"] if row else "")
        return self._record(name, query.get("sys_id", ""))

    def _record(self, table: str, sys_id: str) -> Response:
        try:
            row = self._instance.get(table, sys_id)
        except SnowError as refusal:
            return self._missing(f"{refusal.message}: {refusal.detail or table}")
        actual = row.get("sys_class_name", table)
        return self._page(
            "record",
            title=row.get("number") or self._display(actual, row),
            label=self._label(actual),
            fields=[self._field(actual, row, name) for name in sorted(row) if row[name]],
            journals=self._journals(sys_id),
        )

    def _list(self, table: str, encoded: str, limit: int) -> dict[str, Any]:
        found = self._instance.find(table, encoded)[::-1]
        # Many rows are of the same second; sorting keeps the order of those.
        found.sort(key=lambda row: row.get("sys_created_on", ""), reverse=True)
        return {
            "table": table,
            "label": self._label(table),
            "total": len(found),
            "rows": [self._row(table, row) for row in found[:limit]],
        }

    def _row(self, table: str, row: Row) -> dict[str, str]:
        actual = row.get("sys_class_name", table)
        state = row.get("state", "")
        return {
            "table": actual,
            "sys_id": row["sys_id"],
            "number": row.get("number") or row.get("name") or row["sys_id"][:8],
            "state": self._instance.choices.label(actual, "state", state),
            "text": row.get("short_description") or row.get("description", ""),
            "ci": self._shown(actual, row, "cmdb_ci"),
            "key": row.get("correlation_id") or row.get("message_key", ""),
            "created": row.get("sys_created_on", ""),
        }

    def _field(self, table: str, row: Row, name: str) -> dict[str, str]:
        column = self._instance.dictionary.column(table, name)
        link = f"/record/{column.reference}/{row[name]}" if column and self._target(table, row, name) else ""
        return {
            "name": name,
            "label": column.label if column else name,
            "value": row[name],
            "shown": self._shown(table, row, name),
            "link": link,
        }

    def _shown(self, table: str, row: Row, name: str) -> str:
        """Give what people see: the target's name, the choice's label, or the value."""
        value = row.get(name, "")
        target = self._target(table, row, name)
        if target is not None:
            return self._display(target.get("sys_class_name", table), target)
        column = self._instance.dictionary.column(table, name)
        return self._instance.choices.label(table, name, value) if column and column.choice else value

    def _target(self, table: str, row: Row, name: str) -> Row | None:
        column = self._instance.dictionary.column(table, name)
        value = row.get(name, "")
        if column is None or not column.reference or not value or column.reference not in self._instance.dictionary:
            return None
        return self._instance.tables.get(column.reference, value)

    def _display(self, table: str, row: Row) -> str:
        name = self._instance.dictionary.display_column(table) if table in self._instance.dictionary else "sys_id"
        return row.get(name) or row["sys_id"]

    def _label(self, table: str) -> str:
        known = self._instance.dictionary.table(table)
        return known.label if known else table

    def _journals(self, sys_id: str) -> list[dict[str, str]]:
        rows = self._instance.tables.having(_JOURNALS, "element_id", [sys_id]) or ()
        entries = [
            {
                "at": row.get("sys_created_on", ""),
                "by": row.get("sys_created_by", ""),
                "element": row.get("element", ""),
                "text": row.get("value", ""),
            }
            for row in rows
        ]
        return entries[::-1]

    def _missing(self, text: str) -> Response:
        return _PAGES.missing(text, self._instance.clock.stamp())

    def _page(self, name: str, **values: Any) -> Response:
        return _PAGES.page(name, self._instance.clock.stamp(), **values)
