"""What happens by itself when rows are written: state models, numbers, priorities, policies, people's own rules."""

from typing import TYPE_CHECKING

from secure_export.sandbox.servicenow.engine import (
    application_file,
    assignment,
    auto_close,
    change_request,
    change_template,
    incident,
    incident_family,
    numbers,
    problem,
    scripted,
    task,
)

if TYPE_CHECKING:
    from secure_export.sandbox.servicenow.instance import Instance


def install(instance: "Instance") -> None:
    """Register all shipped rules and jobs."""
    for module in (
        scripted,
        numbers,
        task,
        incident,
        incident_family,
        problem,
        change_request,
        change_template,
        assignment,
        auto_close,
        application_file,
    ):
        module.install(instance)
