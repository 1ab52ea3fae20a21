"""What a form is, and all forms of a server."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from secure_export.sandbox.bmc_helix.errors import no_field, no_form

_FIRST_OWN_ID: Final = 536_870_913
"""From here on ids belong to a site (AR System's range of regular fields)."""


class Kind(StrEnum):
    """Types of fields, by the names that the AR System gives them."""

    CHAR = "CHAR"
    INTEGER = "INTEGER"
    ENUM = "ENUM"
    TIME = "TIME"
    ATTACHMENT = "ATTACH"
    HISTORY = "STATUS_HISTORY"


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a selection.

    Attributes:
        id: What is stored.
        label: What is shown and sent.
    """

    id: int
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    Attributes:
        name: Its database name: case and blanks count.
        id: Its number; 0: the form gives one.
        kind: Its type.
        limit: How many characters it takes; 0: any number.
        options: The values of a selection, in order.
        required: An entry must have it.
        stored: False: display-only, read by workflow and then forgotten.
        system: Set by the server; what clients send is not taken.
    """

    name: str
    id: int = 0
    kind: Kind = Kind.CHAR
    limit: int = 0
    options: tuple[Option, ...] = ()
    required: bool = False
    stored: bool = True
    system: bool = False

    def option(self, label: str) -> Option | None:
        """Find a selection's value by its label."""
        return next((one for one in self.options if one.label == label), None)

    def label(self, option_id: int) -> str:
        """Give the label of a selection's value; a value that was taken away keeps its number."""
        return next((one.label for one in self.options if one.id == option_id), str(option_id))


@dataclass(frozen=True)
class Form:
    """A form.

    Attributes:
        name: Its name.
        fields: Its fields in order.
        key: The field with the entry id.
        prefix: What entry ids begin with.
        table: Where its entries are kept; forms that show the same entries name the same table.
        joined: Two entries in one: its entry ids are ``<id>|<id>``, and creating one gives no id.
        classes: For forms of the CMDB: the classes whose instances they show.
        indexed: The fields that searches are quick by.
    """

    name: str
    fields: tuple[Field, ...]
    key: str = "Request ID"
    prefix: str = ""
    table: str = ""
    joined: bool = False
    classes: frozenset[str] | None = None
    indexed: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Its fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_id(self) -> dict[int, Field]:
        """Its fields by id."""
        return {field.id: field for field in self.fields}

    @property
    def store(self) -> str:
        """The table that its entries are kept in."""
        return self.table or self.name

    def field(self, name: str) -> Field:
        """Find a field by name, or by its id in digits.

        Raises:
            ArError: There is none.
        """
        found = self.by_name.get(name) or (self.by_id.get(int(name)) if name.isascii() and name.isdigit() else None)
        if found is None:
            raise no_field(name)
        return found


def form(name: str, fields: Sequence[Field], **more: object) -> Form:
    """Make a form, and give ids to the fields that have none."""
    taken = {field.id for field in fields}
    free = (number for number in itertools.count(_FIRST_OWN_ID) if number not in taken)
    numbered = tuple(field if field.id else replace(field, id=next(free)) for field in fields)
    return Form(name, numbered, **more)  # type: ignore[arg-type] # fields of Form, by name


class Forms:
    """All forms of a server; an administrator may change them."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._forms = {one.name: one for one in forms}

    def __getitem__(self, name: str) -> Form:
        """Find a form.

        Raises:
            ArError: There is none.
        """
        if name not in self._forms:
            raise no_form(name)
        return self._forms[name]

    def __iter__(self) -> Iterator[Form]:
        return iter(self._forms.values())

    def __contains__(self, name: str) -> bool:
        return name in self._forms

    def change(self, form: str, field: str, **what: object) -> Field:
        """Change a field, such as ``required=True``, ``limit=100`` or ``options=(…)``.

        Returns:
            The field as it is now.
        """
        old = self[form]
        new = replace(old.field(field), **what)  # type: ignore[arg-type] # fields of Field, by name
        self._forms[form] = replace(old, fields=tuple(new if one.name == new.name else one for one in old.fields))
        return new

    def add(self, form: str, field: Field, *, indexed: bool = False) -> Field:
        """Add a field to a form."""
        old = self[form]
        kept = [one for one in old.fields if one.name != field.name]
        new = _numbered(field, kept)
        index = (*old.indexed, field.name) if indexed else old.indexed
        self._forms[form] = replace(old, fields=(*kept, new), indexed=index)
        return new


def _numbered(field: Field, others: Iterable[Field]) -> Field:
    highest = max([_FIRST_OWN_ID - 1, *(one.id for one in others)])
    return field if field.id else replace(field, id=highest + 1)
