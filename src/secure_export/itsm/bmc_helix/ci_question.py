"""How configuration items are asked for: pure.

A rule of the configuration and the values that are looked for become qualifications, each short enough for a URL; and what
comes back is compared with what was asked for once more, because a server may understand a qualification in its own way.
"""

from collections.abc import Iterable, Mapping, Sequence

from secure_export.itsm.bmc_helix.cmdb_settings import CiLookup, Match, Source
from secure_export.itsm.bmc_helix.qualification import encoded_length, equal, field, text

LONGEST_QUALIFICATION = 1400
"""Characters of a qualification in a URL: with host, path and attributes the whole stays below 2,000."""

LONGEST_VALUE = 255
_OR = " OR "


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


def qualifications(rule: CiLookup, values: Iterable[str], *, spellings: bool) -> list[tuple[str, ...]]:
    """Share the terms that ask for values over as few qualifications as their length allows.

    Args:
        rule: The rule.
        values: What is looked for, in lower case.
        spellings: Whether names are also asked for in capitals: a database may heed case.

    Returns:
        The terms of each qualification; joined by ``joined`` they are one.
    """
    turns: list[tuple[str, ...]] = []
    room = 0
    for value in dict.fromkeys(values):
        terms = tuple(_terms(rule, value, spellings=spellings))
        needs = sum(encoded_length(f"{term}{_OR}") for term in terms)
        if not turns or needs > room:
            turns.append(())
            room = LONGEST_QUALIFICATION
        turns[-1] += terms
        room -= needs
    return [turn for turn in turns if turn]


def joined(terms: Sequence[str]) -> str:
    """Ask for all that one of the terms asks for."""
    return _OR.join(terms)


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


def _terms(rule: CiLookup, value: str, *, spellings: bool) -> Iterable[str]:
    written = [value]
    if spellings and rule.source in {Source.NAME, Source.HOST_NAME} and value.upper() != value:
        written.append(value.upper())
    for one in written:
        if rule.match is Match.EQUAL:
            yield equal(rule.attribute, one)
        elif not any(sign in one for sign in "%[]"):
            # An underscore means any one character here: what it finds too much is left out afterwards.
            yield f"{field(rule.attribute)} LIKE {text(one + ':%')}"
