"""The frame of the plain pages that stand-ins show to people. No script, no sign-in."""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import DictLoader, Environment, select_autoescape
from starlette.responses import HTMLResponse

_STYLE: Final = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 78rem; padding: 0 1rem 3rem; }
header { background: #7a4a00; color: #fff; margin: 0 -1rem 1rem; padding: .5rem 1rem; }
header a { color: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
h1 small, h2 small, .dim { font-weight: normal; opacity: .7; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th { white-space: nowrap; }
td.id { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
td.text { overflow-wrap: anywhere; min-width: 14rem; }
.short { white-space: nowrap; }
.note { border-left: 3px solid var(--line); margin: .6rem 0; padding-left: .8rem; overflow-wrap: anywhere; }
.note p { margin: 0; white-space: pre-wrap; }
.fields td { white-space: pre-wrap; overflow-wrap: anywhere; }
"""
_BASE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}Sandbox {{ name }}{% endblock %}</title><style>{{ style }}</style></head><body>
<header><strong>Sandbox</strong>: a stand-in for {{ name }}. Nothing here is real.
{% for path, text in links.items() %}<a href="{{ path }}">{{ text }}</a> · {% endfor %}
<a href="/control">Control</a> · <a href="/control/counters">Requests</a> · {{ now }} UTC</header>
{% block main %}{% endblock %}
</body></html>"""
_MISSING: Final = """{% extends "base" %}{% block main %}<h1>Not found</h1><p>{{ text }}</p>{% endblock %}"""
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Pages:
    """The pages of a stand-in.

    Args:
        name: What it stands in for.
        links: Its pages that every page leads to, by path.
        templates: Its pages, which extend ``base`` and fill its blocks ``title`` and ``main``.

    Attributes:
        environment: Renders them; filters may be added.
    """

    def __init__(self, name: str, links: Mapping[str, str], templates: Mapping[str, str]) -> None:
        self.environment = Environment(
            loader=DictLoader({"base": _BASE, "missing": _MISSING, **templates}),
            autoescape=select_autoescape(default=True, default_for_string=True),
            trim_blocks=True,
        )
        self.environment.globals.update(name=name, links=links, style=_STYLE)

    def page(self, template: str, now: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Give a page.

        Args:
            template: Which.
            now: The stand-in's time, in UTC.
            status: The status of the answer.
            **values: What the page shows.
        """
        html = self.environment.get_template(template).render(now=now, **values)
        return HTMLResponse(html, status_code=status, headers=HEADERS)

    def missing(self, text: str, now: str) -> HTMLResponse:
        """Say that there is no such page."""
        return self.page("missing", now, status=404, text=text)
