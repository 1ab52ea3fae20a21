"""The tables of a new instance."""

from secure_export.sandbox.servicenow.dictionary.model import Column, ColumnType, Dictionary, Table
from secure_export.sandbox.servicenow.dictionary.shipped import shipped_tables

__all__ = ["Column", "ColumnType", "Dictionary", "Table", "shipped_tables"]
