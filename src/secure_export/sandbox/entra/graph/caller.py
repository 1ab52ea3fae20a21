"""Who calls Graph, and what they may do there (entra-facts 5.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from secure_export.sandbox.entra.graph.errors import denied
from secure_export.sandbox.entra.graph.tenant import Tenant

ALL: Final = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
OWNED: Final = "Application.ReadWrite.OwnedBy"
READ: Final = ALL | {"Application.Read.All", OWNED, "Directory.Read.All"}
READ_ALL: Final = READ - {OWNED}
ASSIGN: Final = "AppRoleAssignment.ReadWrite.All"
ORGANIZATION: Final = frozenset({"Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", "User.Read"})
ADMINISTRATORS: Final = frozenset(
    {"Application Administrator", "Cloud Application Administrator", "Global Administrator"}
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Attributes:
        object_id: A service principal's or a user's.
        permissions: Application permissions, or what a user consented to.
        is_user: Whether it is a person, who may do only what their directory roles and ownership allow too.
        directory_roles: A person's.
    """

    object_id: str
    permissions: frozenset[str]
    is_user: bool = False
    directory_roles: frozenset[str] = frozenset()

    @classmethod
    def of(cls, claims: Mapping[str, Any], tenant: Tenant) -> "Caller":
        """Read who it is from a token's claims."""
        if "scp" not in claims:
            return cls(str(claims.get("oid", "")), frozenset(claims.get("roles", ())))
        user = tenant.users.get(str(claims["oid"]), {})
        return cls(
            str(claims["oid"]), frozenset(claims["scp"].split()), True, frozenset(user.get("directoryRoles", ()))
        )

    @property
    def is_administrator(self) -> bool:
        """Whether no person, or one with a role that manages all applications."""
        return not self.is_user or bool(self.directory_roles & ADMINISTRATORS)

    @property
    def writes_all(self) -> bool:
        """Whether it may change every application."""
        return bool(self.permissions & ALL) and self.is_administrator

    @property
    def writes_own(self) -> bool:
        """Whether it may make applications, and change those that it owns."""
        return self.writes_all or OWNED in self.permissions or (self.is_user and bool(self.permissions & ALL))

    @property
    def owns_what_it_makes(self) -> bool:
        """Whether it becomes owner of the applications that it makes."""
        return self.is_user or not self.writes_all

    def must_read(self) -> None:
        """Refuse, unless it may read applications and service principals.

        Raises:
            RestError: It may not.
        """
        if not self.permissions & READ and not (self.is_user and "User.Read" in self.permissions):
            raise denied()

    def must_write(self, tenant: Tenant, object_id: str) -> None:
        """Refuse, unless it may change an object.

        Raises:
            RestError: It may not.
        """
        if not self.writes_all and not (self.writes_own and tenant.owns(self.object_id, object_id)):
            raise denied()

    def must_make(self) -> None:
        """Refuse, unless it may make applications.

        Raises:
            RestError: It may not.
        """
        if not self.writes_own:
            raise denied()

    def must_write_all(self) -> None:
        """Refuse, unless it may change every application.

        Raises:
            RestError: It may not.
        """
        if not self.writes_all:
            raise denied()

    def must_assign(self) -> None:
        """Refuse, unless it may assign app roles: that takes two permissions.

        Raises:
            RestError: It may not.
        """
        if ASSIGN not in self.permissions or not self.permissions & READ_ALL or not self.is_administrator:
            raise denied()

    def must_see_organization(self) -> None:
        """Refuse, unless it may read about the tenant.

        Raises:
            RestError: It may not.
        """
        if not self.permissions & ORGANIZATION:
            raise denied()
