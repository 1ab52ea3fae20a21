"""A plain page for people: what arrived, newest first, and every field of an incident. No script, no sign-in."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.bmc_helix import looking
from secure_export.sandbox.bmc_helix.forms.incident import BASE
from secure_export.sandbox.bmc_helix.server import ArServer
from secure_export.sandbox.page import Pages

_ROWS: Final = 200

_INCIDENTS: Final = """{% extends "base" %}{% block main %}
<h1>Incidents <small>{{ total }} in all, newest first</small></h1>
{% if rows %}<div class="wide"><table><thead><tr><th>Incident Number</th><th>Status</th><th>Priority</th>
<th>Description</th><th>Assigned to</th><th>CI</th><th>Vendor Ticket Number</th><th>Submitted</th></tr></thead><tbody>
{% for row in rows %}<tr>
<td class="short"><a href="/incident/{{ row["Incident Number"] }}">{{ row["Incident Number"] }}</a></td>
<td class="short">{{ row.Status }}
{% if row.Status_Reason %}<br><span class="dim">{{ row.Status_Reason }}</span>{% endif %}</td>
<td>{{ row.Priority or "" }}</td><td class="text">{{ row.Description }}</td>
<td class="short">{{ row["Assigned Group"] or "" }}
{% if row.Assignee %}<br><span class="dim">{{ row.Assignee }}</span>{% endif %}</td>
<td class="short">{{ row.HPD_CI or "" }}</td><td class="id">{{ row["Vendor Ticket Number"] or "" }}</td>
<td class="short">{{ row["Submit Date"] | moment }}</td></tr>
{% endfor %}</tbody></table></div>{% else %}<p class="dim">None yet.</p>{% endif %}{% endblock %}"""
_INCIDENT: Final = """{% extends "base" %}{% block title %}{{ number }}{% endblock %}{% block main %}
<h1>{{ number }} <small>{{ summary }}</small></h1>
<h2>Work info <small>newest first</small></h2>
{% for one in notes %}<div class="note"><span class="dim">{{ one["Work Log Submit Date"] | moment }}
· {{ one["Work Log Submitter"] }}
· {{ one["Work Log Type"] }} · {{ one["Work Log ID"] }}</span>
<p><strong>{{ one.Description or "" }}</strong></p><p>{{ one["Detailed Description"] or "" }}</p></div>
{% else %}<p class="dim">None.</p>{% endfor %}
<h2>Relations</h2>
{% for one in relations %}<p>{{ one["Association Type01"] }} <strong>{{ one["Request Description01"] }}</strong>
<span class="dim">{{ one["Lookup Keyword"] }} · {{ one["Request ID01"] }}</span></p>
{% else %}<p class="dim">None.</p>{% endfor %}
<h2>Fields <small>those that hold something</small></h2><div class="wide"><table class="fields"><tbody>
{% for name, value in fields %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>
{% endfor %}</tbody></table></div>{% endblock %}"""
_CIS: Final = """{% extends "base" %}{% block main %}<h1>CIs <small>{{ total }} in all</small></h1>
<div class="wide"><table><thead><tr><th>Name</th><th>Class</th><th>Dataset</th><th>Reconciliation identity</th>
<th>Azure resource id</th></tr></thead><tbody>
{% for row in rows %}<tr><td class="short">{{ row.Name }}
{% if row.MarkAsDeleted == "Yes" %} <span class="dim">deleted</span>{% endif %}</td>
<td class="short">{{ row.ClassId }}</td><td class="short">{{ row.DatasetId }}</td>
<td class="id short">{{ row.ReconciliationIdentity }}</td><td class="id">{{ row.AzureResourceId or "" }}</td></tr>
{% endfor %}</tbody></table></div>{% endblock %}"""
_PAGES: Final = Pages(
    "BMC Helix ITSM",
    {"/": "Incidents", "/cis": "CIs"},
    {"incidents": _INCIDENTS, "incident": _INCIDENT, "cis": _CIS},
)
_PAGES.environment.filters["moment"] = lambda value: value.partition(".")[0].replace("T", " ")


def page_routes(server: ArServer) -> list[Route]:
    """Give the routes of the page, and of the links to incidents that work items have."""
    pages = _Pages(server)
    return [
        Route("/", pages.overview),
        Route("/cis", pages.cis),
        Route("/incident/{number}", pages.incident),
        Route("/smartit/app/", pages.overview),
        Route("/arsys/forms/{server}/{form}/", pages.mid_tier),
        Route("/arsys/forms/{server}/{form}/{view}/", pages.mid_tier),
    ]


class _Pages:
    """One method a page."""

    def __init__(self, server: ArServer) -> None:
        self._server = server

    async def overview(self, _: Request) -> Response:
        rows = looking.incidents(self._server)
        return self._page("incidents", total=len(rows), rows=rows[::-1][:_ROWS])

    async def cis(self, _: Request) -> Response:
        rows = looking.cis(self._server)
        return self._page("cis", total=len(rows), rows=rows)

    async def incident(self, request: Request) -> Response:
        return self._incident(request.path_params["number"])

    async def mid_tier(self, request: Request) -> Response:
        """Show the incident that a link into the Mid Tier names: by entry id (``?eid=``) or search (``?qual=``)."""
        entry = self._server.entries.get(BASE, request.query_params.get("eid", ""))
        if entry is not None:
            return self._incident(entry["Incident Number"])
        qualification = request.query_params.get("qual", "")
        number = qualification.rpartition("=")[2].strip(' "')
        return self._incident(number)

    def _incident(self, number: str) -> Response:
        found = looking.incident(self._server, number)
        if found is None:
            return self._page("missing", status=404, text=f"There is no incident {number!r}.")
        return self._page(
            "incident",
            number=number,
            summary=found["Description"],
            notes=looking.work_info(self._server, number)[::-1],
            relations=looking.relations(self._server, number),
            fields=[(name, _shown(value)) for name, value in sorted(found.items()) if value is not None],
        )

    def _page(self, name: str, **values: Any) -> Response:
        return _PAGES.page(name, self._server.clock.now().strftime("%Y-%m-%d %H:%M:%S"), **values)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{status}: {one['timestamp']} by {one['user']}" for status, one in value.items())
    return str(value)
