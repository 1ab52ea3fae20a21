"""The settings of a connection of type ``bmc-helix``."""

import re
import string
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from secure_export.itsm.bmc_helix.cmdb.settings import CmdbSettings
from secure_export.itsm.bmc_helix.sign_in.settings import SignInSettings

OUR_FIELDS = frozenset(
    {
        "Description", "Detailed_Decription", "Detailed Decription", "HPD_CI", "HPD_CI_FormName", "HPD_CI_ReconID",
        "Impact", "Incident Number", "Priority", "Resolution", "Status", "Status_Reason", "Submitter", "Urgency",
        "z1D_Action", "z1D Action", "z1D_Activity_Type", "z1D_CI_FormName", "z1D_Details", "z1D_Secure_Log",
        "z1D_View_Access", "z1D_WorklogDetails",
    }
)  # fmt: skip
"""Fields that this program or BMC itself writes: a route does not set them."""

STATUS_REASONS = (
    "Automated Resolution Reported",
    "No Further Action Required",
    "Monitoring Incident",
    "Temporary Corrective Action",
)
"""Reasons of ``Resolved`` that BMC ships, the best for an alert that cleared first."""

IMPACTS = {1: "1-Extensive/Widespread", 2: "3-Moderate/Limited", 3: "4-Minor/Localized"}
URGENCIES = {1: "1-Critical", 2: "3-Medium", 3: "4-Low"}
_PLACES = frozenset({"number", "entry_id", "instance_id"})
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 _./()&-]{0,79}")


def _field_name(name: str) -> str:
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a field; write it exactly as the form has it, capitals and blanks too"
        )
    return name


def _three(value: Any) -> Any:
    """Take a text ``A > B > C`` for its parts."""
    return [part.strip() for part in value.split(">")] if isinstance(value, str) else value


FieldName = Annotated[str, AfterValidator(_field_name)]
Text = Annotated[str, Field(min_length=1, max_length=255)]
Tiers = Annotated[tuple[Text, ...], BeforeValidator(_three), Field(max_length=3)]


class WhenNotResolvable(StrEnum):
    """What is done when BMC's workflow does not let an incident be resolved."""

    NOTE = "note"
    REFUSE = "refuse"


class Section(BaseModel):
    """A part of a connection's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Customer(Section):
    """For whom incidents are: ``[connections.<name>.customer]``; it has to be in ``CTM:People`` exactly once."""

    first_name: Text | None = Field(None, description="First name (`First_Name`).")
    last_name: Text | None = Field(None, description="Last name (`Last_Name`).")
    login_id: Text | None = Field(None, description="Login ID (`Login_ID`).")
    person_id: Text | None = Field(
        None, description="Person ID (`Person ID`), which alone tells two people of one name apart."
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.first_name is None) != (self.last_name is None):
            raise ValueError("first_name and last_name belong together: set both, or login_id or person_id")
        if self.first_name is None and self.login_id is None and self.person_id is None:
            raise ValueError("name somebody: first_name and last_name, login_id, or person_id")
        return self


class SupportGroup(Section):
    """Who gets incidents where neither route nor CI names a group: ``[connections.<name>.support_group]``."""

    company: Text | None = Field(None, description="Support company (`Assigned Support Company`).")
    organization: Text | None = Field(None, description="Support organization (`Assigned Support Organization`).")
    group: Text | None = Field(None, description="Support group (`Assigned Group`).")


class Assignee(Section):
    """Who incidents are assigned to when they are resolved and have nobody: ``[connections.<name>.assignee]``."""

    name: Text = Field(description="Full name, as BMC shows it (`Assignee`).")
    login_id: Text | None = Field(None, description="Login ID (`Assignee Login ID`).")


class ServiceCi(Section):
    """The service that incidents are about: ``[connections.<name>.service_ci]``."""

    name: Text = Field(description="Name of the service (`ServiceCI`).")
    reconciliation_id: Text = Field(description="Its reconciliation identity (`ServiceCI_ReconID`).")


class BmcHelixSettings(SignInSettings):
    """What can be set for BMC Helix ITSM (Remedy), besides the address of its REST API and how to reach it."""

    request_timeout_seconds: float = Field(
        50,
        gt=0,
        le=600,
        description="After this long without a whole answer a request is given up; waiting for a free connection does "
        "not count. BMC itself gives up after 120 s, and workflow makes writes slow.",
    )
    key_field: FieldName = Field(
        "Vendor Ticket Number",
        description="The field that holds the key by which this program finds its incidents: 60 characters, on "
        "`HPD:IncidentInterface_Create` and `HPD:IncidentInterface`, used by nobody else, and best with an index.",
    )
    company: Text | None = Field(None, description="Company of the customer (`Company`).")
    customer: Customer | None = Field(None, description="For whom incidents are.")
    support_group: SupportGroup | None = Field(
        None, description="Who gets incidents where neither route nor CI names a group."
    )
    template: Text | None = Field(None, description="Incident template, by its name or its instance id.")
    operational_categories: Tiers = Field(
        (), description="Operational categorization: up to three tiers, or `A > B > C`."
    )
    product_categories: Tiers = Field((), description="Product categorization: up to three tiers, or `A > B > C`.")
    service_ci: ServiceCi | None = Field(None, description="The service that incidents are about.")
    reported_source: Text = Field("Systems Management", description="Reported source, by its label.")
    service_type: Text = Field("Infrastructure Event", description="Service type, by its label.")
    fields: Mapping[FieldName, str] = Field(
        default_factory=dict,
        description="Further fields of every incident, by the names of `HPD:IncidentInterface_Create`, capitals, "
        "blanks and underscores as there.",
    )
    impact: Mapping[int, Text] = Field(
        default_factory=lambda: dict(IMPACTS), description="Labels of `Impact` for our 1 (high) to 3 (low)."
    )
    urgency: Mapping[int, Text] = Field(
        default_factory=lambda: dict(URGENCIES),
        description="Labels of `Urgency` for our 1 (high) to 3 (low); BMC computes the priority from both.",
    )
    status_reasons: tuple[Text, ...] = Field(
        STATUS_REASONS,
        min_length=1,
        max_length=10,
        description="Status reasons of a resolved incident, the best first; one that BMC refuses is passed over.",
    )
    assignee: Assignee | None = Field(
        None, description="Who an incident is assigned to when it is resolved and has nobody; BMC wants somebody."
    )
    when_not_resolvable: WhenNotResolvable = Field(
        WhenNotResolvable.NOTE,
        description="What is done when BMC does not let an incident be resolved, such as for want of an assignee: "
        "`note` (a work note says that the problem is over, and the resolve waits for a person) or `refuse` (it waits "
        "without a note).",
    )
    work_info_type: Text = Field("General Information", description="Type of work notes.")
    work_info_access: Text = Field("Internal", description="View access of work notes: `Internal` or `Public`.")
    incident_url: str = Field(
        "",
        description="Where people open an incident, on the host of Smart IT, Progressive Web Apps or the Mid Tier, "
        "with `{number}`, `{entry_id}` or `{instance_id}` in it; without it work items have no link.",
    )

    cmdb: CmdbSettings = Field(default_factory=CmdbSettings, description="How configuration items are found.")

    @field_validator("fields")
    @classmethod
    def _not_ours(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        for name in fields:
            if (why := why_not_settable(name)) is not None:
                raise ValueError(why)
        return fields

    @field_validator("impact", "urgency")
    @classmethod
    def _whole(cls, table: Mapping[int, str]) -> Mapping[int, str]:
        if set(table) != {1, 2, 3}:
            raise ValueError("write a label for each of 1, 2 and 3")
        return table

    @field_validator("incident_url")
    @classmethod
    def _is_template(cls, url: str) -> str:
        if not url:
            return url
        try:
            places = {name for _, name, spec, how in string.Formatter().parse(url) if name is not None or spec or how}
        except ValueError:
            raise ValueError("write { and } around number, entry_id or instance_id only") from None
        if not places or not places <= _PLACES:
            raise ValueError("write {number}, {entry_id} or {instance_id} where the incident's own stands")
        if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).hostname:
            raise ValueError("write it with its scheme and host, such as https://acme-smartit.onbmc.com/…")
        return url

    @property
    def login(self) -> str:
        """The login name that this program has there."""
        return self.username or (self.rsso.subject if self.rsso is not None else "")

    @model_validator(mode="after")
    def _key_is_free(self) -> Self:
        if self.key_field in OUR_FIELDS or self.key_field in self.fields:
            raise ValueError(f"{self.key_field} is used for something else: name another key_field")
        return self


def why_not_settable(field: str) -> str | None:
    """Say why a route cannot set a field of an incident; None: it can."""
    if field in OUR_FIELDS:
        return f"{field} is written by Secure Export or by BMC itself: it cannot be set"
    if not _FIELD_NAME.fullmatch(field):
        return f"{field!r} is no name of a field"
    return None
