"""Tries what binding needs of the CMDB: a part of ``secure-export check``."""

from collections.abc import Sequence

from secure_export.itsm.cmdb_reading import CmdbUnavailable, NotReadable
from secure_export.itsm.contract import CheckResult
from secure_export.itsm.servicenow.cmdb.ci_classes import OBJECT_ID, Place
from secure_export.itsm.servicenow.cmdb.ci_sources import SOURCES
from secure_export.itsm.servicenow.cmdb.class_proofs import NOWHERE, ClassProofs, Proof
from secure_export.itsm.servicenow.cmdb.settings import CmdbSettings
from secure_export.itsm.servicenow.cmdb.tables import NOBODYS_ID, CmdbTables, any_of, in_words

_EVERY_CI = "cmdb_ci"
_TRIED = (
    "cmdb_ci_vm_instance",
    "cmdb_ci_server",
    "cmdb_ci_cloud_database",
    "cmdb_ci_cloud_storage_account",
    "cmdb_ci_cloud_webserver",
    "cmdb_ci_cloud_function",
    "cmdb_ci_cmp_resource",
)
_FILL = (
    "CIs can then be bound by name only. The Service Graph Connector for Azure, or Cloud Discovery, brings classes "
    "with object_id; the setting cmdb.classes names classes of your own"
)


class CheckCmdb:
    """Tries reading the CMDB.

    Args:
        tables: Reads ServiceNow.
        proofs: Knows which classes have which columns.
        settings: What the configuration says.
    """

    def __init__(self, tables: CmdbTables, proofs: ClassProofs, settings: CmdbSettings) -> None:
        self._tables = tables
        self._proofs = proofs
        self._settings = settings

    async def run(self) -> Sequence[CheckResult]:
        """Read the CMDB; trouble that passes is a line of its own."""
        try:
            read = await self._read()
            sources = [await self._sources()] if self._settings.use_sources else []
            return [read, await self._classes(), *sources] if read.passed else [read]
        except CmdbUnavailable as error:
            return [CheckResult("CMDB", passed=False, detail=str(error))]

    async def _read(self) -> CheckResult:
        try:
            nothing = await self._tables.rows(_EVERY_CI, any_of("name", [NOWHERE]), ("sys_id", "name"), 1)
            some = await self._tables.rows(_EVERY_CI, f"sys_id!={NOBODYS_ID}", ("sys_id", "name", "sys_class_name"), 1)
        except NotReadable as error:
            detail = f"{error}. Work items are made without a CI until then"
            return CheckResult("read CMDB", passed=False, detail=detail)
        if nothing.rows or nothing.total:
            detail = "cmdb_ci gives CIs that were not asked for: the integration user may not read cmdb_ci.name"
            return CheckResult("read CMDB", passed=False, detail=detail)
        if not some.rows and some.total:
            detail = f"{some.total} CIs are counted and none is shown: give the integration user the role cmdb_read"
            return CheckResult("read CMDB", passed=False, detail=detail)
        count = some.total if some.total is not None else len(some.rows)
        detail = f"{count} CIs in cmdb_ci" if count else "cmdb_ci shows no CI: it is empty, or hidden by an ACL"
        return CheckResult("read CMDB", passed=bool(count), detail=detail)

    async def _sources(self) -> CheckResult:
        """Try what ``use_sources`` needs: a question that must find nothing, and one that finds any row."""
        subject = "CMDB sources"
        try:
            nothing = await self._tables.rows(SOURCES, any_of("id", [NOWHERE]), ("id",), 1)
            some = await self._tables.rows(SOURCES, f"sys_id!={NOBODYS_ID}", ("id", "target_sys_id"), 1)
        except NotReadable as error:
            return CheckResult(subject, passed=False, detail=f"{error}. Until then use_sources does nothing")
        if nothing.rows or nothing.total:
            detail = f"{SOURCES} gives rows that were not asked for: the integration user may not read {SOURCES}.id"
            return CheckResult(subject, passed=False, detail=detail)
        if some.hidden and not some.rows:
            detail = f"{some.total} rows of {SOURCES} are counted and none is shown: give the user a read ACL on it"
            return CheckResult(subject, passed=False, detail=detail)
        return CheckResult(subject, passed=True, detail=f"{SOURCES} can be asked; it has {some.total or 0} rows")

    async def _classes(self) -> CheckResult:
        own = (name for names in self._settings.classes.values() for name in names)
        places = [Place(name, OBJECT_ID) for name in dict.fromkeys((*own, *_TRIED))]
        return classes_result(await self._proofs.of(places))


def classes_result(proofs: dict[Place, Proof]) -> CheckResult:
    """Say which classes can be asked by Azure resource id."""
    usable = [place.class_name for place, proof in proofs.items() if proof.usable]
    others = [proof.reason for proof in proofs.values() if not proof.usable]
    hidden = in_words(proof.blind_spot for proof in proofs.values() if proof.blind_spot is not None)
    told = f"asked by object_id: {', '.join(usable) or 'none'}"
    if hidden:
        return CheckResult("CMDB classes", passed=False, detail=f"{told}; {hidden}")
    if not usable:
        return CheckResult("CMDB classes", passed=False, detail=f"{'; '.join(others)}. {_FILL}")
    return CheckResult("CMDB classes", passed=True, detail="; ".join((told, *others)))
