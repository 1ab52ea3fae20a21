"""Looks CIs up by the rules of the configuration, in their order."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from secure_export.itsm.bmc_helix.cmdb.ci_question import (
    OR,
    joined,
    matching,
    shows_that_case_is_ignored,
    terms_for,
    value_for,
)
from secure_export.itsm.bmc_helix.cmdb.ci_reference import CiReference
from secure_export.itsm.bmc_helix.cmdb.ci_rows import NEEDED, USEFUL, Row, first_of_each, out_of_use, reference_of
from secure_export.itsm.bmc_helix.cmdb.classes import CmdbClass, CmdbClasses
from secure_export.itsm.bmc_helix.cmdb.settings import CiLookup, CmdbSettings
from secure_export.itsm.cmdb_reading import NotReadable
from secure_export.itsm.questions import in_turns, together

_ROWS_EACH = 10
_GIVEN_UP_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A CI that was found.

    Attributes:
        row: What the CMDB says of it.
        known_by: What it is bound by.
    """

    row: Row
    known_by: CiReference


@dataclass(slots=True)
class Findings:
    """What was found for one thing that was looked for.

    Attributes:
        live: The CIs that the first rule that found any in use found.
        dead: Those that are out of use.
        unreconciled: Names of those that cannot be bound, because reconciliation has not seen them.
    """

    live: list[Hit] = field(default_factory=list)
    dead: list[Hit] = field(default_factory=list)
    unreconciled: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _GivenUp:
    """Why a rule is not tried for a while."""

    reason: str
    until: float
    lacking_rights: bool


class CiSearch:
    """Asks rule after rule, each for all that is still missing at once.

    Rules that follow one another and ask the same class are asked with one call. A rule that cannot be asked is passed
    over for a while.

    Args:
        classes: Reads the CMDB.
        settings: What the configuration says.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self, classes: CmdbClasses, settings: CmdbSettings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._classes = classes
        self._further = (*USEFUL, *settings.attributes)
        self._monotonic = monotonic
        self._given_up: dict[CiLookup, _GivenUp] = {}
        self._ignores_case = False

    @property
    def lacking_rights(self) -> tuple[str, ...]:
        """Say what could not be read for want of rights, each a sentence part for people."""
        now = self._monotonic()
        return tuple(sorted({one.reason for one in self._given_up.values() if one.lacking_rights and now < one.until}))

    def why_given_up(self, rule: CiLookup) -> str:
        """Say why a rule is not tried now; empty when it is."""
        given_up = self._given_up.get(rule)
        return given_up.reason if given_up is not None and self._monotonic() < given_up.until else ""

    async def through(self, rules: Sequence[CiLookup], keys: Sequence[str]) -> dict[str, Findings]:
        """Look things up.

        Args:
            rules: The rules, in order.
            keys: What is looked for, in lower case.

        Raises:
            CmdbUnavailable: There is no answer now.
        """
        findings = {key: Findings() for key in keys}
        for _, group in groupby(rules, key=class_of_rule):
            left = [key for key in findings if not findings[key].live]
            usable = [rule for rule in group if not self.why_given_up(rule)]
            if left and usable:
                for rule, rows in (await self._asked(usable, left)).items():
                    self._take(rule, rows, {key: findings[key] for key in left if not findings[key].live})
        return findings

    async def _asked(self, rules: Sequence[CiLookup], keys: Sequence[str]) -> dict[CiLookup, tuple[Row, ...]]:
        """Ask one class by several rules; by each alone when that does not work."""
        try:
            rows = await self._rows(rules, keys)
        except NotReadable as error:
            if len(rules) == 1:
                self._give_up(rules[0], error)
                return {}
            found = [await self._asked([rule], keys) for rule in rules]
            return {rule: rows for one in found for rule, rows in one.items()}
        return dict.fromkeys(rules, rows)

    async def _rows(self, rules: Sequence[CiLookup], keys: Sequence[str]) -> tuple[Row, ...]:
        spellings = not self._ignores_case
        asked = dict.fromkeys((rule, value_for(rule, key)) for key in keys for rule in rules)
        turns = in_turns((terms_for(rule, value, spellings=spellings) for rule, value in asked), OR)
        wanted = {value: (value,) for _, value in asked}
        found = await together([self._turn(rules, terms, wanted) for terms in turns]) if turns else []
        return tuple(row for rows in found for row in rows)

    async def _turn(
        self, rules: Sequence[CiLookup], terms: Sequence[str], wanted: Mapping[str, Sequence[str]]
    ) -> tuple[Row, ...]:
        """Ask once; when there is more than the answer has room for, in halves."""
        limit = _ROWS_EACH * len(terms)
        needed = tuple(dict.fromkeys((*NEEDED, *(rule.attribute for rule in rules))))
        rows = await self._classes.rows(class_of_rule(rules[0]), joined(terms), needed, self._further, limit)
        if len(rows) < limit:
            return rows
        if sum(_was_asked(row, rules, wanted) for row in rows) < len(rows) / 2:
            raise NotReadable(f"{rules[0].class_name} gives CIs that were not asked for", lacking_rights=False)
        if len(terms) == 1:
            return rows
        middle = len(terms) // 2
        first = await self._turn(rules, terms[:middle], wanted)
        return (*first, *await self._turn(rules, terms[middle:], wanted))

    def _take(self, rule: CiLookup, rows: Sequence[Row], findings: Mapping[str, Findings]) -> None:
        """Sort rows to what they were found for; one that nothing was asked for is left out."""
        wanted: dict[str, list[str]] = defaultdict(list)
        for key in findings:
            wanted[value_for(rule, key)].append(key)
        for row in first_of_each(rows):
            has = row.get(rule.attribute, "")
            keys = matching(rule, has, wanted)
            if keys and shows_that_case_is_ignored(rule, has):
                self._ignores_case = True
            for key in keys:
                _sort_in(findings[key], row, rule)

    def _give_up(self, rule: CiLookup, error: NotReadable) -> None:
        until = self._monotonic() + _GIVEN_UP_SECONDS
        self._given_up[rule] = _GivenUp(str(error), until, error.lacking_rights)


def class_of_rule(rule: CiLookup) -> CmdbClass:
    """Give the class that a rule asks."""
    return CmdbClass(rule.class_name, rule.namespace)


def _was_asked(row: Row, rules: Sequence[CiLookup], wanted: Mapping[str, Sequence[str]]) -> bool:
    return any(matching(rule, row.get(rule.attribute, ""), wanted) for rule in rules)


def _sort_in(findings: Findings, row: Row, rule: CiLookup) -> None:
    known_by = reference_of(row, rule.class_name)
    if known_by is None:
        name = row.get("Name", "") or row.get(rule.attribute, "")
        if not out_of_use(row) and name not in findings.unreconciled:
            findings.unreconciled.append(name)
    elif not out_of_use(row):
        findings.live.append(Hit(row, known_by))
    elif all(hit.known_by.identity != known_by.identity for hit in findings.dead):
        findings.dead.append(Hit(row, known_by))
