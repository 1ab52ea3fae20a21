"""A certificate authority of this machine: for clients that speak HTTPS only, and for those that show a certificate."""

import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_FILE: Final = "ca.pem"
CA_KEY_FILE: Final = "ca-key.pem"
LOCAL_NAMES: Final = ("127.0.0.1", "::1", "localhost")
_LIFE = timedelta(days=365)
_MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key, both as PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write ``<name>.pem`` and ``<name>-key.pem``; only this user can read the key.

        Returns:
            The paths of the certificate and of the key.
        """
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
        certificate.write_bytes(self.certificate)
        key.touch(mode=0o600)
        key.chmod(0o600)
        key.write_bytes(self.key)
        return certificate, key


class LocalCa:
    """A certificate authority that lives as long as its folder, or as this process.

    Attributes:
        certificate: Its own certificate; who trusts this trusts all it signs.
    """

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def made(cls) -> "LocalCa":
        """Make a new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Secure Export sandbox CA (local, trust for tests only)")
        certificate = (
            _builder(name, name, key.public_key(), key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def kept_in(cls, folder: Path) -> "LocalCa":
        """Take the one of a folder, or make one there if there is none that is good for another day."""
        found = _read(folder)
        if found is not None:
            return found
        made = cls.made()
        Identity(made.pem, _key_pem(made._key)).write(folder, CA_FILE.removesuffix(".pem"))  # noqa: SLF001 - its own class
        return made

    @property
    def pem(self) -> bytes:
        """Its certificate as PEM: what clients are told to trust."""
        return self.certificate.public_bytes(Encoding.PEM)

    def server(self, names: Iterable[str] = LOCAL_NAMES) -> Identity:
        """Sign a certificate for a server that is reached under these names or addresses."""
        return self._signed("Secure Export sandbox", ExtendedKeyUsageOID.SERVER_AUTH, [_general(one) for one in names])

    def client(self, common_name: str) -> Identity:
        """Sign a certificate that a client shows."""
        return self._signed(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName("client.sandbox.invalid")])

    def server_context(self, names: Iterable[str] = LOCAL_NAMES) -> ssl.SSLContext:
        """Give what a server needs; clients may show a certificate of this authority, and need not."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.pem.decode())
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(*self.server(names).write(Path(folder), "server"))
        return context

    def client_context(self, identity: Identity | None = None) -> ssl.SSLContext:
        """Give what a client needs that trusts this authority, and shows a certificate if it has one."""
        context = ssl.create_default_context(cadata=self.pem.decode())
        if identity is not None:
            with tempfile.TemporaryDirectory() as folder:
                context.load_cert_chain(*identity.write(Path(folder), "client"))
        return context

    def _signed(self, common_name: str, usage: x509.ObjectIdentifier, names: list[x509.GeneralName]) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_name(common_name), self.certificate.subject, key.public_key(), self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Identity(certificate.public_bytes(Encoding.PEM), _key_pem(key))


def server_context(folder: Path | None) -> ssl.SSLContext | None:
    """Give what a server needs whose authority is kept in a folder; None, plain HTTP, where there is no folder."""
    return LocalCa.kept_in(folder).server_context() if folder else None


def fingerprint(certificate: bytes) -> str:
    """Give the SHA-256 of a certificate in DER or PEM, in lower-case hex: how a shown one is recognised."""
    pem = certificate.lstrip().startswith(b"-----BEGIN")
    loaded = x509.load_pem_x509_certificate(certificate) if pem else x509.load_der_x509_certificate(certificate)
    return loaded.fingerprint(hashes.SHA256()).hex()


def _read(folder: Path) -> LocalCa | None:
    if not (folder / CA_FILE).exists() or not (folder / CA_KEY_FILE).exists():
        return None
    certificate = x509.load_pem_x509_certificate((folder / CA_FILE).read_bytes())
    key = load_pem_private_key((folder / CA_KEY_FILE).read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.not_valid_after_utc < _now() + _MARGIN:
        return None
    return LocalCa(certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _MARGIN)
        .not_valid_after(_now() + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _now() -> datetime:
    return datetime.now(UTC)
