"""pysnow, a dormant client with many users, against the sandbox over plain HTTP.

It sends ``False`` with a capital F, empty ``sysparm_fields`` and query parameters with every write, and reads lists
as a stream.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.strangers.stand_in import ADMIN, CREDENTIALS, StandIn, plain, stranger

from secure_export.sandbox.servicenow.demo_access import CLIENT_ID, CLIENT_SECRET, PASSWORD

pysnow = stranger("pysnow")
exceptions = stranger("pysnow.exceptions")
HTTPError = stranger("requests.exceptions").HTTPError
INCIDENTS = "/table/incident"


@pytest.fixture
async def snow() -> AsyncIterator[StandIn]:
    async with plain() as stand_in:
        yield stand_in


async def with_client(snow: StandIn, work: Callable[[Any], Any], user: str = ADMIN, password: str = PASSWORD) -> Any:
    def run() -> Any:
        with pysnow.Client(host=snow.address, user=user, password=password, use_ssl=False) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def test_a_record_lives_and_dies(snow: StandIn) -> None:
    """Its update looks first and must find exactly one."""

    def work(client: Any) -> None:
        incidents = client.resource(api_path=INCIDENTS)
        made = incidents.create({"short_description": "Disk full", "urgency": "1", "impact": "1"}).one()
        assert made["number"].startswith("INC")
        assert made["priority"] == "1"
        query = {"number": made["number"]}
        assert incidents.update(query, {"state": "2"}).one()["state"] == "2"
        assert incidents.get(query=query).one()["short_description"] == "Disk full"
        assert incidents.delete(query)["status"] == "record deleted"
        assert incidents.get(query=query).one_or_none() is None

    await with_client(snow, work)


async def test_a_list_is_read_as_a_stream_and_in_pages(snow: StandIn) -> None:
    """Each row once, only the fields that were asked for."""

    def work(client: Any) -> None:
        log = client.resource(api_path="/table/syslog")
        rows = list(log.get(query="ORDERBYsys_id", fields=["sys_id"], stream=True).all())
        assert {tuple(row) for row in rows} == {("sys_id",)}
        pages = [log.get(query="ORDERBYsys_id", limit=10, offset=start, fields=["sys_id"]).all() for start in (0, 10)]
        assert [row["sys_id"] for page in pages for row in page] == [row["sys_id"] for row in rows[:20]]

    await with_client(snow, work)


async def test_its_query_builder_is_understood(snow: StandIn) -> None:
    """Equals, contains, or, order."""
    for text in ("alpha one", "alpha two", "beta"):
        snow.instance.insert("incident", {"short_description": text})

    def work(client: Any) -> list[str]:
        query = pysnow.QueryBuilder().field("short_description").contains("alpha").OR()
        query = query.field("short_description").equals("beta").AND().field("short_description").order_descending()
        rows = client.resource(api_path=INCIDENTS).get(query=query).all()
        return [row["short_description"] for row in rows]

    assert await with_client(snow, work) == ["beta", "alpha two", "alpha one"]


async def test_display_values_are_what_people_see(snow: StandIn) -> None:
    """With capital letters in the parameter."""
    snow.instance.insert("incident", {"short_description": "shown"})

    def work(client: Any) -> str:
        incidents = client.resource(api_path=INCIDENTS)
        incidents.parameters.display_value = True
        incidents.parameters.exclude_reference_link = True
        return str(incidents.get(query={"short_description": "shown"}).one()["state"])

    assert await with_client(snow, work) == "New"


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the client's upload closes nothing
async def test_attachments_are_added_listed_and_deleted(snow: StandIn, tmp_path: Path) -> None:
    """It tells the file's type by looking into it."""
    record = snow.instance.insert("incident", {"short_description": "x"})["sys_id"]
    file = tmp_path / "notes.txt"
    file.write_text("one\ntwo\n", encoding="utf-8")

    def work(client: Any) -> None:
        attachments = client.resource(api_path=INCIDENTS).attachments
        made = attachments.upload(sys_id=record, file_path=str(file)).one()
        assert (made["file_name"], made["size_bytes"], made["content_type"]) == ("notes.txt", "8", "text/plain")
        listed = client.resource(api_path=INCIDENTS).attachments.get(sys_id=record)
        assert [one["sys_id"] for one in listed] == [made["sys_id"]]
        client.resource(api_path=INCIDENTS).attachments.delete(made["sys_id"])
        assert client.resource(api_path=INCIDENTS).attachments.get(sys_id=record) == []

    await with_client(snow, work)


async def test_other_apis_are_reached_by_custom_requests(snow: StandIn) -> None:
    """The Aggregate API, as pysnow's documentation calls it."""

    def work(client: Any) -> Any:
        stats = client.resource(api_path="/stats/problem")
        stats.parameters.add_custom({"sysparm_count": "true"})
        return stats.request("GET").one()["stats"]["count"]

    assert await with_client(snow, work) == str(snow.instance.tables.count("problem"))


async def test_a_wrong_password_and_a_missing_table_are_told(snow: StandIn) -> None:
    """As the error of HTTP that they are."""

    def ask(client: Any) -> Any:
        return client.resource(api_path="/table/no_such_table").get(query={}).all()

    with pytest.raises(HTTPError, match="400 Client Error"):
        await with_client(snow, ask)
    with pytest.raises(HTTPError, match="401 Client Error"):
        await with_client(snow, ask, password="wrong")


async def test_oauth_by_password(snow: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in exchange for the password, and a refusal for a wrong one."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")

    def work() -> str:
        client = pysnow.OAuthClient(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, host=snow.address, use_ssl=False)
        with pytest.raises(exceptions.TokenCreateError):
            client.generate_token(ADMIN, "wrong")
        client.set_token(client.generate_token(*CREDENTIALS))
        with client:
            users = client.resource(api_path="/table/sys_user")
            return str(users.get(query={"user_name": ADMIN}).one()["name"])

    assert await asyncio.to_thread(work) == "System Administrator"


async def test_a_long_query_goes_by_a_short_name(snow: StandIn) -> None:
    """Posted once, then named by ``sysparm_tiny``, as clients do that keep URLs short."""
    made = [snow.instance.insert("incident", {"short_description": "x"})["number"] for _ in range(3)]

    def work(client: Any) -> list[str]:
        query = "^OR".join(f"number={number}" for number in made)
        tiny = client.resource(api_path="/tinyurl").create({"url": f"incident_list.do?sysparm_query={query}"})
        name = str(tiny._response.json()["result"]).partition("sysparm_tiny=")[2]
        answer = client.session.get(f"{snow.url}/api/now/table/incident", params={"sysparm_tiny": name})
        return [row["number"] for row in answer.json()["result"]]

    assert sorted(await with_client(snow, work)) == sorted(made)
