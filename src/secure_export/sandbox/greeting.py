"""What people are told when a stand-in with users runs by itself: how to get in, and what to configure."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from secure_export.sandbox.tls import CA_FILE


def ca_file(tls_folder: Path | None) -> Path | None:
    """Give the certificate that clients must trust; None: plain HTTP."""
    return tls_folder / CA_FILE if tls_folder else None


def greeting(
    passwords: Mapping[str, str], more: Iterable[str], tls_folder: Path | None, connection: Sequence[str]
) -> list[str]:
    """Give the lines.

    Args:
        passwords: Of the users.
        more: Further lines.
        tls_folder: Where the certificate authority is kept; None: plain HTTP.
        connection: The connection of Secure Export to the stand-in.
    """
    lines = ["users, worth nothing anywhere else:"]
    lines += [f"  {name:<20} password {password}" for name, password in sorted(passwords.items())]
    lines += more
    if ca := ca_file(tls_folder):
        lines += [f"trust it: REQUESTS_CA_BUNDLE={ca} or SSL_CERT_FILE={ca}"]
    return [*lines, "", "in secure-export.toml:", "", *connection, ""]
