"""The stand-in's one page: what fired, and where each delivery stands."""

from typing import Final

from jinja2 import Environment, select_autoescape

from secure_export.sandbox.azure_monitor.shapes import alert_row, delivery_row
from secure_export.sandbox.azure_monitor.station import Station

_SHOWN: Final = 200
_TEMPLATE: Final = Environment(autoescape=select_autoescape(default_for_string=True)).from_string("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox Azure Monitor</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="3">
<style>
 body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1rem;color:#1b1f24;background:#fff}
 .notice{background:#fff3cd;border-left:.4rem solid #b35900;padding:.6rem 1rem}
 table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem} caption{text-align:left;font-weight:600;padding:.4rem 0}
 th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d0d7de;vertical-align:top;overflow-wrap:anywhere}
 th{background:#f6f8fa} .Delivered{color:#116329} .Dropped,.GaveUp,.Banned{color:#a40e26} code{font-size:.9em}
</style></head><body>
<h1>Sandbox Azure Monitor</h1>
<p class="notice"><strong>A stand-in.</strong> Nothing here happens in Azure. Orders go to <code>/control</code>.</p>
<table><caption>Counts</caption>
<tr><th scope="col">Delivered</th><th scope="col">Dropped</th><th scope="col">Gave up</th>
<th scope="col">Banned</th><th scope="col">Under way</th></tr>
<tr>{% for n in ("Delivered", "Dropped", "GaveUp", "Banned", "under way") %}
<td>{{ counts.get(n, 0) }}</td>{% endfor %}</tr>
</table>
{% if bans %}<p class="notice">Banned end points: {% for url, left in bans.items() %}<code>{{ url }}</code>
 ({{ left|round|int }} s left) {% endfor %}</p>{% endif %}
<table><caption>Alerts fired one by one ({{ alerts|length }})</caption>
<tr><th scope="col">No.</th><th scope="col">Kind</th><th scope="col">Rule</th><th scope="col">Resource</th>
<th scope="col">Ended</th><th scope="col">Ends by</th></tr>
{% for one in alerts %}<tr><td>{{ one.number }}</td><td>{{ one.kind }}</td><td>{{ one.rule or "none" }}</td>
<td>{{ one.resource or "none" }}</td><td>{{ "yes" if one.is_over else "no" }}</td><td>{{ one.ends_by }}</td></tr>
{% else %}<tr><td colspan="6">None yet.</td></tr>{% endfor %}</table>
<table><caption>Deliveries, newest first (of {{ total }})</caption>
<tr><th scope="col">No.</th><th scope="col">Kind</th><th scope="col">Condition</th><th scope="col">Group</th>
<th scope="col">Schema</th><th scope="col">Status</th><th scope="col">Attempts</th><th scope="col">Answer</th></tr>
{% for one in deliveries %}<tr><td>{{ one.number }}</td><td>{{ one.kind }}</td><td>{{ one.condition }}</td>
<td>{{ one.group }}</td><td>{{ one.schema }}</td><td class="{{ one.outcome }}">{{ one.outcome }}</td>
<td>{% for a in one.attempts %}{{ a.status or "no answer" }}{{ ", " if not loop.last }}{% endfor %}</td>
<td>{{ one.answer }}</td></tr>
{% else %}<tr><td colspan="8">None yet.</td></tr>{% endfor %}</table>
</body></html>
""")


def page(station: Station) -> str:
    """Give the page as HTML."""
    rows = [delivery_row(one) for one in station.monitor.deliveries]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["outcome"]] = counts.get(row["outcome"], 0) + 1
    return _TEMPLATE.render(
        counts=counts,
        bans=station.monitor.bans.listed(),
        alerts=[alert_row(one) for one in reversed(station.alerts.values())][:_SHOWN],
        deliveries=rows[: -_SHOWN - 1 : -1],
        total=len(rows),
    )
