"""From what people write in a route to what ServiceNow keeps: labels of choices, names of users, groups and services.

What the instance lets us read of ``sys_dictionary`` and ``sys_choice`` decides; where it lets us read nothing, what
every instance has is known here, and what is sent is compared with what comes back.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from secure_export.itsm.ended import Ended, unread
from secure_export.itsm.kept import Kept
from secure_export.itsm.servicenow.api.rows import Row, value
from secure_export.itsm.servicenow.api.table_api import Query, TableApi
from secure_export.itsm.servicenow.api.verdict import Ok
from secure_export.itsm.servicenow.keys import is_sys_id
from secure_export.itsm.servicenow.tasks.record import cut, harmless
from secure_export.itsm.texts import utf16_units as units
from secure_export.itsm.verdict import Later, NotSignedIn, Unclear

_KEPT_SECONDS = 600.0
_MISSING_SECONDS = 60.0
_MOST_PARENTS = 8
_MOST_ROWS = 2000
_LONGEST_ASKED = 200
_MOST_NAMED = 12
# Of sys_dictionary.choice; 2 is a list of suggestions, beside which any text is taken.
_CLOSED_CHOICES = frozenset({"1", "3"})
_CHOICE_COLUMNS = frozenset(
    {"category", "subcategory", "contact_type", "close_code", "resolution_code", "hold_reason", "severity"}
)
_REFERENCES: Mapping[str, str] = {
    "assigned_to": "sys_user",
    "assignment_group": "sys_user_group",
    "business_service": "cmdb_ci_service",
    "caller_id": "sys_user",
    "company": "core_company",
    "location": "cmn_location",
    "opened_by": "sys_user",
    "requested_by": "sys_user",
    "service_offering": "service_offering",
}
_SEARCHED: Mapping[str, tuple[str, ...]] = {"sys_user": ("user_name", "email", "name"), "incident": ("number",)}


@dataclass(frozen=True, slots=True)
class Column:
    """What is to be known of a column.

    Attributes:
        reference: The table that it refers to; empty: it is no reference.
        has_choices: Whether only the values of ``sys_choice`` are taken.
        max_length: How long its text may be; None: not known.
    """

    reference: str = ""
    has_choices: bool = False
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice column, with its label in English."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """Fields in ServiceNow's own values.

    Attributes:
        values: What can be sent.
        remarks: What could not be found, and is left out.
    """

    values: Mapping[str, str]
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Resolving:
    values: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


class Choices:
    """Looks up what fields can hold.

    Args:
        api: The instance.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, api: TableApi, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._lines = Kept(self._read_line, seconds=_for_long, monotonic=monotonic)
        self._columns = Kept(self._read_columns, seconds=_longer_if_found, monotonic=monotonic)
        self._choices = Kept(self._read_choices, seconds=_longer_if_found, monotonic=monotonic)
        self._found = Kept(self._find, seconds=_longer_if_found, monotonic=monotonic)

    async def fields(self, table: str, wanted: Mapping[str, str], *, quiet: frozenset[str] = frozenset()) -> Resolved:
        """Give fields in ServiceNow's values; what cannot be found is left out and told.

        Args:
            table: The table of the record.
            wanted: By field, what a person wrote.
            quiet: Fields that are left out without a word where the table does not have them.

        Raises:
            Ended: The instance gave no answer now.
        """
        columns = await self.columns(table)
        resolving = _Resolving()
        for name, text in wanted.items():
            if not text.strip():
                continue
            column = columns.get(name) if columns else _known_column(name)
            if column is not None:
                await self._field(table, name, column, text.strip(), resolving)
            elif name not in quiet:
                resolving.remarks.append(f"{table} has no field {name}: it was left out")
        return Resolved(resolving.values, tuple(resolving.remarks))

    async def columns(self, table: str) -> Mapping[str, Column]:
        """Give the columns of a table, inherited ones too; empty when the instance does not let us read them."""
        return await self._columns.get(table)

    async def of(self, table: str, column: str) -> Sequence[Choice]:
        """Give the choices of a column; empty when there are none or they cannot be read."""
        return await self._choices.get((table, column))

    async def usable(self, table: str, column: str, preferred: Sequence[str]) -> tuple[str, ...]:
        """Give those of some values or labels that a column can hold, in their order, as values.

        Where the choices cannot be read all of them are given.
        """
        there = await self.of(table, column)
        if not there:
            return tuple(preferred)
        found = (_chosen(there, text) for text in preferred)
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def forget(self, table: str, *columns: str) -> None:
        """Read the choices of columns anew the next time: something of them was refused or blanked."""
        for column in columns:
            self._choices.forget((table, column))

    async def close(self) -> None:
        """Stop reading."""
        for kept in (self._lines, self._columns, self._choices, self._found):
            await kept.close()

    async def _field(self, table: str, name: str, column: Column, text: str, into: _Resolving) -> None:
        if column.reference:
            found = text.lower() if is_sys_id(text) else await self._found.get((column.reference, text))
            if len(found) == 32 and is_sys_id(found):  # noqa: PLR2004 - a sys_id
                into.values[name] = found
            else:
                into.remarks.append(f"{name} was left empty: {found or _no_such(column.reference, text)}")
            return
        there = await self.of(table, name) if column.has_choices else ()
        chosen = _chosen(there, text) if there else harmless(text)
        if chosen is None:
            labels = ", ".join(choice.label for choice in there[:_MOST_NAMED])
            into.remarks.append(f"{name} was left empty: {cut(text, 60)!r} is none of its choices ({labels})")
            return
        if column.max_length is not None and units(chosen) > column.max_length:
            chosen = cut(chosen, column.max_length)
            into.remarks.append(f"{name} was cut to the {column.max_length} characters that it takes")
        into.values[name] = chosen

    async def _read_line(self, table: str) -> tuple[str, ...]:
        """A table and those that it extends, nearest first."""
        line = [table]
        while line[-1] != "task" and len(line) < _MOST_PARENTS:
            query = Query(f"name={line[-1]}", ("super_class.name",), limit=2)
            rows = await self._rows("sys_db_object", query)
            parents = [value(row, "super_class.name") for row in rows]
            if len(parents) != 1 or not parents[0] or parents[0] in line:
                break
            line.append(parents[0])
        return tuple(dict.fromkeys((*line, "task")))

    async def _read_columns(self, table: str) -> Mapping[str, Column]:
        line = await self._lines.get(table)
        names = ("name", "element", "internal_type", "reference", "max_length", "choice")
        rows = await self._rows("sys_dictionary", Query(f"nameIN{','.join(line)}", names, limit=_MOST_ROWS))
        rows = [row for row in rows if value(row, "name") in line and value(row, "element")]
        if not any(value(row, "element") == "short_description" for row in rows):
            return {}  # what is shown is not the whole: nothing can be said to be missing
        nearest_last = sorted(rows, key=lambda row: -line.index(value(row, "name")))
        return {value(row, "element"): _column(row) for row in nearest_last}

    async def _read_choices(self, key: tuple[str, str]) -> Sequence[Choice]:
        table, column = key
        line = await self._lines.get(table)
        query = f"nameIN{','.join(line)}^element={column}^inactive=false^language=en"
        names = ("name", "element", "value", "label", "inactive")
        rows = await self._rows("sys_choice", Query(query, names, limit=_MOST_ROWS))
        rows = [row for row in rows if value(row, "element") == column and value(row, "inactive") != "true"]
        for name in line:
            own = [row for row in rows if value(row, "name") == name]
            if own:
                return tuple(Choice(value(row, "value"), value(row, "label")) for row in own)
        return ()

    async def _find(self, key: tuple[str, str]) -> str:
        """The ``sys_id`` of a record by its name; else why there is none, or an empty text when it is not there."""
        table, text = key
        if "^" in text or not text.isprintable() or len(text) > _LONGEST_ASKED or _is_script(text):
            return f"{cut(text, 60)!r} cannot be looked up"
        columns = _SEARCHED.get(table, ("name",))
        query = "^OR".join(f"{column}={text}" for column in columns)
        told = await self._api.rows(table, Query(query, ("sys_id", "active", *columns), limit=50))
        if isinstance(told, Later | NotSignedIn | Unclear):
            raise Ended(unread(told, table))
        if not isinstance(told, Ok):
            return f"{table} cannot be read ({told.reason})"
        return _one_of(table, text, columns, told.result)

    async def _rows(self, table: str, query: Query) -> Sequence[Row]:
        """Rows of a table that may be closed to us: then there are none."""
        told = await self._api.rows(table, query)
        if isinstance(told, Later | NotSignedIn | Unclear):
            raise Ended(unread(told, table))
        return told.result if isinstance(told, Ok) else ()


def _one_of(table: str, text: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    """The one row that is meant: by the most telling column, and in use rather than not."""
    for column in columns:
        # An instance passes over terms that it does not understand, and then gives any row.
        named = [row for row in rows if _same(value(row, column), text)]
        in_use = [row for row in named if value(row, "active") != "false"] or named
        if len(in_use) == 1:
            return value(in_use[0], "sys_id")
        if in_use:
            return (
                f"{len(in_use)} rows of {table} are called {cut(text, 60)!r}; write the sys_id of the one that is meant"
            )
    return ""


def _no_such(table: str, text: str) -> str:
    columns = " or ".join(_SEARCHED.get(table, ("name",)))
    return f"{table} has nothing with the {columns} {cut(text, 60)!r} that the integration user can see"


def _is_script(text: str) -> bool:
    """Whether an instance would carry a value out rather than look for it."""
    return text.lstrip().casefold().startswith("javascript:")


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _chosen(there: Sequence[Choice], text: str) -> str | None:
    for choice in there:
        if choice.value == text:
            return choice.value
    return next((c.value for c in there if _same(c.label, text) or _same(c.value, text)), None)


def _column(row: Row) -> Column:
    length, kind, choice = (value(row, name) for name in ("max_length", "internal_type", "choice"))
    return Column(
        reference=value(row, "reference") if kind == "reference" else "",
        has_choices=choice in _CLOSED_CHOICES or (choice == "" and value(row, "element") in _CHOICE_COLUMNS),
        max_length=int(length) if kind == "string" and length.isascii() and length.isdecimal() else None,
    )


def _known_column(name: str) -> Column:
    return Column(reference=_REFERENCES.get(name, ""), has_choices=name in _CHOICE_COLUMNS)


def _for_long(_: object) -> float:
    return _KEPT_SECONDS


def _longer_if_found(found: object) -> float:
    """What was found is kept longer than that nothing was."""
    return _KEPT_SECONDS if found and (not isinstance(found, str) or is_sys_id(found)) else _MISSING_SECONDS
