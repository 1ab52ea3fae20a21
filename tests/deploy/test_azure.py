"""The Bicep template: the program's own settings and commands; names and secrets that fit together."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from tests.deploy.deployment import DEPLOY, PROBES, accepted, needs, place_in, secret_files, settings_of

FOLDER = DEPLOY / "azure"
BICEP = (FOLDER / "main.bicep").read_text(encoding="utf-8")
PARAMETERS = (FOLDER / "main.bicepparam").read_text(encoding="utf-8")
CONFIGURATION = (FOLDER / "secure-export.toml").read_text(encoding="utf-8")
HOST = "server.postgres.database.azure.com:5432"


def environment(role: str) -> dict[str, str]:
    """Give what the template sets in the environment of the containers of a database role."""
    blocks = re.findall(rf"(?s)var (?:common|{role})Environment = .*?\n\]", BICEP)
    assert len(blocks) == 2
    pairs = re.findall(r"name: '(SECURE_EXPORT__\w+)', value: '([^']*)'", "".join(blocks))
    return {name: value.replace("${storeHost}", HOST) for name, value in pairs}


def arguments(name: str) -> list[str]:
    """Give the command line of a container."""
    (block,) = re.findall(rf"(?s)name: '{name}'\n\s+image: image\n\s+args: \[(.*?)\]", BICEP)
    return re.findall(r"'([^']*)'", block)


@pytest.mark.parametrize("role", ["intake", "delivery", "console"])
def test_commands_are_those_of_the_program(role: str) -> None:
    """Each app runs the role that it is named after."""
    assert accepted(arguments(role))["role"] == [role]


def test_the_job_migrates_and_gives_the_other_role_its_rights() -> None:
    """The job that owns the tables brings them up to date for the role that runs the service."""
    assert arguments("migrate")[:2] == ["store", "migrate"]
    assert accepted(arguments("migrate"))["grant_to"] == "secure_export"


@pytest.mark.parametrize("role", ["runner", "owner"])
def test_the_program_reads_its_settings(role: str, tmp_path: Path) -> None:
    """Configuration and environment are taken by the program; the password's file is one that is mounted."""
    settings = settings_of(CONFIGURATION, environment(role), tmp_path)
    place = place_in(settings)
    assert place.user == {"runner": "secure_export", "owner": "secure_export_owner"}[role]
    assert place.tls is not None
    assert secret_files(settings) == {"/run/secrets/database/password"}
    assert "mountPath: '/run/secrets/database'" in BICEP
    assert f"secretRef: '{role}-password', path: 'password'" in BICEP


def test_probes_ask_for_paths_that_are_there() -> None:
    """Alive is asked at start and later; ready takes a replica out of the load balancing."""
    assert set(re.findall(r"httpGet: \{ path: '([^']*)', port: 8080", BICEP)) == PROBES


def test_every_secret_that_is_mounted_is_one_of_the_apps() -> None:
    """A secretRef names a secret that the template defines."""
    defined = set(re.findall(r"\{\s*name: '([\w-]+)',?\s+(?:keyVaultUrl|value):", BICEP))
    used = set(re.findall(r"secretRef: '([\w-]+)'", BICEP))
    assert used
    assert used <= defined


def test_the_one_password_that_is_a_parameter_is_secret_and_comes_from_the_vault() -> None:
    """Deployments keep parameters; one that is marked secure is kept by nobody."""
    (name,) = re.findall(r"(?m)^param (\w*[pP]assword) string", BICEP)
    assert re.search(rf"@secure\(\)\nparam {name} string$", BICEP, re.MULTILINE)
    assert re.search(rf"(?m)^param {name} = az\.getSecret\(", PARAMETERS)


def test_every_parameter_that_is_set_exists_and_every_one_that_must_be_is_set() -> None:
    """Template and parameters fit together."""
    declared = dict(re.findall(r"(?m)^param (\w+) [^=\n]*?(=|$)", BICEP))
    given = set(re.findall(r"(?m)^param (\w+) =", PARAMETERS))
    assert given <= set(declared)
    assert {name for name, default in declared.items() if not default} <= given


def test_files_that_are_built_in_are_there() -> None:
    """Configuration and SQL are read from files beside the template."""
    files = re.findall(r"loadTextContent\('([^']*)'\)", BICEP)
    assert len(files) == 2
    assert all((FOLDER / name).is_file() for name in files)


def test_names_are_no_longer_than_azure_takes() -> None:
    """A container app's name has at most 32 characters, and the longest name is made of the longest prefix."""
    longest = int(re.findall(r"@maxLength\((\d+)\)\nparam prefix", BICEP)[0])
    assert max(longest + len(rest) for rest in re.findall(r"name: '\$\{prefix\}(-\w+)'", BICEP)) <= 32


def test_availability() -> None:
    """The database has a standby in another zone, the environment is spread over zones, and intake has two replicas."""
    assert "highAvailability: { mode: 'ZoneRedundant'" in BICEP
    assert "zoneRedundant: true" in BICEP
    assert "intakeReplicas { min: int, max: int } = { min: 2" in BICEP
    assert "publicNetworkAccess: 'Disabled'" in BICEP
    assert len(re.findall(r"external: true", BICEP)) == 1


def test_the_template_parses() -> None:
    """A parser of Bicep takes the template; no compiler of Bicep is a Python package."""
    needs("tree_sitter_bicep", "tree-sitter-bicep")
    needs("tree_sitter", "tree-sitter")
    sitter = import_module("tree_sitter")
    parser = sitter.Parser(sitter.Language(import_module("tree_sitter_bicep").language()))
    assert not parser.parse(BICEP.encode()).root_node.has_error
    assert parser.parse(BICEP.replace("resource intake", "resource", 1).encode()).root_node.has_error
