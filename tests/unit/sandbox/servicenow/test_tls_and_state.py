"""The local certificate authority, the state file, and the command."""

import asyncio
import contextlib
import os
import signal
import ssl
import stat
import threading
from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography import x509
from tests.unit.sandbox.servicenow.served import INCIDENTS, basic, new_app, served
from typer.testing import CliRunner

from secure_export.cli.sandbox import app as sandbox_commands
from secure_export.errors import SettingsError
from secure_export.sandbox.servicenow.accounts import Account, parse_account, set_account
from secure_export.sandbox.servicenow.demo_access import INTEGRATION_USER, PASSWORD
from secure_export.sandbox.servicenow.run import run_servicenow
from secure_export.sandbox.servicenow.state_file import BadStateFileError, StateFile
from secure_export.sandbox.tls import LocalCa, fingerprint


async def test_who_trusts_the_authority_trusts_the_stand_in_under_every_local_name() -> None:
    """127.0.0.1 and localhost are in the certificate; who does not trust the authority does not get in."""
    ca = LocalCa.made()
    async with served(tls=ca.server_context(), client_tls=ca.client_context()) as client:
        assert client.url.startswith("https://127.0.0.1:")
        seen = await client.ask("POST", INCIDENTS, json={"short_description": "A test"})
        assert seen.headers["Location"].startswith(client.url)
        assert seen.headers["Set-Cookie"].endswith("; Secure")
        by_name = client.url.replace("127.0.0.1", "localhost")
        headers = {"Authorization": basic(INTEGRATION_USER, PASSWORD)}
        async with client.session.get(by_name + INCIDENTS, headers=headers) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.ask("GET", INCIDENTS, ssl=ssl.create_default_context())


def test_certificates_hold_what_strict_clients_ask_for() -> None:
    """Key identifiers, key usages and constraints as RFC 5280 wants them; Python checks them from 3.13 on."""
    ca = LocalCa.made()
    server = x509.load_pem_x509_certificate(ca.server().certificate)
    server.verify_directly_issued_by(ca.certificate)
    authority = server.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert authority.key_identifier == own.digest
    assert ca.certificate.extensions.get_extension_for_class(x509.BasicConstraints).critical
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert server.extensions.get_extension_for_class(x509.KeyUsage).critical


def test_a_folder_keeps_its_authority_and_only_the_owner_reads_the_key(tmp_path: Path) -> None:
    """A second start takes the same one, so that nobody has to trust anew; the key's file is private."""
    first, second = LocalCa.kept_in(tmp_path), LocalCa.kept_in(tmp_path)
    assert first.pem == second.pem == (tmp_path / "ca.pem").read_bytes()
    assert stat.S_IMODE((tmp_path / "ca-key.pem").stat().st_mode) == 0o600
    (tmp_path / "ca-key.pem").unlink()
    assert LocalCa.kept_in(tmp_path).pem != first.pem


def test_a_fingerprint_is_the_same_for_pem_and_der() -> None:
    """What is mapped as PEM is recognised when it is shown as DER."""
    pem = LocalCa.made().client("x").certificate
    assert fingerprint(pem) == fingerprint(ssl.PEM_cert_to_DER_cert(pem.decode()))


async def test_rows_users_tokens_and_the_clock_outlive_the_process(tmp_path: Path) -> None:
    """What was there at the end is there again; numbers go on."""
    path = tmp_path / "deep" / "snow.json"
    async with served() as client:
        one = await client.incident(work_notes="Kept")
        set_account(client.app.instance, Account("jane", "pw", frozenset({"itil"})))
        client.app.instance.clock.run()
        client.app.instance.clock.move(timedelta(days=10))
        form = {"grant_type": "password", "username": INTEGRATION_USER, "password": PASSWORD}
        header = {"Authorization": basic("5a9d0b0c0e7f4c0f9c1d2e3f4a5b6c7d", "sandbox-client-secret")}
        token = (await client.ask("POST", "/oauth_token.do", user="", data=form, headers=header)).json["access_token"]
        assert StateFile(path, client.app.instance, client.app.sign_in.oauth).save()
    app = new_app(seed=2)
    app.instance.clock.run()
    assert StateFile(path, app.instance, app.sign_in.oauth).load()
    assert app.instance.clock.shift > timedelta(days=9)
    async with served(app) as client:
        seen = await client.ask(
            "GET", f"{INCIDENTS}/{one['sys_id']}?sysparm_display_value=true", user="jane", password="pw"
        )
        assert "Kept" in seen.json["result"]["work_notes"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.ask("GET", INCIDENTS, user="", headers=bearer)).status == 200
        assert (await client.incident())["number"] > one["number"]


def test_a_state_file_is_written_when_something_changed_only(tmp_path: Path) -> None:
    """Saving twice writes once; a change is written; no half-written file stays behind."""
    app = new_app()
    file = StateFile(tmp_path / "snow.json", app.instance, app.sign_in.oauth)
    assert (file.save(), file.save()) == (True, False)
    app.instance.insert("incident", {"short_description": "A test"})
    assert (file.save(), file.save()) == (True, False)
    assert [one.name for one in tmp_path.iterdir()] == ["snow.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": 1', b"[1]"])
def test_what_is_no_state_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """The error names the file and what to do; the file is not touched."""
    path = tmp_path / "snow.json"
    path.write_bytes(content)
    app = new_app()
    with pytest.raises(BadStateFileError, match=r"snow\.json is no state file .* delete this one"):
        StateFile(path, app.instance, app.sign_in.oauth).load()
    assert path.read_bytes() == content


def test_a_state_file_of_another_version_is_refused(tmp_path: Path) -> None:
    """A later version may hold what this one does not understand."""
    app = new_app()
    path = tmp_path / "snow.json"
    StateFile(path, app.instance, app.sign_in.oauth).save()
    document = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**document, "version": 99}))
    with pytest.raises(BadStateFileError, match="version is 99"):
        StateFile(path, app.instance, app.sign_in.oauth).load()


async def test_the_command_says_how_to_get_in_and_keeps_its_state(tmp_path: Path) -> None:
    """Base URL, users, configuration, page, control and how to trust it; what is cancelled writes its state."""
    lines: list[str] = []
    started = asyncio.Event()

    def announce(line: str) -> None:
        lines.append(line)
        if line.startswith("SANDBOX"):
            started.set()

    state, folder = tmp_path / "snow.json", tmp_path / "ca"
    jane = parse_account("jane:a:b:itil,view_changer")
    task = asyncio.create_task(run_servicenow(tls_folder=folder, state=state, users=[jane], announce=announce))
    await started.wait()
    text = "\n".join(lines)
    url = next(line.split('"')[1] for line in lines if line.startswith("url = "))
    assert url.startswith("https://")
    for part in (PASSWORD, "REQUESTS_CA_BUNDLE=", f'ca_file = "{folder}/ca.pem"', "/control", 'type = "servicenow"'):
        assert part in text
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    connector = aiohttp.TCPConnector(ssl=trust, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        headers = {"Authorization": basic("jane", "a:b")}
        async with session.post(url + INCIDENTS, headers=headers, json={"correlation_id": "azmon1:1"}) as answer:
            assert answer.status == 201
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert b"azmon1:1" in state.read_bytes()


@pytest.mark.parametrize("text", ["", "jane", "jane:", "jane:itil", ":pw:itil"])
def test_a_user_on_the_command_line_needs_name_password_and_roles(text: str) -> None:
    """What is none is refused with the form to use."""
    with pytest.raises(ValueError, match="NAME:PASSWORD:ROLE"):
        parse_account(text)


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread only"
)
async def test_a_service_manager_stops_it_in_order(tmp_path: Path) -> None:
    """SIGTERM writes the state and ends the command without an error."""
    state, started = tmp_path / "snow.json", asyncio.Event()
    task = asyncio.create_task(
        run_servicenow(state=state, announce=lambda line: started.set() if line.startswith("SANDBOX") else None)
    )
    await started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await task
    assert state.exists()


def test_a_wrong_user_is_wrong_usage_and_a_wrong_state_file_an_error_of_one_line(tmp_path: Path) -> None:
    """Exit 2 for what was typed wrong; for a file that is none a sentence that names it."""
    state = tmp_path / "snow.json"
    state.write_text("no state")
    runner = CliRunner()
    typed = runner.invoke(sandbox_commands, ["servicenow", "--user", "jane"])
    assert (typed.exit_code, "NAME:PASSWORD:ROLE" in typed.output) == (2, True)
    refused = runner.invoke(sandbox_commands, ["servicenow", "--state", str(state)])
    assert isinstance(refused.exception, SettingsError)
    assert str(state) in str(refused.exception)
