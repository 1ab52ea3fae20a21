"""One request to ARM while it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from secure_export.sandbox.azure_monitor.arm.errors import bad_request, refused, unauthenticated
from secure_export.sandbox.azure_monitor.arm.rbac import Caller
from secure_export.sandbox.azure_monitor.arm.world import Subscription, World
from secure_export.sandbox.rest_call import Call


@dataclass(frozen=True, slots=True)
class Visit:
    """A request on its way.

    Attributes:
        call: It.
        world: All of ARM.
        caller: Who asks.
        named: What its path names.
    """

    call: Call
    world: World
    caller: Caller
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The API version that the client asks for."""
        return self.call.parameters.get("api-version", "")

    @property
    def scope(self) -> str:
        """The resource group that the path names, or the subscription."""
        scope = f"/subscriptions/{self.named['subscription']}"
        return f"{scope}/resourceGroups/{self.named['group']}" if "group" in self.named else scope

    def with_names(self, **names: str) -> "Visit":
        """Give the same visit with further names."""
        return replace(self, named={**self.named, **names})

    def must(self, action: str, scope: str | None = None) -> None:
        """Refuse, unless the caller may.

        Raises:
            RestError: They may not.
        """
        self.world.access.must(self.caller, action, scope or self.scope)

    def subscription(self) -> Subscription:
        """Find the subscription that the path names, which trusts the caller's tenant.

        Raises:
            RestError: There is none, or it trusts another.
        """
        found = self.world.subscription(self.named["subscription"])
        if found.tenant.lower() != self.caller.tenant.lower():
            raise unauthenticated(
                "InvalidAuthenticationTokenTenant",
                f"The access token is from the wrong issuer 'https://sts.windows.net/{self.caller.tenant}/'. It must "
                f"match the tenant 'https://sts.windows.net/{found.tenant}/' associated with this subscription.",
            )
        return found

    def body(self) -> dict[str, Any]:
        """Read the body.

        Raises:
            RestError: It is no JSON object.
        """
        document = self.call.document()
        if not isinstance(document, dict):
            raise bad_request("The request content was invalid and could not be deserialized.", "InvalidRequestContent")
        return document

    def must_be_version(self, kind: str, versions: tuple[str, ...]) -> None:
        """Refuse, unless the client names a version that there is.

        Raises:
            RestError: It names none, or another.
        """
        if not self.version:
            raise bad_request(
                "The api-version query parameter (?api-version=) is required for all requests.",
                "MissingApiVersionParameter",
            )
        if self.version not in versions:
            namespace, _, name = kind.partition("/")
            raise refused(
                400,
                "InvalidResourceType" if not namespace else "NoRegisteredProviderFound",
                f"No registered resource provider found for location 'global' and API version '{self.version}' for "
                f"type '{name}'. The supported api-versions are '{', '.join(versions)}'.",
            )
