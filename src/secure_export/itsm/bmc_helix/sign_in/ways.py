"""How this program signs in to BMC Helix: by AR-JWT, or with tokens of Helix Single Sign-On."""

import os
from urllib.parse import urlsplit

from secure_export.clock import Clock
from secure_export.errors import SettingsError
from secure_export.itsm.bmc_helix.sign_in.login import SCHEME, ArLogin
from secure_export.itsm.bmc_helix.sign_in.rsso import RssoTokens
from secure_export.itsm.bmc_helix.sign_in.settings import RssoSettings, SignInSettings
from secure_export.itsm.requests import Requests
from secure_export.itsm.sign_in import KeptToken, SignIn
from secure_export.itsm.token_host import TokensOfAnotherHost, origin, token_host
from secure_export.secrets import Secret, SecretMissing

# A fifth of a token's life is always the smaller bound of KeptToken, so that it is renewed at four fifths.
_MARGIN_SECONDS = 7 * 24 * 3600.0


def sign_in_of(settings: SignInSettings, http: Requests, *, clock: Clock) -> SignIn:
    """Make the way to sign in that a connection's settings name.

    Args:
        settings: The connection's settings.
        http: Makes requests to the AR server.
        clock: The time.

    Raises:
        SettingsError: A secret is blank, or tokens would come from an address that is not encrypted.
    """
    if settings.rsso is not None:
        return _by_rsso(settings, settings.rsso, http, clock)
    if settings.username is None or settings.password is None:
        raise SettingsError("say how to sign in: username and password, or rsso")
    _refuse_blank(settings.password)
    login = ArLogin(http, settings.username, settings.password, auth_string=settings.auth_string, clock=clock)
    return KeptToken(login.fetch, clock=clock, scheme=SCHEME, margin_seconds=_MARGIN_SECONDS, sign_out=login.sign_out)


def _by_rsso(settings: SignInSettings, rsso: RssoSettings, http: Requests, clock: Clock) -> SignIn:
    _refuse_blank(rsso.client_secret)
    # Where the server's own address has a path, its connections lead below that alone.
    is_own = origin(rsso.token_url) == settings.url
    own = None if is_own else token_host(rsso.token_url, settings, name="rsso.token_url")
    path = urlsplit(rsso.token_url).path or "/"
    tokens = RssoTokens(own or http, path, rsso, clock=clock)
    kept = KeptToken(tokens.fetch, clock=clock, scheme=rsso.presented_as, margin_seconds=_MARGIN_SECONDS)
    return kept if own is None else TokensOfAnotherHost(kept, own.close)


def _refuse_blank(secret: Secret) -> None:
    """Refuse a secret that is there and cannot be one: an AR server lets a blank password pass unchecked.

    One that is not there yet is no reason to stop: alerts are taken and kept until it is.
    """
    try:
        secret.read()
    except SecretMissing as error:
        if _is_there(secret):
            raise SettingsError(f"{error}; BMC Helix would not check a blank password") from None


def _is_there(secret: Secret) -> bool:
    return secret.file.is_file() if secret.file is not None else (secret.env or "") in os.environ
