"""Who may use a stand-in's control API: this machine only."""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

from secure_export.sandbox.serving import is_loopback


def is_from_here(request: Request) -> bool:
    """Keep out other machines, and pages of other sites in a browser on this one, by whatever name they call it."""
    if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
        return False
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    try:
        named, page = urlsplit(f"//{host}").hostname, None if origin is None else urlsplit(origin).netloc
    except ValueError:  # no address at all
        return False
    return is_loopback(named or "") and page in (None, host)
