"""Runs the live test suite of PySNC, ServiceNow's own Python client, against the sandbox.

The suite is the vendor's: fetch its repository yourself (https://github.com/ServiceNow/PySNC, tag v1.2.1). Nothing of
it is copied into this project, and nothing is written into the checkout. What the suite imports must be installed for
the Python that runs it::

    python -m venv suite
    suite/bin/pip install pytest python-dotenv requests requests-oauthlib httpx pysnc==1.2.1
    python tests/strangers/run_pysnc_suite.py PySNC --python suite/bin/python

Prints one line for each file of the suite and one for all, and ends with 1 unless every test passed or was skipped by
the suite itself.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from secure_export.sandbox.servicenow.demo_access import ADMIN, CLIENT_ID, CLIENT_SECRET, PASSWORD
from secure_export.sandbox.servicenow.run import serving
from secure_export.sandbox.tls import LocalCa

OUTCOMES: Final = ("passed", "failed", "skipped")
_BAD: Final = frozenset({"failure", "error"})


@dataclass(slots=True)
class Report:
    """What a run of the suite said.

    Attributes:
        files: How often each outcome came, by file.
        failures: The names of the tests that failed.
    """

    files: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> Counter[str]:
        """How often each outcome came in all files."""
        return sum(self.files.values(), Counter[str]())

    def lines(self) -> list[str]:
        """Tell it to a person."""
        width = max(map(len, [*self.files, "total"]))
        rows = [*sorted(self.files.items()), ("total", self.total)]
        told = [f"{name:{width}}  " + "  ".join(f"{count[one]:3} {one}" for one in OUTCOMES) for name, count in rows]
        return [*told, *(f"FAILED {name}" for name in self.failures)]


async def run_suite(checkout: Path, python: str, arguments: Sequence[str] = ()) -> Report:
    """Serve a sandbox with TLS and run the suite against it.

    Args:
        checkout: The root of the vendor's repository.
        python: The interpreter that has what the suite imports.
        arguments: More arguments for pytest.

    Returns:
        What the suite said.

    Raises:
        RuntimeError: pytest told nothing.
    """
    ca = LocalCa.made()
    with tempfile.TemporaryDirectory() as folder:
        ca_file, results = Path(folder) / "ca.pem", Path(folder) / "results.xml"
        ca_file.write_bytes(ca.pem)
        async with serving(tls=ca.server_context()) as (_, url):
            command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={results}", *arguments]
            process = await asyncio.create_subprocess_exec(
                *command, cwd=checkout, env=os.environ | _environment(url, ca_file)
            )
            await process.wait()
        if not results.exists():
            raise RuntimeError("pytest wrote no results. Is what the suite imports installed for that Python?")
        return read_report(results.read_text(encoding="utf-8"))


def read_report(xml: str) -> Report:
    """Read pytest's JUnit report."""
    report = Report()
    for case in ET.fromstring(xml).iter("testcase"):  # noqa: S314 - written by the pytest that we started
        name = case.get("classname", "")
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & _BAD else "skipped" if "skipped" in kinds else "passed"
        report.files.setdefault(_file_of(name), Counter())[outcome] += 1
        if outcome == "failed":
            report.failures.append(f"{name}.{case.get('name', '')}")
    return report


def _file_of(class_name: str) -> str:
    """Give the file of a test from what pytest calls its class, such as ``test.asyncio.test_snc_api.TestAsync``."""
    parts = class_name.split(".")
    last = max((index for index, part in enumerate(parts) if part.startswith("test_")), default=len(parts) - 1)
    return "/".join(parts[: last + 1]) + ".py"


def _environment(url: str, ca_file: Path) -> dict[str, str]:
    return {
        "PYSNC_SERVER": url,
        "PYSNC_USERNAME": ADMIN,
        "PYSNC_PASSWORD": PASSWORD,
        "PYSNC_CLIENT_ID": CLIENT_ID,
        "PYSNC_CLIENT_SECRET": CLIENT_SECRET,
        "REQUESTS_CA_BUNDLE": str(ca_file),
        "SSL_CERT_FILE": str(ca_file),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Run the live suite of PySNC against the sandbox.")
    parser.add_argument("checkout", type=Path, help="the root of a checkout of github.com/ServiceNow/PySNC")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has what the suite imports")
    arguments, more = parser.parse_known_args()
    report = asyncio.run(run_suite(arguments.checkout.resolve(), arguments.python, more))
    print("\n".join(report.lines()))  # noqa: T201 - the script's result
    return 1 if report.failures or not report.total["passed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
