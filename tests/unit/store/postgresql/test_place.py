"""What the URL of a PostgreSQL database says."""

import ssl
from pathlib import Path

import pytest
from tests.postgres import Server

from secure_export.errors import SettingsError, StoreUnavailable
from secure_export.store.open import open_store, store_exists
from secure_export.store.postgresql.place import Place, place_of


def test_a_plain_url() -> None:
    """User, host and database; the rest has defaults, and another machine has to show a certificate."""
    place = place_of("postgresql://app@db.example/alerts")
    assert (place.hosts, place.ports, place.user, place.database) == (("db.example",), (5432,), "app", "alerts")
    assert place.tls is not None
    assert (place.tls.verify_mode, place.tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (place.pool_size, place.through_pooler) == (10, False)


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        ("postgresql://u@h:6432/d", ("h",), (6432,)),
        ("postgres://u@h/d?port=6432", ("h",), (6432,)),
        ("postgresql://u@h1,h2:5433/d", ("h1", "h2"), (5432, 5433)),
        ("postgresql://u@[::1]:5433/d", ("::1",), (5433,)),
        ("postgresql://u@[::1]/d", ("::1",), (5432,)),
        ("postgresql://u@/d?host=/run/pg", ("/run/pg",), (5432,)),
        ("postgresql://u@%2Frun%2Fpg/d", ("/run/pg",), (5432,)),
        ("postgresql:///d", ("/var/run/postgresql",), (5432,)),
    ],
)
def test_hosts_and_ports(url: str, hosts: tuple[str, ...], ports: tuple[int, ...]) -> None:
    """Several hosts, addresses of both kinds, and folders of sockets."""
    place = place_of(url)
    assert (place.hosts, place.ports) == (hosts, ports)


def test_of_several_hosts_the_one_that_takes_writes_is_used() -> None:
    """The option has libpq's name, so that a URL made for other programs can be used."""
    assert place_of("postgresql://u@h1,h2/d").arguments()["target_session_attrs"] == "read-write"
    chosen = place_of("postgresql://u@h1,h2/d?target_session_attrs=primary")
    assert chosen.arguments()["target_session_attrs"] == "primary"


def test_names_are_decoded() -> None:
    """A user's name may have an @, as on Azure."""
    place = place_of("postgresql://app%40tenant@h/my%20db")
    assert (place.user, place.database) == ("app@tenant", "my db")


@pytest.mark.parametrize(
    ("host", "query", "verified", "named"),
    [
        ("localhost", "", None, None),
        ("127.0.0.1", "", None, None),
        ("[::1]", "", None, None),
        ("h", "sslmode=disable", None, None),
        ("h", "sslmode=require", ssl.CERT_NONE, False),
        ("h", "sslmode=verify-ca", ssl.CERT_REQUIRED, False),
        ("localhost", "sslmode=verify-full", ssl.CERT_REQUIRED, True),
        ("h,localhost", "", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls(host: str, query: str, verified: ssl.VerifyMode | None, named: bool | None) -> None:  # noqa: FBT001 - expected
    """Only on this machine, or if the URL says so, is anything less than everything checked."""
    tls = place_of(f"postgresql://u@{host}/d?{query}").tls
    assert (tls.verify_mode if tls else None) == verified
    assert (tls.check_hostname if tls else None) == named


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:secret@h/d", "password does not belong into the URL"),
        ("postgresql://u@h/d?sslmod=require", "sslmod is no option"),
        ("postgresql://u@h/d?sslmode=prefer", "sslmode=prefer is not known"),
        ("postgresql://u@h/d?pool_size=0", "pool_size=0 is no number from 2 to 200"),
        ("postgresql://u@h/d?pool_size=x", "pool_size=x is no number"),
        ("postgresql://u@h:0/d", "port=0"),
        ("postgresql://u@h:99999/d", "port=99999"),
        ("postgresql://u@h,/d", "empty host"),
        ("postgresql://u@h/d/e", "names no database"),
        ("postgresql://u@h/d#x", "names no database"),
        ("postgresql://u@h/d?pooler=session", "pooler=session is not known"),
        ("postgresql://u@h/d?target_session_attrs=any", "target_session_attrs=any is not known; use one of read-write"),
        ("postgresql://u@h/d?sslrootcert=/nowhere.pem", "certificate or key cannot be used"),
        ("postgresql://u@h/d?pool_size", "store.url"),
    ],
)
def test_what_is_wrong_is_said(url: str, said: str) -> None:
    """The text names what is wrong and what to write, and no password."""
    with pytest.raises(SettingsError, match=said) as caught:
        place_of(url)
    assert "secret" not in str(caught.value)


def test_a_password_comes_from_a_file_that_may_change(tmp_path: Path) -> None:
    """The file is read for each connection, so that a new password needs no restart."""
    file = tmp_path / "password"
    file.write_text("one\n")
    place = place_of(f"postgresql://u@h/d?password_file={file}")
    assert place.password is not None
    assert place.password() == "one"
    file.write_text("two")
    assert place.arguments()["password"]() == "two"


def test_a_missing_password_file_is_named() -> None:
    """The error says which file."""
    place = place_of("postgresql://u@h/d?password_file=/nowhere/at/all")
    assert place.password is not None
    with pytest.raises(SettingsError, match="/nowhere/at/all"):
        place.password()


def test_the_settings_password_comes_first() -> None:
    """One that the settings give is used whatever the URL names."""
    place = place_of("postgresql://u@h/d?password_file=/nowhere", password=lambda: "given")
    assert place.password is not None
    assert place.password() == "given"


def test_it_is_named_without_secrets() -> None:
    """What errors and logs show."""
    place: Place = place_of("postgresql://u@h/d", password=lambda: "secret")
    assert str(place) == "d at h:5432"


async def test_a_url_opens_a_store(postgres: Server, database: str) -> None:
    """The same function opens whatever store the URL names; whether a server has it is seen then."""
    url = postgres.url(database)
    store = await open_store(url)
    assert await store.ready() is None
    await store.close()
    assert store_exists(url)


async def test_a_wrong_password_is_told(postgres: Server, database: str) -> None:
    """A server that wants a password and gets another says so; the password is not shown."""
    password = "se-wrong"
    await postgres.execute(f"CREATE ROLE {database}_pw LOGIN PASSWORD 'right'")
    try:
        with pytest.raises((StoreUnavailable, SettingsError)) as caught:
            await open_store(postgres.url("se_test_nowhere", role=f"{database}_pw"), password=lambda: password)
        assert password not in str(caught.value)
    finally:
        await postgres.execute(f"DROP ROLE {database}_pw")
