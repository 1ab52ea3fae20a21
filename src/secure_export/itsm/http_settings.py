"""The settings of a tool that is reached over HTTP; a connector's own settings inherit them."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_FORM = "write it with its scheme and host, such as https://tool.example.com"


def is_loopback(host: str) -> bool:
    """Tell whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(url: str) -> str:
    """Take a base URL, without the slash at its end; no message repeats it, because it may hold a password."""
    parts = _parts(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(_FORM)
    if parts.username is not None or parts.password is not None:
        raise ValueError("user name and password do not belong into the URL; they have settings of their own")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("write it without what follows '?' or '#'")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("use https://; http:// is taken for this machine only, because anybody could read the rest")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _parts(url: str) -> SplitResult:
    if not url.isascii() or any(not "!" <= one <= "~" or one in '\\"<>^`{|}' for one in url):
        raise ValueError("it holds characters that a URL cannot have; write host names in their ASCII form (xn--…)")
    if ".." in url.split("/") or "." in url.split("/"):
        raise ValueError("write its path without '.' and '..'")
    try:
        parts = urlsplit(url)
        usable = parts.hostname is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ValueError(_FORM) from None
    if not usable:
        raise ValueError(_FORM)
    return parts


class HttpSettings(BaseModel):
    """What can be set for every tool that is reached over HTTP.

    A proxy is taken from the environment (``HTTPS_PROXY``, ``NO_PROXY``) as other programs do.
    """

    # Input is hidden because a URL that is refused may hold a password.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_checked)] = Field(
        description="Where the tool is: `https://host`, with a path if all its own paths lie below one. Certificates "
        "are always verified, and `http://` is taken for this machine only. A proxy on the way is taken from the "
        "environment (`HTTPS_PROXY`, `NO_PROXY`)."
    )
    connections: int = Field(
        4,
        ge=1,
        le=64,
        description="How many requests are made at a time, by all processes of the cluster together; tools have few "
        "workers for each client.",
    )
    request_timeout_seconds: float = Field(
        30,
        gt=0,
        le=600,
        description="After this long without a whole answer a request is given up; waiting for a free "
        "connection does not count. What a process that died had under way counts as over then, too.",
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file with the certificates of the authorities to trust, in place of the system's: for a "
        "private certificate authority, or a proxy that opens TLS.",
    )
    client_certificate: Path | None = Field(
        None, description="PEM file with the certificate chain that this program shows to the tool (mutual TLS)."
    )
    client_key: Path | None = Field(
        None,
        description="PEM file with the client certificate's private key, without a password; not needed where the "
        "certificate's file holds it.",
    )

    @model_validator(mode="after")
    def _has_a_certificate_for_its_key(self) -> "HttpSettings":
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key belongs to client_certificate: set that, too")
        return self
