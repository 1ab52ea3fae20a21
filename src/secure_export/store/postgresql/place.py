"""Where a PostgreSQL database is, as its URL says, and how it is connected to."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from secure_export.errors import SettingsError
from secure_export.store.postgresql.timelines import Timelines

_HELP = "write postgresql://user@host/database, and options behind a question mark"
_OPTIONS = (
    "host",
    "port",
    "passfile",
    "password_file",
    "pool_size",
    "pooler",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
)
_SERVERS = ("read-write", "primary")
_MODES = ("disable", "require", "verify-ca", "verify-full")
_DEFAULT_PORT = 5432
_HIGHEST_PORT = 65535
_POOL_SIZES = range(2, 201)

Password = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a database is.

    Attributes:
        hosts: Host names, addresses or folders of Unix sockets; of several the one that takes writes is used.
        ports: The port of each.
        user: The role; None: as libpq decides (``PGUSER``, or the name of the system's user).
        database: The database; None: as libpq decides.
        password: What gives the password, asked for each new connection; None: ``PGPASSWORD``, or a password file.
        passfile: A password file as libpq has it; None: ``PGPASSFILE``, or ``~/.pgpass``.
        tls: How connections are secured; None: they are not.
        pool_size: How many connections are open at a time at most, beside the one that listens.
        through_pooler: Whether a pooler hands out its connections for a transaction at a time, so that nothing may be
            left behind in a session: no prepared statements, no settings, no listening.
        server: Which of the hosts is used (libpq's ``target_session_attrs``): the one that takes writes, or the
            primary even while it refuses them, so that what is kept can still be read.
        timelines: What was seen of its servers so far.
    """

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str | None
    database: str | None
    password: Password | None
    passfile: str | None
    tls: ssl.SSLContext | None
    pool_size: int
    through_pooler: bool
    server: str
    timelines: Timelines = field(default_factory=Timelines, compare=False, repr=False)

    def arguments(self) -> dict[str, Any]:
        """Give what asyncpg needs to connect."""
        given: dict[str, Any] = {
            "host": list(self.hosts),
            "port": list(self.ports),
            "user": self.user,
            "database": self.database,
            "password": self.password,
            "passfile": self.passfile,
            "ssl": self.tls if self.tls is not None else False,
            "target_session_attrs": self.server,
        }
        return {name: value for name, value in given.items() if value is not None}

    def __str__(self) -> str:
        """Name it without any secret."""
        hosts = ",".join(f"{host}:{port}" for host, port in zip(self.hosts, self.ports, strict=True))
        return f"{self.database or 'the database'} at {hosts}"


def place_of(url: str, *, password: Password | None = None) -> Place:
    """Read the URL of a PostgreSQL database.

    Args:
        url: The URL.
        password: What gives the password, where it comes from the settings.

    Raises:
        SettingsError: The URL names no database, or has options that are not known.
    """
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise SettingsError(f"store.url: {error}; {_HELP}") from error
    user, _, where = parts.netloc.rpartition("@")
    if ":" in user:
        raise SettingsError(
            "store.url: a password does not belong into the URL, where it is shown; give it as store.password, "
            "in the environment as PGPASSWORD, or name a file with password_file= or passfile="
        )
    if parts.fragment or "/" in parts.path[1:]:
        raise SettingsError(f"store.url names no database; {_HELP}")
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise SettingsError(f"store.url: {unknown[0]} is no option; there are {', '.join(_OPTIONS)}")
    hosts, ports = _hosts(options.get("host") or unquote(where), options.get("port"))
    return Place(
        hosts=hosts,
        ports=ports,
        user=unquote(user) or None,
        database=unquote(parts.path[1:]) or None,
        password=_password(password, options),
        passfile=options.get("passfile"),
        tls=_tls(options, is_local=all(map(_is_local, hosts))),
        pool_size=_number("pool_size", options.get("pool_size", "10"), _POOL_SIZES),
        through_pooler=_one_of("pooler", options.get("pooler", "none"), ("none", "transaction")) == "transaction",
        server=_one_of("target_session_attrs", options.get("target_session_attrs", _SERVERS[0]), _SERVERS),
    )


def _hosts(written: str, port: str | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Read hosts with their ports; without a host the system's usual folder of sockets is meant."""
    default = _DEFAULT_PORT if port is None else _number("port", port, range(1, _HIGHEST_PORT + 1))
    hosts: list[str] = []
    ports: list[int] = []
    for one in written.split(",") if written else ["/var/run/postgresql"]:
        host, colon, own = one.rpartition(":")
        if one.startswith("/") or not colon or one.endswith("]"):
            host, own = one, ""
        hosts.append(host.removeprefix("[").removesuffix("]"))
        ports.append(_number("port", own, range(1, _HIGHEST_PORT + 1)) if own else default)
    if not all(hosts):
        raise SettingsError(f"store.url has an empty host; {_HELP}")
    return tuple(hosts), tuple(ports)


def _password(given: Password | None, options: Mapping[str, str]) -> Password | None:
    """Give the password from the settings, or from a file that holds nothing else and is read for each connection."""
    name = options.get("password_file")
    if given is not None or name is None:
        return given
    path = Path(name)

    def read() -> str:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"store.url: the password cannot be read from {path}: {error}") from error

    return read


def _tls(options: Mapping[str, str], *, is_local: bool) -> ssl.SSLContext | None:
    """Secure connections: certificate and name are checked unless the URL says otherwise or it is this machine."""
    mode = _one_of("sslmode", options.get("sslmode", "disable" if is_local else "verify-full"), _MODES)
    if mode == "disable":
        return None
    try:
        context = ssl.create_default_context(cafile=options.get("sslrootcert"))
        if "sslcert" in options:
            context.load_cert_chain(options["sslcert"], options.get("sslkey"))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"store.url: a certificate or key cannot be used: {error}") from error
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    return context


def _is_local(host: str) -> bool:
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise SettingsError(f"store.url: {name}={value} is not known; use one of {', '.join(choices)}")
    return value


def _number(name: str, text: str, among: range) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in among:
        raise SettingsError(f"store.url: {name}={text} is no number from {among[0]} to {among[-1]}")
    return int(text)
