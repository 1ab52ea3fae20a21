"""Puts the shipped tables together, and adds the columns that every table has."""

from dataclasses import replace
from functools import cache

from secure_export.sandbox.servicenow.dictionary.cmdb import CMDB, CMDB_CLASSES
from secure_export.sandbox.servicenow.dictionary.events import EVENTS
from secure_export.sandbox.servicenow.dictionary.model import Column, Table
from secure_export.sandbox.servicenow.dictionary.notation import read_tables
from secure_export.sandbox.servicenow.dictionary.people import PEOPLE
from secure_export.sandbox.servicenow.dictionary.platform import OTHER_TABLES, PLATFORM
from secure_export.sandbox.servicenow.dictionary.tasks import TASKS

_EVERYWHERE = """
everywhere | | Every table
  sys_id         | guid ro        | Sys ID
  sys_created_on | time ro        | Created
  sys_created_by | string 40 ro   | Created by
  sys_updated_on | time ro        | Updated
  sys_updated_by | string 40 ro   | Updated by
  sys_mod_count  | integer ro     | Updates
"""
_CLASS = """
class | | Every extended table
  sys_class_name | class          | Class
"""


def shipped_tables() -> list[Table]:
    """Give the tables of a new instance, parents before children; nobody else has these very ones."""
    return [replace(table, columns=dict(table.columns), overrides=dict(table.overrides)) for table in _tables_once()]


@cache
def _tables_once() -> tuple[Table, ...]:
    texts = (PLATFORM, OTHER_TABLES, PEOPLE, TASKS, CMDB, CMDB_CLASSES, EVENTS)
    tables = [table for text in texts for table in read_tables(text)]
    extended = {table.parent for table in tables}
    for table in tables:
        if not table.parent:
            add_base_columns(table, extended=table.name in extended)
    by_name = {table.name: table for table in tables}
    for table in tables:
        _split_overrides(table, by_name)
    return tuple(tables)


def add_base_columns(table: Table, *, extended: bool) -> None:
    """Add what the first table of every family has; with its class, if others extend it."""
    table.columns = {**_base_columns(extended=extended), **table.columns}


@cache
def _base_columns(*, extended: bool) -> dict[str, Column]:
    texts = (_CLASS, _EVERYWHERE) if extended else (_EVERYWHERE,)
    return {name: column for text in texts for table in read_tables(text) for name, column in table.columns.items()}


def _split_overrides(table: Table, by_name: dict[str, Table]) -> None:
    """A column that a parent has too is not a second column: it changes the label, the default, or the rights."""
    inherited: set[str] = set()
    parent = table.parent
    while parent:
        inherited |= by_name[parent].columns.keys()
        parent = by_name[parent].parent
    table.overrides = {name: table.columns.pop(name) for name in list(table.columns) if name in inherited}
