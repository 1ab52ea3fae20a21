"""One thing in Azure: how it is compared with what is wanted, made, and taken back."""

from typing import ClassVar, Protocol

from secure_export.azure.setup.change import Change, Side
from secure_export.azure.setup.context import Context
from secure_export.azure.setup.permissions import Permission
from secure_export.azure.setup.record import Made


class Step(Protocol):
    """One thing. A plan compares each; applying compares once more and makes what is missing; nothing else decides.

    Attributes:
        side: Whose work it is.
        kind: What it is, in a few words.
        name: Which one.
    """

    side: ClassVar[Side]
    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """Which one."""
        ...

    @property
    def needs(self) -> tuple[Permission, ...]:
        """What whoever makes it must be allowed to do."""
        ...

    @property
    def scope(self) -> str:
        """Where that must be allowed, as a path of Azure Resource Manager; empty in Entra ID."""
        ...

    async def compare(self, context: Context) -> Change:
        """Read it, note its ids in ``context.found``, and say what would be done.

        Raises:
            AzureRefused: Azure does not let it be read.
        """
        ...

    async def make(self, context: Context, change: Change) -> None:
        """Do what ``compare`` said, and wait until it shows.

        Doing it when it was done already, as by a call whose answer was lost, does no harm.
        """
        ...

    def ids(self, context: Context) -> dict[str, str]:
        """Give what Azure calls it, once it is there."""
        ...

    @staticmethod
    async def take_back(context: Context, made: Made) -> bool:
        """Take back what the record tells of, whatever is wanted by now; whether there was anything to take back."""
        ...
