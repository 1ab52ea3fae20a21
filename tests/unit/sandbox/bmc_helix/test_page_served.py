"""The page for people, and the command."""

import asyncio

import pytest
from tests.unit.sandbox.bmc_helix.served import served

from secure_export.sandbox import serving
from secure_export.sandbox.bmc_helix.cis import add_ci
from secure_export.sandbox.bmc_helix.people import Account
from secure_export.sandbox.bmc_helix.run import run_bmc_helix


async def test_the_page_lists_incidents_newest_first() -> None:
    """Number, status, priority, summary, group, CI and key."""
    async with served() as client:
        assert "None yet." in (await client.ask("GET", "/", user="")).text
        first = await client.create(Vendor__Ticket__Number="azmon1:1")
        second = await client.create(Description="Disk full", HPD_CI="vm1")
        page = (await client.ask("GET", "/", user="")).text
        assert page.index(second) < page.index(first)
        row = next(one for one in page.split("<tr>") if first in one)
        assert all(text in row for text in ("Assigned", "High", "CPU is high", "Service Desk", "azmon1:1"))


async def test_an_incident_has_a_page_with_work_info_relations_and_fields() -> None:
    """Work info is newest first; links as work items have them lead there too."""
    async with served() as client:
        ci = add_ci(client.server, "vm1", ci_class="BMC_BusinessService")
        number = await client.create(ServiceCI="vm1", ServiceCI_ReconID=ci["ReconciliationIdentity"])
        client.person.comment(number, "First")
        client.person.comment(number, "Second\nline")
        page = (await client.ask("GET", f"/incident/{number}", user="")).text
        assert page.index("Second\nline") < page.index("First")
        assert "Impacted CI" in page
        assert "Assigned: 2026-11-24T12:00:00.000+0000 by azure.integration" in page
        entry = client.person.incident(number)["Entry ID"]
        for link in (f"?eid={entry}", f"?qual=%271000000161%27%3D%22{number}%22"):
            path = f"/arsys/forms/onbmc-s/HPD%3AHelp+Desk/Default+User+View/{link}"
            assert number in (await client.ask("GET", path, user="")).text


async def test_cis_have_a_page() -> None:
    """With dataset and identity."""
    async with served() as client:
        page = (await client.ask("GET", "/cis", user="")).text
        assert all(text in page for text in ("vm-web-01", "BMC_COMPUTERSYSTEM", "BMC.ADDM"))


async def test_what_others_wrote_is_shown_and_never_obeyed() -> None:
    """Markup in any field is text, and no script could run anyway."""
    async with served() as client:
        evil = "<script>alert(1)</script>\"'><img src=x>"
        number = await client.create(Description=evil, Detailed_Decription=evil, Vendor__Ticket__Number="<script>")
        client.person.comment(number, evil)
        for path in ("/", f"/incident/{number}", "/incident/<script>"):
            seen = await client.ask("GET", path, user="")
            assert "<script>" not in seen.text
            assert "<img" not in seen.text
            assert "default-src 'none'" in seen.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/incident/INC9", "/arsys/forms/x/y/?eid=INC9"])
async def test_what_there_is_not_is_404(path: str) -> None:
    """With a sentence."""
    async with served() as client:
        seen = await client.ask("GET", path, user="")
        assert (seen.status, "There is no incident" in seen.text) == (404, True)


async def test_the_command_says_how_to_get_in() -> None:
    """Users, addresses, and what to write into the configuration."""
    lines: list[str] = []
    listens = asyncio.Event()

    def announce(line: str) -> None:
        lines.append(line)
        if "stand-in for" in line:
            listens.set()

    task = asyncio.create_task(run_bmc_helix(users=[Account("jane", "secret")], announce=announce))
    async with asyncio.timeout(10):
        await listens.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    told = "\n".join(lines)
    assert 'type = "bmc-helix"' in told
    assert "jane                 password secret" in told
    assert "export SANDBOX_HELIX_PASSWORD=sandbox-only-not-a-secret" in told


async def test_other_machines_are_kept_out() -> None:
    """It listens on loopback."""
    with pytest.raises(serving.NotLoopbackError):
        await run_bmc_helix(host="0.0.0.0")  # noqa: S104 - must be refused
