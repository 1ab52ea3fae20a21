"""What one site does differently from the next."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Route:
    """An assignment rule: where an incident goes that names no group.

    Attributes:
        group: The support group.
        company: Whose incidents; empty: all.
        service_type: Of which service type, by label; empty: all.
        product_tier: With which first product tier; empty: all.
    """

    group: str
    company: str = ""
    service_type: str = ""
    product_tier: str = ""


@dataclass(slots=True)
class Site:
    """The settings of a server, which an administrator may change while it runs.

    Attributes:
        routes: Assignment rules; the first that matches decides.
        assignee_required: From In Progress on an incident needs somebody who works on it.
        customer_required: Whether incidents of infrastructure events need a customer too.
        required_by_workflow: Fields of the staging form that a filter demands; its schema does not say so.
        assigned_by_group: An incident with a group does not stay New.
        auto_close_days: After how many days a resolved incident closes itself; 0: never.
        notes_touch_incident: Whether work info sent to its own form counts as a change of the incident.
        entry_id_told: Whether the staging row names the entry id of the incident.
        case_sensitive: Whether ``=`` and ``LIKE`` tell upper case from lower; it follows the database.
        most_entries: The most entries that one search gives, whatever it asks for; 0: no such limit.
        token_seconds: How long a token lives.
        guests_allowed: Whether a login that fails becomes a guest session.
        blank_password_allowed: Whether an empty password is not checked.
        plain_http_refused: Whether the API wants TLS.
        most_parallel: How many requests of one user run at a time before 9093; 0: any number.
    """

    routes: list[Route] = field(default_factory=lambda: [Route("Service Desk")])
    assignee_required: bool = True
    customer_required: bool = False
    required_by_workflow: set[str] = field(default_factory=set)
    assigned_by_group: bool = True
    auto_close_days: int = 15
    notes_touch_incident: bool = True
    entry_id_told: bool = False
    case_sensitive: bool = True
    most_entries: int = 0
    token_seconds: int = 3_600
    guests_allowed: bool = False
    blank_password_allowed: bool = False
    plain_http_refused: bool = False
    most_parallel: int = 0
