"""A CMDB in memory that understands the qualifications that are written here, and misbehaves as a test wants."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from secure_export.itsm.bmc_helix.cmdb.ci_rows import Row
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClass

_TERM = re.compile(r"'([^']+)' (!=|=|LIKE) \"((?:[^\"]|\"\")*)\"")
_BELOW = {
    "BMC_BaseElement": None,
    "BMC_ComputerSystem": {"BMC_COMPUTERSYSTEM", "BMC_MAINFRAME"},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question."""

    one: CmdbClass
    qualification: str
    needed: tuple[str, ...]
    limit: int


@dataclass
class FakeCmdb:
    """Instances of ``BMC.ASSET``.

    Attributes:
        heeds_case: Whether the database does.
        trouble: Raises in place of an answer.
        ignores: Attributes whose terms find everything, as if the query was not understood.
    """

    rows_: list[Row] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    heeds_case: bool = False
    trouble: Callable[[Asked], None] = lambda _: None
    ignores: set[str] = field(default_factory=set)

    def add(self, name: str, identity: str = "", ci_class: str = "BMC_COMPUTERSYSTEM", **attributes: str) -> None:
        known = identity or f"OI-{len(self.rows_):04d}"
        self.rows_.append({"Name": name, "ClassId": ci_class, "ReconciliationIdentity": known, **attributes})

    async def rows(
        self, one: CmdbClass, qualification: str, needed: Sequence[str], further: Sequence[str], limit: int
    ) -> tuple[Row, ...]:
        asked = Asked(one, qualification, tuple(needed), limit)
        self.asked.append(asked)
        self.trouble(asked)
        within = _BELOW.get(one.name, {one.name.upper()})
        rows = [row for row in self.rows_ if within is None or row["ClassId"] in within]
        shown = {*needed, *further}
        found = [row for row in rows if self._fits(row, qualification)][:limit]
        return tuple({name: value for name, value in row.items() if name in shown} for row in found)

    def _fits(self, row: Row, qualification: str) -> bool:
        together = all if ") AND (" in qualification else any
        return together(self._term(row, *match.groups()) for match in _TERM.finditer(qualification))

    def _term(self, row: Row, name: str, operator: str, text: str) -> bool:
        if name in self.ignores:
            return True
        has, wanted = row.get(name, ""), text.replace('""', '"')
        if not self.heeds_case:
            has, wanted = has.lower(), wanted.lower()
        if operator == "!=":
            return has != wanted
        if operator == "=":
            return has == wanted
        pattern = "".join(".*" if one == "%" else "." if one == "_" else re.escape(one) for one in wanted)
        return re.fullmatch(pattern, has) is not None
