"""Tries what binding needs of BMC's CMDB: a part of ``secure-export check``."""

from collections.abc import Sequence

from secure_export.itsm.bmc_helix.api.qualification import equal, field, together
from secure_export.itsm.bmc_helix.cmdb.ci_question import joined, terms_for
from secure_export.itsm.bmc_helix.cmdb.ci_rows import NEEDED, Row, reference_of
from secure_export.itsm.bmc_helix.cmdb.ci_search import class_of_rule
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClass, CmdbClasses
from secure_export.itsm.bmc_helix.cmdb.settings import CiLookup, CmdbSettings, Source
from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable
from secure_export.itsm.contract import CheckResult

_EVERY = CmdbClass("BMC_BaseElement")
_NOWHERE = "secure-export-asks-for-nothing"
_SOME = 20
_LATER = "Incidents are made without a CI until then"


class CheckCmdb:
    """Tries reading the CMDB.

    Args:
        classes: Reads the CMDB.
        settings: What the configuration says.
    """

    def __init__(self, classes: CmdbClasses, settings: CmdbSettings) -> None:
        self._classes = classes
        self._settings = settings

    async def run(self) -> Sequence[CheckResult]:
        """Read the CMDB; trouble that passes is a line of its own."""
        try:
            rows = await self._some()
            results = [self._read_result(rows), *[await self._rule(rule) for rule in self._settings.ci_lookup]]
            return [*results, await self._case(rows)] if rows else results
        except NotReadable as error:
            return [CheckResult("read CMDB", passed=False, detail=f"{error}. {_LATER}")]
        except CmdbUnavailable as error:
            return [CheckResult("read CMDB", passed=False, detail=str(error))]

    async def _some(self) -> tuple[Row, ...]:
        """Give some CIs that are reconciled."""
        asked = f'{field("ReconciliationIdentity")} != "0"'
        return await self._classes.rows(_EVERY, asked, NEEDED, (), _SOME)

    def _read_result(self, rows: Sequence[Row]) -> CheckResult:
        dataset = self._settings.dataset
        if not rows:
            detail = (
                f"dataset {dataset} shows no reconciled CI: it is empty, or row-level access hides its CIs (give the "
                f"integration user access to their company, or CMDB Data View All). {_LATER}"
            )
            return CheckResult("read CMDB", passed=False, detail=detail)
        unbindable = sum(reference_of(row, _EVERY.name) is None for row in rows)
        if unbindable == len(rows):
            detail = (
                f"CIs of {dataset} are shown without ClassId or ReconciliationIdentity: let the user read both "
                f"attributes. {_LATER}"
            )
            return CheckResult("read CMDB", passed=False, detail=detail)
        return CheckResult("read CMDB", passed=True, detail=f"CIs of {dataset} are shown ({self._settings.api.value})")

    async def _rule(self, rule: CiLookup) -> CheckResult:
        """Ask for what no CI has: what finds something was not understood."""
        subject = f"CI look-up {rule.class_name}.{rule.attribute}"
        asked = joined(terms_for(rule, _NOWHERE, spellings=False))
        try:
            found = await self._classes.rows(class_of_rule(rule), asked, (*NEEDED, rule.attribute), (), 1)
        except NotReadable as error:
            return CheckResult(subject, passed=False, detail=f"{error}. This rule is passed over until then")
        if found:
            detail = (
                f"CIs are found that were not asked for: does {rule.class_name} have the attribute {rule.attribute}?"
            )
            return CheckResult(subject, passed=False, detail=detail)
        return CheckResult(subject, passed=True, detail=f"it can be asked (source {rule.source.value})")

    async def _case(self, rows: Sequence[Row]) -> CheckResult:
        """Say whether names are found in another case than their own."""
        subject = "CMDB upper and lower case"
        named = next((row for row in rows if row.get("Name", "").lower() != row.get("Name", "")), None)
        if named is None:
            return CheckResult(subject, passed=True, detail="not known: the names that were read are in lower case")
        name, identity = named["Name"], named.get("ReconciliationIdentity", "")
        asked = together(equal("Name", name.lower()), equal("ReconciliationIdentity", identity))
        if await self._classes.rows(_EVERY, asked, NEEDED, (), 1):
            return CheckResult(subject, passed=True, detail="the database does not heed it")
        ids = any(rule.source is Source.RESOURCE_ID for rule in self._settings.ci_lookup)
        more = "; keep resource ids in lower case" if ids else ""
        detail = f"the database heeds it: names are asked for in lower case and in capitals{more}"
        return CheckResult(subject, passed=True, detail=detail)
