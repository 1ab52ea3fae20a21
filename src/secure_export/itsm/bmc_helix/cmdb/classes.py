"""What binding asks of a CMDB, and what it can be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from secure_export.itsm.bmc_helix.cmdb.ci_rows import Row


@dataclass(frozen=True, slots=True)
class CmdbClass:
    """A class.

    Attributes:
        name: Its name, such as ``BMC_ComputerSystem``.
        namespace: Its namespace, such as ``BMC.CORE``.
    """

    name: str
    namespace: str = "BMC.CORE"

    def __str__(self) -> str:
        return f"{self.namespace}:{self.name}"


class CmdbClasses(Protocol):
    """Reads classes of one dataset."""

    async def rows(
        self, one: CmdbClass, qualification: str, needed: Sequence[str], further: Sequence[str], limit: int
    ) -> tuple[Row, ...]:
        """Give the instances of a class, and of the classes below it, that a qualification finds.

        Args:
            one: The class.
            qualification: What is asked for; never empty.
            needed: Attributes to give.
            further: Attributes to give as well, which are left out where the class does not have them.
            limit: How many instances at most.

        Raises:
            NotReadable: The class or a needed attribute does not exist, or may not be read.
            CmdbUnavailable: There is no answer now.
        """
        ...
