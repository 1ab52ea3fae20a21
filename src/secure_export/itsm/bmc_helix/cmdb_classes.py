"""What binding asks of a CMDB, and what it can be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from secure_export.errors import SecureExportError
from secure_export.itsm.bmc_helix.ci_rows import Row


class CmdbUnavailable(SecureExportError):  # noqa: N818 - reads as what it says
    """The CMDB gave no answer that can be used now; the same question may be answered later."""


class NotReadable(SecureExportError):  # noqa: N818 - reads as what it says
    """The CMDB does not let us read a class, or does not have what was asked for; asking again will not help.

    Attributes:
        lacking_rights: Whether it is there, or may be, and we may not read it.
    """

    def __init__(self, reason: str, *, lacking_rights: bool = True) -> None:
        super().__init__(reason)
        self.lacking_rights = lacking_rights


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
        self, one: CmdbClass, qualification: str, attributes: Sequence[str], limit: int
    ) -> tuple[Row, ...]:
        """Give the instances of a class, and of the classes below it, that a qualification finds.

        Raises:
            NotReadable: The class or an attribute does not exist, or may not be read.
            CmdbUnavailable: There is no answer now.
        """
        ...
