"""PySNC, ServiceNow's own Python client, against the sandbox over TLS.

It is given ``https://`` addresses only; anything else it takes for the name of an instance. Its own live suite is run
by ``run_pysnc_suite.py``; these are the paths that suite leaves out or skips.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.strangers.stand_in import CREDENTIALS, StandIn, stranger, with_tls

from secure_export.sandbox.servicenow.demo_access import CLIENT_ID, CLIENT_SECRET, INTEGRATION_USER, PASSWORD

pysnc = stranger("pysnc")
auth = stranger("pysnc.auth")
exceptions = stranger("pysnc.exceptions")
ADMIN_ID = "6816f79cc0a8016401c5a33be04be441"
CLIENT_CREDENTIALS = "glide.oauth.inbound.client.credential.grant_type.enabled"


@pytest.fixture
async def snow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandIn]:
    async with with_tls(tmp_path) as stand_in:
        # One of its flows asks for tokens without the "verify" it was given.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", stand_in.ca_file)
        yield stand_in


@contextmanager
def client(snow: StandIn, credentials: Any = CREDENTIALS, **more: Any) -> Iterator[Any]:
    made = pysnc.ServiceNowClient(snow.url, credentials, verify=snow.ca_file, **more)
    try:
        yield made
    finally:
        made.session.close()


async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(work, *arguments)


async def test_a_record_lives_and_dies(snow: StandIn) -> None:
    """Insert, get, update, delete; the number and the opener come from the instance."""

    def work() -> None:
        with client(snow) as one:
            record = one.GlideRecord("incident")
            record.initialize()
            record.short_description = "Disk full"
            record.impact = "1"
            record.urgency = "1"
            assert record.insert() == record.sys_id
            assert str(record.number).startswith("INC")
            assert record.get_value("priority") == "1"
            record.state = "2"
            assert record.update() is not None
            again = one.GlideRecord("incident")
            assert again.get(record.sys_id)
            assert again.get_display_value("state") == "In Progress"
            assert again.get_display_value("opened_by") == "System Administrator"
            assert again.delete()
            assert not one.GlideRecord("incident").get(record.sys_id)

    await in_thread(work)


async def test_a_resolve_without_a_code_is_a_role_exception(snow: StandIn) -> None:
    """403 with the labels of what is missing; with a code it goes through."""

    def work() -> None:
        with client(snow) as one:
            record = one.GlideRecord("incident")
            record.initialize()
            record.short_description = "x"
            record.insert()
            record.state = "6"
            with pytest.raises(exceptions.RoleException, match="Resolution code, Resolution notes"):
                record.update()
            record.close_code = "Solution provided"
            record.close_notes = "Done"
            assert record.update() is not None

    await in_thread(work)


async def test_pages_are_walked_to_the_end(snow: StandIn) -> None:
    """In batches, with and without a limit, each row once."""

    def work() -> None:
        with client(snow) as one:
            log = one.GlideRecord("syslog", batch_size=200)
            log.fields = "sys_id"
            log.query()
            assert len({str(row.sys_id) for row in log}) == log.get_row_count() > 600
            few = one.GlideRecord("syslog", batch_size=3)
            few.limit = 7
            few.query()
            assert len(list(few)) == 7

    await in_thread(work)


async def test_many_updates_are_one_batch_with_mixed_outcomes(snow: StandIn) -> None:
    """What a limit left unserviced is sent again by the client itself."""
    snow.instance.properties.set("sandbox.batch.max_calls", "2")
    for number in range(4):
        snow.instance.insert("problem", {"short_description": f"Together {number}"})

    def work() -> int:
        with client(snow) as one:
            found = one.GlideRecord("problem")
            found.add_query("short_description", "STARTSWITH", "Together")
            found.query()
            for row in found:
                row.short_description = f"{row.short_description} done"
            assert found.update_multiple()
            done = one.GlideRecord("problem")
            done.add_query("short_description", "STARTSWITH", "Together")
            done.add_query("short_description", "ENDSWITH", "done")
            done.query()
            return int(done.get_row_count())

    assert await in_thread(work) == 4
    assert snow.app.counters.calls["POST /api/now/batch"] == 2


async def test_attachments_go_there_and_back(snow: StandIn) -> None:
    """Text and bytes; the location that is told leads to the file."""
    record = snow.instance.insert("incident", {"short_description": "x"})["sys_id"]

    def work() -> None:
        with client(snow) as one:
            found = one.GlideRecord("incident")
            assert found.get(record)
            location = found.add_attachment("log.bin", b"\x00\x01\x02")
            assert one.session.get(location).content == b"\x00\x01\x02"
            attached = found.get_attachments()
            assert len(attached) == 1
            assert attached.next()
            assert (attached.file_name, attached.read()) == ("log.bin", b"\x00\x01\x02")
            attached.delete()
            assert len(found.get_attachments()) == 0

    await in_thread(work)


@pytest.mark.parametrize("credentials", [("admin", "wrong"), ("nobody", "wrong"), ("admin", "")])
async def test_a_wrong_password_is_an_authentication_exception(snow: StandIn, credentials: tuple[str, str]) -> None:
    """The client reads the envelope of the 401."""

    def work() -> None:
        with client(snow, credentials) as one, pytest.raises(exceptions.AuthenticationException, match=r"(?i)not auth"):
            one.GlideRecord("sys_user").get("x")

    await in_thread(work)


async def test_oauth_by_password_signs_in_and_refreshes(snow: StandIn) -> None:
    """An expired access token is renewed by the refresh token, without the password."""

    def work() -> None:
        flow = auth.ServiceNowPasswordGrantFlow(*CREDENTIALS, CLIENT_ID, CLIENT_SECRET)
        with client(snow, flow) as one:
            assert one.GlideRecord("sys_user").get(ADMIN_ID)
            one.session.token = {**one.session.token, "expires_at": 1}
            assert one.GlideRecord("sys_user").get(ADMIN_ID)

    await in_thread(work)
    assert snow.app.counters.calls["POST /oauth_token.do"] == 2


async def test_oauth_by_client_credentials_needs_a_property(snow: StandIn) -> None:
    """Off as shipped; with it the application's user acts."""

    def work() -> str:
        with client(snow, auth.ServiceNowClientCredentialsFlow(CLIENT_ID, CLIENT_SECRET)) as one:
            record = one.GlideRecord("incident")
            record.initialize()
            record.short_description = "x"
            record.insert()
            return str(record.sys_created_by)

    snow.instance.properties.set(CLIENT_CREDENTIALS, "false")
    with pytest.raises(exceptions.AuthenticationException, match=r"access_denied|access token"):
        await in_thread(work)
    snow.instance.properties.set(CLIENT_CREDENTIALS, "true")
    assert await in_thread(work) == INTEGRATION_USER


async def test_the_integration_user_sees_what_its_roles_allow(snow: StandIn) -> None:
    """A table for administrators only is a role exception."""

    def work() -> None:
        with client(snow, (INTEGRATION_USER, PASSWORD)) as one:
            incidents = one.GlideRecord("incident")
            incidents.query()
            with pytest.raises(exceptions.RoleException):
                one.GlideRecord("sys_user_certificate").query()

    await in_thread(work)
