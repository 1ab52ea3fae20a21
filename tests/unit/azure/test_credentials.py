"""Signing in to Azure by azure-identity: each kind can be made without a call, and the Azure CLI asked."""

import stat
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from secure_export.azure.credentials import Credential, credential_for
from secure_export.azure.errors import NotSignedIn
from secure_export.azure.settings import CredentialSettings

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "66666666-7777-4888-8999-aaaaaaaaaaaa"
SCOPE = "https://graph.microsoft.com/.default"
AZ = """#!/bin/sh
echo "$@" > "{told}"
echo '{{"accessToken": "a-token", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}}'
"""


async def made(**said: object) -> Credential:
    """Make the credential of Azure's public cloud that settings name."""
    settings = CredentialSettings.model_validate(said)
    return await credential_for(settings, tenant_id=TENANT, authority="https://login.microsoftonline.com")


def with_certificate(path: Path) -> Path:
    """Write a certificate that somebody signed for themselves, with its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "secure-export")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=9999))
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    "kind", ["cli", "device-code", "managed-identity", "default", "secret", "certificate", "workload-identity"]
)
async def test_every_kind_can_be_made(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a configuration names, nothing is asked before a token is needed."""
    (tmp_path / "token").write_text("an assertion")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("THE_SECRET", "s3cret")
    more: dict[str, object] = {"client_id": CLIENT} if kind not in {"cli", "default"} else {}
    if kind == "secret":
        more["secret"] = {"env": "THE_SECRET"}
    if kind == "certificate":
        more["certificate"] = str(with_certificate(tmp_path / "own.pem"))
    await (await made(kind=kind, **more)).close()


async def test_azure_identity_is_loaded_beside_the_running_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes some tenths of a second, in which no alert would be taken in."""
    loaded_in: list[threading.Thread] = []

    class Noting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "azure.identity":
                loaded_in.append(threading.current_thread())

    monkeypatch.delitem(sys.modules, "azure.identity", raising=False)
    monkeypatch.delattr(sys.modules["azure"], "identity", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Noting(), *sys.meta_path])
    await (await made(kind="cli")).close()
    assert loaded_in
    assert threading.current_thread() not in loaded_in


async def test_the_azure_cli_is_asked_for_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who ran `az login` needs no other secret: the program that is called az gives the token of the tenant."""
    program, told = tmp_path / "az", tmp_path / "told"
    program.write_text(AZ.format(told=told))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    token = await (await made(kind="cli")).get_token(SCOPE)
    assert token.token == "a-token"
    assert TENANT in told.read_text()


async def test_without_the_azure_cli_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the credential, and what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    credential = await made(kind="cli")
    with pytest.raises(NotSignedIn, match=r"credential 'cli' failed: .*Azure CLI not found"):
        await credential.get_token(SCOPE)
