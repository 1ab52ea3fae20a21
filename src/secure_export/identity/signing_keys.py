"""What a tenant publishes: its metadata and its signing keys, read strictly. Whatever does not fit is not used."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import RSAKey

from secure_export.errors import SecureExportError
from secure_export.identity.authority import KeySource, is_safe_url, same_host
from secure_export.identity.strict_json import NotStrict, read_object
from secure_export.identity.token_text import ALGORITHM

_FEWEST_BITS = 2048
_MOST_BITS = 4096
_SMALLEST_EXPONENT = 65537
_LARGEST_EXPONENT = 2**32
_LONGEST_ISSUER = 300
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_ANY_TENANT = "{tenantid}"


class KeysNotUsable(SecureExportError):  # noqa: N818 - says what the published keys are
    """The metadata or the keys of a tenant could not be fetched or cannot be used."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What matters of a discovery document.

    Attributes:
        issuer: The issuer that the tenant's tokens name.
        keys_url: Where its signing keys are.
    """

    issuer: str
    keys_url: str


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys of one tenant and version.

    Attributes:
        issuer: The issuer of the tokens that they sign.
        by_id: The keys.
        numbers: By key id, modulus and exponent: equal exactly when the keys are.
    """

    issuer: str
    by_id: Mapping[str, RSAKey]
    numbers: Mapping[str, tuple[str, str]]

    def same_as(self, other: "SigningKeys | None") -> bool:
        """Tell whether another set lets in exactly the same tokens."""
        return other is not None and (self.issuer, self.numbers) == (other.issuer, other.numbers)


def read_metadata(document: bytes, source: KeySource) -> Metadata:
    """Read a discovery document (OpenID Connect Discovery 1.0, section 3).

    Raises:
        KeysNotUsable: It is not the document of this tenant and version.
    """
    members = _read(document, source.metadata_url)
    issuer, keys_url = members.get("issuer"), members.get("jwks_uri")
    if not isinstance(issuer, str) or not isinstance(keys_url, str):
        raise KeysNotUsable(f"{source.metadata_url} is no discovery document: issuer or jwks_uri is missing.")
    _check_issuer(issuer, source)
    if not (is_safe_url(keys_url) and same_host(keys_url, source.authority)):
        raise KeysNotUsable(
            f"{source.metadata_url} says that the signing keys are elsewhere than on {source.authority}. They are not "
            "fetched from there; check authority in [identity]."
        )
    return Metadata(issuer, keys_url)


def read_keys(document: bytes, source: KeySource, metadata: Metadata) -> SigningKeys:
    """Read a set of keys (RFC 7517, section 5); keys that are not of the demanded kind are left out.

    Raises:
        KeysNotUsable: It is no set of keys, or none of them can be used.
    """
    members = _read(document, metadata.keys_url).get("keys")
    if not isinstance(members, list):
        raise KeysNotUsable(f"{metadata.keys_url} is no set of keys.")
    numbers = dict(_unambiguous(members, _key_issuers(source, metadata)))
    if not numbers:
        raise KeysNotUsable(f"{metadata.keys_url} has no key that can be used: RSA of 2048 bits or more, for signing.")
    keys = {key_id: RSAKey.import_key({"kty": "RSA", "n": n, "e": e}) for key_id, (n, e) in numbers.items()}
    return SigningKeys(metadata.issuer, keys, numbers)


def _check_issuer(issuer: str, source: KeySource) -> None:
    if source.issuer is not None:
        if issuer != source.issuer:
            raise KeysNotUsable(
                f"{source.metadata_url} names another issuer than {source.issuer}. Check authority and tenant_id in "
                "[identity]."
            )
    elif source.tenant_id not in issuer or len(issuer) > _LONGEST_ISSUER or not is_safe_url(issuer):
        raise KeysNotUsable(f"{source.metadata_url} names an issuer that is not tenant {source.tenant_id}.")


def _key_issuers(source: KeySource, metadata: Metadata) -> frozenset[str | None]:
    """Give the values that a key's ``issuer`` may have; ``{tenantid}`` in it stands for any tenant."""
    issuers = source.key_issuers(metadata.issuer)
    return frozenset({None, *issuers, *(issuer.replace(source.tenant_id, _ANY_TENANT) for issuer in issuers)})


def _unambiguous(members: list[Any], issuers: frozenset[str | None]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give key ids with their numbers; an id that stands for two different keys stands for none."""
    found: dict[str, set[tuple[str, str]]] = {}
    for member in members:
        if isinstance(member, dict) and _is_acceptable(member, issuers):
            found.setdefault(member["kid"], set()).add((member["n"], member["e"]))
    for key_id, numbers in found.items():
        if len(numbers) == 1:
            yield key_id, numbers.pop()


def _is_acceptable(key: dict[str, Any], issuers: frozenset[str | None]) -> bool:
    """Tell whether a key is an RSA key for signatures of this tenant, neither weak nor slow.

    Entra ID writes no ``alg`` into its keys and an ``issuer`` only into those for version 2.0 (RFC 7517, section 4;
    "Access tokens", "Validate the signing key issuer"), so that these may be absent.
    """
    return (
        key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
        and _may_verify(key.get("key_ops", ["verify"]))
        and key.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(key.get("kid"), str)
        and _is_one_of(key.get("issuer"), issuers)
        and _numbers_fit(_number(key.get("n")), _number(key.get("e")))
    )


def _may_verify(operations: Any) -> bool:
    return isinstance(operations, list) and "verify" in operations


def _is_one_of(issuer: Any, issuers: frozenset[str | None]) -> bool:
    return (issuer is None or isinstance(issuer, str)) and issuer in issuers


def _number(text: Any) -> int:
    """Read an unsigned number in base64url (RFC 7518, section 6.3.1); 0 when it is none."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text) or len(text) % 4 == 1:
        return 0
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _numbers_fit(modulus: int, exponent: int) -> bool:
    return (
        _FEWEST_BITS <= modulus.bit_length() <= _MOST_BITS
        and modulus % 2 == 1
        and _SMALLEST_EXPONENT <= exponent < _LARGEST_EXPONENT
        and exponent % 2 == 1
    )


def _read(document: bytes, url: str) -> dict[str, Any]:
    try:
        return read_object(document)
    except NotStrict as error:
        raise KeysNotUsable(f"{url} answered something that is no strict JSON: {error}.") from None
