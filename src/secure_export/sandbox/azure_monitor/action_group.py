"""Action groups and their secure webhooks, in Azure's own terms (azure-facts 2.1)."""

from dataclasses import dataclass
from typing import Any, Final

LONGEST_SHORT_NAME: Final = 12
MOST_WEBHOOKS: Final = 10


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook receiver, with Azure's defaults: older schemas, no token.

    Attributes:
        name: Unique in its group.
        service_uri: What is called.
        use_common_alert_schema: Off by default, which is the most common set-up mistake.
        use_aad_auth: Whether a token is sent: what makes the webhook a secure one.
        object_id: The receiver's application, by its object id.
        identifier_uri: The receiver's Application ID URI: what the token is asked for.
        tenant_id: The tenant whose token is sent.
    """

    name: str
    service_uri: str
    use_common_alert_schema: bool = False
    use_aad_auth: bool = False
    object_id: str = ""
    identifier_uri: str = ""
    tenant_id: str = ""

    def __post_init__(self) -> None:
        if self.use_aad_auth and not (self.identifier_uri and self.tenant_id):
            raise ValueError(f"Secure webhook {self.name!r} needs identifier_uri and tenant_id to get a token.")

    def to_arm(self) -> dict[str, Any]:
        """Give the receiver as it stands in an ARM template."""
        plain = {
            "name": self.name,
            "serviceUri": self.service_uri,
            "useCommonAlertSchema": self.use_common_alert_schema,
            "useAadAuth": self.use_aad_auth,
        }
        secure = {"objectId": self.object_id, "identifierUri": self.identifier_uri, "tenantId": self.tenant_id}
        return {**plain, **secure} if self.use_aad_auth else plain


@dataclass(frozen=True, slots=True)
class ActionGroup:
    """Whom alerts are sent to.

    Attributes:
        name: Unique here, whatever the case.
        short_name: At most 12 characters.
        webhooks: At most 10 with a token, and 10 without.
        enabled: A disabled group calls nobody.
    """

    name: str
    short_name: str
    webhooks: tuple[Webhook, ...] = ()
    enabled: bool = True

    def __post_init__(self) -> None:
        if not 0 < len(self.short_name) <= LONGEST_SHORT_NAME:
            raise ValueError(f"The short name of action group {self.name!r} has 1 to {LONGEST_SHORT_NAME} characters.")
        secure = sum(one.use_aad_auth for one in self.webhooks)
        if max(secure, len(self.webhooks) - secure) > MOST_WEBHOOKS:
            raise ValueError(
                f"Action group {self.name!r} has more than {MOST_WEBHOOKS} webhooks, the most Azure takes."
            )

    def to_arm(self) -> dict[str, Any]:
        """Give the group as an ARM resource's body."""
        return {
            "location": "Global",
            "properties": {
                "groupShortName": self.short_name,
                "enabled": self.enabled,
                "webhookReceivers": [one.to_arm() for one in self.webhooks],
            },
        }
