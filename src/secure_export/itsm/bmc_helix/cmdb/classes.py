"""What binding asks of a CMDB, and what it can be told."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from secure_export.errors import SecureExportError
from secure_export.itsm.bmc_helix.cmdb.ci_rows import Row

T = TypeVar("T")


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


async def together(questions: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Ask several questions at a time; when one fails none goes on."""
    if len(questions) == 1:  # the usual case, without the cost of a task
        return [await questions[0]]
    asked = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*asked)
    finally:
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
