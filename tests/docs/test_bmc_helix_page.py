"""The page about BMC Helix says what the program does: its error table, its look-up rules, its check."""

import re
import tomllib

import pytest
from tests.docs.pages import DOCS, blocks, text_of

from secure_export.itsm.bmc_helix.api.ar_errors import ERRORS, Answered, ArError
from secure_export.itsm.bmc_helix.cmdb.settings import DEFAULT_LOOKUPS, CiLookup, Source
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings

FILE = DOCS / "how-to" / "connect-bmc-helix.md"
PAGE = text_of(FILE)
ROW = re.compile(r"^\| ([0-9, ]+) \| [^|]+ \| ([^|]+) \|", re.MULTILINE)
DONE = {
    Answered.REFUSED: ("parked", "the next of `status_reasons`"),
    Answered.NOT_THERE: ("looked up",),
    Answered.LATER: ("later", "each is looked up alone"),
    Answered.IN_DOUBT: ("looked up",),
    Answered.NOT_SIGNED_IN: ("later", "one new log-in"),
}
SOURCES = {Source.RESOURCE_ID: "resource id", Source.NAME: "name", Source.HOST_NAME: "host name"}


def rows() -> dict[int, str]:
    """What is done, by number, as the page has it."""
    return {int(number): done for numbers, done in ROW.findall(PAGE) for number in numbers.split(",")}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.number))
def test_every_error_number_is_in_the_table(error: ArError) -> None:
    """Whoever finds a number in a reason finds it there, with what is done about it."""
    assert rows()[error.number].startswith(DONE[error.answered])


def test_the_table_has_no_number_that_is_made_up() -> None:
    """It explains nothing that the program does not know."""
    assert rows().keys() == {error.number for error in ERRORS}


@pytest.mark.parametrize("rule", DEFAULT_LOOKUPS, ids=lambda rule: f"{rule.class_name}.{rule.attribute}")
def test_every_usual_rule_is_in_the_table(rule: CiLookup) -> None:
    """In the order in which they are tried."""
    line = rf"\| `{rule.class_name}` \| `{rule.attribute}`[^|]* \| {SOURCES[rule.source]} \|"
    assert re.search(line, PAGE)


@pytest.mark.parametrize("source", Source)
def test_every_source_is_explained(source: Source) -> None:
    """What a rule can compare with is listed."""
    assert f"| `{source.value}` |" in PAGE


@pytest.mark.parametrize("block", [one.text for one in blocks(FILE) if one.kind == "toml"])
def test_every_example_is_a_connection(block: str) -> None:
    """What can be pasted is taken as it is, whatever else the file needs."""
    connection = tomllib.loads(block)["connections"]["prod"]
    own = {name: value for name, value in connection.items() if name not in {"type", "subscriptions", "routes"}}
    BmcHelixSettings.model_validate(own)
