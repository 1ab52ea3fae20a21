"""Certificates: how connections are encrypted, and how a renewed certificate comes into use without a restart."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import structlog

from secure_export.errors import SettingsError

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate chain and its key, as PEM files."""

    certificate: Path
    key: Path


class Certificate:
    """What connections are encrypted with: TLS 1.2 and newer, with the ciphers that Python thinks well of.

    Raises:
        SettingsError: The files cannot be used.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        try:
            self._state = self._look()
            self._load(self.context)
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"the certificate {files.certificate} with the key {files.key} cannot be used ({_reason(error)}); "
                "both must be PEM files, belong together, and be readable for this program"
            ) from error

    def renew(self) -> bool:
        """Take the files over if they have changed; new connections use them from then on."""
        try:
            state = self._look()
            if state == self._state:
                return False
            # First into a context of its own: a key that does not fit would leave the one in use half changed.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except (OSError, ValueError) as error:
            log.warning("certificate not renewed", certificate=str(self._files.certificate), reason=_reason(error))
            return False
        self._state = state
        log.info("certificate renewed", certificate=str(self._files.certificate))
        return True

    async def keep_renewed(self) -> None:
        """Look at the files now and then, for ever."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.renew()

    def _load(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self._files.certificate, self._files.key, password=_no_password)

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        stats = (self._files.certificate.stat(), self._files.key.stat())
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in stats)


def _no_password() -> str:
    """Keep OpenSSL from asking at the terminal, where nobody may sit."""
    raise ValueError("the key is protected by a password; store it without one, readable for this program only")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
