"""What a connection lets in, and which lane an alert goes to."""

from collections.abc import Callable
from dataclasses import dataclass

from secure_export.alerts.alert import Alert

ANY_SUBSCRIPTION = "*"


@dataclass(frozen=True, slots=True)
class ConnectionDoor:
    """The webhook of one connection.

    Attributes:
        subscriptions: Which subscriptions its alerts may speak for, in lower case; ``*`` among them: every one.
        tenants: Which tenants may call; None: every tenant that the gate lets in.
        correlate: Says which correlation key an alert has.
    """

    subscriptions: frozenset[str]
    tenants: frozenset[str] | None
    correlate: Callable[[Alert], str]

    @property
    def takes_any_subscription(self) -> bool:
        """Whether the configuration wrote out that every subscription is allowed."""
        return ANY_SUBSCRIPTION in self.subscriptions

    def lets_in(self, tenant_id: str) -> bool:
        """Say whether callers of a tenant may send alerts here."""
        return self.tenants is None or tenant_id in self.tenants
