"""Finds the connectors that are installed, the built-in ones by the same door as others."""

from importlib.metadata import entry_points

from secure_export.itsm.contract import ConnectorType

GROUP = "secure_export.itsm"


def connector_types() -> dict[str, ConnectorType]:
    """Give the kinds of connectors there are, by the name that a connection's ``type`` gives them."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}
