"""Who may sign in to the stand-in from the start: applications with secrets, and people with passwords."""

from dataclasses import dataclass, field
from typing import Final

from secure_export.sandbox.entra.directory import ClientApplication

DOMAIN: Final = "lindenhof-logistics.example"
PASSWORD: Final = "sandbox-password"  # noqa: S105 - the stand-in's, printed on purpose
GRAPH_APP_ID: Final = "00000003-0000-0000-c000-000000000000"
ARM_APP_ID: Final = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
# Microsoft's own ids of Graph's application permissions (entra-facts 5.1).
PERMISSIONS: Final = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
}
APPLICATION_ADMINISTRATOR: Final = "Application Administrator"


@dataclass(frozen=True, slots=True)
class Identity:
    """An application of the tenant's own that signs in with a secret.

    Attributes:
        name: Shown in the directory.
        client_id: Its application id.
        client_secret: What it proves itself with.
        permissions: The application permissions of Microsoft Graph that were granted to it.
    """

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    permissions: tuple[str, ...] = ()

    def as_client(self) -> ClientApplication:
        """Give it as the token end point knows it."""
        return ClientApplication(self.client_id, self.client_secret, self.name)


@dataclass(frozen=True, slots=True)
class User:
    """A person.

    Attributes:
        id: The object id, the same in every tenant.
        name: Shown in the directory.
        upn: What they sign in with.
        roles: Directory roles, such as ``Application Administrator``.
        password: What they prove themselves with.
    """

    id: str
    name: str
    upn: str
    roles: tuple[str, ...] = ()
    password: str = field(default=PASSWORD, repr=False)


def _identity(number: int, name: str, *permissions: str) -> Identity:
    return Identity(name, f"ad000000-0000-4000-8000-{number:012d}", f"sandbox-{name}", permissions)


_SET_UP = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Organization.Read.All")
ADMIN: Final = _identity(1, "admin", *_SET_UP)
ENTRA_ADMIN: Final = _identity(2, "entra-admin", *_SET_UP)
AZURE_OWNER: Final = _identity(3, "azure-owner", "Application.Read.All")
OWNED_BY: Final = _identity(4, "owned-by", "Application.ReadWrite.OwnedBy")
READER: Final = _identity(5, "reader")
SERVICE: Final = _identity(6, "service")
NOBODY: Final = _identity(7, "nobody")
IDENTITIES: Final = (ADMIN, ENTRA_ADMIN, AZURE_OWNER, OWNED_BY, READER, SERVICE, NOBODY)
ANNA: Final = User("ad000000-0000-4000-8000-000000000101", "Anna Berg", f"anna@{DOMAIN}", (APPLICATION_ADMINISTRATOR,))
BEN: Final = User("ad000000-0000-4000-8000-000000000102", "Ben Thal", f"ben@{DOMAIN}")
USERS: Final = (ANNA, BEN)
