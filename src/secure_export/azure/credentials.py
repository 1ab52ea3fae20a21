"""Who signs in to Azure: azure-identity's credentials, chosen by the ``credential`` setting."""

import asyncio
from collections.abc import Callable
from time import time
from typing import Any, Protocol, Self

import aiohttp
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError

from secure_export.azure.errors import NotSignedIn
from secure_export.azure.settings import CredentialKind, CredentialSettings

_TIMEOUT_SECONDS = 30.0


class Credential(Protocol):
    """Gives tokens; what azure-core's asynchronous pipeline asks for."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Give a token for a scope.

        Raises:
            NotSignedIn: There is none to be had.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


async def credential_for(
    settings: CredentialSettings, *, tenant_id: str, authority: str, prompt: Callable[[str, str], None] | None = None
) -> Credential:
    """Make the credential that a configuration names.

    Args:
        settings: Which.
        tenant_id: The tenant to sign in to.
        authority: The cloud's authority; ``http://`` is a stand-in on this machine.
        prompt: Told of the address to open and the code to type in there, for a device code.

    Raises:
        SecretMissing: A secret cannot be read.
    """
    if authority.startswith("http://"):
        # azure-identity takes only https:// (``normalize_authority``); such an authority is on this machine.
        return _StandIn(settings, f"{authority}/{tenant_id}/oauth2/v2.0/token")
    # To load azure-identity takes some tenths of a second.
    made = await asyncio.to_thread(_of_azure_identity, settings, tenant_id, authority, prompt)
    return _InThread(made, settings.kind)


def _of_azure_identity(
    settings: CredentialSettings, tenant_id: str, authority: str, prompt: Callable[[str, str], None] | None
) -> TokenCredential:
    from azure import identity  # noqa: PLC0415 - a tenth of the time that the service needs to start, and seldom needed

    own: dict[str, Any] = {"client_id": settings.client_id} if settings.client_id else {}
    own |= {"tenant_id": tenant_id, "authority": authority}
    told = (lambda address, code, _: prompt(address, code)) if prompt else None
    make: dict[CredentialKind, Callable[[], TokenCredential]] = {
        CredentialKind.CLI: lambda: identity.AzureCliCredential(tenant_id=tenant_id),
        CredentialKind.MANAGED_IDENTITY: lambda: identity.ManagedIdentityCredential(client_id=settings.client_id),
        CredentialKind.WORKLOAD_IDENTITY: lambda: identity.WorkloadIdentityCredential(**own),
        CredentialKind.CERTIFICATE: lambda: identity.CertificateCredential(
            **own, certificate_path=str(settings.certificate), send_certificate_chain=True
        ),
        CredentialKind.SECRET: lambda: identity.ClientSecretCredential(**own, client_secret=_secret_of(settings)),
        CredentialKind.DEVICE_CODE: lambda: identity.DeviceCodeCredential(**own, prompt_callback=told),
        CredentialKind.DEFAULT: lambda: identity.DefaultAzureCredential(authority=authority),
    }
    return make[settings.kind]()


def _secret_of(settings: CredentialSettings) -> str:
    return settings.secret.read() if settings.secret is not None else ""


class _InThread:
    """Asks a credential in a thread: a device code, and the Azure CLI's login, have no asynchronous form."""

    def __init__(self, credential: TokenCredential, kind: CredentialKind) -> None:
        self._credential = credential
        self._kind = kind
        self._one_at_a_time = asyncio.Lock()

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        async with self._one_at_a_time:
            try:
                return await asyncio.to_thread(self._credential.get_token, *scopes, **options)
            except ClientAuthenticationError as error:
                why = str(error.message).strip().splitlines()
                reason = why[0] if why else type(error).__name__
                raise NotSignedIn(f"signing in with the credential '{self._kind}' failed: {reason}") from None

    async def close(self) -> None:
        close = getattr(self._credential, "close", None)
        if close is not None:
            await asyncio.to_thread(close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _StandIn:
    """Signs in to a stand-in for Entra ID on this machine, with client id and secret."""

    def __init__(self, settings: CredentialSettings, token_endpoint: str) -> None:
        self._settings = settings
        self._endpoint = token_endpoint

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id or "",
            "client_secret": _secret_of(settings),
            "scope": " ".join(scopes),
        }
        try:
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._endpoint, data=form) as answer,
            ):
                told = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotSignedIn(f"{self._endpoint} cannot be asked: {str(error) or type(error).__name__}") from None
        if "access_token" not in told:
            raise NotSignedIn(f"{self._endpoint} gave no token: {told.get('error_description') or told.get('error')}")
        return AccessToken(told["access_token"], int(time()) + int(told.get("expires_in", 3600)))

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
