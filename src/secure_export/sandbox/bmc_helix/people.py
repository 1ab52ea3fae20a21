"""Who may sign in, what they may do, and which companies' records they see."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

ADMINISTRATOR: Final = "Administrator"
PASSWORD: Final = "sandbox-only-not-a-secret"  # noqa: S105 - of the sandbox, documented
INTEGRATION_ROLES: Final = frozenset({"Incident Master", "CMDB Data View All", "Contact People User"})

_INCIDENT_READERS: Final = frozenset({"Incident Viewer", "Incident User", "Incident Master"})
_INCIDENT_WRITERS: Final = frozenset({"Incident User", "Incident Master"})
_CMDB_READERS: Final = frozenset({"CMDB Data View All", "CMDB Data Change All", "Asset Viewer", "Asset Admin"})
_CMDB_WRITERS: Final = frozenset({"CMDB Data Change All"})
_PEOPLE_READERS: Final = frozenset({"Contact People User", "Contact People Admin"})
_ANYONE: Final = frozenset({"*"})
_NOBODY: Final = frozenset[str]()
_RIGHTS: Final = (
    ("HPD:", _INCIDENT_READERS, _INCIDENT_WRITERS),
    ("AST:CMDB Associations", _INCIDENT_READERS, _INCIDENT_WRITERS),
    ("BMC.CORE:", _CMDB_READERS, _NOBODY),
    ("AST:", _CMDB_READERS, _NOBODY),
    ("CTM:People", _PEOPLE_READERS, frozenset({"Contact People Admin"})),
    ("CTM:", _ANYONE, _NOBODY),
    ("COM:", _ANYONE, _NOBODY),
)
"""Which roles read and write which forms, by the beginning of the form's name; the first that fits decides."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody, or a program, that signs in.

    Attributes:
        login: The login name, which is case-sensitive.
        password: The password.
        roles: Permission groups, by name.
        companies: Whose records they see; None: everybody's.
        parallel_allowed: Whether requests at the same time are no matter to them.
    """

    login: str
    password: str = PASSWORD
    roles: frozenset[str] = field(default=INTEGRATION_ROLES)
    companies: frozenset[str] | None = None
    parallel_allowed: bool = False

    def may_read(self, form: str) -> bool:
        """Say whether they may read a form."""
        return self._holds(_rights(form)[0])

    def may_write(self, form: str) -> bool:
        """Say whether they may write to a form."""
        return self._holds(_rights(form)[1])

    @property
    def may_read_cmdb(self) -> bool:
        """Whether they may use the CMDB API."""
        return self._holds(_CMDB_READERS)

    @property
    def may_write_cmdb(self) -> bool:
        """Whether they may change the CMDB."""
        return self._holds(_CMDB_WRITERS)

    def sees(self, company: str | None) -> bool:
        """Say whether they see a record of a company; records without one are everybody's."""
        return self.companies is None or company is None or company in self.companies

    def _holds(self, wanted: frozenset[str]) -> bool:
        return ADMINISTRATOR in self.roles or wanted is _ANYONE or bool(self.roles & wanted)


SYSTEM: Final = Account("AR_ESCALATOR", roles=frozenset({ADMINISTRATOR}))
"""The server itself."""
GUEST: Final = Account("Guest", "", frozenset())
"""Whoever could not sign in, where guests are allowed."""


class Accounts:
    """The accounts by login."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    def set(self, account: Account) -> Account:
        """Make an account, or put another in its place."""
        self._accounts[account.login] = account
        return account

    def get(self, login: str) -> Account | None:
        """Find an account."""
        return self._accounts.get(login)

    def remove(self, login: str) -> None:
        """Take an account away."""
        self._accounts.pop(login, None)

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._accounts.values()))


def _rights(form: str) -> tuple[frozenset[str], frozenset[str]]:
    for beginning, readers, writers in _RIGHTS:
        if form.startswith(beginning):
            return readers, writers
    return _NOBODY, _NOBODY
