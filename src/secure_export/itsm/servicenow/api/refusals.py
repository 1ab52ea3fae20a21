"""Why an instance refuses, and what its administrator must change: pure, by ServiceNow's own names."""

import re
from collections.abc import Sequence
from enum import StrEnum


class Cause(StrEnum):
    """The kinds of refusals that are told apart."""

    ACL = "acl"
    DATA_POLICY = "data-policy"
    BUSINESS_RULE = "business-rule"
    DUPLICATE = "duplicate"
    SCOPE = "scope"
    TABLE = "table"
    ADDRESS = "address"
    OTHER = "other"


# The first that fits counts. The words are English whatever the user's language is; only labels are translated.
_WORDS: Sequence[tuple[Cause, str]] = (
    (Cause.DUPLICATE, r"unique key violation|duplicate (entry|key|value|sys_id)|already exists"),
    (Cause.DATA_POLICY, r"data policy exception"),
    (Cause.BUSINESS_RULE, r"aborted by business rule"),
    (Cause.ACL, r"acl exception|security constraints|insufficient rights|not authori[sz]ed to"),
    (Cause.SCOPE, r"unscoped api|api access scope"),
    (Cause.TABLE, r"invalid table"),
    (Cause.ADDRESS, r"does not represent any resource"),
)
_TO_CHANGE = {
    Cause.ACL: "Give the integration user the role that this needs (sn_incident_write or itil for incidents), or an "
    "ACL that allows it",
    Cause.DATA_POLICY: "Set these fields in the route's fields or in the connection's settings, or exempt the "
    "integration user from the data policy (sys_data_policy2)",
    Cause.BUSINESS_RULE: "See what this business rule (sys_script) demands; its own words are in the instance's log",
    Cause.DUPLICATE: "A unique index has this value already",
    Cause.SCOPE: "Give the OAuth client the scope useraccount, or the REST API auth scopes of the Table API",
    Cause.TABLE: "There is no such table here: mend work_item in the route, or activate the plugin that has the table",
    Cause.ADDRESS: "Mend the connection's url: it is the instance's address without a path",
    Cause.OTHER: "See the instance's system log at this time, under the integration user's name",
}
_NAMED_RULE = re.compile(r"aborted by business rule '([^'^]{1,120})", re.IGNORECASE)


def cause_of(words: str) -> Cause:
    """Say why the instance refuses.

    Args:
        words: Message and detail of its answer.
    """
    return next((cause for cause, pattern in _WORDS if re.search(pattern, words, re.IGNORECASE)), Cause.OTHER)


def what_to_change(cause: Cause, words: str) -> str:
    """Say what an administrator must change, as a sentence without its full stop."""
    rule = _NAMED_RULE.search(words)
    if cause is Cause.BUSINESS_RULE and rule is not None:
        return _TO_CHANGE[cause].replace("this business rule", f"the business rule {rule.group(1)!r}")
    return _TO_CHANGE[cause]
