"""The compose file: the program's own settings and commands, and nothing that a container does not need."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.deployment import DEPLOY, PROBES, accepted, loaded, place_in, secret_files, settings_of, texts

FOLDER = DEPLOY / "compose"
COMPOSE = loaded(FOLDER / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
PROGRAM = sorted(name for name, service in SERVICES.items() if "build" in service)
ROLES = {"intake", "delivery", "console"}


def test_there_is_a_service_for_each_role_and_one_that_migrates() -> None:
    """Roles are scaled apart; two processes take alerts in and two deliver."""
    assert set(PROGRAM) == ROLES | {"migrate"}
    assert {n: SERVICES[n]["deploy"]["replicas"] for n in ("intake", "delivery")} == {"intake": 2, "delivery": 2}


@pytest.mark.parametrize("name", PROGRAM)
def test_commands_are_those_of_the_program(name: str) -> None:
    """Each service runs the role that it is named after, and the migration what gives that role its rights."""
    command = SERVICES[name]["command"]
    given = accepted(command)
    assert str(given["config"]) in {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}
    if name in ROLES:
        assert (command[0], given["role"]) == ("serve", [name])
    else:
        assert (command[:2], given["grant_to"]) == (["store", "migrate"], "secure_export")


@pytest.mark.parametrize("name", PROGRAM)
def test_the_program_reads_its_settings(name: str, tmp_path: Path) -> None:
    """Configuration and environment together are taken by the program; every secret that they name is mounted."""
    service = SERVICES[name]
    settings = settings_of((FOLDER / "secure-export.toml").read_text(), service["environment"], tmp_path)
    assert settings.server.listen == "0.0.0.0:8080"
    place = place_in(settings)
    assert (place.hosts, place.database) == (("database",), "secure_export")
    assert place.user == ("secure_export" if name in ROLES else "secure_export_owner")
    assert secret_files(settings) == {f"/run/secrets/{secret}" for secret in service["secrets"]}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_containers_have_least_privilege(name: str) -> None:
    """Nobody is root, writes to the file system, or has a capability; memory and processes are bounded."""
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(service)


def test_secrets_are_files_and_each_is_given_to_who_needs_it() -> None:
    """No password stands in the environment, and nobody who runs the service knows the owner's."""
    assert {name for service in SERVICES.values() for name in service.get("secrets", [])} == set(COMPOSE["secrets"])
    assert all(set(one) == {"file"} and one["file"].startswith("./secrets/") for one in COMPOSE["secrets"].values())
    assert "/secrets/" in (FOLDER / ".gitignore").read_text().splitlines()
    for name in ROLES:
        assert "owner-password" not in SERVICES[name]["secrets"]
    environment = {key: value for one in SERVICES.values() for key, value in one.get("environment", {}).items()}
    assert all(key.endswith("FILE") for key in environment if "PASSWORD" in key)


def test_the_database_is_reached_by_those_alone_who_need_it() -> None:
    """The proxy shares a network with intake only, and that network has nobody else in it."""
    members: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for network in service.get("networks", []):
            members.setdefault(network, set()).add(name)
    assert set(members) == set(COMPOSE["networks"])
    assert members["inside"] == {"proxy", "intake"}
    assert members["edge"] == {"proxy"}
    assert members["storage"] == ROLES | {"migrate", "database"}
    assert COMPOSE["networks"]["storage"]["internal"] is True
    assert "ports" not in SERVICES["database"]


def test_the_proxys_network_is_the_one_that_is_trusted(tmp_path: Path) -> None:
    """X-Forwarded-For is believed from the proxy's network, whose addresses compose.yaml fixes."""
    settings = settings_of((FOLDER / "secure-export.toml").read_text(), {}, tmp_path)
    (network,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert settings.server.trusted_proxies == [network["subnet"]]


def test_a_process_has_time_to_finish_its_steps() -> None:
    """The service needs up to half a minute to end; compose waits longer before it kills."""
    assert all(int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= 40 for name in ROLES)


def test_what_is_mounted_is_there() -> None:
    """Every file that a service mounts from the source exists."""
    mounts = [mount.split(":")[0] for one in SERVICES.values() for mount in one.get("volumes", []) if mount[0] == "."]
    assert mounts
    for mount in mounts:
        assert (FOLDER / mount).resolve().is_file(), mount
    assert (FOLDER / SERVICES["intake"]["build"]["context"] / SERVICES["intake"]["build"]["dockerfile"]).is_file()


def test_connections_of_all_processes_fit_the_database(tmp_path: Path) -> None:
    """Every process may open its whole pool and one more, and PostgreSQL takes that many."""
    (limit,) = [int(o.split("=")[1]) for o in SERVICES["database"]["command"] if o.startswith("max_connections=")]
    settings = settings_of((FOLDER / "secure-export.toml").read_text(), SERVICES["intake"]["environment"], tmp_path)
    processes = sum(SERVICES[name].get("deploy", {"replicas": 1})["replicas"] for name in PROGRAM)
    assert processes * (place_in(settings).pool_size + 1) < limit


def test_health_checks_ask_for_paths_that_are_there() -> None:
    """What is asked is whether the process is alive, not whether its database is."""
    asked = {path for text in texts(SERVICES) for path in re.findall(r":8080(/\w+)", text)}
    assert asked == {"/healthz"}
    assert asked <= PROBES


def test_the_proxy_never_makes_azure_drop_an_alert() -> None:
    """Azure sends again on 503, and drops on 500, 502 and everything that is not on its list."""
    text = (FOLDER / "nginx.conf").read_text()
    assert "error_page 500 502 504 =503 @later;" in text
    assert re.search(r"location @later \{[^}]*Retry-After[^}]*return 503", text)
    assert set(re.findall(r"location (\S+) \{", text)) == {"/v1/connections/", "@later", "/"}
    assert set(re.findall(r"/run/secrets/([\w.-]+)", text)) == set(SERVICES["proxy"]["secrets"])
    assert f"listen {SERVICES['proxy']['ports'][0].split(':')[1]} ssl;" in text


def test_postgresql_makes_the_roles_that_the_program_signs_in_as() -> None:
    """roles.sql makes exactly the two roles and the database that the URLs name."""
    sql = (DEPLOY / "postgresql" / "roles.sql").read_text()
    assert set(re.findall(r"\('(\w+)'\)", sql)) == {"secure_export_owner", "secure_export"}
    variables = {text.split("=")[1] for text in SERVICES["roles"]["entrypoint"] if "_file=" in text}
    assert variables == set(re.findall(r":'(\w+_file)'", sql))
