"""The signature: RS256 and nothing else, with a key that came from the tenant and never from the token."""

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from secure_export.identity.refusals import Why, not_authenticated
from secure_export.identity.token_text import ALGORITHM, MAX_AUTHORIZATION_BYTES, UncheckedToken

# A token may carry header members that joserfc does not know (``rh`` and the like come and go); those that matter are
# refused before, in ``token_text``. The sizes are bounded there too; joserfc's own bound of 512 is for the header.
_registry = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
_registry.max_header_length = MAX_AUTHORIZATION_BYTES


def check_signature(token: UncheckedToken, key: RSAKey) -> None:
    """Check that the key signed the token.

    Raises:
        Refusal: It did not.
    """
    try:
        jws.deserialize_compact(token.text, key, registry=_registry)
    except (JoseError, ValueError):
        raise not_authenticated(
            Why.BAD_SIGNATURE,
            "The signature does not fit the token: it was changed or forged, or signed with a key that only bears the "
            "same id. Nothing it says can be believed.",
        ) from None
