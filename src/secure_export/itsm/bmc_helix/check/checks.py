"""``secure-export check`` for a connection of type ``bmc-helix``: tries everything, and leaves no trace."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from secure_export.itsm.bmc_helix.check.cmdb import CheckCmdb
from secure_export.itsm.bmc_helix.check.forms import CheckForms
from secure_export.itsm.bmc_helix.check.names import CheckNames
from secure_export.itsm.bmc_helix.check.records import CheckRecords
from secure_export.itsm.bmc_helix.check.sign_in import CheckSignIn
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClasses
from secure_export.itsm.bmc_helix.tools import Tools
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.ended import Ended
from secure_export.itsm.sign_in import SignIn

_Part = Callable[[], Coroutine[Any, Any, Sequence[CheckResult]]]


class Checks:
    """Tries a connection.

    Args:
        tools: What the steps of the connection share.
        sign_in: The way to sign in.
        classes: Reads the CMDB.
    """

    def __init__(self, tools: Tools, sign_in: SignIn, classes: CmdbClasses) -> None:
        self._sign_in = CheckSignIn(tools.settings, sign_in, tools.api, clock=tools.clock)
        self._parts: Sequence[tuple[str, _Part]] = (
            ("forms", CheckForms(tools).run),
            ("incidents", CheckRecords(tools).run),
            ("names", CheckNames(tools).run),
            ("read CMDB", CheckCmdb(classes, tools.settings.cmdb).run),
        )

    async def run(self) -> Sequence[CheckResult]:
        """Try signing in, and when that works all the rest."""
        signed_in = await self._sign_in.run()
        results = list(signed_in.results)
        if not signed_in.let_in:
            return [*results, CheckResult("everything else", passed=False, detail="not tried without signing in")]
        for subject, part in self._parts:
            try:
                results += await part()
            except Ended as error:
                results.append(CheckResult(subject, passed=False, detail=str(error)))
        return results
