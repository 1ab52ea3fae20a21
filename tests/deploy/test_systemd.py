"""The units of systemd: the program's own commands, and nothing of the machine that they do not need."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.deploy.deployment import DEPLOY, accepted, settings_of

FOLDER = DEPLOY / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
ROLES = ("intake", "delivery", "console")
CONFIGURATION = """
[store]
url = "postgresql://secure_export@db-1,db-2/secure_export"
[identity]
tenant_id = "00000000-0000-0000-0000-000000000001"
audience = "00000000-0000-0000-0000-000000000002"
[connections.desk]
type = "desk"
subscriptions = ["00000000-0000-0000-0000-000000000003"]
"""
_LEAST = {
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "true",
    "PrivateDevices": "true",
    "PrivateTmp": "true",
    "ProtectHome": "true",
    "ProtectSystem": "strict",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "StateDirectory": "secure-export",
    "StateDirectoryMode": "0700",
    "UMask": "0077",
    "User": "secure-export",
}


def directives(unit: Path) -> list[tuple[str, str]]:
    """Give the settings of a unit in their order."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [
        (name, value) for line in lines if not line.startswith("#") for name, eq, value in [line.partition("=")] if eq
    ]


def only(unit: Path, name: str) -> str:
    (value,) = [value for key, value in directives(unit) if key == name]
    return value


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_service_has_the_least_rights(unit: Path) -> None:
    """It is no root, has no capability, and can write to its own folder alone."""
    for name, value in _LEAST.items():
        assert only(unit, name) == value, name


def test_the_two_units_differ_in_nothing_else() -> None:
    """What protects the one protects the other."""
    one, other = (set(directives(unit)) for unit in UNITS)
    names = {name for name, _ in one ^ other}
    assert names == {"Description", "ExecStart", "EnvironmentFile", "LoadCredential", "Environment"}


@pytest.mark.parametrize("role", ROLES)
def test_commands_are_those_of_the_program(role: str) -> None:
    """A unit of the template runs the role that it is named after; the plain one runs everything."""
    plain, template = (only(FOLDER / name, "ExecStart") for name in ("secure-export.service", "secure-export@.service"))
    for command, wanted in ((plain, None), (template, [role])):
        program, *arguments = command.replace("%i", role).split()
        assert Path(program).name == "secure-export"
        assert list(accepted(arguments)["role"]) == (wanted or [])


def test_the_environment_is_read_by_the_program(tmp_path: Path) -> None:
    """The password's file of the template comes into the settings."""
    name, _, value = only(FOLDER / "secure-export@.service", "Environment").partition("=")
    (credential,) = [
        value.partition(":")[0]
        for key, value in directives(FOLDER / "secure-export@.service")
        if key == "LoadCredential"
    ]
    settings = settings_of(CONFIGURATION, {name: value.replace("%d", str(tmp_path))}, tmp_path)
    assert settings.store.password is not None
    assert settings.store.password.file == tmp_path / credential


def test_the_service_has_time_to_finish_its_steps() -> None:
    """The service needs up to half a minute to end; systemd waits longer before it kills."""
    assert all(int(only(unit, "TimeoutStopSec")) >= 40 for unit in UNITS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """The manager knows every setting, and finds little to complain of (at most 2.0 of 10)."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    copy = tmp_path / unit.name.replace("@", "@intake")
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8")))
    for command in (["verify"], ["security", "--offline=true", "--threshold=20", "--no-pager"]):
        ran = subprocess.run([analyze, *command, str(copy)], capture_output=True, text=True, check=False, timeout=30)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert command != ["verify"] or not ran.stderr, ran.stderr
