"""One program that every test of the contract asks, and the stand-in for Entra ID beside it."""

from collections.abc import Iterator

import pytest
from tests.journeys.contract.outside import SUBSCRIPTION, Service
from tests.journeys.contract.standing_in import Entra
from tests.program import Program, free_port

RULES = """
[connections.by-ci]
type = "desk"
subscriptions = ["*"]

[[connections.by-ci.routes]]
group_by = "ci"

[connections.by-rule]
type = "desk"
subscriptions = ["*"]

[[connections.by-rule.routes]]
work_item = "incident"
group_by = "rule"
"""


@pytest.fixture(scope="session")
def standing_in() -> Iterator[Entra]:
    entra = Entra(free_port()).start()
    yield entra
    entra.stop()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, standing_in: Entra) -> Iterator[Service]:
    program = Program(tmp_path_factory.mktemp("contract"), standing_in.base, subscriptions=(SUBSCRIPTION,), more=RULES)
    program.start()
    yield Service(program, standing_in)
    program.stop()
