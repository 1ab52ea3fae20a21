"""How connections to a tool are encrypted: always verified, with the files that the settings name."""

import ssl
from pathlib import Path

import structlog

from secure_export.itsm.http_errors import NotSent
from secure_export.itsm.http_settings import HttpSettings

log = structlog.get_logger(__name__)

_State = tuple[tuple[int, int, int], ...]


class ClientTls:
    """Gives the TLS settings of one tool's connections; certificates that were renewed are taken over by themselves.

    Args:
        settings: Names the files.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._files = tuple(
            file for file in (settings.ca_file, settings.client_certificate, settings.client_key) if file is not None
        )
        self._context: ssl.SSLContext | None = None
        self._state: _State = ()
        self._complained: _State | None = None

    def context(self) -> ssl.SSLContext:
        """Give what new connections are made with.

        Raises:
            NotSent: The files cannot be used; the reason says what is wrong.
        """
        if self._context is not None and not self._files:
            return self._context
        state: _State = ()
        try:
            state = tuple(_state_of(file) for file in self._files)
            if self._context is None or state != self._state:
                self._context, self._state = self._made(), state
        except (OSError, ValueError) as error:
            self._failed(error, state)
        if self._context is None:
            raise NotSent("there are no TLS settings")
        return self._context

    def _failed(self, error: Exception, state: _State) -> None:
        """Go on with what there is: files that are being replaced do not fit each other for a moment."""
        named = ", ".join(str(file) for file in self._files)
        reason = f"the certificate files cannot be used ({named}): {_why(error)}"
        if self._context is None:
            raise NotSent(reason) from None
        if state != self._complained:
            self._complained = state
            log.warning("certificate not renewed", reason=reason)

    def _made(self) -> ssl.SSLContext:
        settings = self._settings
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.client_certificate is not None:
            context.load_cert_chain(settings.client_certificate, settings.client_key, password=_no_password)
        return context


def _state_of(file: Path) -> tuple[int, int, int]:
    stat = file.stat()
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _no_password() -> str:
    """Keep OpenSSL from asking at the terminal, where nobody may sit."""
    raise ValueError("the key is protected by a password; store it without one, readable for this program only")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no PEM file of the right kind, or key and certificate do not belong together ({error.reason})"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(getattr(error, "strerror", None) or error)
