"""Runs integration targets of the Ansible collection ``servicenow.itsm`` against the sandbox.

The targets are the collection's own: fetch its repository yourself
(https://github.com/ansible-collections/servicenow.itsm, GPLv3). Nothing of it is copied into this project, and nothing
is written into the checkout: the targets run from a temporary folder. Ansible must be installed in an environment of
its own; the collection needs nothing else::

    python -m venv ansible
    ansible/bin/pip install "ansible-core==2.19.*"
    python tests/strangers/run_ansible_targets.py servicenow.itsm --ansible-playbook ansible/bin/ansible-playbook

Prints one line for each target and one for all, and ends with 1 unless every target passed. Names of targets may be
given; else those of ``TARGETS`` run. The others need an app of the collection inside the instance (``problem``,
``problem_with_mapping``), or the service catalogue. Some targets leave files of their own in ``/tmp``.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from secure_export.sandbox.servicenow.app import ServiceNowApp
from secure_export.sandbox.servicenow.demo_access import ADMIN, API_KEY, CLIENT_ID, CLIENT_SECRET, PASSWORD
from secure_export.sandbox.servicenow.faults import Fault, FaultKind
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.oauth import CLIENT_CREDENTIALS_PROPERTY
from secure_export.sandbox.servicenow.run import serving
from secure_export.sandbox.tls import LocalCa

TARGETS: Final = (
    "api_authentication",
    "inventory",
    "itsm_api",
    "itsm_api_generic",
    "itsm_attachment",
    "itsm_attachment_info",
    "itsm_attachment_upload",
    "itsm_catalog_request_task",
    "itsm_change_request",
    "itsm_change_request_task",
    "itsm_change_request_with_mapping",
    "itsm_configuration_item",
    "itsm_configuration_item_batch",
    "itsm_configuration_item_relations",
    "itsm_incident",
    "itsm_incident_with_mapping",
    "itsm_misc",
    "problem_task",
)
_NEEDS_DISTANCE: Final = {"itsm_misc": 0.05}
"""Seconds that every answer takes in a target that sees calls time out after 10 ms: no instance is that near."""
_STANDARD_CHANGE: Final = "Clear BGP sessions on a Cisco router - 1"
_DESCRIPTION: Final = "description=Resend the complete BGP table to neighboring routers"
"""A standard change of ServiceNow's demo data, and what the targets expect its template to fill in."""
_PLAY: Final = "- hosts: localhost\n  roles: [{target}]\n"
_RECAP: Final = re.compile(r"^localhost\s+: (?P<counts>.*)$", re.MULTILINE)
_TASK: Final = re.compile(r"^TASK \[(.*)\] \*+$", re.MULTILINE)
_FATAL: Final = re.compile(r"^(?:fatal|failed): ", re.MULTILINE)
_MEANT: Final = "\n...ignoring"
_HELD: Final = '"msg": "All assertions passed"'
_MOST_TOLD: Final = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target.

    Attributes:
        target: Its name.
        passed: Whether Ansible ended with 0.
        tasks: How many tasks were ok, changed, failed, skipped, ignored, as Ansible counts them.
        assertions: How many assertions held.
        failure: The task that ended it, and what it said; empty if it passed.
    """

    target: str
    passed: bool
    tasks: Counter[str]
    assertions: int
    failure: str = ""


class Stage:
    """A temporary folder in which the targets run: the collection where Ansible finds it, and a copy of its targets.

    Args:
        folder: The folder.
        checkout: The root of the collection's repository.
        ansible_playbook: The command.
        logs: Where all that Ansible says is kept, one file for each target; None: nowhere.
    """

    def __init__(self, folder: Path, checkout: Path, ansible_playbook: Path, logs: Path | None = None) -> None:
        self._folder = folder
        self._ansible_playbook = ansible_playbook
        self._logs = logs
        self._targets = folder / "integration" / "targets"
        collection = folder / "ansible_collections" / "servicenow" / "itsm"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(checkout, target_is_directory=True)
        shutil.copytree(checkout / "tests" / "integration" / "targets", self._targets)

    def configure(self, url: str, ca: LocalCa, app: ServiceNowApp) -> None:
        """Write what the targets read about the instance, and open the doors that they come in by.

        A client certificate speaks for the administrator, and OAuth clients may come in by themselves: an instance
        that the targets are meant for has both.
        """
        (self._folder / "ca.pem").write_bytes(ca.pem)
        identity = ca.client(ADMIN)
        certificate, key = identity.write(self._folder, "client")
        app.sign_in.map_certificate(identity.certificate, ADMIN)
        app.instance.properties.set(CLIENT_CREDENTIALS_PROPERTY, "true")
        add_standard_change(app.instance)
        config = {
            "sn_host": url,
            "sn_username": ADMIN,
            "sn_password": PASSWORD,
            "sn_client_id": CLIENT_ID,
            "sn_client_secret": CLIENT_SECRET,
            "sn_api_key": API_KEY,
            "sn_client_certificate_file": str(certificate),
            "sn_client_key_file": str(key),
        }
        (self._targets.parent / "integration_config.yml").write_text(json.dumps(config), encoding="utf-8")

    async def run(self, target: str) -> Outcome:
        """Run one target to its end."""
        folder = self._targets / target
        command = ["sh", "runme.sh"]
        if not (folder / "runme.sh").exists():
            folder = self._folder
            play = folder / f"{target}.yml"
            play.write_text(_PLAY.format(target=target), encoding="utf-8")
            command = [str(self._ansible_playbook), str(play)]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=os.environ | self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        said = output.decode("utf-8", "replace")
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            (self._logs / f"{target}.log").write_text(said, encoding="utf-8")
        return read_outcome(target, said, passed=process.returncode == 0)

    def _environment(self) -> dict[str, str]:
        home = str(self._folder / "home")
        return {
            "PATH": f"{self._ansible_playbook.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": home,
            "ANSIBLE_HOME": home,
            "ANSIBLE_COLLECTIONS_PATH": str(self._folder),
            "ANSIBLE_ROLES_PATH": str(self._targets),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "SSL_CERT_FILE": str(self._folder / "ca.pem"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def add_standard_change(instance: Instance) -> None:
    """Add the standard change that the targets make changes from."""
    template = instance.insert("sys_template", {"table": "change_request", "template": _DESCRIPTION})
    producer = instance.insert("std_change_record_producer", {"template": template["sys_id"]})
    version = {"name": _STANDARD_CHANGE, "std_change_producer": producer["sys_id"]}
    instance.insert("std_change_producer_version", version)


def read_outcome(target: str, said: str, *, passed: bool) -> Outcome:
    """Read what Ansible said about a target."""
    tasks = Counter[str]()
    for recap in _RECAP.finditer(said):
        for pair in recap["counts"].split():
            name, _, count = pair.partition("=")
            tasks[name] += int(count)
    return Outcome(target, passed, tasks, said.count(_HELD), "" if passed else _failure(said))


def _failure(said: str) -> str:
    """Give the first task that failed and was meant to succeed."""
    for title, task in zip(*(iter(_TASK.split(said)[1:]),) * 2, strict=True):
        fatal = _FATAL.search(task)
        if fatal is not None and _MEANT not in task:
            return f"{title}: {' '.join(task[fatal.start() :].split())[:_MOST_TOLD]}"
    return said.strip()[-_MOST_TOLD:]


async def run_targets(
    checkout: Path, ansible_playbook: Path, targets: Sequence[str] = TARGETS, logs: Path | None = None
) -> list[Outcome]:
    """Serve a sandbox with TLS and run the targets against it, one after the other.

    Args:
        checkout: The root of the collection's repository.
        ansible_playbook: The command.
        targets: Their names.
        logs: Where all that Ansible says is kept; None: nowhere.

    Returns:
        What came of each.
    """
    ca = LocalCa.made()
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), checkout, ansible_playbook, logs)
        async with serving(tls=ca.server_context()) as (app, url):
            stage.configure(url, ca, app)
            for target in targets:
                app.faults.clear()
                if seconds := _NEEDS_DISTANCE.get(target):
                    app.faults.set(Fault(FaultKind.DELAY, seconds=seconds, times=None))
                outcomes.append(await stage.run(target))
    return outcomes


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Tell the outcomes to a person."""
    width = max(len(one.target) for one in outcomes)
    told = [
        f"{one.target:{width}}  {'passed' if one.passed else 'FAILED'}  {one.tasks['ok']:4} tasks ok"
        f"  {one.tasks['skipped']:3} skipped  {one.tasks['failed']:2} failed  {one.assertions:4} assertions held"
        for one in outcomes
    ]
    passed = sum(one.passed for one in outcomes)
    told += [f"{passed} of {len(outcomes)} targets passed, {sum(one.assertions for one in outcomes)} assertions held"]
    return [*told, *(f"FAILED {one.target}: {one.failure}" for one in outcomes if not one.passed)]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Run targets of the collection servicenow.itsm against the sandbox.")
    parser.add_argument("checkout", type=Path, help="the root of a checkout of ansible-collections/servicenow.itsm")
    parser.add_argument("targets", nargs="*", default=TARGETS, help="names of targets; all that are known to fit")
    parser.add_argument("--ansible-playbook", type=Path, required=True, help="the command of the environment to use")
    parser.add_argument("--logs", type=Path, help="a folder that keeps all that Ansible says")
    arguments = parser.parse_intermixed_args()
    outcomes = asyncio.run(
        run_targets(
            arguments.checkout.resolve(), arguments.ansible_playbook.absolute(), arguments.targets, arguments.logs
        )
    )
    print("\n".join(lines(outcomes)))  # noqa: T201 - the script's result
    return 0 if all(one.passed for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
