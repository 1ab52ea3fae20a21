"""Short ways to write fields down."""

from secure_export.sandbox.bmc_helix.forms.model import Field, Kind, Option


def text(name: str, limit: int = 255, field_id: int = 0, *, required: bool = False) -> Field:
    """Write down a text; a limit of 0 takes any length."""
    return Field(name, field_id, Kind.CHAR, limit, required=required)


def texts(*names: str, limit: int = 255) -> list[Field]:
    """Write down several texts of one limit."""
    return [text(name, limit) for name in names]


def number(name: str, field_id: int = 0) -> Field:
    """Write down a whole number."""
    return Field(name, field_id, Kind.INTEGER)


def time(name: str, field_id: int = 0) -> Field:
    """Write down a moment."""
    return Field(name, field_id, Kind.TIME)


def choice(name: str, options: tuple[Option, ...], field_id: int = 0, *, required: bool = False) -> Field:
    """Write down a selection."""
    return Field(name, field_id, Kind.ENUM, options=options, required=required)


def file(name: str) -> Field:
    """Write down an attachment."""
    return Field(name, kind=Kind.ATTACHMENT)


def display(name: str, options: tuple[Option, ...] = ()) -> Field:
    """Write down a display-only field: workflow reads it, nothing keeps it."""
    return Field(name, kind=Kind.ENUM if options else Kind.CHAR, options=options, stored=False)


def by_server(name: str, kind: Kind = Kind.CHAR, field_id: int = 0, options: tuple[Option, ...] = ()) -> Field:
    """Write down a field that the server sets."""
    return Field(name, field_id, kind, options=options, system=True)
