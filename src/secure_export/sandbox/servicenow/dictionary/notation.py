"""Reads the short notation in which the shipped tables are written down.

A table is a line ``name | parent | label | prefix of numbers | display column``; the indented lines after it are its
columns, ``name | type … | label``. After the type may stand a length, ``choice``, ``ro`` (read only), ``unique``, the
table a reference points into, and at last ``=default``.
"""

from collections.abc import Iterator

from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType, Table

_SHORT_TYPES = {
    "time": ColumnType.DATE_TIME,
    "date": ColumnType.DATE,
    "duration": ColumnType.DURATION,
    "list": ColumnType.LIST,
    "journal": ColumnType.JOURNAL,
    "guid": ColumnType.GUID,
    "class": ColumnType.CLASS_NAME,
}
_LENGTHS = {
    ColumnType.REFERENCE: 32,
    ColumnType.GUID: 32,
    ColumnType.LIST: 4000,
    ColumnType.JOURNAL: 4000,
    ColumnType.URL: 1024,
    ColumnType.CLASS_NAME: 80,
}
_DEFAULT_LENGTH = 40


def read_tables(text: str) -> Iterator[Table]:
    """Read tables with their columns."""
    table: Table | None = None
    for line in filter(str.strip, text.splitlines()):
        parts = [part.strip() for part in line.split("|")]
        if line.startswith(" "):
            if table is not None:
                table.columns[parts[0]] = _column(*parts)
            continue
        if table is not None:
            yield table
        name, parent, label, prefix, display = [*parts, "", ""][:5]
        table = Table(name, label, parent, display=display, prefix=prefix)
    if table is not None:
        yield table


def _column(name: str, shape: str, label: str) -> Column:
    words, _, default = shape.partition("=")
    kind, *rest = words.split()
    column_type = _SHORT_TYPES.get(kind) or ColumnType(kind)
    lengths = [int(word) for word in rest if word.isdigit()]
    flags = {word for word in rest if word in {"choice", "ro", "unique"}}
    return Column(
        name,
        label,
        column_type,
        max_length=lengths[0] if lengths else _LENGTHS.get(column_type, _DEFAULT_LENGTH),
        reference=next((word for word in rest if not word.isdigit() and word not in flags), ""),
        choice="choice" in flags,
        default=default.strip(),
        read_only="ro" in flags,
        unique="unique" in flags,
    )
