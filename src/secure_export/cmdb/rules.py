"""By which rule a CI was bound, or why none was."""

from enum import StrEnum


class Rule(StrEnum):
    """A rule that bound a CI, or gave up; the texts are kept and shown, so they never change."""

    RESOURCE_ID = "resource-id"
    NAME_IN_RESOURCE_GROUP = "name-in-resource-group"
    NAME_IN_SUBSCRIPTION = "name-in-subscription"
    NAME = "name"
    PARENT_RESOURCE = "parent-resource"
    RESOURCE_ID_AMBIGUOUS = "resource-id-ambiguous"
    NAME_AMBIGUOUS = "name-ambiguous"
    NOT_IN_CMDB = "not-in-cmdb"
    NOT_A_CI = "not-a-ci"


CAN_BIND_LATER = frozenset({Rule.RESOURCE_ID_AMBIGUOUS, Rule.NAME_AMBIGUOUS, Rule.NOT_IN_CMDB})
"""The rules after which it is worth looking again once the CMDB has changed."""
