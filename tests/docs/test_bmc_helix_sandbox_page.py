"""The page that tries the BMC Helix sandbox, typed as it stands."""

import tomllib
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, blocks, text_of
from tests.docs.walk import Walk

from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.run import connection

PAGE = DOCS / "how-to" / "try-with-the-bmc-helix-sandbox.md"


@pytest.mark.journey
def test_every_step_does_what_the_page_shows(tmp_path: Path) -> None:
    """Who follows the page has an incident on its CI, from an alert that fires to the end."""
    with Walk(tmp_path, ports=("8080", "9000", "9003")) as walk:
        typed = walk.follow(list(blocks(PAGE)))
    assert typed >= 7


def test_the_page_has_the_connection_that_the_sandbox_prints() -> None:
    """What is to be copied is the same in both places."""
    printed = "\n".join(connection("http://127.0.0.1:9003", PASSWORD, None))
    assert printed in text_of(PAGE)
    assert list(tomllib.loads(printed)["connections"]) == ["sandbox"]
