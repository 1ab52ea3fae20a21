"""What a new instance holds: choices, properties, policies and people; and, for those who want it, demo records."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.demo_data import azure, choices, people, records, settings
from secure_export.sandbox.servicenow.demo_data.seeding import Seeding

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance

__all__ = ["fill"]


def fill(instance: "Instance", *, demo: bool = True) -> None:
    """Fill a new instance; without demo records it still has what every instance is shipped with."""
    seeding = Seeding(instance)
    choices.fill(seeding)
    settings.fill(seeding)
    people.fill(seeding)
    if demo:
        azure.fill(seeding)
        records.fill(seeding)
