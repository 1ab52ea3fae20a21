"""What is written out: the same bodies that ``azure apply`` sends, by the same functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from secure_export.azure.clouds import Cloud, CloudName
from secure_export.azure.setup.change import Side
from secure_export.azure.setup.permissions import (
    ADD_CALLER,
    ADD_OWNER,
    ASSIGN_ROLE,
    READ_ACTION_GROUP,
    READ_APPLICATION,
    READ_DIRECTORY,
    WRITE_ACTION_GROUP,
    WRITE_APPLICATION,
    WRITE_PROCESSING_RULE,
    Permission,
)
from secure_export.azure.setup.steps import action_group, processing_rule
from secure_export.azure.setup.steps.action_group_body import merged, receiver
from secure_export.azure.setup.steps.alert_rule import KINDS, RuleKind, kind_of
from secure_export.azure.setup.steps.application import role_id_of, role_of, wanted_body
from secure_export.azure.setup.wanted import WantedGroup, WantedTenant
from secure_export.errors import SettingsError

Json = dict[str, Any]
# Stand in bodies for what is not known before the app registration is there; no configuration can hold them.
APPLICATION_ID = "{application id}"
IDENTIFIER_URI = "{identifier uri}"


@dataclass(frozen=True, slots=True)
class Group:
    """One action group.

    Attributes:
        number: Its place, from 1; what it is called by in a file.
        wanted: What should be there.
        tenant_id: Its tenant.
    """

    number: int
    wanted: WantedGroup
    tenant_id: str

    @property
    def body(self) -> Json:
        """The whole action group where there is none; the ids that are not known yet are placeholders."""
        return merged(None, self.receiver, self.wanted.short_name)

    @property
    def receiver(self) -> Json:
        """The webhook."""
        return receiver(
            self.wanted, tenant_id=self.tenant_id, application_id=APPLICATION_ID, identifier_uri=IDENTIFIER_URI
        )

    @property
    def rule_path(self) -> str:
        """The alert processing rule's id."""
        return processing_rule.ProcessingRule(self.wanted).name

    @property
    def rule_name(self) -> str:
        """The alert processing rule's name."""
        return self.rule_path.rpartition("/")[2]

    @property
    def rule(self) -> Json:
        """The alert processing rule."""
        return processing_rule.wanted_body(self.wanted)

    @property
    def rules(self) -> list[tuple[str, RuleKind]]:
        """The alert rules that get the action group, with their kinds.

        Raises:
            SettingsError: One is of no kind that can be linked.
        """
        once = {rule.lower(): rule for rule in self.wanted.link.rules}.values()
        return [(rule, _kind_of(rule)) for rule in once]

    @property
    def does(self) -> list[str]:
        """Say what is made, line by line."""
        link = self.wanted.link
        return [
            f"the action group {self.wanted.name} with the secure webhook of the connection {self.wanted.connection}",
            *(["an alert processing rule that sends it every alert of its subscription"] if link.subscription else ()),
        ]

    @property
    def scopes(self) -> list[str]:
        """The resource groups all of whose alert rules get it."""
        return [
            f"/subscriptions/{self.wanted.subscription}/resourceGroups/{rg}" for rg in self.wanted.link.resource_groups
        ]


@dataclass(frozen=True, slots=True)
class Values:
    """What is written out of one tenant.

    Attributes:
        wanted: What should be there.
        cloud: The cloud's addresses.
        cloud_name: Which cloud.
        only: Whose work.
    """

    wanted: WantedTenant
    cloud: Cloud
    cloud_name: CloudName
    only: frozenset[Side]

    @property
    def entra(self) -> bool:
        """Whether the Entra administrator's work is written out."""
        return Side.ENTRA in self.only

    @property
    def azure(self) -> bool:
        """Whether the Azure owner's work is written out."""
        return Side.AZURE in self.only and bool(self.wanted.groups)

    @property
    def application(self) -> Json:
        """The whole app registration where there is none."""
        names = {"displayName": self.wanted.application.display_name, "signInAudience": "AzureADMyOrg"}
        return wanted_body({}, self.wanted.role) | names

    @property
    def role(self) -> Json:
        """The app role."""
        return role_of(self.application, self.wanted.role) or {}

    @property
    def role_id(self) -> str:
        """The app role's fixed id."""
        return role_id_of(self.wanted.role)

    @property
    def claims(self) -> list[Json]:
        """The optional claims of access tokens."""
        claims: list[Json] = self.application["optionalClaims"]["accessToken"]
        return claims

    @property
    def owners(self) -> list[str]:
        """Further owners; who runs the export is added where it makes action groups."""
        return list(dict.fromkeys(self.wanted.application.owners))

    @property
    def groups(self) -> list[Group]:
        """The action groups."""
        numbered = enumerate(self.wanted.groups if self.azure else (), start=1)
        return [Group(number, group, self.wanted.tenant_id) for number, group in numbered]

    @property
    def group_versions(self) -> tuple[str, ...]:
        """What action groups are read and written with; the first is described officially."""
        return (action_group.API_VERSION, *action_group.NEWER)

    @property
    def rule_versions(self) -> tuple[str, ...]:
        """What alert processing rules are read and written with."""
        return (processing_rule.API_VERSION, *processing_rule.NEWER)

    @property
    def kinds(self) -> tuple[RuleKind, ...]:
        """The kinds of alert rules that can be linked."""
        return KINDS

    @property
    def links(self) -> bool:
        """Whether alert rules that exist are linked."""
        return any(group.wanted.link.rules or group.wanted.link.resource_groups for group in self.groups)

    @property
    def subscriptions(self) -> list[str]:
        """The subscriptions of the action groups."""
        return list(dict.fromkeys(group.wanted.subscription for group in self.groups))

    @property
    def does(self) -> list[str]:
        """Say what it makes, line by line."""
        name, role = self.wanted.application.unique_name, self.wanted.role
        entra = [
            f"the app registration {name} with the app role {role}",
            "its service principal, which lets only assigned callers have tokens",
            "the role given to the service principal of Azure's action groups",
        ]
        return [*(entra if self.entra else ()), *(line for group in self.groups for line in group.does)]

    @property
    def needs(self) -> list[str]:
        """Say what whoever runs it must be allowed to do, line by line."""
        return [f"{permission.text}: {permission.why}" for permission in dict.fromkeys(self._needs())]

    @property
    def needs_declared(self) -> list[str]:
        """Say what whoever runs it must be allowed to do where alert rules are left to others, line by line."""
        rules = {kind.permission for kind in KINDS}
        return [f"{one.text}: {one.why}" for one in dict.fromkeys(self._needs()) if one not in rules]

    def label_of(self, group: Group) -> str:
        """Name an action group inside a file."""
        return f"action_group_{group.number}"

    def provider_of(self, subscription: str) -> str:
        """Name what is configured for a subscription inside a file; empty for the first."""
        place = self.subscriptions.index(subscription)
        return f"subscription_{place + 1}" if place else ""

    def _needs(self) -> Iterable[Permission]:
        yield READ_APPLICATION
        if self.entra:
            yield from (READ_DIRECTORY, WRITE_APPLICATION, ADD_CALLER, ASSIGN_ROLE)
        if self.entra and (self.owners or self.azure):
            yield ADD_OWNER
        if self.azure:
            yield from (READ_ACTION_GROUP, WRITE_ACTION_GROUP)
        for group in self.groups:
            yield from (kind.permission for _, kind in group.rules)
            yield from (kind.permission for kind in KINDS if group.scopes)
            if group.wanted.link.subscription:
                yield WRITE_PROCESSING_RULE


def _kind_of(rule_id: str) -> RuleKind:
    kind = kind_of(rule_id)
    if kind is None:
        raise SettingsError(
            f"link.rules: {rule_id} is of no kind that can be linked; take it out, and add the action group in the "
            "rule's own page"
        )
    return kind
