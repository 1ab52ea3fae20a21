"""Encryption of the way to a tool: always verified, with private authorities and client certificates."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.unit.itsm.authority import Authority
from tests.unit.itsm.loopback import Tool, tool

from secure_export.itsm.http import AnswerLost, Http, HttpSettings, NotSent


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def outcome(one: Tool, http: Http, method: str = "POST") -> str:
    """Make one request: its status, or why there is none."""
    try:
        return str((await http.request(method, "/", json={})).status)
    except (NotSent, AnswerLost) as error:
        return f"{type(error).__name__}: {error}"


async def once(one: Tool, http: Http) -> str:
    got = await outcome(one, http)
    await http.close()
    return got


async def test_a_private_authority_is_trusted_when_it_is_named(authority: Authority) -> None:
    """With ca_file the tool is reached; the file may come from anywhere below the configuration."""
    async with tool(tls=authority.server("localhost")) as one:
        assert await once(one, one.http(ca_file=authority.file)) == "200"


async def test_an_unknown_authority_is_not_trusted(authority: Authority) -> None:
    """Without ca_file the same tool gets nothing, and the reason names the setting."""
    async with tool(tls=authority.server("localhost")) as one:
        got = await once(one, one.http())
        assert got.startswith(f"NotSent: the certificate of localhost:{one.port} is not trusted")
        assert got.endswith("see ca_file")
        assert not one.requests


async def test_a_port_without_encryption_is_named() -> None:
    """Whoever writes https:// for a port that speaks plain HTTP is told so."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        http = Http(HttpSettings(url=f"https://127.0.0.1:{port}"))
        with pytest.raises(NotSent, match=r"\(it answers without TLS; is that the right port\?\)"):
            await http.request("POST", "/", json={})
        await http.close()


async def test_only_the_named_authority_is_trusted(authority: Authority, tmp_path: Path) -> None:
    """Another private authority does not count, nor do the system's."""
    other = Authority(tmp_path, "Other CA")
    async with tool(tls=authority.server("localhost")) as one:
        assert "is not trusted" in await once(one, one.http(ca_file=other.file))


async def test_a_certificate_of_another_name_is_not_trusted(authority: Authority) -> None:
    """A certificate that the authority gave to somebody else proves nothing."""
    async with tool(tls=authority.server("other.example.com")) as one:
        got = await once(one, one.http(ca_file=authority.file))
        assert got.startswith("NotSent: the certificate of localhost")
        assert not one.requests


def test_verification_cannot_be_turned_off() -> None:
    """There is no setting for it, under any name that other programs use."""
    for name in ("verify", "verify_tls", "insecure", "ssl", "skip_verify"):
        assert name not in HttpSettings.model_fields


async def test_old_tls_is_not_spoken(authority: Authority) -> None:
    """A tool that speaks nothing newer than TLS 1.1 gets nothing."""
    context = authority.server("localhost")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with tool(tls=context) as one:
        assert (await once(one, one.http(ca_file=authority.file))).startswith("NotSent: ")
        assert not one.requests


@pytest.mark.parametrize("in_one_file", [False, True])
async def test_the_tool_is_shown_our_certificate(authority: Authority, in_one_file: object) -> None:
    """Mutual TLS, with the key in a file of its own or beside the certificate."""
    certificate, key = authority.issue("secure-export")
    files: dict[str, Any] = {"client_certificate": certificate, "client_key": key}
    if in_one_file:
        certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
        del files["client_key"]
    async with tool(tls=authority.server("localhost", asks_for=authority.file)) as one:
        assert await once(one, one.http(ca_file=authority.file, **files)) == "200"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_without_our_certificate_nothing_is_done(authority: Authority, version: ssl.TLSVersion) -> None:
    """With TLS 1.3 the refusal comes only after the request was sent, so that it is in doubt; the reason says why."""
    context = authority.server("localhost", asks_for=authority.file)
    context.minimum_version = context.maximum_version = version
    async with tool(tls=context) as one:
        got = await once(one, one.http(ca_file=authority.file))
        assert got.startswith("NotSent" if version is ssl.TLSVersion.TLSv1_2 else "AnswerLost")
        assert not one.requests


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no ca_file", "No such file or directory"),
        ("no certificate", "No such file or directory"),
        ("ca_file is no PEM", "no PEM file of the right kind"),
        ("key of another certificate", "do not belong together"),
        ("key with a password", "protected by a password"),
    ],
)
async def test_files_that_cannot_be_used_are_named(authority: Authority, case: str, said: str) -> None:
    """Nothing is sent, the program goes on, and the reason says which file is wrong; nobody is asked for a password."""
    certificate, key = authority.issue("secure-export", password=b"geheim" if "password" in case else None)
    files: dict[str, Any] = {"ca_file": authority.file, "client_certificate": certificate, "client_key": key}
    match case:
        case "no ca_file":
            files["ca_file"] = authority.folder / "none.pem"
        case "no certificate":
            files["client_certificate"] = authority.folder / "none.crt"
        case "ca_file is no PEM":
            files["ca_file"] = authority.folder / "text.pem"
            files["ca_file"].write_text("no certificate")
        case "key of another certificate":
            files["client_key"] = authority.issue("other")[1]
    async with tool(tls=authority.server("localhost")) as one:
        got = await once(one, one.http(**files))
        assert got.startswith("NotSent: the certificate files cannot be used")
        assert said in got
        assert one.connections == 0


async def test_files_that_are_mended_are_used_at_once(authority: Authority) -> None:
    """No restart is needed once the files are there."""
    async with tool(tls=authority.server("localhost")) as one:
        http = one.http(ca_file=authority.folder / "later.pem")
        assert (await outcome(one, http)).startswith("NotSent")
        (authority.folder / "later.pem").write_bytes(authority.file.read_bytes())
        assert await once(one, http) == "200"


async def test_a_renewed_client_certificate_is_shown(authority: Authority, tmp_path: Path) -> None:
    """New connections show the new one; while its files do not fit each other, the old one."""
    other = Authority(tmp_path, "Other CA")
    certificate, key = authority.issue("secure-export")
    async with tool(tls=authority.server("localhost", asks_for=other.file)) as one:
        http = one.http(ca_file=authority.file, client_certificate=certificate, client_key=key)
        assert "AnswerLost" in await outcome(one, http)
        renewed = other.issue("secure-export", file="renewed")
        renewed[0].replace(certificate)
        assert "AnswerLost" in await outcome(one, http)
        renewed[1].replace(key)
        assert await once(one, http) == "200"
