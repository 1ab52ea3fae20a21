"""The proxy on the way to a tool, as the environment names it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from secure_export.itsm.http_errors import NotSent
from secure_export.itsm.http_settings import is_loopback

_UNUSABLE = "the proxy that the environment names in HTTPS_PROXY or ALL_PROXY is none of the form http://host:port"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        url: Its URL without credentials.
        headers: What it must be shown.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_for(url: str) -> Proxy | None:
    """Find the proxy for a URL in ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``; this machine is never behind one.

    Raises:
        NotSent: The environment names a proxy that cannot be used.
    """
    parts = urlsplit(url)
    if is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    return _proxy(named if "://" in named else f"http://{named}") if named else None


def _proxy(named: str) -> Proxy:
    try:
        parts = urlsplit(named)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NotSent(_UNUSABLE) from None
    if not host or parts.scheme not in {"http", "https"}:
        raise NotSent(_UNUSABLE)
    shown = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{shown}{f':{port}' if port else ''}"
    return Proxy(url, _credentials(unquote(parts.username or ""), unquote(parts.password or "")))


def _credentials(user: str, password: str) -> Mapping[str, str]:
    if not user:
        return {}
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Proxy-Authorization": f"Basic {encoded}"}
