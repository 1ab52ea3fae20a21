"""Where a tenant's signing keys are, and which issuer its tokens name."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class TokenVersion(StrEnum):
    """The versions of access tokens (Microsoft identity platform docs, "Access tokens")."""

    V1 = "1.0"
    V2 = "2.0"


@dataclass(frozen=True, slots=True)
class Issuers:
    """What the tokens of one cloud name as issuer; ``{tid}`` stands for the tenant."""

    v1: str
    v2: str


# Microsoft identity platform docs, "National clouds" and "Access tokens". Issuers are compared as texts: aliases of a
# host serve the same metadata but never make the same issuer.
_CLOUDS = {
    "login.microsoftonline.com": Issuers(
        v1="https://sts.windows.net/{tid}/", v2="https://login.microsoftonline.com/{tid}/v2.0"
    ),
    "login.microsoftonline.us": Issuers(
        v1="https://sts.windows.net/{tid}/", v2="https://login.microsoftonline.us/{tid}/v2.0"
    ),
    "login.partner.microsoftonline.cn": Issuers(
        v1="https://sts.chinacloudapi.cn/{tid}/", v2="https://login.partner.microsoftonline.cn/{tid}/v2.0"
    ),
}


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the signing keys for one tenant's tokens of one version come from.

    Attributes:
        authority: Scheme and host, such as ``https://login.microsoftonline.com``.
        tenant_id: The tenant.
        version: The version of the tokens.
    """

    authority: str
    tenant_id: str
    version: TokenVersion

    @property
    def metadata_url(self) -> str:
        """The discovery document of this tenant and version."""
        middle = "/v2.0" if self.version is TokenVersion.V2 else ""
        return f"{self.authority}/{self.tenant_id}{middle}/.well-known/openid-configuration"

    @property
    def issuer(self) -> str | None:
        """The issuer that tokens must name; None where only the metadata knows (no cloud of Microsoft's)."""
        cloud = _CLOUDS.get(urlsplit(self.authority).netloc)
        if cloud is None:
            return None
        template = cloud.v2 if self.version is TokenVersion.V2 else cloud.v1
        return template.replace("{tid}", self.tenant_id)

    def key_issuers(self, issuer: str) -> frozenset[str]:
        """Which ``issuer`` a key may carry, given the one that tokens name.

        Version 1.0 keys carry none, or the issuer in its version 2.0 form (IdentityModel,
        ``AadTokenValidationParametersExtension``).
        """
        in_v2_form = KeySource(self.authority, self.tenant_id, TokenVersion.V2)
        return frozenset({issuer, in_v2_form.issuer or f"{self.authority}/{self.tenant_id}/v2.0"})


def is_loopback(host: str) -> bool:
    """Tell whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe_url(url: str) -> bool:
    """Tell whether a URL is encrypted or stays on this machine, and carries no credentials."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def same_host(url: str, authority: str) -> bool:
    """Tell whether a URL has the scheme, host and port of an authority."""
    parts, expected = urlsplit(url), urlsplit(authority)
    return (parts.scheme, parts.netloc.lower()) == (expected.scheme, expected.netloc.lower())
