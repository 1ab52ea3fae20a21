"""How configuration items are asked for: pure.

A rule of the configuration and the values that are looked for become qualifications, each short enough for a URL. What
comes back is compared with what was asked for once more: a server may understand a qualification in its own way.
"""

from collections.abc import Mapping, Sequence

from secure_export.itsm.bmc_helix.api.qualification import equal, field, text
from secure_export.itsm.bmc_helix.cmdb.settings import BY_NAME, CiLookup, Match, Source

LONGEST_VALUE = 1000
OR = " OR "

_WILD = frozenset("%[]")


def can_be_asked(value: str) -> bool:
    """Whether a text can stand in a qualification without becoming something else there.

    Control characters are never part of a name; a text between dollar signs may be read as a keyword (``$USER$``).
    """
    is_keyword = value.startswith("$") and value.endswith("$")
    return bool(value.strip()) and len(value) <= LONGEST_VALUE and value.isprintable() and not is_keyword


def value_for(rule: CiLookup, name: str) -> str:
    """Give what a rule compares its attribute with.

    Args:
        rule: The rule.
        name: What is looked for, in lower case.
    """
    host = name.partition(".")[0]
    is_address = host.isdigit() or not host
    return host if rule.source is Source.HOST_NAME and not is_address else name


def terms_for(rule: CiLookup, value: str, *, spellings: bool) -> tuple[str, ...]:
    """Write the terms that ask for a value; none where the rule cannot ask for it.

    Args:
        rule: The rule.
        value: What is looked for, in lower case.
        spellings: Whether a name is also asked for in capitals: a database may heed case.
    """
    written = {value: None, value.upper(): None} if spellings and rule.source in BY_NAME else {value: None}
    if rule.match is Match.EQUAL:
        return tuple(equal(rule.attribute, one) for one in written)
    # An underscore means any one character here: what it finds too much is left out afterwards.
    return tuple(f"{field(rule.attribute)} LIKE {text(one + ':%')}" for one in written if not _WILD.intersection(one))


def joined(terms: Sequence[str]) -> str:
    """Ask for all that one of the terms asks for."""
    return OR.join(terms)


def matching(rule: CiLookup, has: str, wanted: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Say which of what was looked for a row's value means.

    Args:
        rule: The rule.
        has: The row's value of the rule's attribute.
        wanted: What is looked for, by ``value_for`` it in lower case.
    """
    value = _comparable(rule, has)
    return wanted.get(value, ())


def shows_that_case_is_ignored(rule: CiLookup, has: str) -> bool:
    """Whether a value that was found cannot have been found by a database that heeds case."""
    value = has.partition(":")[0] if rule.match is Match.TOKEN else has
    return value not in {value.lower(), value.upper()}


def _comparable(rule: CiLookup, has: str) -> str:
    value = has.strip().lower()
    if rule.match is Match.TOKEN:
        return value.partition(":")[0] if ":" in value else ""
    return value.rstrip("/") if rule.source in {Source.RESOURCE_ID, Source.RESOURCE_GROUP} else value
