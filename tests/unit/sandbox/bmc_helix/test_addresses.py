"""How forms and entries are named in addresses (bmc-facts section 10, line 4)."""

import pytest
from tests.unit.sandbox.asking import raw
from tests.unit.sandbox.bmc_helix.served import BASE, path_of, served


@pytest.mark.parametrize("form", ["HPD:Help%20Desk", "HPD%3AHelp%20Desk", "%48PD%3AHelp%20Desk"])
@pytest.mark.parametrize("version", ["v1", "v1.0"])
@pytest.mark.parametrize("end", ["", "/", "/?q="])
async def test_a_form_is_found_in_every_spelling(form: str, version: str, end: str) -> None:
    """The colon bare or encoded, both versions, a slash at the end or none."""
    async with served() as client:
        seen = await client.ask("GET", f"/api/arsys/{version}/entry/{form}{end}")
        assert (seen.status, seen.json["entries"]) == (200, [])


async def test_a_plus_in_the_path_is_a_plus() -> None:
    """And no form has one in its name."""
    async with served() as client:
        assert (await client.ask("GET", "/api/arsys/v1/entry/HPD:Help+Desk")).error == (404, 303, "HPD:Help+Desk")


async def test_a_plus_in_the_query_is_a_blank() -> None:
    """As BMC's documentation writes searches."""
    async with served() as client:
        number = await client.create()
        seen = await client.ask("GET", f"{path_of(BASE)}?q=%27Incident+Number%27+%3D+%22{number}%22")
        assert [one["values"]["Incident Number"] for one in seen.json["entries"]] == [number]


async def test_a_form_that_there_is_not_is_404_with_303() -> None:
    """And so is one whose name differs in case."""
    async with served() as client:
        for form in ("HPD:Nothing", "hpd:help desk"):
            assert (await client.ask("GET", path_of(form))).error == (404, 303, form)


@pytest.mark.parametrize("version", ["v2", "v1.1"])
async def test_another_version_is_a_page_of_the_web_server(version: str) -> None:
    """404 as HTML, not as an AR message."""
    async with served() as client:
        seen = await client.ask("GET", f"/api/arsys/{version}/entry/HPD:WorkLog")
        assert (seen.status, seen.headers["Content-Type"]) == (404, "text/html;charset=UTF-8")


async def test_a_bar_in_an_entry_id_may_be_bare() -> None:
    """As careless clients send it."""
    async with served() as client:
        number = await client.create()
        entry = client.person.incident(number)["Entry ID"]
        token = f"Authorization: AR-JWT {await client.token()}\r\n"
        path = f"/api/arsys/v1/entry/HPD:IncidentInterface/{entry}|{entry}"
        received, _ = await raw(client.url, "GET", path, headers=token)
        assert received.startswith(b"HTTP/1.1 200")


async def test_all_forms_are_listed() -> None:
    """Those that the user may read."""
    async with served() as client:
        seen = await client.ask("GET", "/api/arsys/v1/entry")
        assert BASE in seen.json
        assert "CTM:People" in seen.json
