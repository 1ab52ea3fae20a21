"""remedy-client, which sends its password in the query string, against the sandbox over plain HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.strangers.helix_stand_in import HelixStandIn, plain_helix
from tests.strangers.stand_in import stranger

from secure_export.sandbox.bmc_helix.demo_data import INTEGRATION_USER
from secure_export.sandbox.bmc_helix.people import PASSWORD
from secure_export.sandbox.bmc_helix.person import Person

pytest.importorskip("remedy.remedy", reason="remedy-client pins an old requests: install it by --no-deps")
remedy = stranger("remedy.remedy")
exceptions = stranger("remedy.exceptions")


@pytest.fixture
async def helix() -> AsyncIterator[HelixStandIn]:
    async with plain_helix() as stand_in:
        yield stand_in


def client_of(helix: HelixStandIn, password: str = PASSWORD) -> Any:
    return remedy.RemedyClient(helix.url, username=INTEGRATION_USER, password=password)


async def test_it_reads_a_form_and_signs_out(helix: HelixStandIn) -> None:
    """The token came in plain text; after signing out nothing is told any more."""
    number = Person(helix.app.server).open("By phone")

    def story() -> Any:
        client = client_of(helix)
        assert client.is_authenticated()
        read = client.get_form("HPD:IncidentInterface")
        client.close()
        with pytest.raises(exceptions.RemedyError, match="401"):
            client.get_form("HPD:IncidentInterface")
        return read

    read = await asyncio.to_thread(story)
    assert [one["values"]["Incident Number"] for one in read["entries"]] == [number]


async def test_a_wrong_password_becomes_its_own_kind_of_error(helix: HelixStandIn) -> None:
    """With the status and the AR message."""

    def story() -> None:
        with pytest.raises(exceptions.RemedyError, match=r"401 - .*Authentication failed"):
            client_of(helix, "wrong")

    await asyncio.to_thread(story)
